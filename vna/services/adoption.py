"""Whole objects that no row names are taken in as they would have been, had nobody died."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from vna.errors import VnaError
from vna.index import columns
from vna.index.peers import coercions_of
from vna.model.archive import DuplicatePolicy, IdentifierKind
from vna.model.caller import Caller, Right
from vna.model.patient import PatientIdentifier
from vna.objects import MountedStore, ObjectStore
from vna.objects.store import CHUNK_BYTES
from vna.objects.ulid import made_at
from vna.services.documents import DocumentFacts, Documents
from vna.services.events import DOCUMENT, GROWS, RECEIVED, Event, events
from vna.services.fsck import Finding
from vna.services.ingest import Ingest
from vna.services.reception import Reception
from vna.services.rights import require

STORED = "stored"


class Adoption:
    """Takes in what `Fsck` found without a row.

    An event beside the object says who sent it, for which organisation, and who issued identifiers
    that name no issuer; where there is none (a release without such events wrote it) it is taken in
    like an import.
    """

    def __init__(self, objects: ObjectStore, ingest: Ingest, documents: Documents) -> None:
        self._objects, self._ingest, self._documents = objects, ingest, documents

    def adopt(self, caller: Caller, found: Sequence[Finding]) -> Iterator[tuple[Finding, str]]:
        """Store objects as if they were sent again; what became of each.

        The outcome is a disposition, "stored" for a document, or the code of the error for which it
        stays as it is. Raises `Forbidden`, `StorageUnavailable`.
        """
        require(caller, Right.ADMINISTER)
        wanted = [each for each in found if each.place is not None]
        said = self._said(wanted)
        with ExitStack() as stack:
            receptions: dict[str, Reception] = {}
            for each in wanted:
                event = said.get(each.name)
                try:
                    if event is not None and event.kind == DOCUMENT:
                        yield each, self._document(caller, each, event)
                        continue
                    named = event.operation if event else ""
                    if named not in receptions:
                        begun = self._reception(caller, event)
                        receptions[named] = stack.enter_context(begun)
                    incoming = receptions[named].incoming()
                    for chunk in _chunks(self._objects.stores[each.store], each):
                        incoming.write(chunk)
                    yield each, incoming.finish().result().disposition.value
                except VnaError as error:
                    yield each, error.code

    def _said(self, found: Sequence[Finding]) -> dict[str, Event]:
        """The last event about each object, by SHA-256."""
        if not found:
            return {}
        names = {each.name for each in found}
        made = sorted(made_at(each.segment) for each in found)
        said: dict[str, Event] = {}
        for event in events(list(self._objects.stores.values()), made[0], made[-1] + GROWS):
            if event.kind == RECEIVED:
                said.update((name, event) for name in event.data["objects"] if name in names)
            elif event.kind == DOCUMENT and event.data["sha256"] in names:
                said[event.data["sha256"]] = event
        return said

    def _reception(self, caller: Caller, event: Event | None) -> Reception:
        if event is None:
            return self._ingest.reception(caller, "fsck")
        data = event.data
        return self._ingest.reception(
            replace(caller, name=event.actor, partition=event.partition),
            data["source"],
            peer=data["peer"],
            path=data["path"],
            organisation=data["organisation"],
            policy=DuplicatePolicy(data["policy"]),
            authority=data["issuer"],
            coercions=coercions_of(data.get("coercions", ())),
        )

    def _document(self, caller: Caller, found: Finding, event: Event) -> str:
        data = event.data
        incoming = self._documents.receive(
            replace(caller, name=event.actor, partition=event.partition),
            _facts(data),
            organisation=data["organisation"],
            peer=data["peer"],
        )
        try:
            for chunk in _chunks(self._objects.stores[found.store], found):
                incoming.write(chunk)
        except VnaError:
            incoming.abort()
            raise
        incoming.finish().result()
        return STORED


def _facts(data: Mapping[str, Any]) -> DocumentFacts:
    who, patient = data["identifier"], data["patient"]
    return DocumentFacts(
        title=data["title"],
        type_code=data["type_code"],
        media_type=data["media_type"],
        uid=data["uid"],
        patient=None
        if who is None
        else PatientIdentifier(who["authority"], who["value"], IdentifierKind[who["kind"].upper()]),
        patient_name=columns.text(patient, "00100010"),
        birth_date=columns.text(patient, "00100030"),
        author=data["facts"].get("author", ""),
        created=data["created"],
    )


def _chunks(store: MountedStore, found: Finding) -> Iterator[bytes]:
    """The object of a finding, from the store where it was found: the index knows none."""
    place, sha256 = found.place, bytes.fromhex(found.name)
    assert place is not None
    if not place.raw:
        yield store.payload(place, sha256)
        return
    for start in range(0, place.length, CHUNK_BYTES):
        yield store.part(place, start, min(CHUNK_BYTES, place.length - start), sha256)
