"""Pictures and pages of what is stored: pure functions, no I/O."""
