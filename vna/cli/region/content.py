"""Everything the synthetic region holds, in the order in which it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydicom import uid

from vna.cli.region import media, objects
from vna.cli.region.objects import Image, Study
from vna.cli.region.people import (
    ANGELA,
    BEGONA,
    INIGO,
    JOSE_MARIA,
    MARIA,
    NICOLAS,
    Hospital,
    Person,
)

CT = Image(uid.CTImageStorage, "CT", "AXIAL 5 MM", "CHEST")
MR = Image(uid.MRImageStorage, "MR", "T1 SAGITAL", "KNEE")
US = Image(
    uid.UltrasoundMultiFrameImageStorage, "US", "CUATRO CÁMARAS", "HEART", 48, 64, True, frames=8
)
DX = Image(uid.DigitalXRayImageStorageForPresentation, "DX", "TÓRAX PA", "CHEST", 96, 96)
MG = Image(uid.DigitalMammographyXRayImageStorageForPresentation, "MG", "CC IZQUIERDA", "BREAST")
NM = Image(uid.NuclearMedicineImageStorage, "NM", "GAMMAGRAFÍA ÓSEA", "", 32, 32, frames=2)
XC = Image(uid.VLPhotographicImageStorage, "XC", "LESIÓN ANTEBRAZO", "ARM")
ES = Image(uid.VideoEndoscopicImageStorage, "ES", "COLONOSCOPIA", "COLON", 480, 640, True, 250)
OP = Image(uid.OphthalmicPhotography8BitImageStorage, "OP", "FONDO DE OJO", "EYE", 40, 40, True)
GM = Image(uid.VLMicroscopicImageStorage, "GM", "BIOPSIA HE", "", 32, 32, True)

CHEST_CT = Study(BEGONA, "ct", "TC DE TÓRAX", "20260112", "091500", "HSA26000101")
KNEE_MR = Study(JOSE_MARIA, "mr", "RM DE RODILLA", "20260114", "120500", "HCV26000007")
HEART = Study(BEGONA, "heart", "CARDIOLOGÍA", "20260118", "104000", "HSA26000140")
CHEST_XRAY = Study(INIGO, "dx", "RADIOGRAFÍA DE TÓRAX", "20260119", "083000", "HCV26000015")
BREAST = Study(MARIA, "mg", "MAMOGRAFÍA DE CRIBADO", "20260120", "093500", "CPN-5501")
BONES = Study(INIGO, "nm", "MEDICINA NUCLEAR", "20260122", "111000", "HCV26000021")
SKIN = Study(ANGELA, "skin", "DERMATOLOGÍA", "20260123", "124500", "HSA26000188")
COLON = Study(MARIA, "colon", "ENDOSCOPIA DIGESTIVA", "20260126", "081500", "CPN-5520")
EYE = Study(NICOLAS, "eye", "OFTALMOLOGÍA", "20260127", "163000", "CPN-5533")
BIOPSY = Study(MARIA, "biopsy", "ANATOMÍA PATOLÓGICA", "20260129", "130000", "CPN-5541")


@dataclass(frozen=True, slots=True)
class Paper:
    """A plain document that belongs to a patient."""

    person: Person
    title: str
    type_code: str  # LOINC
    created: str
    data: bytes
    uid: str


def studies() -> Iterator[tuple[Hospital, bytes]]:
    """Yield each object with the hospital that sends it."""
    for study, made in (
        (CHEST_CT, _slices(CHEST_CT, CT, 8, deep=2400)),
        (CHEST_CT, [objects.report(CHEST_CT, "INFORME DE TC", "Sin hallazgos de significación.")]),
        (KNEE_MR, _slices(KNEE_MR, MR, 6, deep=900)),
        (HEART, [objects.image(HEART, US, 1, media.color_frames(48, 64, 8))]),
        (HEART, [objects.ecg(HEART)]),
        (CHEST_XRAY, _slices(CHEST_XRAY, DX, 1, deep=4000)),
        (CHEST_XRAY, [objects.structured_report(CHEST_XRAY, "Silueta cardíaca normal.")]),
        (BREAST, _slices(BREAST, MG, 2, deep=3800)),
        (BONES, [objects.image(BONES, NM, 1, b"".join(media.slices(32, 2, deep=300)))]),
        (SKIN, [objects.photo(SKIN, XC, 1), objects.photo(SKIN, XC, 2)]),
        (COLON, [objects.video(COLON, ES, 1)]),
        (EYE, [objects.image(EYE, OP, 1, media.color_frames(40, 40, 1))]),
        (BIOPSY, [objects.image(BIOPSY, GM, 1, media.color_frames(32, 32, 1))]),
    ):
        for data in made:
            yield study.person.hospital, data


def conflicts() -> Iterator[tuple[Hospital, bytes]]:
    """Yield what contradicts `studies`: a slice with other pixels, a study of somebody else."""
    other_pixels = media.slices(CT.rows, 1, deep=1200)[0]
    yield CHEST_CT.person.hospital, objects.image(CHEST_CT, CT, 1, other_pixels)
    wrong_patient = CHEST_XRAY.of(JOSE_MARIA)
    pixels = media.slices(DX.rows, 1, deep=3900)[0]
    lateral = replace(DX, description="TÓRAX LATERAL")
    yield (
        CHEST_XRAY.person.hospital,
        objects.image(wrong_patient, lateral, 1, pixels, series=2),
    )


def papers() -> Iterator[Paper]:
    """Yield plain documents."""
    for person, title, type_code, created, line in (
        (BEGONA, "Informe de alta", "18842-5", "20260121", "Alta a domicilio. Control en un mes."),
        (ANGELA, "Consentimiento informado", "59284-0", "20260123", "Firmado por la paciente."),
        (NICOLAS, "Informe de urgencias", "34111-5", "20260127", "Cuerpo extraño ocular."),
    ):
        yield Paper(
            person,
            title,
            type_code,
            created,
            media.pdf(person.hospital.name, title, line),
            objects.make_uid("paper", person.hospital.code, person.id, title),
        )


def _slices(study: Study, kind: Image, count: int, *, deep: int) -> list[bytes]:
    return [
        objects.image(study, kind, number, pixels)
        for number, pixels in enumerate(media.slices(kind.rows, count, deep=deep), start=1)
    ]
