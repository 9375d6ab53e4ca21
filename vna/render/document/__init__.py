"""Encapsulated documents, seen."""
