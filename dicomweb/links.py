"""The absolute URLs of DICOMweb resources, and the paths behind them (PS3.18 §10.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

STUDY = "/studies/{study}"
SERIES = STUDY + "/series/{series}"
INSTANCE = SERIES + "/instances/{instance}"
COMMITMENT = "/commitment-requests/{transaction}"


def short_forms(template: str) -> Iterator[tuple[str, str]]:
    """The short forms of a template, and the parameter that stands at the front of each.

    An extension, for whoever holds a UID and not its parents: `/series/{series}/…` and
    `/instances/{instance}/…`.
    """
    for full, name in ((INSTANCE, "instance"), (SERIES, "series")):
        if template == full or template.startswith(f"{full}/"):
            plural = "series" if name == "series" else "instances"
            yield f"/{plural}/{{{name}}}{template.removeprefix(full)}", name


@dataclass(frozen=True, slots=True)
class Links:
    """`base`: the DICOMweb root that clients see, without a trailing slash."""

    base: str

    def study(self, study_uid: str) -> str:
        """Of a study."""
        return f"{self.base}/studies/{_segment(study_uid)}"

    def series(self, study_uid: str, series_uid: str) -> str:
        """Of a series."""
        return f"{self.study(study_uid)}/series/{_segment(series_uid)}"

    def instance(self, study_uid: str, series_uid: str, sop_uid: str) -> str:
        """Of an instance."""
        return f"{self.series(study_uid, series_uid)}/instances/{_segment(sop_uid)}"


def _segment(uid: str) -> str:
    # A UID needs no escape; what came in place of one may.
    return uid if uid.replace(".", "").isalnum() and uid.isascii() else quote(uid, safe="")
