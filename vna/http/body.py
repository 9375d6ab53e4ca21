"""The body of a request while it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from vna.http.problems import BodyTooLarge, SlowBody

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class ClientGone(Exception):
    """The other side closed the connection: nobody is left to answer."""


class Body:
    """Chunks as they come. `length`: bytes announced, None where the body is chunked."""

    def __init__(self, receive: Receive, length: int | None, idle_seconds: float) -> None:
        self._receive, self._idle_seconds = receive, idle_seconds
        self.length = length
        self.received = 0
        self.complete = length == 0

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield what arrives, never an empty chunk.

        Raises `ClientGone`, and `SlowBody` when nothing comes for `idle_seconds`.
        """
        while not self.complete:
            try:
                async with asyncio.timeout(self._idle_seconds):
                    message = await self._receive()
            except TimeoutError:
                raise SlowBody(
                    f"no byte of the body came for {self._idle_seconds:g} seconds"
                ) from None
            if message["type"] == "http.disconnect":
                raise ClientGone
            self.complete = not message.get("more_body", False)
            chunk: bytes = message.get("body", b"")
            if chunk:
                self.received += len(chunk)
                yield chunk

    async def whole(self, limit: int) -> bytes:
        """All of it. Raises `BodyTooLarge` beyond `limit` bytes."""
        if self.length is not None and self.length > limit:
            raise BodyTooLarge(f"the body has {self.length} bytes; {limit} are taken here")
        found = bytearray()
        async for chunk in self.chunks():
            found += chunk
            if len(found) > limit:
                raise BodyTooLarge(f"the body has more than {limit} bytes")
        return bytes(found)

    async def drain(self, limit: int, seconds: float) -> None:
        """Read and drop what still comes, until its end or one of the bounds."""
        dropped = 0
        try:
            async with asyncio.timeout(seconds):
                async for chunk in self.chunks():
                    dropped += len(chunk)
                    if dropped > limit:
                        return
        except (TimeoutError, ClientGone, SlowBody):
            return
