"""The schema, once, for SQLite and PostgreSQL.

Conventions: `…_fk` is a surrogate key of another table; times are milliseconds since 1970 UTC by
the database's clock; sort keys are never NULL (absent text is ''), so that both databases order
rows alike; text compares by code point (`COLLATE "C"` on PostgreSQL); `attributes` is DICOM JSON
(PS3.18 §F) of one level's own attributes, UTF-8 bytes.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")
Words = Text().with_variant(Text(collation="C"), "postgresql")


def _key() -> Column[int]:
    return Column("pk", Key, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, *, null: bool = False, index: bool = False) -> Column[int]:
    return Column(name, Key, ForeignKey(f"{target}.pk"), nullable=null, index=index)


def _text(name: str) -> Column[str]:
    return Column(name, Words, nullable=False, server_default="")


def _where_filled(name: str, column: str) -> Index:
    """An index over the few rows where `column` is not ''."""
    filled = text(f"{column} <> ''")
    return Index(name, column, sqlite_where=filled, postgresql_where=filled)


def _number(name: str, default: int = 0) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=str(default))


# ── who and where ────────────────────────────────────────────────────────────────────────────────

organisation = Table(
    "organisation",
    metadata,
    _key(),
    Column("code", Words, nullable=False, unique=True),
    _text("name"),
    _text("default_authority"),
)

reception = Table(
    "reception",
    metadata,
    _key(),
    _text("source"),  # stow, import, document, …
    _text("caller"),
    _text("peer"),
    _text("path"),
    _ref("organisation_fk", "organisation"),
    _number("started_at"),
    _number("finished_at"),  # 0 while it runs
    _number("objects"),
    _number("bytes"),
    Column("outcomes", LargeBinary),  # JSON: outcome → count
    Index(None, "started_at"),
)

# ── bytes ────────────────────────────────────────────────────────────────────────────────────────

store = Table(
    "store",
    metadata,
    _key(),
    Column("name", Words, nullable=False, unique=True),
    _text("class"),  # hot, warm, cold, offline
    _text("domain"),  # site or zone
    _text("identity"),  # ULID of its marker, '' before its first use
)

segment = Table(
    "segment",
    metadata,
    _key(),
    Column("name", Words, nullable=False, unique=True),  # ULID
    Column("kind", SmallInteger, nullable=False),  # vna.objects.SegmentKind
    Column("state", SmallInteger, nullable=False, server_default="0"),  # vna/index/segments.py
    _number("created_at"),
)

segment_copy = Table(
    "segment_copy",
    metadata,
    _key(),
    _ref("segment_fk", "segment"),
    _ref("store_fk", "store"),
    Column("state", SmallInteger, nullable=False, server_default="0"),  # CopyState
    _number("verified_at"),  # 0 = not since it was written
    _number("lock_until"),
    UniqueConstraint("segment_fk", "store_fk"),
    Index(None, "verified_at"),
)

object_ = Table(
    "object",
    metadata,
    _key(),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("sha256_head", BigInteger, nullable=False, index=True),  # 8 bytes, signed BE
    Column("xxh3", LargeBinary(16), nullable=False),
    _number("size"),
    _ref("segment_fk", "segment", index=True),
    _number("offset"),  # of the payload inside the segment, bytes
    _number("length"),  # of the payload as stored, bytes
    Column("state", SmallInteger, nullable=False, server_default="0"),  # 1 damaged, 2 purged
    Index(
        "ix_object_purged",
        "segment_fk",
        sqlite_where=text("state = 2"),
        postgresql_where=text("state = 2"),
    ),
)

# ── identity ─────────────────────────────────────────────────────────────────────────────────────

authority = Table(
    "authority",
    metadata,
    _key(),
    Column("name", Words, nullable=False, unique=True),  # '' = the issuer is not known
)

identifier = Table(
    "identifier",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),  # IdentifierKind
    _ref("authority_fk", "authority"),
    Column("value", Words, nullable=False),
    Column("source", SmallInteger, nullable=False),  # IdentifierSource: object, feed, hand
    UniqueConstraint("partition", "value", "kind", "authority_fk"),
)

patient = Table(
    "patient",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    _number("created_at"),
)

# What an object said about a patient, once per identifier and content. Never updated.
demographics = Table(
    "demographics",
    metadata,
    _key(),
    _ref("identifier_fk", "identifier"),
    Column("digest", LargeBinary(16), nullable=False),  # xxh3-128 of `attributes`
    _text("patient_id"),
    _text("issuer"),
    _text("name"),  # alphabetic group, normalised for matching; see vna/dicom/names.py
    _text("name_ideographic"),
    _text("name_phonetic"),
    _text("name_words"),  # ' WORD WORD ' of all groups, for fuzzy matching
    _text("birth_date"),
    _text("sex"),
    Column("attributes", LargeBinary, nullable=False),
    UniqueConstraint("identifier_fk", "digest"),
    Index(None, "patient_id"),
    Index(None, "name"),
    _where_filled("ix_demographics_name_ideographic", "name_ideographic"),
    _where_filled("ix_demographics_name_phonetic", "name_phonetic"),
    Index(None, "birth_date"),
)

# Which patient an identifier means, dated; the open row (until = 0) is in force. `shown_fk`: the
# demographics that replace what each object says (merge, correction); NULL shows each object's own.
patient_link = Table(
    "patient_link",
    metadata,
    _key(),
    _ref("identifier_fk", "identifier"),
    _ref("patient_fk", "patient", index=True),
    _ref("shown_fk", "demographics", null=True, index=True),
    _number("since"),
    _number("until"),
    _text("operation"),  # ULID of what wrote the row; '' = reception
    _text("actor"),
    _text("reason"),
    Index(
        "uq_patient_link_open",
        "identifier_fk",
        unique=True,
        sqlite_where=text("until = 0"),
        postgresql_where=text("until = 0"),
    ),
)

# A merge or a correction of a patient, in force until ended. Links follow from these rows alone, so
# that ending one, in any order, gives the links that the others mean (vna/index/identity.py).
patient_operation = Table(
    "patient_operation",
    metadata,
    _key(),
    Column("operation", Words, nullable=False, unique=True),  # ULID
    Column("kind", SmallInteger, nullable=False),  # vna.index.identity.OperationKind
    _ref("identifier_fk", "identifier", index=True),  # merged away, or corrected
    _ref("target_fk", "identifier", null=True, index=True),  # of a merge
    _ref("shown_fk", "demographics"),  # a merge: the target's; a correction: what it started from
    Column("edits", LargeBinary),  # of a correction: DICOM JSON, null removes
    _number("at"),
    _text("actor"),
    _text("reason"),
    _number("ended_at"),  # 0 = in force
    _text("ended_by"),  # the operation that ended it
    Index(
        "uq_patient_operation_merged",
        "identifier_fk",
        unique=True,
        sqlite_where=text("kind = 1 AND ended_at = 0"),
        postgresql_where=text("kind = 1 AND ended_at = 0"),
    ),
)

# ── what the archive is responsible for ──────────────────────────────────────────────────────────

item = Table(
    "item",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),  # ItemKind: study, document
    _ref("organisation_fk", "organisation", index=True),
    Column("confidentiality", SmallInteger, nullable=False, server_default="0"),
    Column("state", SmallInteger, nullable=False, server_default="0"),  # Visibility
    _text("retention_class"),
    _text("trigger_date"),
    Column("legal_hold", SmallInteger, nullable=False, server_default="0"),
    _text("key_id"),
    _text("last_access_day"),
    _number("created_at"),
)

study = Table(
    "study",
    metadata,
    _key(),
    _ref("item_fk", "item"),
    Column("partition", SmallInteger, nullable=False),
    Column("uid", Words, nullable=False),
    _ref("demographics_fk", "demographics", index=True),
    _text("study_date"),  # YYYYMMDD, '' where it is no date (vna/dicom/temporal.py)
    _text("study_time"),  # HHMMSS.FFFFFF, likewise
    _text("accession_number"),
    _text("study_id"),
    _text("referring_physician"),  # like demographics.name, and so on
    _text("referring_physician_ideographic"),
    _text("referring_physician_phonetic"),
    _text("referring_physician_words"),
    _text("description"),
    _text("modalities"),  # sorted, '\'-joined, of its visible series
    _number("series_count"),  # visible ones
    _number("instance_count"),
    _number("version"),  # rises with every change below or at the study
    Column("state", SmallInteger, nullable=False, server_default="0"),  # Visibility
    _number("received_at"),
    _number("last_received_at"),
    _number("settled_at"),  # 0 = not settled
    Column("attributes", LargeBinary, nullable=False),  # in force
    Column("received", LargeBinary),  # as received, where an overlay makes `attributes` differ
    UniqueConstraint("partition", "uid"),
    UniqueConstraint("item_fk"),
    Index(None, "study_date", "study_time", "uid"),
    Index(None, "accession_number"),
    Index(None, "study_id"),
    Index(None, "referring_physician"),
    _where_filled("ix_study_referring_physician_ideographic", "referring_physician_ideographic"),
    _where_filled("ix_study_referring_physician_phonetic", "referring_physician_phonetic"),
    Index(None, "last_received_at"),
)

series = Table(
    "series",
    metadata,
    _key(),
    _ref("study_fk", "study"),
    Column("partition", SmallInteger, nullable=False),
    Column("uid", Words, nullable=False),
    _text("modality"),
    _text("number"),  # SeriesNumber as text; matching compares numbers
    _number("number_order", 2**31 - 1),  # its value for sorting; absent sorts last
    _text("description"),
    _text("step_date"),  # PerformedProcedureStepStartDate
    _text("step_time"),
    _number("instance_count"),
    _number("version"),
    Column("state", SmallInteger, nullable=False, server_default="0"),
    Column("attributes", LargeBinary, nullable=False),
    Column("received", LargeBinary),
    Column("dictionary", LargeBinary),  # the first instance's header: zstd dictionary of the others
    UniqueConstraint("partition", "uid"),
    Index(None, "study_fk", "number_order", "uid"),
    Index(None, "modality"),
)

# The items of a series' RequestAttributesSequence; see vna/index/requests.py.
series_request = Table(
    "series_request",
    metadata,
    _key(),
    _ref("series_fk", "series", index=True),
    _text("scheduled_step_id"),
    _text("requested_procedure_id"),
    Index(None, "scheduled_step_id"),
    Index(None, "requested_procedure_id"),
)

instance = Table(
    "instance",
    metadata,
    _key(),
    _ref("series_fk", "series"),
    Column("uid", Words, nullable=False),
    _text("sop_class"),
    _text("number"),
    _number("number_order", 2**31 - 1),
    Column("state", SmallInteger, nullable=False, server_default="0"),
    Column("attributes", LargeBinary, nullable=False),  # what QIDO returns at this level
    Column("received", LargeBinary),
    Index(None, "series_fk", "number_order", "uid"),
)

# Uniqueness of SOP Instance UIDs: key = vna.index.keys.sop_key(partition, uid), 16 bytes.
sop = Table(
    "sop",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    _ref("instance_fk", "instance", index=True),
)

instance_version = Table(
    "instance_version",
    metadata,
    _key(),
    _ref("instance_fk", "instance"),
    Column("number", Integer, nullable=False),  # 1 = first received
    Column("current", SmallInteger, nullable=False),  # 1 for exactly one version of an instance
    _ref("object_fk", "object", index=True),
    _ref("reception_fk", "reception"),
    _number("received_at"),
    Column("dataset_xxh3", LargeBinary(16), nullable=False),
    Column("pixel_xxh3", LargeBinary(16), nullable=False),
    _text("transfer_syntax"),
    _text("patient_id"),
    Column("anatomy", LargeBinary, nullable=False),  # vna.dicom.anatomy, docs/formats.md
    Column("header", LargeBinary, nullable=False),  # vna.dicom.header, zstd
    Column("dictionary", SmallInteger, nullable=False, server_default="0"),  # 1: header needs it
    _text("oddities"),  # codes, ' '-joined
    UniqueConstraint("instance_fk", "number"),
)

document = Table(
    "document",
    metadata,
    _key(),
    _ref("item_fk", "item"),
    Column("partition", SmallInteger, nullable=False),
    Column("uid", Words, nullable=False),
    _text("title"),
    _text("title_words"),  # normalised ' WORD WORD '
    _text("type_code"),
    _text("media_type"),
    _ref("demographics_fk", "demographics", null=True, index=True),
    _text("created"),  # DICOM DT text
    _ref("object_fk", "object"),
    _ref("reception_fk", "reception"),
    _number("received_at"),
    Column("state", SmallInteger, nullable=False, server_default="0"),
    Column("attributes", LargeBinary, nullable=False),  # JSON of everything else that was said
    UniqueConstraint("partition", "uid"),
    Index(None, "received_at"),
)

# One answer to /metadata per series, gzip, keyed by all that it depends on.
series_metadata = Table(
    "series_metadata",
    metadata,
    Column("series_fk", Key, ForeignKey("series.pk"), primary_key=True),
    _text("stamp"),
    Column("body", LargeBinary, nullable=False),
)

# ── corrections ──────────────────────────────────────────────────────────────────────────────────

overlay = Table(
    "overlay",
    metadata,
    _key(),
    Column("scope", SmallInteger, nullable=False),  # Level
    Column("target_fk", Key, nullable=False),  # study, series or instance
    _text("path"),  # '00081030' or '00400275/1/00400009'
    Column("rank", SmallInteger, nullable=False),  # Rank: rule < feed < hand
    Column("value", LargeBinary),  # DICOM JSON attribute; NULL removes it
    _text("operation"),  # ULID of the correction or release that wrote the row
    _number("at"),
    _text("actor"),
    _text("reason"),
    _number("withdrawn_at"),  # 0 = stands
    Index(None, "scope", "target_fk"),
    Index(None, "operation"),
)

# Rises with every overlay that touches a study, or anything below it (scope STUDY), or a series.
overlay_head = Table(
    "overlay_head",
    metadata,
    Column("scope", SmallInteger, primary_key=True),
    Column("target_fk", Key, primary_key=True),
    _number("version"),
)

held = Table(
    "held",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    _text("reason"),  # HeldReason
    Column("sop_key", LargeBinary(16), nullable=False),
    Column("dataset_xxh3", LargeBinary(16), nullable=False),
    _text("study_uid"),
    _text("series_uid"),
    _text("sop_uid"),
    _ref("demographics_fk", "demographics"),
    _ref("object_fk", "object"),
    _ref("reception_fk", "reception"),
    _ref("organisation_fk", "organisation"),
    _number("at"),
    Column("detail", LargeBinary, nullable=False),  # JSON: what conflicts with what
    _number("resolved_at"),  # 0 = waiting
    _text("resolution"),
    _text("actor"),
    UniqueConstraint("partition", "sop_key", "dataset_xxh3"),
)

# Requests for storage commitment over the web (PS3.18 §13) and their results.
commitment = Table(
    "commitment",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("transaction_uid", Words, nullable=False),
    _text("caller"),
    _number("requested_at"),
    Column("request", LargeBinary, nullable=False),  # JSON, vna/services/commitment.py
    Column("result", LargeBinary),  # JSON; NULL while it is being verified
    UniqueConstraint("partition", "transaction_uid"),
    Index(None, "requested_at"),
)

# Requests for storage commitment that we made of others, and what they answered.
asked_commitment = Table(
    "asked_commitment",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("transaction_uid", Words, nullable=False),
    _text("peer"),  # the AE title that was asked
    _text("actor"),
    _number("asked_at"),
    Column("request", LargeBinary, nullable=False),  # JSON, vna/services/asked_commitments.py
    Column("result", LargeBinary),  # JSON; NULL until the peer has told it
    _number("answered_at"),
    UniqueConstraint("partition", "transaction_uid"),
    Index(None, "asked_at"),
)

trash = Table(
    "trash",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),  # TrashKind: study, series, instance, document
    Column("target_fk", Key, nullable=False),
    _text("uid"),
    _number("at"),
    _text("actor"),
    _text("reason"),
    _number("purge_after"),
    _number("restored_at"),
    _number("purged_at"),
    Index(None, "kind", "target_fk"),
    Index(None, "uid"),
)

attention = Table(
    "attention",
    metadata,
    _key(),
    _text("kind"),
    _text("study_uid"),
    _text("series_uid"),
    _text("sop_uid"),
    Column("detail", LargeBinary, nullable=False),
    _number("at"),
    _number("resolved_at"),
    Index(None, "resolved_at", "at"),
)

# ── history and work ─────────────────────────────────────────────────────────────────────────────

feed_head = Table(
    "feed_head",
    metadata,
    Column("pk", SmallInteger, primary_key=True, autoincrement=False),  # always 1
    _number("last"),
)

change = Table(
    "change",
    metadata,
    Column("seq", Key, primary_key=True, autoincrement=False),
    _number("at"),
    _text("kind"),
    Column("item_fk", Key),
    _text("study_uid"),
    _text("series_uid"),
    _text("sop_uid"),
    Column("detail", LargeBinary),
)

job = Table(
    "job",
    metadata,
    _key(),
    _text("kind"),
    _text("subject"),  # one waiting job per kind and subject
    Column("payload", LargeBinary),
    Column("state", SmallInteger, nullable=False, server_default="0"),  # see jobs.py
    _number("not_before"),
    _number("lease_until"),
    _text("lease_owner"),
    _number("attempts"),
    _text("last_error"),
    _number("created_at"),
    UniqueConstraint("kind", "subject"),
    Index(None, "state", "not_before"),
)

audit = Table(
    "audit",
    metadata,
    _key(),
    _number("at"),
    _text("caller"),
    _text("origin"),
    _text("action"),
    _text("target"),
    Column("detail", LargeBinary),
    Index(None, "at"),
)

import_entry = Table(
    "import_entry",
    metadata,
    Column("source", Words, primary_key=True),  # absolute path, or archive path + '!' + member
    _number("size"),
    _number("modified_ns"),
    _text("outcome"),
    _text("detail"),
)

# ── what the stores do not know yet ──

# A row of another table that was written since the last file of the log; see vna/index/row_log.py.
unlogged = Table(
    "unlogged",
    metadata,
    Column("seq", Key, primary_key=True, autoincrement=True),
    Column("table_name", Words, nullable=False),
    Column("row_key", Words, nullable=False),
)

log_head = Table(
    "log_head",
    metadata,
    Column("pk", SmallInteger, primary_key=True, autoincrement=False),  # always 1
    _number("epoch"),  # of the last frame of the log
    _text("frame"),  # its ULID
    _text("lease_owner"),
    _number("lease_until"),
)

# ── attributes made searchable later ─────────────────────────────────────────────────────────────

# See vna/index/tag_index.py: rows of a study are true as of change `feed` and may only be behind.
tag_index = Table(
    "tag_index",
    metadata,
    _key(),
    Column("path", Words, nullable=False, unique=True),  # '00324000', '00400275.00321060'
    Column("level", SmallInteger, nullable=False),  # Level of the entity that has the attribute
    _number("position"),  # key of the last study that was filled; -1: all were
    _number("feed"),  # number of the last change whose study was read again
    _number("filled"),  # studies
    _number("total"),  # studies when it was added
    _number("created_at"),
    _text("actor"),
)

tag_value = Table(
    "tag_value",
    metadata,
    Column("tag_fk", Key, nullable=False),
    Column("value", Words, nullable=False),  # normalised, see vna/index/tag_values.py
    Column("entity_fk", Key, nullable=False),  # study, series or instance, by the tag's level
    Column("study_fk", Key, nullable=False),
    Index(None, "tag_fk", "value", "entity_fk"),
    Index(None, "study_fk", "tag_fk"),
)

# ── who speaks DIMSE with the archive ────────────────────────────────────────────────────────────

ae_peer = Table(
    "ae_peer",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("title", Words, nullable=False),
    _text("host"),  # '' = we never call it
    _number("port"),
    Column("tls", SmallInteger, nullable=False, server_default="0"),
    _text("services"),  # values of vna.model.peer.Service, divided by spaces
    _text("authority"),
    _text("organisation"),  # code
    _text("character_set"),
    _text("policy"),  # DuplicatePolicy; '' = the archive's
    Column("announce", SmallInteger, nullable=False, server_default="0"),
    Column("own_only", SmallInteger, nullable=False, server_default="0"),
    _text("certificate"),  # as of an account
    _text("coercions"),  # JSON list of [path, attribute or null]; '' = none
    _text("description"),
    _number("changed_at"),
    UniqueConstraint("partition", "title"),
)

# Our own AE titles and what those see who call them.
called_title = Table(
    "called_title",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("title", Words, nullable=False),
    _text("view"),  # vna.model.peer.View
    _text("organisation"),
    UniqueConstraint("partition", "title"),
)

stranger = Table(
    "stranger",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("title", Words, nullable=False),
    Column("address", Words, nullable=False),
    _text("called"),
    _text("reason"),
    _number("first_seen"),
    _number("last_seen"),
    _number("times"),
    UniqueConstraint("partition", "title", "address"),
    Index(None, "partition", "last_seen"),
)

association = Table(
    "association",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    _number("began_at"),
    _number("ended_at"),
    _text("direction"),  # in, out
    _text("calling"),
    _text("called"),
    _text("ending"),  # vna.model.association.Ending
    Column("failed", SmallInteger, nullable=False, server_default="0"),
    Column("detail", LargeBinary, nullable=False),  # JSON, vna/index/associations.py
    Index(None, "ended_at"),
)

# ── what is passed on ────────────────────────────────────────────────────────────────────────────

# See vna/index/routing.py: each rule follows the change feed for itself.
routing_rule = Table(
    "routing_rule",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("name", Words, nullable=False),
    _text("occasion"),  # vna.model.routing.Occasion
    _text("destination"),  # 'ae:TITLE' or a URL
    Column("conditions", LargeBinary, nullable=False),  # JSON: name → values
    Column("enabled", SmallInteger, nullable=False),
    _number("priority"),
    _number("revision"),
    _number("position"),  # number of the last change that it was asked about
    _text("error"),  # why it waits
    UniqueConstraint("partition", "name"),
)

outgoing = Table(
    "outgoing",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("destination", Words, nullable=False),
    _text("study_uid"),
    _text("series_uid"),
    Column("sop_uid", Words, nullable=False),
    _number("version"),  # instance_version.number
    Column("state", SmallInteger, nullable=False),  # vna.model.outgoing.Sending
    _number("priority"),
    _number("attempts"),
    _number("queued_at"),
    _number("next_at"),
    _number("lease_until"),
    _text("lease"),  # ULID of the batch it was leased in
    _number("sent_at"),
    _text("last_error"),
    _text("rule"),
    UniqueConstraint("partition", "destination", "sop_uid"),
    Index("ix_outgoing_due", "state", "partition", "destination", "priority", "next_at", "pk"),
    Index(None, "study_uid"),
)

# Bearer tokens, see vna/index/tokens.py.
token = Table(
    "token",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the secret
    _text("label"),
    _text("roles"),  # values of vna.model.caller.Role, divided by spaces
    Column("organisations", Words),  # codes, divided by line feeds; NULL = all
    _number("created_at"),
    _text("created_by"),
    _number("expires_at"),
    _number("revoked_at"),
)

# People and machines that sign in, see vna/index/users.py.
account = Table(
    "account",
    metadata,
    _key(),
    Column("partition", SmallInteger, nullable=False),
    Column("name", Words, nullable=False),
    _text("full_name"),
    _text("roles"),  # as of a token
    Column("organisations", Words),  # as of a token
    _text("password"),  # vna.services.passwords; '' = none
    _text("certificate"),  # SHA-256 in hex, or a name in it; '' = none
    _number("disabled_at"),  # 0 = it is not
    _number("created_at"),
    _text("created_by"),
    _number("used_at"),  # by the minute
    UniqueConstraint("partition", "name"),
    _where_filled("ix_account_certificate", "certificate"),
)

# Who has signed in, see vna/index/sessions.py.
account_session = Table(
    "account_session",
    metadata,
    _key(),
    _ref("account_fk", "account", index=True),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the secret
    _text("origin"),
    _number("created_at"),
    _number("expires_at"),
    _number("used_at"),  # by the minute
)

# Attempts to sign in that have failed or are under way, see vna/index/attempts.py.
sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    _key(),
    Column("subject", LargeBinary, nullable=False, unique=True),  # SHA-256 of what is counted
    _number("began_at"),
    _number("attempts"),
    Index(None, "began_at"),
)
