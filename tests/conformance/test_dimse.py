"""The rows of the DIMSE tables, by pynetdicom."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import build_role

from dimse import statuses
from dimse.acceptor import reason_of
from dimse.pdu import AssociateReject
from dimse.statement import statement
from tests.dimse.speaking import speaking
from tests.services.desk import image
from tests.services.house import opened
from vna import errors
from vna.index.engine import Index

TABLES = {table.name: table for table in statement()}
EXERCISED = ("DIMSE SOP classes", "DIMSE statuses", "DIMSE rejections")
MOST = 120  # contexts of one association


def test_every_sop_class_is_accepted_in_its_role_and_every_storage_class_stored(
    sqlite_url: str, tmp_path: Path
) -> None:
    """All classes over several associations, and an unknown and a private one."""
    rows = [*TABLES["DIMSE SOP classes"].rows]
    storage = [uid for _, uid, service, _ in rows if service == "storage"]
    storage += ["1.2.3.4.5.6.7.8", "1.3.12.2.1107.5.9.1"]
    others = [uid for _, uid, service, role in rows if service != "storage" and "SCP" in role]
    assert len(storage) >= 170
    index = Index.open(sqlite_url)
    with opened(index, tmp_path) as house, speaking(house) as archive:
        with archive.association(*others) as peer:
            assert len(peer.accepted_contexts) == len(others)
        for first in range(0, len(storage), MOST):
            some = storage[first : first + MOST]
            with archive.association(*some) as peer:
                assert len(peer.accepted_contexts) == len(some)
                for place, uid in enumerate(some, first + 1):
                    assert peer.send_c_store(instance(uid, place)).Status == 0
        with archive.association(
            storage[0], ext_neg=[build_role(storage[0], scp_role=True)]
        ) as peer:
            (context,) = peer.accepted_contexts
            assert context.as_scp
    index.close()


def instance(sop_class: str, number: int) -> pydicom.Dataset:
    made = pydicom.dcmread(BytesIO(image(f"1.8.1.1.{number}", SOPClassUID=sop_class)))
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return made


def codes() -> dict[str, type[errors.VnaError]]:
    found: dict[str, type[errors.VnaError]] = {}

    def walk(kind: type[errors.VnaError]) -> None:
        found[f"`{kind.code}`"] = kind
        for below in kind.__subclasses__():
            walk(below)

    walk(errors.VnaError)
    return found


@pytest.mark.parametrize("row", TABLES["DIMSE statuses"].rows, ids=" ".join)
def test_a_status_is_given_for_what_its_row_says(row: tuple[str, ...]) -> None:
    status, when = row
    kind: Any = codes().get(when)
    if kind is not None:
        error = kind.__new__(kind)
        assert statuses.failure(error)[0] == int(status, 16)
    elif when == "any other":
        assert statuses.failure(RuntimeError())[0] == int(status, 16)
    else:
        words = {**statuses.WORDS, "": "durable and indexed, or known already"}
        warning = next(code for code, said in words.items() if when.startswith(said))
        assert statuses.WARNINGS.get(warning, statuses.SUCCESS) == int(status, 16)


@pytest.mark.parametrize("row", TABLES["DIMSE rejections"].rows, ids=" ".join)
def test_a_rejection_is_said_in_the_words_of_its_row(row: tuple[str, ...]) -> None:
    result, source, reason, words = row
    assert reason_of(AssociateReject(int(result), int(source), int(reason))) == words
