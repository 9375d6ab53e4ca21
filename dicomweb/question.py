"""A QIDO-RS request as a `Query` (PS3.18 §8.3.4, §10.6). A filter is never ignored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from dicomweb import cursor
from vna.dicom.dictionary import matching_vr_of, parse_path
from vna.dicom.matching import match_of
from vna.errors import InvalidValue, UnknownName
from vna.http.request import Request
from vna.model.query import Exact, Key, Level, Path, Query

PARAMETERS = (
    "accept",
    "charset",
    "cursor",
    "emptyvaluematching",
    "fuzzymatching",
    "includefield",
    "limit",
    "multiplevaluematching",
    "offset",
)
NO_MULTIPLE_VALUES = (
    "The multiplevaluematching parameter is not supported. "
    "Multiple Value Matching has not been performed."
)
_PARENTS = {"study": 0x0020000D, "series": 0x0020000E}
_LONGEST_NUMBER = 18  # digits; beyond it no database counts


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the texts of Warning headers that the answer must carry."""

    query: Query
    warnings: tuple[str, ...]


def question_of(
    request: Request, template: Query, *, max_results: int, ignored: tuple[str, ...] = ()
) -> Question:
    """Read a request for the resource that `template` describes.

    `max_results` is the most one answer holds; parameters called as in `ignored` are only warned
    of. Raises `UnknownName`, `InvalidValue`.
    """
    warnings: list[str] = []
    fuzzy = request.flag("fuzzymatching")
    request.flag("emptyvaluematching")  # a key of two quotation marks always means it
    if request.flag("multiplevaluematching"):
        warnings.append(NO_MULTIPLE_VALUES)
    keys = [Key((_PARENTS[name],), "UI", Exact(uid)) for name, uid in request.parameters.items()]
    for name, text in request.query:
        if name in PARAMETERS:
            continue
        if name in ignored:
            warnings.append(f"The {name} parameter is not supported and has been ignored.")
            continue
        keys.append(_key(name, text, {key.path for key in keys}, fuzzy=fuzzy))
    limit = _number(request, "limit")
    after = request.one(cursor.PARAMETER)
    if after is not None and request.has("offset"):
        raise InvalidValue("offset", "", "not stand beside a cursor")
    query = replace(
        template,
        keys=tuple(keys),
        include=_include(request),
        limit=max_results if limit is None else min(limit, max_results),
        offset=_number(request, "offset") or 0,
        after=None if after is None else cursor.read(after),
    )
    return Question(query, tuple(warnings))


def patients() -> Query:
    """`/patients`, an extension."""
    return Query(Level.PATIENT, levels=frozenset({Level.PATIENT}))


def studies() -> Query:
    """`/studies`."""
    return Query(Level.STUDY, levels=frozenset({Level.STUDY}))


def series(*, of_study: bool) -> Query:
    """`/series`, which tells of the studies too, or a study's series."""
    above = frozenset[Level]() if of_study else frozenset({Level.STUDY})
    return Query(Level.SERIES, levels=above | {Level.SERIES})


def instances(*, of: Level | None) -> Query:
    """`/instances`, or those of a study or a series; what is above the resource is told of."""
    above = {
        None: frozenset({Level.STUDY, Level.SERIES}),
        Level.STUDY: frozenset({Level.SERIES}),
        Level.SERIES: frozenset[Level](),
    }[of]
    return Query(Level.INSTANCE, levels=above | {Level.INSTANCE})


def _key(name: str, text: str, known: set[Path], *, fuzzy: bool) -> Key:
    try:
        path = parse_path(name)
    except UnknownName:
        if get_close_matches(name, PARAMETERS, n=1, cutoff=0.8):
            raise UnknownName("parameter", name, PARAMETERS) from None
        raise
    if path in known:
        raise InvalidValue(name, text, "be asked once, by keyword or by tag")
    vr = matching_vr_of(path[-1])
    return Key(path, vr, match_of(vr, text, fuzzy=fuzzy, name=name))


def _include(request: Request) -> tuple[Path, ...] | Literal["all"]:
    fields = [
        field.strip()
        for name, text in request.query
        if name == "includefield"
        for field in text.split(",")
        if field.strip()
    ]
    if "all" in fields:
        if len(fields) > 1:
            raise InvalidValue("includefield", ",".join(fields), "be all, or name attributes")
        return "all"
    return tuple(dict.fromkeys(parse_path(field) for field in fields))


def _number(request: Request, name: str) -> int | None:
    text = request.one(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise InvalidValue(name, text, "be a number from 0")
    return int(text)
