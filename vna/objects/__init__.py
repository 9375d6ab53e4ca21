"""The content-addressed store: segments, group commit, raw files, checked reads."""

from vna.objects.committer import Committer
from vna.objects.folder_cache import FolderCache
from vna.objects.group import GroupCommit, Placed, Unit
from vna.objects.mounted import MountedStore
from vna.objects.raw import RAW_BYTES, RawObject, Stray
from vna.objects.record import RecordHeader, RecordNames, RecordType
from vna.objects.segment import Append, Scan, SegmentKind, plain
from vna.objects.store import ObjectStore, StoredSource
from vna.objects.targets import Target, Targets

__all__ = [
    "RAW_BYTES",
    "Append",
    "Committer",
    "FolderCache",
    "GroupCommit",
    "MountedStore",
    "ObjectStore",
    "Placed",
    "RawObject",
    "RecordHeader",
    "RecordNames",
    "RecordType",
    "Scan",
    "SegmentKind",
    "StoredSource",
    "Stray",
    "Target",
    "Targets",
    "Unit",
    "plain",
]
