"""STOW-RS (PS3.18 §10.5): objects in, acknowledged when they are durable."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from dicomweb.delivery import Delivery
from dicomweb.links import Links
from dicomweb.metadata_delivery import METADATA, MetadataDelivery
from dicomweb.negotiation import DICOM, DICOM_JSON, DICOM_XML, MULTIPART
from dicomweb.store_response import answer_of, response_type
from vna.errors import InvalidValue, MalformedBody, UnsupportedMedia
from vna.http.answer import Answer
from vna.http.body import Body
from vna.http.request import Request
from vna.http.threads import finished, on_thread, start
from vna.model.archive import Outcome
from vna.services.assembly import Assembly
from vna.services.ingest import Ingest
from vna.services.reception import Reception
from vna.wire.media_type import parse_media_type
from vna.wire.multipart_reader import MultipartReader

AnyDelivery = Delivery | MetadataDelivery
TAKEN = (DICOM, *METADATA)
STEP_BYTES = 1 << 20  # read and stored at once on a thread; most requests are one step


class Store:
    """Takes the body as it arrives: while one step is stored on a thread, the next is received."""

    def __init__(
        self,
        ingest: Ingest,
        assembly: Assembly,
        pool: ThreadPoolExecutor,
        links: Links,
        request_bytes: int,
    ) -> None:
        self._ingest, self._assembly, self._pool = ingest, assembly, pool
        self._links, self._request_bytes = links, request_bytes

    async def __call__(self, request: Request, body: Body) -> Answer:
        """Answer POST of `/studies` or `/studies/{study}`."""
        if body.length == 0:
            raise MalformedBody("the body is empty: there is nothing to store")
        kind, reader = _reader(request.header("content-type"))
        media_type = response_type(request)
        study_uid = request.parameters.get("study")
        reception = self._ingest.reception(
            request.caller, "stow", peer=request.peer, path=request.path, study_uid=study_uid
        )
        delivery = self._delivery(reception, kind, reader)
        try:
            await self._receive(delivery, body)
            await _settled(delivery.futures)
        except BaseException:
            await on_thread(self._pool, delivery.abort)
            await on_thread(self._pool, reception.finish)
            raise
        reception.finish()  # every object has its outcome: nothing is waited for
        return answer_of(
            delivery.parts,
            delivery.broken,
            self._links,
            study_uid,
            media_type,
            delivery.counted,
        )

    def _delivery(
        self, reception: Reception, kind: str, reader: MultipartReader | None
    ) -> AnyDelivery:
        if kind == DICOM:
            return Delivery(reception, reader, self._request_bytes)
        return MetadataDelivery(reception, self._assembly, reader, kind)

    async def _receive(self, delivery: AnyDelivery, body: Body) -> None:
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


def _reader(content_type: str | None) -> tuple[str, MultipartReader | None]:
    """What the parts are, DICOM files or metadata, and the reader of a multipart body; None for one
    part alone, which clients send though the standard does not know it."""
    if content_type is None:
        raise UnsupportedMedia("the request names no Content-Type")
    try:
        media_type = parse_media_type(content_type)
    except InvalidValue as error:
        raise UnsupportedMedia("the Content-Type is no media type") from error
    if media_type.essence in TAKEN:
        return media_type.essence, None
    part = (media_type.parameter("type") or DICOM).lower().partition(";")[0].strip()
    if media_type.essence != MULTIPART or part not in TAKEN:
        named = ", ".join(f'type="{each}"' for each in (DICOM, DICOM_JSON, DICOM_XML))
        raise UnsupportedMedia(f"this resource takes {MULTIPART} of {named}, and one part alone")
    return part, MultipartReader(media_type.parameter("boundary") or "")


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
