"""The archive as pynetdicom finds it: every service, status and counter."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid
from pynetdicom import build_role, evt
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

from tests.dimse.speaking import Speaking, keys, rejected_by
from tests.services.desk import image
from tests.services.house import CALLER
from vna.model.association import Association, Ending
from vna.model.peer import Peer
from vna.model.query import Level, Query
from vna.services.coercions import coercion
from vna.services.corrections import Correction, Corrections, Scope
from vna.services.journal import Journal

Verification = UID("1.2.840.10008.1.1")
CTImageStorage = UID("1.2.840.10008.5.1.4.1.1.2")
StorageCommitmentPushModel = UID("1.2.840.10008.1.20.1")
StorageCommitmentPushModelInstance = UID("1.2.840.10008.1.20.1.1")
PatientRootFind = UID("1.2.840.10008.5.1.4.1.2.1.1")
FIND, MOVE, GET = (UID(f"1.2.840.10008.5.1.4.1.2.2.{number}") for number in (1, 2, 3))
PRIVATE = UID("1.3.12.2.1107.5.9.1")


def ct(uid: str, **attributes: Any) -> Dataset:
    """An image as a peer would send it; see `image`."""
    made = pydicom.dcmread(BytesIO(image(uid, **{"SOPClassUID": CTImageStorage, **attributes})))
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def store(archive: Speaking, *objects: Dataset) -> list[int]:
    """Send by C-STORE; the statuses."""
    classes = {each.SOPClassUID for each in objects}
    with archive.association(*classes) as peer:
        return [peer.send_c_store(each).Status for each in objects]


def answers(
    archive: Speaking, identifier: Dataset, model: Any = FIND, **options: Any
) -> tuple[int, list[Dataset]]:
    """Ask by C-FIND; the final status and what matches."""
    with archive.association(model, **options) as peer:
        found = list(peer.send_c_find(identifier, model))
    return found[-1][0].Status, [each for _, each in found if each is not None]


def test_an_echo_is_answered(plain_archive: Speaking) -> None:
    with plain_archive.association(Verification) as peer:
        assert peer.send_c_echo().Status == 0


def test_another_called_title_is_rejected(plain_archive: Speaking) -> None:
    with plain_archive.association(Verification, called="SOMEBODY") as peer:
        answer = rejected_by(peer)
        assert (answer.result, answer.result_source, answer.diagnostic) == (1, 1, 7)
    assert logged(plain_archive).ending is Ending.REJECTED


def logged(archive: Speaking) -> Association:
    """The association that has just ended, as soon as it is in the log."""
    archive.listening.drain(20)
    (found, *_) = archive.services.association_log.find(CALLER)
    return found.association


def test_what_is_stored_is_durable_and_found_and_given_back_byte_for_byte(
    archive: Speaking,
) -> None:
    one = ct("1.2.1.1.1")
    assert store(archive, one) == [0]
    status, found = answers(archive, keys("STUDY", StudyInstanceUID="", PatientName=""))
    assert status == 0
    assert [str(each.PatientName) for each in found] == ["PÉREZ^ANA"]
    assert found[0].RetrieveAETitle == "VNA"
    assert got(archive, keys("STUDY", StudyInstanceUID="1.2.1"))[1] == [_data_set(one)]


def _data_set(one: Dataset) -> bytes:
    out = BytesIO()
    plain = Dataset(one)
    dcmwrite(out, plain, implicit_vr=False, little_endian=True, enforce_file_format=False)
    return out.getvalue()


def got(
    archive: Speaking,
    identifier: Dataset,
    *,
    transfer: Any = ExplicitVRLittleEndian,
    called: str = "VNA",
) -> tuple[Dataset, list[bytes]]:
    """Fetch by C-GET; the final response and the data sets as they came."""
    data: list[bytes] = []

    def keep(event: Any) -> int:
        data.append(event.request.DataSet.getvalue())
        return 0

    with archive.association(
        GET,
        CTImageStorage,
        transfers=list(dict.fromkeys([transfer, ExplicitVRLittleEndian])),
        ext_neg=[build_role(CTImageStorage, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, keep)],
        called=called,
    ) as peer:
        responses = list(peer.send_c_get(identifier, GET))
    return responses[-1][0], data


def test_one_object_by_several_ways_is_one_version(archive: Speaking) -> None:
    one = ct("1.2.2.1.1")
    out = BytesIO()
    one.save_as(out)
    assert store(archive, one, one) == [0, 0]
    (outcome,) = archive.house.send(out.getvalue())
    assert outcome.disposition.value == "same"


def test_a_different_object_of_a_known_uid_is_kept_with_a_warning(archive: Speaking) -> None:
    assert store(archive, ct("1.2.3.1.1"), ct("1.2.3.1.1", StudyDescription="OTRA")) == [0, 0xB000]


def test_another_instance_than_the_command_names_is_refused(plain_archive: Speaking) -> None:
    one = ct("1.2.4.1.1")
    with plain_archive.association(CTImageStorage) as peer:
        assert _stored_as(peer, one, "1.2.4.1.99") == 0xA900
    assert plain_archive.services.search.find(CALLER, Query(Level.STUDY)).rows == []


def _stored_as(peer: Any, one: Dataset, uid: str) -> int:
    """Send with another SOP Instance UID in the command."""
    from pynetdicom.dimse_primitives import C_STORE
    from pynetdicom.dsutils import encode

    request = C_STORE()
    request.MessageID = 1
    request.AffectedSOPClassUID = one.SOPClassUID
    request.AffectedSOPInstanceUID = UID(uid)
    request.Priority = 0
    request.DataSet = BytesIO(encode(one, False, True) or b"")
    (context,) = peer.accepted_contexts
    peer._reactor_checkpoint.clear()  # its own thread would take the answer
    peer.dimse.send_msg(request, context.context_id)
    _, answer = peer.dimse.get_msg(block=True)
    peer._reactor_checkpoint.set()
    return int(answer.Status)


def test_what_cannot_be_identified_is_refused_and_leaves_nothing(plain_archive: Speaking) -> None:
    one = ct("1.2.5.1.1")
    del one.SeriesInstanceUID
    with plain_archive.association(CTImageStorage) as peer:
        answer = peer.send_c_store(one)
    assert answer.Status == 0xC000
    assert "Series Instance UID" in answer.ErrorComment
    assert plain_archive.services.search.find(CALLER, Query(Level.STUDY)).rows == []


def test_a_private_storage_class_is_stored_and_given_back(plain_archive: Speaking) -> None:
    one = ct("1.2.6.1.1", SOPClassUID=PRIVATE)
    assert store(plain_archive, one) == [0]
    status, (found,) = answers(
        plain_archive, keys("IMAGE", SOPInstanceUID="1.2.6.1.1", SOPClassUID="")
    )
    assert (status, found.SOPClassUID) == (0, PRIVATE)


def no_level() -> Dataset:
    made = Dataset()
    made.StudyInstanceUID = ""
    return made


@pytest.mark.parametrize(
    ("identifier", "tag"),
    [
        (no_level(), 0x00080052),
        (keys("IMAGES"), 0x00080052),
        (keys("PATIENT"), 0x00080052),
        (keys("STUDY", SOPInstanceUID="1.2.3"), 0x00080018),
        (keys("STUDY", SeriesNumber="1"), 0x00200011),
    ],
    ids=["no level", "unknown level", "not in the model", "key below", "number below"],
)
def test_an_identifier_that_does_not_match_the_model_names_its_element(
    plain_archive: Speaking, identifier: Dataset, tag: int
) -> None:
    store(plain_archive, ct("1.2.7.1.1"))
    with plain_archive.association(FIND) as peer:
        ((answer, found),) = list(peer.send_c_find(identifier, FIND))
    assert (answer.Status, answer.OffendingElement, found) == (0xA900, tag, None)


def test_a_key_that_is_no_value_of_its_vr_is_refused_and_finds_nothing(
    plain_archive: Speaking,
) -> None:
    store(plain_archive, ct("1.2.7.1.1"))
    identifier = keys("STUDY", StudyInstanceUID="")
    raw: Any = RawDataElement(Tag(0x00080020), "DA", 10, b"2026-01-01", 0, False, True)
    identifier.add(raw)
    status, found = answers(plain_archive, identifier)
    assert (status, found) == (0xC000, [])


def test_keys_below_the_level_are_answered_empty_and_told_as_unsupported(
    plain_archive: Speaking,
) -> None:
    store(plain_archive, ct("1.2.8.1.1"))
    with plain_archive.association(FIND) as peer:
        (pending, one), (final, _) = list(
            peer.send_c_find(keys("STUDY", StudyInstanceUID="", SeriesNumber=None), FIND)
        )
    assert (pending.Status, final.Status) == (0xFF01, 0)
    assert one is not None
    assert one.SeriesNumber is None


def test_modality_asked_of_studies_means_one_of_theirs(plain_archive: Speaking) -> None:
    store(plain_archive, ct("1.2.9.1.1"), ct("1.2.9.2.1", Modality="PT"), ct("1.2.10.1.1"))
    _, found = answers(plain_archive, keys("STUDY", StudyInstanceUID="", Modality="PT"))
    assert [each.StudyInstanceUID for each in found] == ["1.2.9"]


def test_the_patient_root_finds_patients(archive: Speaking) -> None:
    model = PatientRootFind
    store(archive, ct("1.2.11.1.1"), ct("1.2.12.1.1", patient="P2", name="RUIZ^EVA"))
    status, found = answers(archive, keys("PATIENT", PatientID="", PatientName="RUIZ*"), model)
    assert status == 0
    assert [each.PatientID for each in found] == ["P2"]


@pytest.mark.parametrize(
    ("asked", "said", "name"),
    [
        ("ISO_IR 192", "ISO_IR 192", "PÉREZ^ANA"),
        ("ISO_IR 100", "ISO_IR 100", "PÉREZ^ANA"),
        ("", "ISO_IR 100", "PÉREZ^ANA"),
        ("ISO_IR 144", "ISO_IR 192", "PÉREZ^ANA"),
    ],
)
def test_an_answer_is_in_the_character_set_of_the_question_if_that_can_say_it(
    plain_archive: Speaking, asked: str, said: str, name: str
) -> None:
    store(plain_archive, ct("1.2.13.1.1"))
    identifier = keys("STUDY", StudyInstanceUID="", PatientName="")
    if asked:
        identifier.SpecificCharacterSet = asked
    _, (found,) = answers(plain_archive, identifier)
    assert (found.SpecificCharacterSet, str(found.PatientName)) == (said, name)


def test_a_name_matches_without_case_and_accents(archive: Speaking) -> None:
    store(archive, ct("1.2.14.1.1"))
    _, found = answers(archive, keys("STUDY", StudyInstanceUID="", PatientName="perez*"))
    assert len(found) == 1


def test_date_and_time_are_one_interval_only_where_that_was_negotiated(archive: Speaking) -> None:
    for number, (date, time) in enumerate(
        [("20260101", "0900"), ("20260101", "2300"), ("20260102", "0900"), ("20260102", "2300")], 1
    ):
        store(archive, ct(f"1.2.15{number}.1.1", StudyDate=date, StudyTime=time))
    identifier = keys(
        "STUDY", StudyInstanceUID="", StudyDate="20260101-20260102", StudyTime="1000-2200"
    )
    _, daily = answers(archive, identifier)
    assert daily == []
    extended = SOPClassExtendedNegotiation()
    extended.sop_class_uid = FIND
    extended.service_class_application_information = b"\1\1"
    _, together = answers(archive, identifier, ext_neg=[extended])
    assert sorted(each.StudyInstanceUID for each in together) == ["1.2.152", "1.2.153"]


def test_a_cancelled_find_ends_with_fe00(plain_archive: Speaking) -> None:
    store(plain_archive, *(ct(f"1.2.16.1.{number}") for number in range(1, 40)))
    statuses = []
    with plain_archive.association(FIND) as peer:
        for answer, _ in peer.send_c_find(keys("IMAGE", SOPInstanceUID=""), FIND, msg_id=7):
            statuses.append(answer.Status)
            if len(statuses) == 1:
                peer.send_c_cancel(7, None, FIND)
    assert statuses[-1] in (0xFE00, 0)  # it may have been sent whole before the cancel came
    assert set(statuses[:-1]) == {0xFF00}


def test_a_get_counts_what_it_sends(archive: Speaking) -> None:
    sent = [ct(f"1.2.17.1.{number}") for number in range(1, 6)]
    store(archive, *sent)
    final, data = got(
        archive, keys("SERIES", StudyInstanceUID="1.2.17", SeriesInstanceUID="1.2.17.1")
    )
    assert final.Status == 0
    assert "NumberOfRemainingSuboperations" not in final
    assert (final.NumberOfCompletedSuboperations, final.NumberOfFailedSuboperations) == (5, 0)
    assert data == [_data_set(each) for each in sent]


def test_a_get_of_a_class_that_was_not_negotiated_fails_by_name(plain_archive: Speaking) -> None:
    store(plain_archive, ct("1.2.18.1.1", SOPClassUID=PRIVATE), ct("1.2.18.2.1"))
    with plain_archive.association(
        GET, CTImageStorage, ext_neg=[build_role(CTImageStorage, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, lambda event: 0)],
    ) as peer:  # fmt: skip
        (*_, (final, failed)) = peer.send_c_get(keys("STUDY", StudyInstanceUID="1.2.18"), GET)
    assert (final.Status, final.NumberOfFailedSuboperations) == (0xB000, 1)
    assert final.NumberOfCompletedSuboperations == 1
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == "1.2.18.1.1"


@pytest.mark.parametrize(("status", "final"), [(0xB000, 0xB000), (0xA700, 0xA702)])
def test_what_the_receiver_says_decides_the_final_status(
    plain_archive: Speaking, status: int, final: int
) -> None:
    store(plain_archive, ct("1.2.19.1.1"))
    with plain_archive.association(
        GET, CTImageStorage, ext_neg=[build_role(CTImageStorage, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, lambda event: status)],
    ) as peer:  # fmt: skip
        (*_, (answer, _)) = peer.send_c_get(keys("STUDY", StudyInstanceUID="1.2.19"), GET)
    assert answer.Status == final


@pytest.mark.parametrize(
    "identifier",
    [
        keys("STUDY"),
        keys("STUDY", StudyInstanceUID=""),
        keys("STUDY", PatientID="P1"),
        keys("STUDY", StudyInstanceUID="1.2.20", Modality="CT"),
        keys("SERIES", StudyInstanceUID="1.2.20"),
    ],
    ids=["no key", "empty key", "key of another level", "no unique key", "unique key missing"],
)
def test_a_retrieval_that_names_nothing_sends_nothing(
    plain_archive: Speaking, identifier: Dataset
) -> None:
    store(plain_archive, ct("1.2.20.1.1"))
    final, data = got(plain_archive, identifier)
    assert (final.Status, data) == (0xA900, [])


def test_a_retrieval_of_what_is_not_there_is_a_success_of_nothing(plain_archive: Speaking) -> None:
    final, data = got(plain_archive, keys("STUDY", StudyInstanceUID="1.2.99"))
    assert (final.Status, final.NumberOfCompletedSuboperations, data) == (0, 0, [])


def test_a_corrected_object_leaves_with_its_correction(archive: Speaking) -> None:
    store(archive, ct("1.2.21.1.1"))
    journal = Journal(archive.house.index, archive.house.ingest.committer.submit)
    Corrections(archive.house.index, journal).correct(
        CALLER, Scope("1.2.21"), [Correction("StudyDescription", ["CORREGIDA"])], "test"
    )
    _, (data,) = got(archive, keys("STUDY", StudyInstanceUID="1.2.21"))
    shown = pydicom.dcmread(BytesIO(data), force=True)
    assert shown.StudyDescription == "CORREGIDA"


def test_a_compressed_object_goes_as_it_is_where_that_is_accepted_else_decoded(
    plain_archive: Speaking,
) -> None:
    source = pydicom.dcmread(str(pydicom.data.get_testdata_file("693_J2KR.dcm")))
    with plain_archive.association(source.SOPClassUID, transfers=[JPEG2000Lossless]) as peer:
        assert peer.send_c_store(source).Status == 0
    uid = source.StudyInstanceUID
    for transfer in (JPEG2000Lossless, ExplicitVRLittleEndian):
        final, (data,) = got(plain_archive, keys("STUDY", StudyInstanceUID=uid), transfer=transfer)
        assert final.Status == 0
        came = pydicom.dcmread(BytesIO(data), force=True)
        came.file_meta = pydicom.dataset.FileMetaDataset()
        came.file_meta.TransferSyntaxUID = transfer
        assert (came.pixel_array == source.pixel_array).all()
        if transfer == JPEG2000Lossless:
            assert came.PixelData == source.PixelData


def test_commitment_is_told_over_the_same_association_where_we_cannot_call(
    archive: Speaking,
) -> None:
    store(archive, *(ct(f"1.2.22.1.{number}") for number in (1, 2)))
    told: list[tuple[int, Dataset]] = []

    def keep(event: Any) -> tuple[int, None]:
        told.append((event.event_type, event.event_information))
        return 0, None

    action = Dataset()
    action.TransactionUID = generate_uid()
    action.ReferencedSOPSequence = [_reference(f"1.2.22.1.{number}") for number in (1, 2, 3)]
    with archive.association(
        StorageCommitmentPushModel, evt_handlers=[(evt.EVT_N_EVENT_REPORT, keep)]
    ) as peer:
        answer, _ = peer.send_n_action(
            action, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
        assert answer.Status == 0
        assert peer.send_c_echo is not None
        for _ in range(200):
            if told:
                break
            import time

            time.sleep(0.05)
    ((kind, result),) = told
    assert kind == 2
    assert result.TransactionUID == action.TransactionUID
    assert [each.ReferencedSOPInstanceUID for each in result.ReferencedSOPSequence] == [
        "1.2.22.1.1", "1.2.22.1.2",
    ]  # fmt: skip
    (failed,) = result.FailedSOPSequence
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == ("1.2.22.1.3", 0x0112)


def _reference(uid: str) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID = CTImageStorage
    made.ReferencedSOPInstanceUID = uid
    return made


def test_an_unknown_operation_is_answered_and_the_association_goes_on(
    plain_archive: Speaking,
) -> None:
    with plain_archive.association(Verification, FIND) as association:
        peer: Any = association
        (context,) = [c for c in peer.accepted_contexts if c.abstract_syntax == Verification]
        from pynetdicom.dimse_primitives import C_FIND

        request = C_FIND()
        request.MessageID = 1
        request.AffectedSOPClassUID = Verification
        request.Priority = 0
        request.Identifier = BytesIO(b"\x08\0\x52\0CS\0\0")
        peer._reactor_checkpoint.clear()  # its own thread would take the answer
        peer.dimse.send_msg(request, context.context_id)
        _, answer = peer.dimse.get_msg(block=True)
        peer._reactor_checkpoint.set()
        assert answer.Status == 0x0211


def test_an_association_is_in_the_log_in_plain_words(plain_archive: Speaking) -> None:
    store(plain_archive, ct("1.2.23.1.1"))
    record = logged(plain_archive)
    assert (record.calling, record.called, record.ending) == ("PEER", "VNA", Ending.RELEASED)
    assert record.counts == {"C-STORE": {"0000": 1}}
    assert record.accepted == ((CTImageStorage, ExplicitVRLittleEndian),)
    assert record.bytes_received > 500
    assert not record.failed


def test_what_a_rule_changes_is_told_and_found(plain_archive: Speaking) -> None:
    rule = coercion("StationName", ["ROOM 4"])
    plain_archive.services.peers.put(CALLER, Peer("RULED", coercions=(rule,)))
    with plain_archive.association(CTImageStorage, calling="RULED") as peer:
        told = peer.send_c_store(ct("1.2.99.1.1"))
        assert (told.Status, "rule" in told.ErrorComment) == (0xB000, True)
        assert peer.send_c_store(ct("1.2.99.1.1")).Status == 0
        assert peer.send_c_store(ct("1.2.99.1.2", StationName="ROOM 4")).Status == 0
    status, found = answers(
        plain_archive, keys("SERIES", StudyInstanceUID="1.2.99", StationName="ROOM 4")
    )
    assert (status, len(found)) == (0, 1)
