"""Filters that name holdings: by UID, by patient, by the day of reception."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from vna.errors import InvalidValue

if TYPE_CHECKING:
    from vna.services.verify import Selection

Study = Annotated[str | None, typer.Option("--study", metavar="UID", help="One study.")]
Series = Annotated[str | None, typer.Option("--series", metavar="UID", help="One series.")]
Instance = Annotated[str | None, typer.Option("--instance", metavar="UID", help="One instance.")]
Patient = Annotated[
    str | None, typer.Option("--patient", metavar="ID", help="One PatientID, as received.")
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="DATE", help="Received on this day or later: 2026-03-12."),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="DATE", help="Received on this day or earlier.")
]


def selection(
    study: str | None,
    series: str | None,
    instance: str | None,
    patient: str | None,
    since: str | None,
    until: str | None,
) -> Selection:
    """The filters as a value; days are local days. Raises `InvalidValue` for what is no day."""
    from vna.services.verify import Selection

    end = _day("--until", until)
    return Selection(
        study_uid=study,
        series_uid=series,
        sop_uid=instance,
        patient_id=patient,
        received_from=_ms(_day("--since", since)),
        received_to=_ms(end + timedelta(days=1) if end else None),
    )


def _day(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text.replace("-", ""), "%Y%m%d")
    except ValueError:
        raise InvalidValue(option, text, "be a day such as 2026-03-12") from None


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
