"""Structured reports and key object selections as pages that people read."""
