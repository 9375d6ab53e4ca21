"""One key written to several stores at once, byte for byte the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from storage_backends.base import BackendError, Buffer, Writer
from vna.objects.targets import Target, Targets


class MirrorWriter:
    """A `Writer` over all chosen stores; poisoned as soon as one of them fails."""

    def __init__(self, targets: Targets, key: str, room: int = 0) -> None:
        """Create the key in every store that is chosen for `room` bytes, or in none; raises
        `BackendError`, `StorageUnavailable`."""
        self.key = key
        self.targets = targets.chosen(room)
        self.appends = all(each.backend.capabilities.append for each in self.targets)
        self._all = targets
        self._writers: list[tuple[Target, Writer]] = []
        try:
            for target in self.targets:
                with self._blamed(target):
                    self._writers.append((target, target.backend.create(key)))
        except BackendError:
            self.abandon()
            self.delete()
            raise

    @property
    def size(self) -> int:
        """Bytes appended so far."""
        return self._writers[0][1].size

    def append(self, buffers: Sequence[Buffer]) -> int:
        """Add the buffers at the end of every copy; the offset is the same in all of them."""
        offsets = set()
        for target, writer in self._writers:
            with self._blamed(target):
                offsets.add(writer.append(buffers))
        (offset,) = offsets
        return offset

    def sync(self) -> None:
        """Make every copy durable."""
        self._each(lambda writer: writer.sync())

    def seal(self) -> None:
        """Sync and close every copy."""
        self._each(lambda writer: writer.seal())

    def abandon(self) -> None:
        """Close without a promise. Never raises."""
        for _, writer in self._writers:
            writer.abandon()

    def delete(self) -> None:
        """Remove what was created: for a key that was never durable. Never raises."""
        for target, _ in self._writers:
            with suppress(BackendError):
                target.backend.delete(self.key)

    def _each(self, step: Callable[[Writer], None]) -> None:
        def of(target: Target, writer: Writer) -> Callable[[], None]:
            def run() -> None:
                with self._blamed(target):
                    step(writer)

            return run

        self._all.each([of(*each) for each in self._writers])

    @contextmanager
    def _blamed(self, target: Target) -> Iterator[None]:
        try:
            yield
        except BackendError as error:
            self._all.failed(target.name, error)
            raise
