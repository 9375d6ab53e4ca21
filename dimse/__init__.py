"""DIMSE: the archive's language for modalities and PACS (PS3.7, PS3.8), to services and back."""
