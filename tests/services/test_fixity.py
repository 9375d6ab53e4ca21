"""A report says how whole the archive is, and is signed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import update

from storage_backends.memory import MemoryBackend
from tests.services.house import CALLER, House
from tests.services.test_copies import flip, house, kept, seal, segments_of, work
from tests.services.test_ingest import image
from tests.services.test_signing import openssl_says
from vna.errors import Forbidden
from vna.index import tables as t
from vna.model.caller import Caller
from vna.services.custody import Custody
from vna.services.fixity import DUE_MILLISECONDS, Fixity, Report
from vna.services.scrub import Scrub
from vna.services.signing import SigningKey

__all__ = ["house"]


def report(house: House, key: SigningKey, caller: Caller = CALLER) -> Report:
    custody = Custody(house.index, house.objects, kept(house))
    return Fixity(house.index, custody, days=90, wanted=2).report(caller, key)


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey.open(tmp_path / "key.pem")


def test_a_whole_archive_is_said_to_be_whole(house: House, key: SigningKey, tmp_path: Path) -> None:
    sent = [image(SOPInstanceUID="1.2.1"), image(SOPInstanceUID="1.2.2")]
    house.send(*sent)
    seal(house)
    early = report(house, key)
    assert early.whole  # the second copy is on its way
    assert json.loads(early.content)["segments_not_yet_copied"] == 1
    with house.index.writing() as session:
        age = t.segment.c.created_at - DUE_MILLISECONDS
        session.execute(update(t.segment).values(created_at=age))
    late = report(house, key)
    assert not late.whole
    assert json.loads(late.content)["segments_lacking_copies"] == 1
    work(house, kept(house))
    for _ in Scrub(house.index, house.objects, kept(house), days=90, rate=0).now(CALLER):
        pass
    made = report(house, key)
    assert made.whole
    found = json.loads(made.content)
    assert found["totals"]["objects"] == 2
    assert found["totals"]["bytes"] == sum(map(len, sent))
    assert found["damaged_objects"] == []
    assert [each["name"] for each in found["stores"]] == ["main", "far"]
    for each in found["stores"]:
        assert (each["segments"], each["damaged"], each["never_read_back"]) == (1, 0, 0)
        assert (each["overdue"], each["here"]) == (0, True)
        assert each["oldest_check"] <= found["made_at"]
    assert openssl_says(key.public, made.content, made.signature, tmp_path)
    assert found["signing_key_sha256"] == key.fingerprint


def test_damaged_objects_are_named(house: House, key: SigningKey) -> None:
    data = image(PatientComments="middle of it")
    (outcome,) = house.send(data)
    house.send(image())
    seal(house)
    work(house, kept(house))
    for backend in (house.backend, house.further["far"]):
        assert isinstance(backend, MemoryBackend)
        for segment in segments_of(backend):
            if b"middle of it" in segments_of(backend)[segment]:
                flip(backend, segment, b"middle of it")
    for _ in Scrub(house.index, house.objects, kept(house), days=90, rate=0).now(CALLER):
        pass
    made = report(house, key)
    assert not made.whole
    found = json.loads(made.content)
    assert found["damaged_objects"] == [outcome.sha256.hex()]
    assert sum(each["damaged"] for each in found["stores"]) == 2


def test_only_an_administrator_gets_one(house: House, key: SigningKey) -> None:
    with pytest.raises(Forbidden):
        report(house, key, Caller("somebody", "test", None, frozenset()))
