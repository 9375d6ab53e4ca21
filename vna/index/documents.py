"""Plain documents: their rows, found and read as the caller may see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, FromClause, and_, func, insert, literal_column, select

from vna.dicom import names
from vna.errors import Conflict, Gone, NotFound
from vna.index import demographics as demographics_rows
from vna.index import identity, received_patients, receptions, segments
from vna.index.engine import Change, Session
from vna.index.insertion import keys_of
from vna.index.segments import RAW_SEGMENT
from vna.index.tables import (
    authority,
    demographics,
    document,
    identifier,
    item,
    object_,
    patient_link,
    segment,
    trash,
)
from vna.model.archive import IdentifierKind, ItemKind, Place, TrashKind, Visibility
from vna.model.caller import Caller
from vna.model.patient import PatientIdentifier


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document as it is shown. `patient`: DICOM JSON of the patient level, {} where none.

    `hidden`: it lies in the trash.
    """

    key: int
    uid: str
    title: str
    type_code: str
    media_type: str
    created: str
    identifier: PatientIdentifier | None
    patient: dict[str, Any]
    facts: dict[str, Any]
    received_at: int
    sha256: bytes
    xxh3: bytes
    place: Place
    hidden: bool


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document whose bytes are durable. `patient`: DICOM JSON, where there is an `identifier`.

    `facts`: everything else that was said. `reception`: source, peer and organisation.
    """

    uid: str
    title: str
    type_code: str
    media_type: str
    created: str
    identifier: PatientIdentifier | None
    patient: Mapping[str, Any]
    facts: Mapping[str, Any]
    sha256: bytes
    xxh3: bytes
    place: Place
    peer: str
    organisation_fk: int


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """What to look for; None does not filter. `before`: (received_at, key) of the last row seen."""

    uid: str | None = None
    title: str | None = None
    type_code: str | None = None
    patient: PatientIdentifier | None = None
    created_from: str | None = None
    created_to: str | None = None
    before: tuple[int, int] | None = None


def find(session: Session, caller: Caller, wanted: DocumentFilter, limit: int) -> list[DocumentRow]:
    """At most `limit` documents that the caller may see, newest reception first."""
    conditions = [*_visible(caller), *_matching(session, caller, wanted)]
    statement = (
        _selected()
        .where(*conditions)
        .order_by(document.c.received_at.desc(), document.c.pk.desc())
        .limit(limit)
    )
    return [_row(row) for row in session.execute(statement)]


def get(session: Session, caller: Caller, uid: str) -> DocumentRow:
    """One document; raises `NotFound`, or `Gone` for what lies in the trash."""
    return by_key(session, locate(session, caller, uid))


def by_key(session: Session, key: int) -> DocumentRow:
    """One document, whatever its state and owner."""
    return _row(session.execute(_selected().where(document.c.pk == key)).one())


def locate(session: Session, caller: Caller, uid: str) -> int:
    """The key of a document; raises as `get` does."""
    found = session.execute(
        select(document.c.pk, document.c.state, item.c.state.label("item_state"))
        .join(item, item.c.pk == document.c.item_fk)
        .where(
            document.c.partition == caller.partition,
            document.c.uid == uid,
            *_owned(caller),
        )
    ).one_or_none()
    if found is None:
        if caller.organisations is None and _purged(session, caller, uid):
            raise Gone("the document has been deleted")
        raise NotFound("there is no such document")
    if found.state != Visibility.SHOWN or found.item_state != Visibility.SHOWN:
        raise Gone("the document has been deleted")
    return int(found.pk)


def store(session: Session, caller: Caller, new: NewDocument, *, at: int) -> DocumentRow:
    """Add a document, with its reception, unless the same bytes stand under its UID already.

    Raises `Conflict` for other bytes.
    """
    if (present := standing(session, caller, new)) is not None:
        return present
    size = new.place.length
    reception_fk = receptions.begin(
        session,
        source="document",
        caller=caller.name,
        peer=new.peer,
        path="",
        organisation_fk=new.organisation_fk,
    )
    receptions.count(
        session, reception_fk, objects=1, size=size, outcomes={"new": 1}, finished=True
    )
    kept_in = segments.segment_keys(session, [new.place])
    row = segments.object_row(kept_in, new.place, new.sha256, new.xxh3, size)
    (object_fk,) = segments.add_objects(session, [row])
    (item_fk,) = keys_of(
        session,
        item,
        [
            {
                "partition": caller.partition,
                "kind": int(ItemKind.DOCUMENT),
                "organisation_fk": new.organisation_fk,
                "created_at": at,
            }
        ],
    )
    inserted = session.execute(
        insert(document).values(
            item_fk=item_fk,
            partition=caller.partition,
            uid=new.uid,
            title=new.title,
            title_words=names.words(new.title),
            type_code=new.type_code,
            media_type=new.media_type,
            demographics_fk=_patient(session, caller.partition, new),
            created=new.created,
            object_fk=object_fk,
            reception_fk=reception_fk,
            received_at=at,
            attributes=orjson.dumps(dict(new.facts), option=orjson.OPT_SORT_KEYS),
        )
    ).inserted_primary_key
    assert inserted is not None
    session.changes.append(Change("document new", item_fk, new.uid))
    return by_key(session, int(inserted[0]))


def _patient(session: Session, partition: int, new: NewDocument) -> int | None:
    if new.identifier is None:
        return None
    who = (new.identifier.kind, new.identifier.authority, new.identifier.value)
    key = received_patients.identifiers(session, partition, [who])[who]
    return demographics_rows.keep(session, key, new.patient)


def standing(session: Session, caller: Caller, new: NewDocument) -> DocumentRow | None:
    """The document that stands under the UID of `new` with the same bytes, also in the trash.

    Raises `Conflict` for other bytes, and where it is of an organisation the caller does not see.
    """
    found = session.execute(
        select(document.c.pk, object_.c.sha256, item.c.organisation_fk)
        .join(object_, object_.c.pk == document.c.object_fk)
        .join(item, item.c.pk == document.c.item_fk)
        .where(document.c.partition == caller.partition, document.c.uid == new.uid)
    ).one_or_none()
    if found is None:
        return None
    seen = caller.organisations is None or found.organisation_fk in caller.organisations
    if not seen or found.sha256 != new.sha256:
        raise Conflict(f"document {new.uid} is stored with another content")
    return by_key(session, found.pk)


def _purged(session: Session, caller: Caller, uid: str) -> bool:
    return bool(
        session.execute(
            select(trash.c.pk)
            .where(
                trash.c.partition == caller.partition,
                trash.c.kind == TrashKind.DOCUMENT,
                trash.c.uid == uid,
                trash.c.purged_at > 0,
            )
            .limit(1)
        ).scalar()
    )


def _owned(caller: Caller) -> Iterator[ColumnElement[bool]]:
    if caller.organisations is not None:
        yield item.c.organisation_fk.in_(sorted(caller.organisations))


def _visible(caller: Caller) -> Iterator[ColumnElement[bool]]:
    yield document.c.partition == caller.partition
    yield document.c.state == Visibility.SHOWN
    yield item.c.state == Visibility.SHOWN
    yield from _owned(caller)


def _matching(
    session: Session, caller: Caller, wanted: DocumentFilter
) -> Iterator[ColumnElement[bool]]:
    if wanted.uid is not None:
        yield document.c.uid == wanted.uid
    for word in names.words(wanted.title or "").split():
        # a word holds letters and digits only, nothing that LIKE would take for a wildcard
        yield document.c.title_words.like(f"% {word}%")
    if wanted.type_code is not None:
        yield document.c.type_code == wanted.type_code
    if wanted.patient is not None:
        yield _OWN.c.identifier_fk.in_(_identifiers(session, caller, wanted.patient))
    if wanted.created_from is not None:
        yield document.c.created >= wanted.created_from
    if wanted.created_to is not None:
        # '~' sorts behind every character of a date and time: 202401 ends with January
        yield and_(document.c.created != "", document.c.created <= f"{wanted.created_to}~")
    if wanted.before is not None:
        received_at, key = wanted.before
        yield (document.c.received_at < received_at) | and_(
            document.c.received_at == received_at, document.c.pk < key
        )


def _identifiers(session: Session, caller: Caller, who: PatientIdentifier) -> list[int]:
    try:
        return identity.same_patient(session, identity.find(session, caller.partition, who))
    except NotFound:
        return []


_OWN = demographics.alias("own")
_SHOWN = demographics.alias("shown")


def _source() -> FromClause:
    return (
        document.join(item, item.c.pk == document.c.item_fk)
        .join(object_, object_.c.pk == document.c.object_fk)
        .join(segment, segment.c.pk == object_.c.segment_fk)
        .outerjoin(_OWN, _OWN.c.pk == document.c.demographics_fk)
        .outerjoin(identifier, identifier.c.pk == _OWN.c.identifier_fk)
        .outerjoin(authority, authority.c.pk == identifier.c.authority_fk)
        .outerjoin(
            patient_link,
            and_(
                patient_link.c.identifier_fk == identifier.c.pk,
                patient_link.c.until == literal_column("0"),
            ),
        )
        .outerjoin(_SHOWN, _SHOWN.c.pk == patient_link.c.shown_fk)
    )


def _selected() -> Any:
    return select(
        document.c.pk,
        document.c.uid,
        document.c.title,
        document.c.type_code,
        document.c.media_type,
        document.c.created,
        document.c.attributes,
        document.c.received_at,
        document.c.state,
        object_.c.sha256,
        object_.c.xxh3,
        object_.c.offset,
        object_.c.length,
        segment.c.name.label("segment"),
        segment.c.kind.label("segment_kind"),
        identifier.c.kind.label("identifier_kind"),
        identifier.c.value.label("identifier_value"),
        authority.c.name.label("authority"),
        func.coalesce(_SHOWN.c.attributes, _OWN.c.attributes).label("patient"),
    ).select_from(_source())


def _row(row: Any) -> DocumentRow:
    who = None
    if row.identifier_value is not None:
        kind = IdentifierKind(row.identifier_kind)
        who = PatientIdentifier(row.authority, row.identifier_value, kind)
    return DocumentRow(
        row.pk,
        row.uid,
        row.title,
        row.type_code,
        row.media_type,
        row.created,
        who,
        orjson.loads(row.patient) if row.patient is not None else {},
        orjson.loads(row.attributes),
        row.received_at,
        bytes(row.sha256),
        bytes(row.xxh3),
        Place(row.segment, row.offset, row.length, row.segment_kind == RAW_SEGMENT),
        row.state != Visibility.SHOWN,
    )
