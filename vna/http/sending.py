"""An answer on its way out: pulled on threads, sent on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from vna.http.answer import Answer, Stream
from vna.http.body import Body, Receive
from vna.http.settings import EdgeSettings

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BATCH_BYTES = 1 << 20  # pulled at once: a hop to a thread costs 50 µs
JOINED_BYTES = 64 * 1024  # smaller chunks are joined; a larger one costs less to send than to copy
KEPT_OPEN_BYTES = 64 * 1024  # an unread body of this size is cheaper to read than to close over


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer whose first bytes are read, so that what goes wrong until then can be said.
    `rest` is None where `first` is everything."""

    answer: Answer
    first: Sequence[bytes]
    rest: Iterator[bytes] | None = None


def opened(answer: Answer, method: str) -> Opened:
    """Open an answer; on a thread, because a stream reads."""
    if not isinstance(answer.body, Stream):
        return Opened(answer, () if method == "HEAD" else (answer.body,))
    if method == "HEAD":
        return Opened(answer, ())
    chunks = answer.body.chunks()
    first = _pull(chunks)
    if sum(map(len, first)) == answer.body.size:
        _close(chunks)
        return Opened(answer, first)
    return Opened(answer, first, chunks)


class Sender:
    """Sends one answer. `sent`: bytes of the body; `whole`: whether that was all of it."""

    def __init__(self, body: Body, receive: Receive, send: Send, pool: ThreadPoolExecutor) -> None:
        self._body, self._receive, self._send, self._pool = body, receive, send, pool
        self.sent = 0
        self.whole = True

    async def send(self, what: Opened, settings: EdgeSettings, *, expects_continue: bool) -> None:
        """Send an answer; then read a little of a body that nobody read, so that the client, who
        is still sending, finds the answer and not a reset connection."""
        unread = not self._body.complete
        await self._start(what.answer, close=unread and not self._small())
        if what.rest is not None:
            await self._stream(what.first, what.rest)
            return
        *before, last = what.first or (b"",)
        for piece in before:
            await self._piece(piece, more=True)
        await self._piece(last, more=unread)
        if unread:
            if not expects_continue:  # nobody sends before a 100 that will not come
                await self._body.drain(settings.drain_bytes, settings.drain_seconds)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(self, batch: Sequence[bytes], rest: Iterator[bytes]) -> None:
        loop = asyncio.get_running_loop()
        gone = asyncio.ensure_future(self._until_gone())
        self.whole = False
        try:
            while batch and not gone.done():
                following = loop.run_in_executor(self._pool, _pull, rest)
                try:
                    for piece in batch:
                        await self._piece(piece, more=True)
                finally:
                    batch = await following
            if not gone.done():
                await self._piece(b"", more=False)
                self.whole = True
        finally:
            gone.cancel()
            await loop.run_in_executor(self._pool, _close, rest)

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _small(self) -> bool:
        length = self._body.length
        return length is not None and length <= KEPT_OPEN_BYTES

    async def _start(self, answer: Answer, *, close: bool) -> None:
        headers = [(name.lower().encode(), value.encode("latin-1", "replace"))
                   for name, value in answer.headers]  # fmt: skip
        headers.append((b"x-content-type-options", b"nosniff"))
        if answer.size is not None and answer.status not in (204, 304):
            headers.append((b"content-length", str(answer.size).encode()))
        if close:
            headers.append((b"connection", b"close"))
        await self._send(
            {"type": "http.response.start", "status": answer.status, "headers": headers}
        )

    async def _piece(self, data: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
        self.sent += len(data)


def _close(chunks: Iterator[bytes]) -> None:
    close = getattr(chunks, "close", None)  # a generator holds files and locks until then
    if close is not None:
        close()


def _pull(iterator: Iterator[bytes]) -> list[bytes]:
    """The next chunks, small ones joined; none at the end."""
    batch: list[bytes] = []
    small: list[bytes] = []
    size = 0
    for chunk in iterator:
        size += len(chunk)
        if len(chunk) < JOINED_BYTES:
            small.append(chunk)
        else:
            batch += _joined(small)
            batch.append(chunk)
            small = []
        if size >= BATCH_BYTES:
            break
    return batch + _joined(small)


def _joined(chunks: list[bytes]) -> list[bytes]:
    joined = b"".join(chunks)
    return [joined] if joined else []
