"""Settings become stores. The only module that names concrete backends."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from storage_backends.base import Backend, BackendError
from storage_backends.local import LocalBackend
from vna.config import Settings
from vna.config.stores import StoreSetting
from vna.errors import InvalidConfiguration, StorageUnavailable
from vna.index import copies
from vna.index.copies import KnownStore
from vna.index.engine import Index
from vna.objects import FolderCache, MountedStore, ObjectStore
from vna.objects.layout import MARKER
from vna.objects.marker import read_marker
from vna.objects.store import Notice

log = logging.getLogger("vna.stores")


def open_objects(
    settings: Settings, index: Index, notice: Notice = lambda segment, store, error: None
) -> ObjectStore:
    """The stores of the settings as one; each is noted in the index with its marker.

    A store that is away is used once it is back, but the first use of a store, and an archive of
    one, need it here. Raises `InvalidConfiguration`, `StorageUnavailable`, `IndexUnavailable`.
    """
    if settings.store.copies > len(settings.mounted):
        raise InvalidConfiguration(
            f"store.copies is {settings.store.copies}, but there are {len(settings.mounted)} stores"
        )
    with index.reading() as session:
        known = copies.known_stores(session)
    caches = settings.data.absolute() / "cache"
    mounted = [_mounted(index, each, known.get(each.name), caches) for each in settings.mounted]
    if not any(each.is_here() for each in mounted if each.tier == "hot"):
        raise StorageUnavailable(
            "no store is there that takes new objects: is the disk mounted, is it the right one?"
        )
    spool = None
    if any(not each.backend.capabilities.append for each in mounted if each.tier == "hot"):
        spool = _local(str(settings.data.absolute() / "spool"))
    return ObjectStore(
        mounted,
        copies=settings.store.ack_copies,
        whereabouts=_whereabouts(index),
        notice=notice,
        spool=spool,
        reserve=settings.store.reserve,
    )


def _mounted(
    index: Index, setting: StoreSetting, known: KnownStore | None, caches: Path
) -> MountedStore:
    store = _store(setting, known.identity if known else "", caches)
    now = KnownStore(setting.name, setting.tier, setting.domain, store.identity)
    if known != now:
        index.transact(lambda session: copies.mount(session, now))
    if not store.is_here():
        log.error("a store is not there", extra={"store": setting.name, "at": setting.location})
    return store


def _store(setting: StoreSetting, identity: str, caches: Path | None = None) -> MountedStore:
    backend = _backend(setting)
    _refuse_another(setting, backend, identity)
    cache = FolderCache(caches / setting.name, setting.cache) if caches and setting.cache else None
    return MountedStore(
        setting.name,
        backend,
        tier=setting.tier,
        domain=setting.domain,
        identity=identity,
        cache=cache,
    )


def open_place(setting: StoreSetting) -> MountedStore:
    """A store that the settings do not name, such as a backup; made where there is nothing.

    Raises `StorageUnavailable`, `InvalidConfiguration` where something else lies.
    """
    return _store(setting, "")


@contextmanager
def stores_at_hand(settings: Settings) -> Iterator[tuple[list[MountedStore], list[str]]]:
    """The stores that are there and were used before, and the names of the others; no index is
    asked. Until the block ends."""
    found, away = [], []
    for setting in settings.mounted:
        try:
            marker = read_marker(_backend(setting))
        except (BackendError, StorageUnavailable):
            marker = None
        if marker is None:
            away.append(setting.name)
        else:
            found.append(_store(setting, marker.store))
    try:
        yield found, away
    finally:
        for each in found:
            each.close()


def _refuse_another(setting: StoreSetting, backend: Backend, identity: str) -> None:
    """Raise `InvalidConfiguration` where another store lies, or one that we cannot read."""
    try:
        marker = read_marker(backend)
    except BackendError:
        return  # it is away
    if marker is not None and identity and marker.store != identity:
        raise InvalidConfiguration(
            f"what lies at {setting.location} is not the store {setting.name}: its {MARKER} names "
            f"{marker.store}, and {identity} is expected; is the right disk mounted?"
        )


def _backend(setting: StoreSetting) -> Backend:
    if not setting.bucket:
        return _local(setting.folder)
    from storage_backends.s3 import S3Backend, S3Options  # loads a library of 20 MB

    access_key, secret_key = _keys(setting)
    return S3Backend(
        S3Options(
            setting.bucket,
            setting.prefix,
            endpoint=setting.endpoint,
            region=setting.region or "us-east-1",
            access_key=access_key,
            secret_key=secret_key,
        )
    )


def _keys(setting: StoreSetting) -> tuple[str, str]:
    """The keys in the store's file of credentials; empty: those of the environment."""
    if not setting.credentials:
        return "", ""
    try:
        found = tomllib.loads(Path(setting.credentials).read_text("utf-8"))
        return str(found["access_key"]), str(found["secret_key"])
    except (OSError, ValueError, KeyError):
        raise InvalidConfiguration(
            f"{setting.credentials}, the credentials of the store {setting.name}, must have the "
            'lines access_key = "…" and secret_key = "…"'
        ) from None


def _local(folder: str) -> Backend:
    try:
        return LocalBackend(folder)
    except BackendError as error:
        raise StorageUnavailable(f"the store cannot be opened: {error}") from error


def _whereabouts(index: Index) -> Callable[[str], dict[str, int]]:
    def find(segment: str) -> dict[str, int]:
        with index.reading() as session:
            return {name: int(state) for name, state in copies.holding(session, segment).items()}

    return find
