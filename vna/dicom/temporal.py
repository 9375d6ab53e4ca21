"""DA, TM and DT text in one fixed form each, so that comparing text compares time (PS3.5 §6.2).

Calendar units are periods and clock units are points: as the end of a range `2022` reaches to the
last microsecond of that year, while `2230` is 22:30:00, for which PS3.4 §C.2.2.2.1 takes it.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_DATE, LAST_DATE = "00010101", "99991231"
FIRST_TIME, LAST_TIME = "000000.000000", "235960.999999"

_DATE = re.compile(r"(?a)(\d{4})(\d\d)(\d\d)|(\d{4})\.(\d\d)\.(\d\d)")  # with dots: ACR-NEMA
_CLOCK = r"(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,6}))?)?)?"
_TIME = re.compile(_CLOCK, re.ASCII)
_OLD_TIME = re.compile(
    _CLOCK.replace(r"(?:(\d\d)", r"(?::(\d\d)"), re.ASCII
)  # with colons: ACR-NEMA
_DATETIME = re.compile(rf"(?a)(\d{{4}})(?:(\d\d)(?:(\d\d)(?:{_CLOCK})?)?)?([+-]\d{{4}})?")
_OFFSET = re.compile(r"[+-](\d\d)(\d\d)")


def date(text: str) -> str | None:
    """`text` as YYYYMMDD, or None where it is not a day of the calendar."""
    found = _DATE.fullmatch(text.strip())
    if not found:
        return None
    year, month, day = (part for part in found.groups() if part is not None)
    return f"{year}{month}{day}" if _is_day(int(year), int(month), int(day)) else None


def time(text: str) -> str | None:
    """`text` as HHMMSS.FFFFFF, what is missing being zero; None where it is not a time of day.

    Second 60 is a leap second.
    """
    text = text.strip()
    found = _TIME.fullmatch(text) or _OLD_TIME.fullmatch(text)
    return _clock(*found.groups()) if found else None


@dataclass(frozen=True, slots=True)
class Moment:
    """A DT value: the local clock reading as YYYYMMDDHHMMSS.FFFFFF, and in UTC where it says so."""

    local: str
    utc: str | None


def moment(text: str, *, end: bool = False) -> Moment | None:
    """What a DT value means, or None where it means nothing.

    `end`: the value ends a range, so a missing month or day is the last, up to midnight.
    """
    found = _DATETIME.fullmatch(text.strip())
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    month = month or ("12" if end else "01")
    if not 1 <= int(month) <= 12 or int(year) == 0:
        return None
    day = day or (f"{calendar.monthrange(int(year), int(month))[1]:02}" if end else "01")
    clock = _clock(hour, minute, second, fraction) if hour else _midnight(end)
    if clock is None or not _is_day(int(year), int(month), int(day)):
        return None
    local = f"{year}{month}{day}{clock}"
    if offset is None:
        return Moment(local, None)
    utc = _utc(local, offset)
    return Moment(local, utc) if utc else None


def _midnight(end: bool) -> str:
    return "235959.999999" if end else FIRST_TIME


def _clock(hour: str, minute: str | None, second: str | None, fraction: str | None) -> str | None:
    minute, second = minute or "00", second or "00"
    if int(hour) > 23 or int(minute) > 59 or int(second) > 60:
        return None
    return f"{hour}{minute}{second}.{(fraction or '').ljust(6, '0')}"


def _is_day(year: int, month: int, day: int) -> bool:
    if year < 1 or not 1 <= month <= 12:
        return False
    return 1 <= day <= calendar.monthrange(year, month)[1]


def _utc(local: str, offset: str) -> str | None:
    hours, minutes = map(int, _OFFSET.fullmatch(offset).groups())  # type: ignore[union-attr]
    if minutes > 59 or not -12 * 60 <= (shift := _signed(offset, hours, minutes)) <= 14 * 60:
        return None
    whole = datetime.strptime(local[:12], "%Y%m%d%H%M")
    try:
        moved = whole - timedelta(minutes=shift)
    except OverflowError:
        return None
    # strftime does not pad years below 1000 on every platform
    return f"{moved.year:04}{moved:%m%d%H%M}{local[12:]}"


def _signed(offset: str, hours: int, minutes: int) -> int:
    return (hours * 60 + minutes) * (-1 if offset[0] == "-" else 1)
