"""The log in the stores: its files, and the one chain of frames that they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from storage_backends.base import Backend, BackendError, KeyExists, KeyMissing
from vna.errors import StorageUnavailable
from vna.objects.layout import LOG, log_key
from vna.objects.log_frame import BadFrame, Extent, Frame, decode, extents
from vna.objects.mounted import MountedStore

_NAME = re.compile(rf"{LOG}/(\d{{16}})-(\d{{16}})-([0-9A-Z]{{26}})\.vlog")


class BrokenLog(Exception):
    """Frames are missing or damaged in every store."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of the log by its name: first and last epoch, ULID of the last frame."""

    key: str
    first: int
    last: int
    frame: str
    size: int

    @property
    def single(self) -> bool:
        """Whether it holds one frame."""
        return self.first == self.last


@dataclass(frozen=True, slots=True)
class Located:
    """A frame and the places where it lies: backend, key, offset, length."""

    frame: Frame
    places: Sequence[tuple[Backend, str, int, int]]

    def lines(self) -> Iterator[bytes]:
        """Its lines, from the first place where it is whole; raises `BrokenLog`."""
        reason = ""
        for backend, key, offset, length in self.places:
            try:
                found, lines = decode(_read(backend, key, offset, length))
            except (BadFrame, BackendError) as error:
                reason = str(error)
                continue
            if found == self.frame:
                return lines
            reason = f"{key}: another frame lies there"
        raise BrokenLog(f"frame {self.frame.epoch} of the log cannot be read: {reason}")


def files(backend: Backend) -> list[LogFile]:
    """The files of the log in one store, in order of their first epochs."""
    found = []
    for each in backend.list(LOG):
        if name := _NAME.fullmatch(each.key):
            found.append(LogFile(each.key, int(name[1]), int(name[2]), name[3], each.size))
    return found


def put(stores: Iterable[MountedStore], frame: Frame, data: bytes) -> list[str]:
    """Write a file of one frame to every store that is here; the names of those that have it.

    Raises `StorageUnavailable` where none has.
    """
    key = log_key(frame.epoch, frame.epoch, frame.frame)
    written = []
    for store in stores:
        try:
            if store.is_here():
                store.backend.put_new(key, [data])
                written.append(store.name)
        except BackendError:
            continue  # it gets the file when the log is tidied
    if not written:
        raise StorageUnavailable("no store takes the log")
    return written


def remove(stores: Iterable[MountedStore], frame: Frame) -> None:
    """Take back a file of one frame, as far as the stores let us."""
    for store in stores:
        _delete(store.backend, log_key(frame.epoch, frame.epoch, frame.frame))


def chain(stores: Iterable[MountedStore]) -> list[Located]:
    """The frames of the log, oldest first, up to the last one; [] where there is no log.

    Of frames that two processes wrote for one epoch, the one that was followed counts, and at the
    end the newest. Raises `BrokenLog` for a gap, `StorageUnavailable`.
    """
    known: dict[str, Frame] = {}
    places: dict[str, list[tuple[Backend, str, int, int]]] = {}
    bad: list[str] = []
    for store in stores:
        for file, extent in _extents(store, bad):
            frame = extent.frame
            known.setdefault(frame.frame, frame)
            places.setdefault(frame.frame, []).append(
                (store.backend, file.key, extent.offset, extent.length)
            )
    if not known:
        if bad:
            raise BrokenLog(f"the log cannot be read: {bad[0]}")
        return []
    at: Frame | None = max(known.values(), key=lambda each: (each.epoch, each.at, each.frame))
    found: list[Located] = []
    while at is not None:
        found.append(Located(at, places[at.frame]))
        before = known.get(at.previous)
        if at.previous and before is None:
            also = f"; {bad[0]}" if bad else ""
            raise BrokenLog(f"the log lacks what was before frame {at.epoch}{also}")
        at = before
    return found[::-1]


def newest_frame(stores: Iterable[MountedStore]) -> Frame | None:
    """The frame of the highest epoch, None where no file can be read.

    Raises `StorageUnavailable`.
    """
    found: list[Frame] = []
    for store in stores:
        try:
            last = max(files(store.backend), key=lambda each: each.last, default=None)
            if last is None:
                continue
            reader = store.backend.open(last.key)
            try:
                found.append(extents(reader)[-1].frame)
            finally:
                reader.close()
        except BadFrame:
            continue
        except BackendError as error:
            raise StorageUnavailable(f"the store {store.name} failed: {error.reason}") from error
    return max(found, key=lambda each: (each.epoch, each.at), default=None)


@dataclass(frozen=True, slots=True)
class Tidied:
    """What was done: files that were put together. `broken`: epoch of the first frame whose
    predecessor no store has whole; 0 where all is well."""

    joined: int
    broken: int


