"""Dumb durable bytes under keys. `base` is the contract; each other module fulfils it."""
