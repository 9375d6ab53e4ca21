"""Rules by which what arrives is passed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Occasion(Enum):
    """When a rule is asked."""

    ARRIVAL = "arrival"  # of each object
    SETTLED = "settled"  # a study has been quiet: all of it


@dataclass(frozen=True, slots=True)
class Rule:
    """Pass on what satisfies every condition of `where` to `to`: "ae:TITLE" or a DICOMweb URL.

    A condition is an attribute (keyword, tag or dotted path), SourceAE or Organisation, with the
    values of which one has to match; `*` and `?` stand for any run and any character. Without
    conditions everything matches. `priority`: the higher is sent first.
    """

    name: str
    to: str
    on: Occasion = Occasion.SETTLED
    where: Mapping[str, tuple[str, ...]] | None = None
    enabled: bool = True
    priority: int = 0

    @property
    def conditions(self) -> Mapping[str, tuple[str, ...]]:
        """`where`, empty where there is none."""
        return self.where or {}


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A rule as it stands. `position`: number of the last change it was asked about, `behind`: how
    many followed. `error`: why it waits, '' while it works; `revision` rises with each edit."""

    id: int
    partition: int
    rule: Rule
    revision: int
    position: int
    behind: int
    error: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would pass on of a study: `matched` SOP Instance UIDs out of `instances`.
    `error`: why nothing would be sent all the same, '' where it would."""

    matched: tuple[str, ...]
    instances: int
    error: str
