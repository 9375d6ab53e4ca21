"""Frames and files in another transfer syntax, lossless; the codecs run in the decoder pool.

Frames are renditions: the next who asks gets what was made. A file is its header made anew around
frames that are made while it is sent, a few ahead of the client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from vna.decoders import Decoders
from vna.dicom.anatomy import Anatomy, Kind
from vna.dicom.convert import Outgoing, stream
from vna.dicom.edit import Correction
from vna.dicom.elements import read_elements
from vna.dicom.reencode import around, item
from vna.dicom.transfer_syntax import EXPLICIT_LE, IMPLICIT_LE, transfer_syntax
from vna.dicom.writer import size_of
from vna.errors import MalformedObject, NotAcceptable, NotFound, Undecodable
from vna.services.payload import Payload
from vna.services.reading import sliced
from vna.services.renditions import Rendition, Renditions
from vna.services.values import Values

LARGEST_FRAME = 256 << 20  # bytes, encoded or decoded; each frame under way is in memory
AHEAD = 3  # frames made while one is sent

Frame = Callable[[int], Rendition]


class Transcode:
    """Owns a few threads that ask the pool; make it after the fork."""

    def __init__(self, decoders: Decoders, renditions: Renditions) -> None:
        self._decoders, self._renditions = decoders, renditions
        self._threads = ThreadPoolExecutor(AHEAD, "transcode")

    def close(self) -> None:
        """End the threads; what is under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def frames(self, values: Values, numbers: Sequence[int], target: str) -> list[Payload]:
        """Frames, numbered from 1, each in the transfer syntax `target`.

        The first is made at once: raises `NotFound`, and `Undecodable` or `Unencodable` where it
        cannot be had so. The others are made when they are read.
        """
        made = self._made(values, numbers, target)
        first = made.get(0)
        native = not transfer_syntax(target).encapsulated
        size = len(first.data) if native else None

        def payload(place: int) -> Payload:
            known = len(first.data) if place == 0 else size
            return Payload(
                target,
                known,
                lambda start, length: sliced(iter((made.get(place).data,)), start, length),
            )

        return [payload(place) for place in range(len(numbers))]

    def native(self, values: Values) -> Payload:
        """All pixel data as one native value."""
        anatomy = values.anatomy
        count = anatomy.number_of_frames
        made = self._made(values, range(1, count + 1), EXPLICIT_LE)
        bits = _frame_bits(made.get(0))
        return Payload(
            EXPLICIT_LE,
            -(-bits * count // 8),
            lambda start, length: sliced(_put_together(made, count, bits), start, length),
        )

    def file(self, values: Values, target: str, correction: Correction | None) -> Payload:
        """A DICOM file whose pixel data are in `target`. Raises as `frames` does."""
        # The pixel data of both are the same bytes (PS3.5 §8.2).
        coding = EXPLICIT_LE if target == IMPLICIT_LE else target
        anatomy, reader = values.anatomy, values.reader
        count = anatomy.number_of_frames
        made = self._made(values, range(1, count + 1), coding)
        first = made.get(0)
        encapsulated = transfer_syntax(target).encapsulated
        bits = _frame_bits(first)
        length = None if encapsulated else -(-bits * count // 8)
        frame = around(
            reader, values.header, anatomy, target, first.facts["changes"], correction, length
        )
        size = None
        if length is not None:
            size = size_of(frame.before) + length + size_of(frame.behind)

        def chunks() -> Iterator[bytes]:
            yield from stream(reader, anatomy, Outgoing(target, 0, frame.before))
            if encapsulated:
                yield from (item(made.get(place).data) for place in range(count))
            else:
                yield from _put_together(made, count, bits)
            last = b"".join(stream(reader, anatomy, Outgoing(target, 0, frame.behind)))
            for _ in reader.all():  # nobody has all of a file made of damaged bytes
                pass
            yield last

        return Payload(target, size, lambda start, wanted: sliced(chunks(), start, wanted))

    def _made(self, values: Values, numbers: Sequence[int], target: str) -> _Ahead:
        if values.anatomy.kind not in (Kind.NATIVE, Kind.ENCAPSULATED):
            raise _no_frames(values.anatomy)
        description = _description(values)
        return _Ahead(
            self._threads,
            lambda number: self._frame(values, description, number, target),
            numbers,
        )

    def _frame(
        self, values: Values, description: dict[str, Any], number: int, target: str
    ) -> Rendition:
        payload = values.frame(number)

        def make() -> Rendition:
            if payload.size is None or payload.size > LARGEST_FRAME:
                raise Undecodable(f"frame {number} has more than {LARGEST_FRAME} bytes")
            facts = {
                "source": payload.transfer_syntax,
                "target": target,
                "description": description,
                "largest": LARGEST_FRAME,
            }
            return Rendition(*self._decoders.run("transcode", facts, b"".join(payload.chunks())))

        key = {"frame": number, "of": values.reader.sha256.hex(), "target": target}
        return self._renditions.get(key, make)


@dataclass
class _Ahead:
    """Renditions in their order, a few of them made before they are asked for."""

    threads: ThreadPoolExecutor
    make: Frame
    numbers: Sequence[int]

    def __post_init__(self) -> None:
        self._under_way: dict[int, Future[Rendition]] = {}
        self._first: Rendition | None = None

    def get(self, place: int) -> Rendition:
        """The rendition of `numbers[place]`; those that follow are begun."""
        if place == 0 and self._first is not None:
            return self._first
        mine = self._under_way.pop(place, None)
        if self._first is not None:  # somebody reads on
            for following in range(place + 1, min(place + 1 + AHEAD, len(self.numbers))):
                if following not in self._under_way:
                    self._under_way[following] = self.threads.submit(
                        self.make, self.numbers[following]
                    )
        found = mine.result() if mine else self.make(self.numbers[place])
        if place == 0:
            self._first = found
        return found


def _put_together(made: _Ahead, count: int, bits: int) -> Iterator[bytes]:
    """Native frames one after another; those of 1-bit pixels without a gap (PS3.5 §8.1.1)."""
    if not bits % 8:
        yield from (made.get(place).data for place in range(count))
        return
    held, filled = 0, 0
    for place in range(count):
        held |= int.from_bytes(made.get(place).data, "little") << filled
        filled += bits
        whole = filled // 8
        yield (held & ((1 << whole * 8) - 1)).to_bytes(whole, "little")
        held >>= whole * 8
        filled -= whole * 8
    if filled:
        yield held.to_bytes(1, "little")


def _description(values: Values) -> dict[str, Any]:
    # Loads numpy, which reading as stored does not need.
    from vna.pixels.description import PixelDescription

    try:
        found = PixelDescription.of(read_elements(values.header), values.anatomy.pixel_tag)
    except MalformedObject as error:
        raise Undecodable(str(error)) from error
    return found.facts()


def _frame_bits(made: Rendition) -> int:
    facts = made.facts["description"]
    return int(facts["rows"] * facts["columns"] * facts["samples"] * facts["allocated"])


def _no_frames(anatomy: Anatomy) -> Exception:
    if anatomy.kind is Kind.NONE:
        return NotFound("the object has no pixel data")
    return NotAcceptable("the pixel data cannot be divided into frames")
