"""Values that no standard allows, and what two senders say at once: nothing is lost or refused."""

from __future__ import annotations

import random
import string
import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from tests.index.candidates import candidate, placed
from vna.errors import VnaError
from vna.index import ingest
from vna.index import tables as t
from vna.index.engine import Index, Session
from vna.index.keys import LONGEST_INDEXED, indexed
from vna.model.archive import Outcome

# Not compressible: PostgreSQL measures an index entry after compression.
LONG = "".join(random.Random(1).choices(string.ascii_letters + "ñÁ漢", k=9000))


def send(index: Index, **fields: Any) -> str:
    """What became of one object."""
    (result,) = index.transact(
        lambda session: ingest.store(session, [placed(candidate(session, **fields))])
    )
    return _name(result)


def matters(index: Index) -> dict[str, int]:
    """How many entries of each kind the attention list has."""
    kinds = select(t.attention.c.kind, func.count().label("number")).group_by(t.attention.c.kind)
    with index.reading() as session:
        return {row.kind: row.number for row in session.execute(kinds)}


@pytest.mark.parametrize("text", ["A\0B", LONG], ids=["nul", "9000-characters"])
@pytest.mark.parametrize("field", ["patient", "authority", "description"])
def test_a_value_beyond_its_vr_is_stored_all_the_same(index: Index, field: str, text: str) -> None:
    assert send(index, **{field: text}) == "new"
    assert send(index, sop="1.9", **{field: text}) == "new"


@pytest.mark.parametrize(
    "tag", ["00080050", "00080090", "00200010", "00100010", "00100030", "00080060", "00400275"]
)
def test_no_indexed_attribute_is_too_long(index: Index, tag: str) -> None:
    values: dict[str, Any] = {
        "00100010": [{"Alphabetic": LONG, "Ideographic": LONG, "Phonetic": LONG}],
        "00080090": [{"Alphabetic": LONG, "Ideographic": LONG, "Phonetic": LONG}],
        "00400275": [{each: {"vr": "SH", "Value": [LONG]} for each in ("00400009", "00401001")}],
    }
    said = {tag: {"vr": "UN", "Value": values.get(tag, [LONG])}}

    def work(session: Session) -> str:
        odd = replace(candidate(session), patient=said, study=said, series=said)
        return _name(ingest.store(session, [placed(odd)])[0])

    assert index.transact(work) == "new"


def test_two_long_values_stay_two() -> None:
    one, other = indexed(LONG), indexed(LONG + "X")

    assert len(one) == len(other) == LONGEST_INDEXED
    assert one != other


def test_what_the_database_says_of_a_statement_is_no_outage_and_names_no_values(
    index: Index,
) -> None:
    """A batch is tried object by object after it; after an outage it is not."""
    row = {"source": "SECRET", "organisation_fk": 999}

    with pytest.raises(DBAPIError) as caught:
        index.transact(lambda session: session.execute(t.reception.insert(), row).rowcount)

    assert "SECRET" not in str(caught.value).split("DETAIL")[0]


def test_a_patient_that_is_described_otherwise_is_pointed_at_once(index: Index) -> None:
    def other(session: Session, sop: str) -> list[Outcome | VnaError]:
        name = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "OTRA^ANA"}]}}
        birth = {"00100030": {"vr": "DA", "Value": ["19700101"]}}
        base = candidate(session, sop=sop)
        one = replace(base, patient=dict(sorted({**base.patient, **name, **birth}.items())))
        return ingest.store(session, [placed(one)])

    send(index)
    for number in range(3):
        index.transact(lambda session, sop=f"1.{number}": other(session, sop))  # type: ignore[misc]

    assert matters(index) == {"patient-differs:00100010": 1}
    shown = select(t.demographics.c.name, t.demographics.c.birth_date).join(t.study)
    with index.reading() as session:
        row = session.execute(shown).one()
    assert (row.name, row.birth_date) == ("PRUEBA^ANA", "19700101")


def test_a_missing_patient_id_is_pointed_at_once_for_each_study(index: Index) -> None:
    send(index)
    assert [send(index, sop=f"1.{n}", patient="") for n in range(3)] == ["new"] * 3

    assert matters(index) == {"patient-id-missing": 1}


def test_a_corrected_version_that_differs_above_is_pointed_at(index: Index) -> None:
    send(index)

    assert send(index, content="b", description="ABDOMEN") == "version"
    assert matters(index) == {"study-differs:00081030": 1}


def test_of_two_patients_who_claim_one_study_at_once_one_waits(postgresql_url: str) -> None:
    """Both senders have found it without a PatientID before the other commits."""
    index = Index.open(postgresql_url)
    send(index, patient="")
    begun = threading.Barrier(2)
    found: list[str] = []

    def claim(number: int) -> None:
        def work(session: Session) -> str:
            mine = candidate(session, sop=f"1.{number}", patient=f"P{number}")
            if not begun.broken:
                begun.wait(30)
            return _name(ingest.store(session, [placed(mine)])[0])

        found.append(index.transact(work))

    threads = [threading.Thread(target=claim, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    index.close()

    assert sorted(found) == ["held", "new"]


def test_two_values_that_fill_one_study_at_once_are_both_kept(postgresql_url: str) -> None:
    index = Index.open(postgresql_url)
    send(index, description="")
    begun = threading.Barrier(2)
    fills = {
        "00081030": {"vr": "LO", "Value": ["TORAX"]},
        "00080050": {"vr": "SH", "Value": ["A1"]},
    }

    def fill(tag: str) -> None:
        def work(session: Session) -> None:
            base = candidate(session, sop=f"1.{tag}", description="")
            mine = replace(base, study=dict(sorted({**base.study, tag: fills[tag]}.items())))
            if not begun.broken:
                begun.wait(30)
            ingest.store(session, [placed(mine)])

        index.transact(work)

    threads = [threading.Thread(target=fill, args=(tag,)) for tag in fills]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with index.reading() as session:
        row = session.execute(select(t.study.c.description, t.study.c.accession_number)).one()
    index.close()

    assert tuple(row) == ("TORAX", "A1")


def _name(result: Outcome | VnaError) -> str:
    return result.disposition.value if isinstance(result, Outcome) else result.code
