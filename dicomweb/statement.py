"""The conformance statement (PS3.2), written from the tables that the code works by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dicomweb.choice import can_be_made
from dicomweb.decisions import DECISIONS
from dicomweb.offers import OFFERS, Offer
from dicomweb.question import PARAMETERS
from dicomweb.store_response import FAILURE_REASON, WARNING_REASON
from vna.dicom.charset import terms
from vna.dicom.dictionary import keyword_of, vr_of
from vna.dicom.matching import TEMPORAL_VRS, WILDCARD_VRS
from vna.dicom.transfer_syntax import TRANSFER_SYNTAXES, TransferSyntax
from vna.http.problems import STATUS
from vna.index.searchable import INDEXED, REQUEST_ITEM, REQUESTS
from vna.index.wanted import CONDITIONAL, REQUIRED
from vna.model.query import Level, Path
from vna.model.statement import Row, Table
from vna.services.assembly.pixels import OCTETS, RLE, TRANSFORMED, VIDEOS
from vna.services.commitment import REASONS

MEANINGS = {
    "accept": "media type, before the header",
    "charset": "of text in the answer; UTF-8 is what there is",
    "cursor": "where the last page ended, from its Link header (extension)",
    "emptyvaluematching": "a key of two quotation marks means it in any case",
    "fuzzymatching": "person names match by words, in any order and by their beginnings",
    "includefield": "further attributes, or `all`",
    "limit": "at most so many",
    "multiplevaluematching": "not supported: a Warning says so",
    "offset": "leave out so many",
}


def statement() -> tuple[Table, ...]:
    """Every table, in the order of the page."""
    return (
        Table(
            "resources",
            "Resources",
            "Media types are listed with the default first; `part:` means a multipart/related body "
            "with such parts. A row without a clause is an extension.",
            ("transaction", "method", "path", "clause", "takes", "answers", "parameters"),
            tuple(map(_resource, OFFERS)),
        ),
        Table(
            "transfer syntaxes",
            "Transfer syntaxes",
            "Every one is stored, and given as it is stored; one that is not listed too.",
            ("UID", "name", "frames as", "decoded", "made when asked for"),
            tuple(map(_syntax, TRANSFER_SYNTAXES.values())),
        ),
        Table(
            "stored media types",
            "Bulk data that are stored",
            "Of pixel data in a store of metadata (§10.5.2).",
            ("media type", "becomes"),
            tuple(_stored()),
        ),
        Table(
            "matching",
            "Matching attributes",
            "Indexed for searching; every other attribute of an entity matches too, over at most "
            "100,000 candidates or once it was added with `vna index-tag`.",
            ("attribute", "tag", "level", "matching"),
            tuple(_matching()),
        ),
        Table(
            "returned",
            "Returned attributes",
            "At the levels of the resource and those asked for (§10.6.3.3).",
            ("attribute", "tag", "level", "when"),
            tuple(_returned()),
        ),
        Table(
            "search parameters",
            "Parameters of a search",
            "",
            ("parameter", "meaning"),
            tuple((name, MEANINGS[name]) for name in PARAMETERS),
        ),
        Table(
            "character sets",
            "Specific Character Sets",
            "Read and searched; answers are UTF-8.",
            ("defined term",),
            tuple((term,) for term in terms()),
        ),
        Table(
            "store warnings",
            "Warning Reasons of a store",
            "Table I.2-2. Each of them makes the answer 202.",
            ("what happened", "reason"),
            tuple((name, f"{reason:04X}") for name, reason in WARNING_REASON.items()),
        ),
        Table(
            "store failures",
            "Failure Reasons of a store",
            "Table I.2-1.",
            ("error", "reason"),
            tuple((_said(kind), f"{reason:04X}") for kind, reason in FAILURE_REASON.items()),
        ),
        Table(
            "commitment failures",
            "Failure Reasons of a storage commitment",
            "PS3.3 §C.14.1.1. Committed is what has been read and compared with its SHA-256.",
            ("reason", "meaning"),
            tuple((f"{reason:04X}", meaning) for reason, meaning in REASONS.items()),
        ),
        Table(
            "statuses",
            "Status codes of errors",
            "The body is `application/problem+json` with a stable `code` (docs/operate.md).",
            ("error", "status"),
            tuple((_said(kind), str(status)) for kind, status in STATUS.items()),
        ),
        Table(
            "decisions",
            "Where the standard leaves it open",
            "",
            ("topic", "the standard", "here"),
            tuple((each.name, each.texts, each.here) for each in DECISIONS),
        ),
    )


def markdown(tables: Iterable[Table]) -> str:
    """The page."""
    lines = [
        "# DICOM conformance statement",
        "",
        "Written by `vna conformance` from the tables of the code; tests exercise every row.",
        "Services: Storage, Search and Retrieve over DICOMweb (PS3.18), WADO-URI, storage "
        "commitment over REST; Verification, Storage, Query/Retrieve and Storage Commitment over "
        "DIMSE. SOP classes: every one, known or not, private ones too.",
    ]
    for table in tables:
        lines += ["", f"## {table.title}", ""]
        if table.text:
            lines += [table.text, ""]
        lines += [_line(table.columns), "|---" * len(table.columns) + "|"]
        lines += map(_line, table.rows)
    return "\n".join((*lines, ""))


def described(tables: Iterable[Table]) -> dict[str, list[Mapping[str, str]]]:
    """The same as JSON: the rows of each table, by its name."""
    return {
        table.name: [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        for table in tables
    }


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _resource(offer: Offer) -> Row:
    path = offer.template.replace(":rest", "")
    return (
        offer.transaction,
        offer.method,
        f"`{path}`",
        offer.clause and f"§{offer.clause}",
        _listed(offer.takes),
        _listed(offer.answers),
        ", ".join(offer.parameters),
    )


def _listed(media_types: Sequence[str]) -> str:
    short = (each.replace('multipart/related; type="', "part:").rstrip('"') for each in media_types)
    return ", ".join(short)


def _syntax(row: TransferSyntax) -> Row:
    return (row.uid, row.name, row.media_type, _yes(row.decoded), _yes(can_be_made(row.uid)))


def _yes(flag: bool) -> str:
    return "yes" if flag else ""


def _stored() -> Iterable[Row]:
    from vna.pixels.unchanged import MEDIA_TYPES

    for media_type in sorted(MEDIA_TYPES):
        yield media_type, "as it is, in the transfer syntax of its codestream"
    yield RLE, "as it is"
    for media_type in VIDEOS:
        yield media_type, "as it is, in the transfer syntax of its profile and level"
    for media_type in TRANSFORMED:
        yield media_type, "Explicit VR Little Endian, sample by sample"
    yield OCTETS, "Explicit VR Little Endian, or frames of the transfer syntax it names"


def _matching() -> Iterable[Row]:
    for path, found in INDEXED.items():
        yield (*_named(path), found.level.name.lower(), _kinds(vr_of(path[-1])))
    for tag in REQUEST_ITEM:
        yield (*_named((REQUESTS, tag)), "series", _kinds(vr_of(tag)))


def _kinds(vr: str) -> str:
    """Kinds of matching beside universal and empty (PS3.4 §C.2.2.2)."""
    found = ["single value"]
    if vr == "UI":
        found.append("list of UIDs")
    if vr in WILDCARD_VRS:
        found.append("wildcard")
    if vr == "PN":
        found.append("fuzzy")
    if vr in TEMPORAL_VRS:
        found.append("range")
    return ", ".join(found)


def _returned() -> Iterable[Row]:
    for level in Level:
        for tag in REQUIRED[level]:
            yield (*_named((tag,)), level.name.lower(), "always")
        for path in CONDITIONAL[level]:
            yield (*_named(path), level.name.lower(), "where there is a value")


def _named(path: Path) -> tuple[str, str]:
    return (
        ".".join(map(keyword_of, path)),
        ".".join(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in path),
    )


def _said(kind: type[BaseException]) -> str:
    """An error by its code; any other by what it is."""
    return getattr(kind, "code", "any other")
