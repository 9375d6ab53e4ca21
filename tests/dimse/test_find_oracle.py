"""Generated C-FIND identifiers at every level against the oracle of searching, on both databases.

With date-time matching negotiated the answer is that of QIDO-RS; without it, daily windows.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from struct import pack

import pytest

from dimse.identifier import read
from dimse.question import question_of
from dimse.sop_classes import STUDY_ROOT
from tests.index import oracle
from tests.index.asked import KINDS, Asker
from tests.index.fill import fill
from tests.index.oracle import Asked
from tests.index.test_search_oracle import CORPUS, SEED, caller, uid_of
from tests.size import size
from vna.dicom.transfer_syntax import EXPLICIT_LE
from vna.index.engine import Index
from vna.index.search import find

QUERIES = size(200, 2000)
LEVELS = {"study": "STUDY", "series": "SERIES", "instance": "IMAGE"}
LONG = {"SQ", "UC", "UR", "UT", "UN", "OB"}
NUMBERS = {"US": "<H", "UL": "<I"}


def element(tag: str, vr: str, value: bytes) -> bytes:
    head = pack("<HH", int(tag[:4], 16), int(tag[4:], 16)) + vr.encode()
    if vr in LONG:
        return head + pack("<HI", 0, len(value)) + value
    return head + pack("<H", len(value)) + value


def written(key: Asked) -> bytes:
    """The value of a key as a peer writes it, in UTF-8."""
    if key.vr in NUMBERS and key.text.isdigit():
        return pack(NUMBERS[key.vr], int(key.text))
    value = key.text.replace(",", "\\").encode() if key.vr == "UI" else key.text.encode()
    return value + (b"\0" if key.vr == "UI" else b" ") * (len(value) % 2)


def can_be_written(key: Asked) -> bool:
    """Whether an identifier can say it: a binary number has no text, such as "" for no value."""
    return key.vr not in NUMBERS or key.text.isdigit() or not key.text


def identifier(level: str, keys: list[Asked]) -> bytes:
    """Keys that share a sequence stand in one item of it."""
    elements = {
        "00080005": element("00080005", "CS", b"ISO_IR 192"),
        "00080052": element("00080052", "CS", LEVELS[level].ljust(6).encode()),
    }
    inside: dict[str, list[bytes]] = {}
    for key in keys:
        if len(key.path) == 1:
            elements[key.path[0]] = element(key.path[0], key.vr, written(key))
        else:
            sequence, tag = key.path
            inside.setdefault(sequence, []).append(element(tag, key.vr, written(key)))
    for sequence, found in inside.items():
        item = b"".join(sorted(found))
        elements[sequence] = element(sequence, "SQ", pack("<HHI", 0xFFFE, 0xE000, len(item)) + item)
    return b"".join(elements[tag] for tag in sorted(elements))


@pytest.mark.parametrize("level", oracle.LEVELS)
def test_c_find_finds_what_qido_and_the_standard_say(index: Index, level: str) -> None:
    of = fill(index, CORPUS)
    everything = oracle.entities(CORPUS, level)
    asker, random = Asker(SEED + 1, level, everything), Random(SEED)
    kinds: Counter[str] = Counter()
    telling = 0
    for number in range(QUERIES):
        kind = list(KINDS)[number % len(KINDS)]
        keys = asker.keys(kind)
        if not all(map(can_be_written, keys)):
            continue
        kinds[kind] += 1
        combined = random.random() < 0.5
        expected = oracle.find(everything, keys, None, combined)
        telling += 0 < len(expected) < len(everything)
        asked = question_of(
            read(identifier(level, keys), EXPLICIT_LE),
            STUDY_ROOT,
            combined=combined,
            fuzzy=any(key.fuzzy for key in keys),
        )
        with index.reading() as session:
            page = find(session, asked.query, caller(None, of))
        assert [uid_of(level, row) for row in page.rows] == expected, keys
    assert min(kinds.values()) >= 15
    assert telling >= 0.6 * QUERIES
