"""Frozen values that every layer shares. No I/O, no imports from the rest of the archive."""
