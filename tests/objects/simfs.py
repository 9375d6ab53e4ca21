"""A simulated disk that knows what a power cut may leave of it.

What a program sees (`live`) is kept apart from what is certainly on the disk (`disk`). Between the
two lie dirty bytes and pending names. A power cut keeps any part of those: bytes in whole sectors,
in any order, with the file's size ahead of them or not; names in any order. After a failed sync
the dirty bytes are marked clean: they stay visible, but no later sync writes them.
"""

from __future__ import annotations

import errno
import itertools
import math
import os
import posixpath
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from storage_backends.base import Buffer
from storage_backends.filesystem import DirectoryEntry

SECTORS = (512, 4096)
Image = dict[str, "bytes | None"]  # every path after a power cut; None is a directory


class File:
    def __init__(self, content: bytes = b"") -> None:
        self.live = bytearray(content)
        self.disk = bytes(content)
        self.dirty: list[tuple[int, int]] = []

    def written(self, keep: Sequence[tuple[int, int]]) -> bytes:
        """The disk's bytes once the ranges `keep` have reached it too."""
        size = max([len(self.disk), *(end for _, end in keep)])
        image = bytearray(self.disk.ljust(size, b"\0"))
        for start, end in keep:
            image[start:end] = self.live[start:end]
        return bytes(image)

    def outcomes(self, chance: random.Random, more: int) -> list[bytes]:
        """What a power cut may leave, from the least to the most; `more` of it by chance."""
        found = [self.disk]
        for sector in SECTORS:
            pieces = [p for start, end in self.dirty for p in _pieces(start, end, sector)]
            kept = [pieces[:n] for n in range(len(pieces))]  # torn after any sector
            kept += [pieces[:n] + pieces[n + 1 :] for n in range(len(pieces))]  # one is lost
            kept += [[piece] for piece in pieces]  # one came first
            kept += [[p for p in pieces if chance.random() < 0.5] for _ in range(more)]
            found += [self.written(keep) for keep in kept]
        full = self.written(self.dirty)
        found += [self.disk.ljust(len(full), b"\0"), full]  # the size came first; all came
        return list(dict.fromkeys(found))


class Directory:
    def __init__(self) -> None:
        self.live: dict[str, Node] = {}
        self.disk: dict[str, Node] = {}
        self.pending: list[tuple[str, Node | None]] = []

    def change(self, name: str, node: Node | None) -> None:
        _apply(self.live, name, node)
        self.pending.append((name, node))

    def outcomes(self, chance: random.Random, more: int) -> list[dict[str, Node]]:
        count = len(self.pending)
        choices: list[tuple[int, ...]]
        if count <= 4:
            choices = [c for n in range(count + 1) for c in itertools.combinations(range(count), n)]
        else:
            everything = tuple(range(count))
            choices = [(), everything]
            choices += [everything[:n] + everything[n + 1 :] for n in range(count)]
            choices += [(n,) for n in range(count)]
            choices += [tuple(n for n in everything if chance.random() < 0.5) for _ in range(more)]
        return [self._after(choice) for choice in choices]

    def _after(self, choice: Sequence[int]) -> dict[str, Node]:
        names = dict(self.disk)
        for number in choice:
            _apply(names, *self.pending[number])
        return names


Node = File | Directory