def tidy(stores: Sequence[MountedStore], head: str, epoch: int, *, least: int, most: int) -> Tidied:
    """Give every store the same files, and put small ones together.

    `head`, `epoch`: the last frame that counts. A file of a single frame is removed where another
    one of its epoch leads there; nothing else is removed that is not part of another file. `least`:
    fewer files than that are not worth it. `most`: bytes of a file. Raises `BadFrame`,
    `BackendError`.
    """
    held = {store.name: {each.key: each for each in files(store.backend)} for store in stores}
    every = {key: file for some in held.values() for key, file in some.items()}
    followed, broken = _followed(stores, every.values(), held, head)
    wanted: list[LogFile] = []
    for file in sorted(every.values(), key=lambda each: (each.first, -each.last)):
        counts = not file.single or file.frame in followed
        # Else it is newer than the index knows, of no use, or part of the file before.
        if file.last <= epoch and counts and (not wanted or file.last > wanted[-1].last):
            wanted.append(file)
    for store in stores:
        mine = held[store.name]
        for file in wanted:
            if file.key not in mine:
                _put(store.backend, file.key, [_from_any(stores, held, file)])
        for key in set(mine) - {each.key for each in wanted}:
            if any(
                each.first <= mine[key].first and mine[key].last <= each.last for each in wanted
            ):
                _delete(store.backend, key)
    joined = 0
    for some in _groups(wanted, most):
        if len(some) >= least:
            joined += len(some)
            _join(stores, held, some)
    return Tidied(joined, broken)


def _followed(
    stores: Sequence[MountedStore],
    every: Iterable[LogFile],
    held: Mapping[str, Mapping[str, LogFile]],
    head: str,
) -> tuple[set[str], int]:
    """The frames, each in a file of its own, that lead to the last one, back to where they are the
    first or follow a file of several; and the epoch where nothing is found before that."""
    ends = {file.frame for file in every if not file.single}
    frames: dict[str, Frame] = {}
    for store in stores:
        for file in held[store.name].values():
            if file.single and file.frame not in frames:
                try:
                    frames[file.frame] = _first_frame(store.backend, file.key)
                except (BadFrame, KeyMissing):
                    continue  # another store may have it
    found: set[str] = set()
    at, epoch = head, 0
    while at in frames:
        found.add(at)
        at, epoch = frames[at].previous, frames[at].epoch
    return found, 0 if not at or at in ends else epoch


def _first_frame(backend: Backend, key: str) -> Frame:
    reader = backend.open(key)
    try:
        return extents(reader)[0].frame
    finally:
        reader.close()


def _groups(wanted: Sequence[LogFile], most: int) -> Iterator[list[LogFile]]:
    """Neighbours that fit into one file."""
    some: list[LogFile] = []
    for file in wanted:
        if some and (
            file.first != some[-1].last + 1 or sum(each.size for each in some) + file.size > most
        ):
            yield some
            some = []
        some.append(file)
    if some:
        yield some


def _join(
    stores: Sequence[MountedStore],
    held: Mapping[str, Mapping[str, LogFile]],
    some: Sequence[LogFile],
) -> None:
    """Every store has each of them by now, though perhaps not whole."""
    key = log_key(some[0].first, some[-1].last, some[-1].frame)
    parts = [_from_any(stores, held, each) for each in some]
    for store in stores:
        _put(store.backend, key, parts)
    for store in stores:
        for each in some:
            _delete(store.backend, each.key)


def _from_any(
    stores: Sequence[MountedStore], held: Mapping[str, Mapping[str, LogFile]], file: LogFile
) -> bytes:
    """A file that is whole; raises `BadFrame` where no store has it so."""
    holding = [each for each in stores if file.key in held[each.name]]
    for store in holding[:-1]:
        try:
            return _whole(_read(store.backend, file.key, 0, file.size))
        except (BadFrame, BackendError):
            continue
    return _whole(_read(holding[-1].backend, file.key, 0, file.size))


def _put(backend: Backend, key: str, parts: Sequence[bytes]) -> None:
    try:
        backend.put_new(key, parts)
    except KeyExists:
        return  # from before an earlier attempt ended


def _whole(data: bytes) -> bytes:
    """The bytes of a file; raises `BadFrame` unless every frame of it is whole."""
    for extent in extents(_Bytes(data)):
        decode(data[extent.offset :][: extent.length])
    return data


def _extents(store: MountedStore, bad: list[str]) -> Iterator[tuple[LogFile, Extent]]:
    try:
        some = files(store.backend)
    except BackendError as error:
        raise StorageUnavailable(f"the store {store.name} failed: {error.reason}") from error
    for file in some:
        try:
            reader = store.backend.open(file.key)
            try:
                for each in extents(reader):
                    yield file, each
            finally:
                reader.close()
        except (BadFrame, KeyMissing) as error:
            bad.append(f"{file.key} in {store.name}: {error}")
        except BackendError as error:
            bad.append(str(error))


def _read(backend: Backend, key: str, offset: int, length: int) -> bytes:
    reader = backend.open(key)
    try:
        return reader.read(offset, length)
    finally:
        reader.close()


def _delete(backend: Backend, key: str) -> None:
    try:
        backend.delete(key)
    except BackendError:
        return  # gone already, or removed the next time


class _Bytes:
    """Bytes in memory as a reader."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def size(self) -> int:
        """How many."""
        return len(self._data)

    def read(self, offset: int, length: int) -> bytes:
        """Some of them."""
        return self._data[offset : offset + length]

    def close(self) -> None:
        """Nothing to give back."""
