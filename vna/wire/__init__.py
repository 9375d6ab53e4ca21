"""Sans-IO readers and writers that protocols share: multipart/related and media types."""
