"""Settings become an archive: stores, index and services of one process."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from vna.app.stores import open_objects
from vna.config import Settings
from vna.decoders import Decoders
from vna.index.engine import Index, nothing
from vna.index.imports import ImportLedger
from vna.model.archive import DuplicatePolicy
from vna.objects import ObjectStore
from vna.objects.group import OPEN_SECONDS
from vna.objects.ulid import new_ulid
from vna.services.access import Access
from vna.services.adoption import Adoption
from vna.services.asked_commitments import AskedCommitments
from vna.services.association_log import AssociationLog
from vna.services.audit import ReadAudit
from vna.services.backup import Backup
from vna.services.commitment import COMMIT, Commitment
from vna.services.compaction import COMPACT, REMOVE, Compaction
from vna.services.copies import REPAIR, REPLICATE, Copies, Notices
from vna.services.corrections import Corrections
from vna.services.custody import Custody
from vna.services.documents import Documents
from vna.services.export import Export
from vna.services.fixity import Fixity
from vna.services.fsck import Fsck
from vna.services.held import HeldObjects
from vna.services.index_tags import INDEX_TAGS, IndexTags
from vna.services.ingest import Ingest
from vna.services.jobs import Jobs
from vna.services.journal import Journal
from vna.services.ledger import Ledger
from vna.services.metadata import Metadata
from vna.services.moving import Moving
from vna.services.outgoing import Outgoing
from vna.services.patients import Patients
from vna.services.peers import Peers
from vna.services.remembered import Remembered
from vna.services.renditions import Renditions
from vna.services.retrieve import Retrieve
from vna.services.routing import ROUTE, Routing
from vna.services.row_log import RowLog
from vna.services.scrub import Scrub
from vna.services.search import Search
from vna.services.sessions import Sessions
from vna.services.settle import SETTLE, Settle
from vna.services.statistics import Statistics
from vna.services.strays import Strays
from vna.services.transcode import Transcode
from vna.services.trash import Trash
from vna.services.users import Users
from vna.services.verify import Verify
from vna.services.views.slides import Slides
from vna.services.views.views import Views

DAY_MILLISECONDS = 24 * 3600 * 1000
OPEN_SECONDS_BEHIND = 60.0  # a segment's age at which it is sealed where copies are to follow

Ingested = Callable[[str, str, int], None]  # source, outcome, bytes


def _uncounted(source: str, outcome: str, size: int) -> None:
    return None


@dataclass(frozen=True)
class Archive:
    """The archive as one process has it: HTTP worker, jobs worker and command line alike.

    Each process owns its connections, its committer and its open segment; the database arbitrates
    everything else, so that any number of them work beside each other.
    """

    index: Index
    objects: ObjectStore
    ingest: Ingest
    search: Search
    retrieve: Retrieve
    metadata: Metadata
    verify: Verify
    export: Export
    corrections: Corrections
    patients: Patients
    held: HeldObjects
    trash: Trash
    documents: Documents
    ledger: Ledger
    statistics: Statistics
    imports: ImportLedger
    jobs: Jobs
    copies: Copies
    scrub: Scrub
    custody: Jobs
    store_custody: Custody
    fixity: Fixity
    compaction: Compaction
    fsck: Fsck
    adoption: Adoption
    row_log: RowLog
    backup: Backup
    commitment: Commitment
    asked_commitments: AskedCommitments
    index_tags: IndexTags
    access: Access
    users: Users
    sessions: Sessions
    peers: Peers
    association_log: AssociationLog
    routing: Routing
    outgoing: Outgoing
    decoders: Decoders
    renditions: Renditions
    views: Views
    slides: Slides

    @classmethod
    @contextmanager
    def open(
        cls,
        settings: Settings,
        *,
        ingested: Ingested = _uncounted,
        history: str = "",
        replaced: Callable[[], None] = nothing,
    ) -> Iterator[Archive]:
        """Open what `settings` name, until the block ends; then what was handed in is finished and
        this process's segment sealed.

        Call it after the fork. The schema must be there (`vna.app.schema.ready`). `ingested` is
        told of each object received; `history` and `replaced`: see `Index.open`. Raises
        `IndexUnavailable`, `StorageUnavailable`, `InvalidConfiguration`.
        """
        with ExitStack() as stack:
            index = Index.open(settings.database_url, history=history, replaced=replaced)
            stack.callback(index.close)
            notices = Notices(index)
            objects = open_objects(settings, index, notices)
            stack.callback(objects.close)
            row_log = RowLog(index, objects)
            stack.callback(row_log.close)
            audit = ReadAudit(_audit_file(settings))
            stack.callback(audit.close)
            decoders = Decoders(
                processes=settings.decoders.processes,
                seconds=settings.decoders.seconds,
                memory=settings.decoders.memory,
            )
            stack.callback(decoders.close)
            renditions = Renditions(
                settings.data.absolute() / "renditions", settings.store.renditions
            )
            ingest = Ingest(
                index,
                objects,
                policy=DuplicatePolicy(settings.ingest.duplicates),
                authority=settings.ingest.authority,
                organisation=settings.ingest.organisation,
                quiet_seconds=settings.ingest.quiet_seconds,
                owner=f"{socket.gethostname()}/{os.getpid()}",
                rotate_bytes=settings.store.segment_size,
                open_seconds=_open_seconds(settings),
                observe=ingested,
            )
            stack.callback(ingest.close)
            journal = Journal(index, ingest.committer.submit)
            documents = Documents(
                index,
                objects,
                journal,
                audit,
                authority=settings.ingest.authority,
                organisation=settings.ingest.organisation,
            )
            transcode = Transcode(decoders, renditions)
            stack.callback(transcode.close)
            retrieve = Retrieve(index, objects, audit, transcode)
            search = Search(index)
            commitment = Commitment(index, search, objects)
            asked_commitments = AskedCommitments(index)
            index_tags = IndexTags(index)
            association_log = AssociationLog(index)
            logged = settings.scp.association_log_days * DAY_MILLISECONDS
            routing, outgoing = Routing(index), Outgoing(index)
            kept = Copies(index, objects, ingest.committer.submit, wanted=settings.store.copies)
            custody = Custody(index, objects, kept)
            compaction = Compaction(index, Moving(index, objects, ingest.committer.submit), kept)
            remembered = Remembered()
            sessions = Sessions(
                index,
                remembered,
                idle_milliseconds=settings.access.session_idle_minutes * 60_000,
                milliseconds=settings.access.session_hours * 3_600_000,
            )
            base_url = settings.public_url + settings.dicomweb.root
            yield cls(
                index=index,
                objects=objects,
                ingest=ingest,
                search=search,
                retrieve=retrieve,
                metadata=Metadata(index, audit),
                verify=Verify(index, objects),
                export=Export(index, objects, retrieve),
                corrections=Corrections(index, journal),
                patients=Patients(index, journal),
                held=HeldObjects(index, objects, journal),
                trash=Trash(index, journal, objects.remove_raw),
                documents=documents,
                ledger=Ledger(index),
                statistics=Statistics(index),
                imports=ImportLedger(index),
                jobs=Jobs(
                    index,
                    {
                        SETTLE: Settle(index, base_url=base_url),
                        COMMIT: commitment,
                        INDEX_TAGS: index_tags,
                        ROUTE: routing,
                    },
                    [
                        Strays(index, objects).remove,
                        commitment.forget,
                        asked_commitments.forget,
                        routing.wake,
                        outgoing.forget,
                        sessions.forget,
                        lambda: association_log.forget(logged),
                    ],
                ),
                copies=kept,
                scrub=Scrub(
                    index,
                    objects,
                    kept,
                    days=settings.store.scrub_days,
                    rate=settings.store.scrub_rate,
                ),
                custody=Jobs(
                    index,
                    {
                        REPLICATE: kept.replicate,
                        REPAIR: kept.repair,
                        COMPACT: compaction.compact,
                        REMOVE: compaction.remove,
                    },
                    [kept.finish_drops, kept.sweep, compaction.sweep],
                ),
                store_custody=custody,
                fixity=Fixity(
                    index, custody, days=settings.store.scrub_days, wanted=settings.store.copies
                ),
                compaction=compaction,
                fsck=Fsck(index, objects),
                adoption=Adoption(objects, ingest, documents),
                row_log=row_log,
                backup=Backup(index, objects, row_log, _audit_folder(settings)),
                index_tags=index_tags,
                access=Access(index, remembered),
                users=Users(index, remembered),
                sessions=sessions,
                peers=Peers(index),
                association_log=association_log,
                routing=routing,
                outgoing=outgoing,
                commitment=commitment,
                asked_commitments=asked_commitments,
                decoders=decoders,
                renditions=renditions,
                views=Views(retrieve, decoders, renditions, f"{base_url}/studies"),
                slides=Slides(retrieve, decoders, renditions),
            )

    def check_database(self) -> None:
        """Raises `IndexUnavailable` unless the database answers."""
        with self.index.reading() as session:
            session.now()


def _open_seconds(settings: Settings) -> float:
    """How long a segment grows: what is only in one store yet is to be copied soon."""
    behind = settings.store.copies > settings.store.ack_copies
    return OPEN_SECONDS_BEHIND if behind else OPEN_SECONDS


def _audit_folder(settings: Settings) -> Path:
    return settings.data.absolute() / "audit"


def _audit_file(settings: Settings) -> Path:
    return _audit_folder(settings) / f"{new_ulid()}.jsonl"