class SimFS:
    """A `FileSystem` in memory.

    `after`: called with the name of each step that changed something. `faults`: by number of the
    step (from 0), the errno it fails with. `capacity`: bytes in all files; beyond it, ENOSPC.
    """

    def __init__(self, image: Image | None = None) -> None:
        self.after: Callable[[str], None] = lambda step: None
        self.faults: dict[int, int] = {}
        self.capacity: int | None = None
        self.steps: list[str] = []
        self._root = Directory()
        self._handles: dict[int, File] = {}
        self._numbers = itertools.count(3)
        for path, content in sorted((image or {}).items()):
            parent, name = self._parent(path)
            parent.live[name] = parent.disk[name] = (
                Directory() if content is None else File(content)
            )

    # ── the seam ─────────────────────────────────────────────────────────────────────────────

    def create(self, path: str) -> int:
        self._step("create")
        parent, name = self._parent(path)
        if name in parent.live:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        file = File()
        parent.change(name, file)
        self.after("create")
        return self._handle(file)

    def open(self, path: str) -> int:
        node = self._node(path)
        if isinstance(node, Directory):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return self._handle(node)

    def close(self, handle: int) -> None:
        del self._handles[handle]

    def append(self, handle: int, buffers: Sequence[Buffer]) -> None:
        data = b"".join(buffers)
        failure = self._fault("append")
        if failure is None and self.capacity is not None:
            room = self.capacity - self.used()
            if room < len(data):
                failure, data = errno.ENOSPC, data[: max(room, 0)]
        elif failure is not None:
            data = data[: len(data) // 2]
        file = self._handles[handle]
        start = len(file.live)
        file.live += data
        if data:
            file.dirty.append((start, len(file.live)))
        self.after("append")
        if failure is not None:
            raise OSError(failure, os.strerror(failure))

    def free(self, path: str) -> int:
        self._node(path)
        return 1 << 50 if self.capacity is None else max(self.capacity - self.used(), 0)

    def read(self, handle: int, offset: int, length: int) -> bytes:
        return bytes(self._handles[handle].live[offset : offset + length])

    def is_cached(self, handle: int, offset: int, length: int) -> bool:
        return True

    def size(self, handle: int) -> int:
        return len(self._handles[handle].live)

    def fsync(self, handle: int) -> None:
        self._sync(self._handles[handle], "fsync")

    def fdatasync(self, handle: int) -> None:
        self._sync(self._handles[handle], "fdatasync")

    def fsync_directory(self, path: str) -> None:
        directory = self._directory(path)
        failure = self._fault("fsync_directory")
        pending, directory.pending = directory.pending, []
        if failure is None:
            for name, node in pending:
                _apply(directory.disk, name, node)
        self.after("fsync_directory")
        if failure is not None:
            raise OSError(failure, os.strerror(failure), path)

    def make_directory(self, path: str) -> None:
        parent, name = self._parent(path)
        if name in parent.live:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        self._step("make_directory")
        parent.change(name, Directory())
        self.after("make_directory")

    def remove_directory(self, path: str) -> None:
        parent, name = self._parent(path)
        if self._directory(path).live:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
        self._step("remove_directory")
        parent.change(name, None)
        self.after("remove_directory")

    def rename_new(self, old: str, new: str) -> None:
        self._step("link")
        parent, name = self._parent(new)
        if name in parent.live:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), new)
        parent.change(name, self._node(old))
        self.after("link")
        self.unlink(old)

    def unlink(self, path: str) -> None:
        if isinstance(self._node(path), Directory):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        self._step("unlink")
        parent, name = self._parent(path)
        parent.change(name, None)
        self.after("unlink")

    def list(self, path: str) -> list[DirectoryEntry]:
        return sorted(
            DirectoryEntry(name, True, 0)
            if isinstance(node, Directory)
            else DirectoryEntry(name, False, len(node.live))
            for name, node in self._directory(path).live.items()
        )

    # ── power cuts ───────────────────────────────────────────────────────────────────────────

    def crash_images(self, most: int, seed: int = 0) -> Iterator[Image]:
        """Legal states of the disk if the power failed now: all, or a sample of `most`.

        The sample always holds the extremes: nothing pending arrived, and all of it.
        """
        nodes = [node for node in self._reachable() if _unsettled(node)]
        chance = random.Random(seed)
        outcomes = [node.outcomes(chance, most // 4) for node in nodes]
        total = math.prod(map(len, outcomes))
        numbers: Iterable[int] = range(total)
        if total > most:
            numbers = [0, total - 1, *(chance.randrange(total) for _ in range(most - 2))]
        seen: set[int] = set()
        for number in numbers:
            chosen: dict[int, bytes | dict[str, Node]] = {}
            for node, found in zip(nodes, outcomes, strict=True):
                number, index = divmod(number, len(found))
                chosen[id(node)] = found[index]
            image: Image = {}
            _write(image, "/", self._root, chosen)
            if (mark := hash(tuple(image.items()))) not in seen:
                seen.add(mark)
                yield image

    def used(self) -> int:
        """Bytes in all files."""
        return sum(len(node.live) for node in self._reachable() if isinstance(node, File))

    def _reachable(self) -> Sequence[Node]:
        found: dict[int, Node] = {}
        waiting = deque[Node]([self._root])
        while waiting:
            node = waiting.pop()
            if id(node) not in found:
                found[id(node)] = node
                if isinstance(node, Directory):
                    waiting += [*node.live.values(), *node.disk.values()]
        return tuple(found.values())

    # ── inside ───────────────────────────────────────────────────────────────────────────────

    def _sync(self, file: File, step: str) -> None:
        failure = self._fault(step)
        if failure is None:
            file.disk = file.written(file.dirty)
        file.dirty = []
        self.after(step)
        if failure is not None:
            raise OSError(failure, os.strerror(failure))

    def _fault(self, step: str) -> int | None:
        self.steps.append(step)
        return self.faults.get(len(self.steps) - 1)

    def _step(self, step: str) -> None:
        if (failure := self._fault(step)) is not None:
            raise OSError(failure, os.strerror(failure))

    def _handle(self, file: File) -> int:
        number = next(self._numbers)
        self._handles[number] = file
        return number

    def _node(self, path: str) -> Node:
        node: Node = self._root
        for name in path.strip("/").split("/") if path.strip("/") else ():
            if not isinstance(node, Directory):
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            if name not in node.live:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            node = node.live[name]
        return node

    def _directory(self, path: str) -> Directory:
        node = self._node(path)
        if isinstance(node, File):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return node

    def _parent(self, path: str) -> tuple[Directory, str]:
        return self._directory(posixpath.dirname(path)), posixpath.basename(path)


def _apply(names: dict[str, Node], name: str, node: Node | None) -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


def _pieces(start: int, end: int, sector: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = min(end, (start // sector + 1) * sector)
        yield start, stop
        start = stop


def _unsettled(node: Node) -> bool:
    return bool(node.dirty if isinstance(node, File) else node.pending)


def _write(
    image: Image, path: str, directory: Directory, chosen: dict[int, bytes | dict[str, Node]]
) -> None:
    names = chosen.get(id(directory), directory.disk)
    assert isinstance(names, dict)
    for name, node in sorted(names.items()):
        here = posixpath.join(path, name)
        if isinstance(node, Directory):
            image[here] = None
            _write(image, here, node, chosen)
        else:
            content = chosen.get(id(node), node.disk)
            assert isinstance(content, bytes)
            image[here] = content
