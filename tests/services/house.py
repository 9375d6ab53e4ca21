"""An archive without its edges: both databases, objects in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, select

from storage_backends.base import Backend
from storage_backends.memory import MemoryBackend
from vna.decoders import Decoders
from vna.index import copies
from vna.index.copies import KnownStore
from vna.index.engine import Index, Session
from vna.index.tables import metadata
from vna.model.archive import DuplicatePolicy, Outcome
from vna.model.caller import Caller, local_administrator
from vna.objects import MountedStore, ObjectStore
from vna.objects.ulid import new_ulid
from vna.services.audit import ReadAudit
from vna.services.copies import Notices
from vna.services.ingest import Ingest
from vna.services.renditions import Renditions
from vna.services.transcode import Transcode

CALLER = local_administrator("127.0.0.1")
WAIT_SECONDS = 60


@dataclass
class House:
    """The services over an index; `files` are the bytes of its store by key."""

    index: Index
    folder: Path
    backend: MemoryBackend = field(default_factory=MemoryBackend)
    further: Mapping[str, MemoryBackend] = field(default_factory=dict)
    ack_copies: int = 1
    name: str = "main"

    def __post_init__(self) -> None:
        stores = {self.name: self.backend, **self.further}
        self.objects = mounted(self.index, stores, self.ack_copies)
        self.ingest = Ingest(self.index, self.objects, quiet_seconds=0)
        self.audit_file = self.folder / "audit" / f"{new_ulid()}.jsonl"
        self.audit = ReadAudit(self.audit_file)
        self.decoders = Decoders(processes=1, seconds=60, memory=2 << 30)
        self.transcode = Transcode(self.decoders, Renditions(self.folder / "renditions", 0))

    @property
    def files(self) -> dict[str, bytes]:
        """Everything in the store."""
        found = {}
        for each in self.backend.list():
            reader = self.backend.open(each.key)
            found[each.key] = reader.read(0, each.size)
            reader.close()
        return found

    def send(self, *objects: bytes, **options: Any) -> list[Outcome]:
        """Hand objects in by one reception; their outcomes."""
        return [each.result(WAIT_SECONDS) for each in self.hand_in(*objects, **options)]

    def hand_in(
        self,
        *objects: bytes,
        caller: Caller = CALLER,
        policy: DuplicatePolicy | None = None,
        study_uid: str | None = None,
        organisation: str | None = None,
        step: int = 1 << 20,
    ) -> list[Future[Outcome]]:
        """Hand objects in by one reception, `step` bytes at a time."""
        futures = []
        with self.ingest.reception(
            caller, "test", policy=policy, study_uid=study_uid, organisation=organisation
        ) as reception:
            for each in objects:
                incoming = reception.incoming()
                for at in range(0, len(each), step):
                    incoming.write(each[at : at + step])
                futures.append(incoming.finish())
        return futures

    def count(self, table: str) -> int:
        """Rows of a table."""
        with self.index.reading() as session:
            counted = select(func.count()).select_from(metadata.tables[table])
            return int(session.execute(counted).scalar_one())

    def rows(self, table: str) -> list[dict[str, Any]]:
        """A table, by its key."""
        wanted = metadata.tables[table]
        with self.index.reading() as session:
            found = session.execute(select(wanted).order_by(*wanted.primary_key.columns))
            return [dict(row._mapping) for row in found]

    def close(self) -> None:
        """Finish what is under way."""
        self.ingest.close()
        self.transcode.close()
        self.decoders.close()
        self.objects.close()
        self.audit.close()


def mounted(index: Index, backends: Mapping[str, Backend], copies_first: int) -> ObjectStore:
    """Stores by name, each a domain of its own; where segments lie is asked of the index."""
    stores = [MountedStore(name, each, domain=name) for name, each in backends.items()]
    known = [KnownStore(each.name, each.tier, each.domain, each.identity) for each in stores]

    def mount(session: Session) -> None:
        for each in known:
            copies.mount(session, each)

    index.transact(mount)

    def whereabouts(segment: str) -> dict[str, int]:
        with index.reading() as session:
            return {name: int(state) for name, state in copies.holding(session, segment).items()}

    notices = Notices(index)
    return ObjectStore(stores, copies=copies_first, whereabouts=whereabouts, notice=notices)


@contextmanager
def opened(
    index: Index,
    folder: Path,
    backend: MemoryBackend | None = None,
    further: Mapping[str, MemoryBackend] = MappingProxyType({}),
    ack_copies: int = 1,
) -> Iterator[House]:
    """A house until the block ends, over a store of its own or that of another."""
    house = House(index, folder, backend or MemoryBackend(), further, ack_copies)
    try:
        yield house
    finally:
        house.close()
