"""How every HTTP face of the archive receives, refuses and sends: ASGI, and no framework."""
