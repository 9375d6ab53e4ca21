"""What becomes of the parts of a store request, whatever they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import Future

from vna.errors import MalformedBody, VnaError
from vna.model.archive import Outcome
from vna.wire.multipart_reader import End, MultipartReader, PartData, PartEnd, PartStart


class ReceivedParts(ABC):
    """`parts`: of each object that came, the future of its outcome or why there is none.

    `broken`: what is wrong with the body itself, from some point on. `counted`: what `parts` are,
    for people.
    """

    counted = "part"

    def __init__(self, reader: MultipartReader | None) -> None:
        self._reader = reader
        self.parts: list[Future[Outcome] | VnaError] = []
        self.broken: MalformedBody | None = None

    @property
    def futures(self) -> list[Future[Outcome]]:
        """Of the objects that were complete."""
        return [each for each in self.parts if isinstance(each, Future)]

    def _take_events(self, reader: MultipartReader, chunk: bytes) -> None:
        for event in reader.feed(chunk):
            match event:
                case PartStart(headers):
                    self._begin(headers)
                case PartData(data):
                    self._write(data)
                case PartEnd():
                    self._end()
                case End():
                    pass

    @abstractmethod
    def _begin(self, headers: Mapping[str, str]) -> None:
        """A part begins."""

    @abstractmethod
    def _write(self, data: bytes | memoryview) -> None:
        """Some bytes of it."""

    @abstractmethod
    def _end(self) -> None:
        """It is complete."""
