"""A bounded pool of processes in which untrusted pixels and documents are decoded and rendered.

A codec that crashes, hangs or asks for all memory ends its own process: one call fails, the
server goes on. Children are fresh interpreters that know neither database, store nor network, and
what they say is read as JSON and bytes, never unpickled.
"""

from vna.decoders.pool import Decoders

__all__ = ["Decoders"]
