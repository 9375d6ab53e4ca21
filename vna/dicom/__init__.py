"""DICOM bytes to values and back: no I/O, no waiting; pydicom lends its dictionaries only."""
