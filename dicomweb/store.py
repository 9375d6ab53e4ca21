"""STOW-RS (PS3.18 §10.5): objects in, acknowledged when they are durable."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from dicomweb.delivery import Delivery
from dicomweb.links import Links
from dicomweb.negotiation import DICOM, MULTIPART
from dicomweb.store_response import answer_of
from vna.errors import InvalidValue, MalformedBody, UnsupportedMedia, VnaError
from vna.http.answer import Answer
from vna.http.body import Body, ClientGone
from vna.http.request import Request
from vna.http.threads import finished, on_thread, start
from vna.model.archive import Outcome
from vna.services.ingest import Ingest
from vna.wire.media_type import parse_media_type
from vna.wire.multipart_reader import MultipartReader

STEP_BYTES = 1 << 20  # read and stored at once on a thread; most requests are one step


class Store:
    """Takes the body as it arrives: while one step is stored on a thread, the next is received."""

    def __init__(
        self, ingest: Ingest, pool: ThreadPoolExecutor, links: Links, request_bytes: int
    ) -> None:
        self._ingest, self._pool, self._links = ingest, pool, links
        self._request_bytes = request_bytes

    async def __call__(self, request: Request, body: Body) -> Answer:
        """Answer POST of `/studies` or `/studies/{study}`."""
        if body.length == 0:
            raise MalformedBody("the body is empty: there is nothing to store")
        reader = _reader(request.header("content-type"))
        study_uid = request.parameters.get("study")
        reception = self._ingest.reception(
            request.caller, "stow", peer=request.peer, path=request.path, study_uid=study_uid
        )
        delivery = Delivery(reception, reader, self._request_bytes)
        try:
            await self._receive(delivery, body)
            await _settled(delivery.futures)
        except (ClientGone, VnaError, asyncio.CancelledError):
            await on_thread(self._pool, delivery.abort)
            raise
        finally:
            await on_thread(self._pool, reception.finish)
        return answer_of(delivery.parts, delivery.broken, self._links, study_uid)

    async def _receive(self, delivery: Delivery, body: Body) -> None:
        storing: asyncio.Future[None] | None = None
        batch: list[bytes] = []
        size = 0
        try:
            async for chunk in body.chunks():
                batch.append(chunk)
                size += len(chunk)
                if size >= STEP_BYTES:
                    if storing is not None:
                        await finished(storing)
                    storing = start(self._pool, partial(delivery.take, batch))
                    batch, size = [], 0
                if delivery.broken:
                    return
        finally:
            if storing is not None:
                await finished(storing)
        await on_thread(self._pool, partial(delivery.take_last, batch))


def _reader(content_type: str | None) -> MultipartReader | None:
    """The reader of a multipart body; None for a single object, which clients send though the
    standard does not know it."""
    if content_type is None:
        raise UnsupportedMedia("the request names no Content-Type")
    try:
        media_type = parse_media_type(content_type)
    except InvalidValue as error:
        raise UnsupportedMedia("the Content-Type is no media type") from error
    if media_type.essence == DICOM:
        return None
    part = (media_type.parameter("type") or DICOM).lower()
    if media_type.essence != MULTIPART or part.partition(";")[0].strip() != DICOM:
        raise UnsupportedMedia(f'this resource takes {MULTIPART}; type="{DICOM}" and {DICOM}')
    return MultipartReader(media_type.parameter("boundary") or "")


async def _settled(futures: Sequence[Future[Outcome]]) -> None:
    """Wait until all are done, without a wake-up of the event loop for each."""
    if not futures:
        return
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    left = len(futures)
    lock = threading.Lock()

    def one(_: Future[Outcome]) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            loop.call_soon_threadsafe(done.set)

    for future in futures:
        future.add_done_callback(one)
    await done.wait()
