"""An AE that is kept to its organisation gets the answers of an archive that has nothing else."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import build_role, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

from dimse.sop_classes import FIND
from tests.dimse.speaking import Speaking, keys, speaking
from tests.dimse.test_commitment import reference
from tests.dimse.test_scp import ct
from tests.services.house import CALLER, opened
from vna.errors import InvalidValue
from vna.index.engine import Index
from vna.model.peer import Peer

GETS = [f"1.2.840.10008.5.1.4.1.2.{model}.3" for model in (1, 2, 3)]
MOVES = [f"1.2.840.10008.5.1.4.1.2.{model}.2" for model in (1, 2, 3)]
NORTH, SOUTH = "1.8.1", "1.8.2"
LEVELS = {"PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID",
          "IMAGE": "SOPInstanceUID"}  # fmt: skip


@pytest.fixture
def pair(sqlite_template: Path, tmp_path: Path) -> Iterator[tuple[Speaking, Speaking]]:
    """An archive of two organisations, and one that has the first alone."""
    with ExitStack() as stack:
        made = []
        for name, studies in (("both", (NORTH, SOUTH)), ("alone", (NORTH,))):
            (tmp_path / name).mkdir()
            shutil.copyfile(sqlite_template, tmp_path / name / "index.db")
            index = Index.open(f"sqlite:///{tmp_path}/{name}/index.db")
            stack.callback(index.close)
            house = stack.enter_context(opened(index, tmp_path / name))
            archive = stack.enter_context(speaking(house))
            for study in studies:
                title = {NORTH: "AN", SOUTH: "AS"}[study]
                peer = Peer(title, organisation=title, own_only=True)
                archive.services.peers.put(CALLER, peer)
                with archive.association(CTImageStorage, calling=title) as sender:
                    for number in (1, 2):
                        one = ct(f"{study}.1.{number}", PatientID=f"P{study}")
                        assert sender.send_c_store(one).Status == 0
            made.append(archive)
        yield made[0], made[1]


def found(archive: Speaking, model: str, identifier: Dataset) -> list[Any]:
    """Statuses and identifiers of a C-FIND, as AN."""
    with archive.association(model, calling="AN") as peer:
        return [(s.Status, str(i)) for s, i in peer.send_c_find(identifier, model)]


@pytest.mark.parametrize("model", sorted(FIND))
def test_every_query_has_the_same_answers(pair: tuple[Speaking, Speaking], model: str) -> None:
    for level, keyword in LEVELS.items():
        patient = level == "PATIENT"
        values = ("", "*", f"P{SOUTH}") if patient else ("", f"{SOUTH}.1.1", SOUTH, f"{SOUTH}.1")
        for value in values:
            asked = keys(level, **{keyword: value}, NumberOfStudyRelatedInstances="",
                         NumberOfPatientRelatedStudies="")  # fmt: skip
            both, alone = (found(each, model, asked) for each in pair)
            assert both == alone, (level, value)
            assert SOUTH not in str(both).replace(str(asked), "")


@pytest.mark.parametrize("study", [NORTH, SOUTH])
@pytest.mark.parametrize("model", GETS)
def test_every_get_brings_the_same(pair: tuple[Speaking, Speaking], model: str, study: str) -> None:
    said = []
    for archive in pair:
        came: list[bytes] = []

        def keep(event: Any, came: list[bytes] = came) -> int:
            came.append(event.request.DataSet.getvalue())
            return 0

        with archive.association(
            model,
            CTImageStorage,
            calling="AN",
            ext_neg=[build_role(CTImageStorage, scp_role=True)],
            evt_handlers=[(evt.EVT_C_STORE, keep)],
        ) as peer:
            wanted = keys("STUDY", StudyInstanceUID=study, PatientID=f"P{study}")
            final, _ = list(peer.send_c_get(wanted, model))[-1]
        said.append((str(final), sorted(came)))
    assert said[0] == said[1]
    assert bool(said[0][1]) is (study == NORTH)


@pytest.mark.parametrize("model", MOVES)
def test_every_move_is_answered_the_same(pair: tuple[Speaking, Speaking], model: str) -> None:
    for destination in ("AN", "NOBODY"):
        said = []
        for archive in pair:
            with archive.association(model, calling="AN") as peer:
                wanted = keys("STUDY", StudyInstanceUID=SOUTH, PatientID=f"P{SOUTH}")
                said.append([str(s) for s, _ in peer.send_c_move(wanted, destination, model)])
        assert said[0] == said[1]


def test_commitment_says_the_same(pair: tuple[Speaking, Speaking]) -> None:
    said = []
    for archive in pair:
        told: list[Dataset] = []
        action = Dataset()
        action.TransactionUID = generate_uid()
        action.ReferencedSOPSequence = [
            reference(f"{study}.1.{number}") for study in (NORTH, SOUTH) for number in (1, 2)
        ]

        def keep(event: Any, told: list[Dataset] = told) -> tuple[int, None]:
            told.append(event.event_information)
            return 0, None

        with archive.association(
            StorageCommitmentPushModel,
            calling="AN",
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, keep)],
        ) as peer:
            answer, _ = peer.send_n_action(
                action, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
            )
            assert answer.Status == 0
            deadline = time.monotonic() + 30
            while not told and time.monotonic() < deadline:
                time.sleep(0.02)
        (result,) = told
        said.append(
            (
                [each.ReferencedSOPInstanceUID for each in result.ReferencedSOPSequence],
                [
                    (each.ReferencedSOPInstanceUID, each.FailureReason)
                    for each in result.FailedSOPSequence
                ],
            )
        )
    assert said[0] == said[1]
    assert [uid for uid, _ in said[0][1]] == [f"{SOUTH}.1.1", f"{SOUTH}.1.2"]


def test_who_is_to_see_its_own_only_needs_an_organisation(plain_archive: Speaking) -> None:
    with pytest.raises(InvalidValue, match="organisation"):
        plain_archive.services.peers.put(CALLER, Peer("AN", own_only=True))
