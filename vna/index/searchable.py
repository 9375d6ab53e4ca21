"""The attributes that a query finds through columns: which level, which column, which comparison.

Everything else is filtered over what the columns leave; see vna/index/residual.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause

from vna.index.tables import demographics, instance, series, series_request, study
from vna.model.query import Level, Path

AnyColumn = ColumnElement[Any]


@dataclass(frozen=True)
class TextColumn:
    """Text compared as it is, case included."""

    column: AnyColumn


@dataclass(frozen=True)
class UidColumn:
    """A UID. Where it is unique, `partition` goes with it and lets the unique index answer."""

    column: AnyColumn
    partition: AnyColumn | None = None


@dataclass(frozen=True)
class MomentColumn:
    """A date or a time in the fixed form of vna/dicom/temporal.py."""

    column: AnyColumn


@dataclass(frozen=True)
class NumberColumn:
    """An integer string: `text` is '' where it is absent, `order` its value."""

    text: AnyColumn
    order: AnyColumn


@dataclass(frozen=True)
class CountColumn:
    """A number that the archive counts itself; never absent."""

    column: AnyColumn


@dataclass(frozen=True)
class NameColumns:
    """A person name: its three groups normalised, and the words of all of them."""

    alphabetic: AnyColumn
    ideographic: AnyColumn
    phonetic: AnyColumn
    words: AnyColumn


@dataclass(frozen=True)
class Below:
    """A value of what lies visibly below a study: one of them has to match."""

    column: AnyColumn
    level: Level


@dataclass(frozen=True)
class Constant:
    """A value that is the same for every entity."""

    value: str


Comparison = (
    TextColumn
    | UidColumn
    | MomentColumn
    | NumberColumn
    | CountColumn
    | NameColumns
    | Below
    | Constant
)


@dataclass(frozen=True)
class Indexed:
    """An attribute with columns, and the level whose entity it describes."""

    level: Level
    comparison: Comparison


def _name(table: FromClause, column: str) -> NameColumns:
    groups = ("", "_ideographic", "_phonetic", "_words")
    return NameColumns(*(table.c[f"{column}{group}"] for group in groups))


_D, _S, _R, _I = demographics.c, study.c, series.c, instance.c

MODALITIES_IN_STUDY = 0x00080061
STUDY_DATE, STUDY_TIME = 0x00080020, 0x00080030
STEP_DATE, STEP_TIME = 0x00400244, 0x00400245
STUDY_UID, SERIES_UID, SOP_UID = 0x0020000D, 0x0020000E, 0x00080018
REQUESTS = 0x00400275

INDEXED: dict[Path, Indexed] = {
    (0x00100010,): Indexed(Level.PATIENT, _name(demographics, "name")),
    (0x00100020,): Indexed(Level.PATIENT, TextColumn(_D.patient_id)),
    (0x00100021,): Indexed(Level.PATIENT, TextColumn(_D.issuer)),
    (0x00100030,): Indexed(Level.PATIENT, MomentColumn(_D.birth_date)),
    (0x00100040,): Indexed(Level.PATIENT, TextColumn(_D.sex)),
    (STUDY_DATE,): Indexed(Level.STUDY, MomentColumn(_S.study_date)),
    (STUDY_TIME,): Indexed(Level.STUDY, MomentColumn(_S.study_time)),
    (0x00080050,): Indexed(Level.STUDY, TextColumn(_S.accession_number)),
    (0x00080056,): Indexed(Level.STUDY, Constant("ONLINE")),
    (MODALITIES_IN_STUDY,): Indexed(Level.STUDY, Below(_R.modality, Level.SERIES)),
    (0x00080062,): Indexed(Level.STUDY, Below(_I.sop_class, Level.INSTANCE)),
    (0x00080090,): Indexed(Level.STUDY, _name(study, "referring_physician")),
    (0x00081030,): Indexed(Level.STUDY, TextColumn(_S.description)),
    (STUDY_UID,): Indexed(Level.STUDY, UidColumn(_S.uid, _S.partition)),
    (0x00200010,): Indexed(Level.STUDY, TextColumn(_S.study_id)),
    (0x00201206,): Indexed(Level.STUDY, CountColumn(_S.series_count)),
    (0x00201208,): Indexed(Level.STUDY, CountColumn(_S.instance_count)),
    (0x00080060,): Indexed(Level.SERIES, TextColumn(_R.modality)),
    (0x0008103E,): Indexed(Level.SERIES, TextColumn(_R.description)),
    (SERIES_UID,): Indexed(Level.SERIES, UidColumn(_R.uid, _R.partition)),
    (0x00200011,): Indexed(Level.SERIES, NumberColumn(_R.number, _R.number_order)),
    (0x00201209,): Indexed(Level.SERIES, CountColumn(_R.instance_count)),
    (STEP_DATE,): Indexed(Level.SERIES, MomentColumn(_R.step_date)),
    (STEP_TIME,): Indexed(Level.SERIES, MomentColumn(_R.step_time)),
    (0x00080016,): Indexed(Level.INSTANCE, UidColumn(_I.sop_class)),
    (SOP_UID,): Indexed(Level.INSTANCE, UidColumn(_I.uid)),
    (0x00200013,): Indexed(Level.INSTANCE, NumberColumn(_I.number, _I.number_order)),
}

# Keys inside the items of RequestAttributesSequence, which live in rows of their own.
REQUEST_ITEM: dict[int, TextColumn] = {
    0x00400009: TextColumn(series_request.c.scheduled_step_id),
    0x00401001: TextColumn(series_request.c.requested_procedure_id),
}
