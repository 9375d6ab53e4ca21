"""A small synthetic region as plain Python values: what the index holds and the oracle looks at.

Spanish names with accents and abbreviations, ideographic groups, empty and absent values, several
values, equal dates, one patient id under two issuers, merged patients, three organisations, trash.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

Attributes = dict[str, Any]

ORGANISATIONS = ("HGU", "HCUV", "CS NORTE")
FAMILY = ("García", "GARCIA", "Muñoz", "Peña^", "Núñez", "Ibáñez", "de la Fuente", "Sáinz-Calvo")
GIVEN = ("José", "Mª", "María", "M.ª del Carmen", "Jorge", "Íñigo", "MªLuisa", "Ana Isabel", "")
IDEOGRAPHIC = (("Yamada^Tarou", "山田^太郎", "やまだ^たろう"), ("Wang^XiaoDong", "王^小東", ""))
ISSUERS = ("", "SACYL", "OSAKIDETZA")
DESCRIPTIONS = (
    *("TC CRÁNEO", "tc cráneo", "RM RODILLA", "TORAX PA", r"AP\LAT", "", None),
    *("TC 50%_X", "TC 50ABX", "TC 50%BX", "A_C", "ABC", "A%C", "AXXC"),  # signs that SQL knows
)
MODALITIES = ("CT", "MR", "CR", "US", "SR", "")
SOP_CLASSES = tuple(f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "4", "1", "6.1", "88.11"))
TIMES = ("10", "1030", "103000", "103000.5", "103000.500001", "22:30:15", "2359", "", None, "8h")
DOCTORS = (
    "Ramón^Santiago",
    "López Díaz^Mª",
    "LOPEZ DIAZ^MARIA",
    "Yamada^Tarou=山田^太郎",
    "",
    None,
)
PARTS = ("CHEST", "HEAD", "KNEE", "", None)


@dataclass
class Patient:
    """What objects say of a patient under one identifier, and the identifier it was merged into."""

    identifier: int
    attributes: Attributes
    shown: Attributes | None = None


@dataclass
class Instance:
    uid: str
    attributes: Attributes
    hidden: bool


@dataclass
class Series:
    uid: str
    attributes: Attributes
    hidden: bool
    instances: list[Instance] = field(default_factory=list)

    @property
    def leaves(self) -> list[Instance]:
        """Its instances that are shown."""
        return [] if self.hidden else [each for each in self.instances if not each.hidden]


@dataclass
class Study:
    uid: str
    attributes: Attributes
    hidden: bool
    organisation: int  # 1, 2, … of `ORGANISATIONS`
    patient: Patient
    series: list[Series] = field(default_factory=list)

    @property
    def shown(self) -> list[Series]:
        """Its series of which something is shown."""
        return [] if self.hidden else [each for each in self.series if each.leaves]


def made(seed: int, studies: int) -> list[Study]:
    """The corpus of a seed: the same values whenever it is asked for."""
    random = Random(seed)
    patients = [_patient(random, number) for number in range(max(3, studies // 3))]
    for patient in random.sample(patients, len(patients) // 6):
        target = random.choice([other for other in patients if other is not patient])
        if target.shown is None:
            patient.shown = target.attributes
    found = []
    for number in range(studies):
        patient = random.choice(patients)
        found.append(_study(random, number, patient))
    return found


def attribute(vr: str, *values: Any) -> Attributes:
    """A DICOM JSON attribute; without values it is empty."""
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def name(text: str) -> Attributes:
    """A person name attribute from its text with `=` between groups."""
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), text.split("="), strict=False)
    value = {group: part for group, part in groups if part}
    return attribute("PN", value) if value else attribute("PN")


def _text(found: Attributes, tag: str, vr: str, value: str | None) -> None:
    """Absent for None, empty for '', several values between backslashes."""
    if value is not None:
        values = [part or None for part in value.split("\\")] if value else []
        found[tag] = attribute(vr, *values)


def _patient(random: Random, number: int) -> Patient:
    found: Attributes = {}
    if random.random() < 0.15:
        found["00100010"] = name("=".join(random.choice(IDEOGRAPHIC)))
    elif random.random() < 0.93:
        text = f"{random.choice(FAMILY)}^{random.choice(GIVEN)}{random.choice(('', '^^', '^J.'))}"
        found["00100010"] = name(text)
    # Half as many ids as patients: equal ones differ by issuer.
    _text(found, "00100020", "LO", f"H{number // 2:04}")
    _text(found, "00100021", "LO", ISSUERS[1 + number % 2])
    birth = random.choice(("", None, f"19{random.randrange(40, 99)}0{random.randrange(1, 10)}15"))
    _text(found, "00100030", "DA", birth)
    _text(found, "00100040", "CS", random.choice(("M", "F", "O", "", None)))
    others = random.choice(("", None, f"OLD{number % 7}\\OLD{number % 5}", f"OLD{number % 4}"))
    _text(found, "00101000", "LO", others)
    return Patient(number + 1, dict(sorted(found.items())))


def _study(random: Random, number: int, patient: Patient) -> Study:
    uid = f"1.2.826.77.{random.randrange(10, 99)}.{number}"
    found: Attributes = {"0020000D": attribute("UI", uid)}
    day = random.choice((None, "", *(f"202407{day:02}" for day in range(1, 24))))
    if random.random() < 0.05:
        day = f"2024.07.{random.randrange(10, 24)}"
    _text(found, "00080020", "DA", day)
    _text(found, "00080030", "TM", _time(random))
    accession = random.choice(("", None, f"A{number % 40:03}", f"a{number % 40:03}"))
    _text(found, "00080050", "SH", accession)
    doctor = random.choice(DOCTORS)
    if doctor is not None:
        found["00080090"] = name(doctor)
    _text(found, "00081030", "LO", _single(random.choice(DESCRIPTIONS)))
    readers = [reader for reader in random.sample(DOCTORS, random.randrange(3)) if reader]
    if readers:
        values = [name(reader)["Value"][0] for reader in readers]
        found["00081060"] = attribute("PN", *values)
    _text(found, "00101010", "AS", random.choice(("045Y", "007M", "", None)))
    if random.random() < 0.7:
        found["00101030"] = attribute("DS", random.choice((70, 70.5, "70.50", "81")))
    _text(found, "00200010", "SH", random.choice(("1", "01", "ST*1", "", None)))
    if random.random() < 0.6:
        codes = random.sample((("TC01", "LOCAL"), ("RM02", "LOCAL"), ("TC01", "SCT")), 2)
        found["00081032"] = attribute("SQ", *(_code(*code) for code in codes))
    made = Study(
        uid,
        dict(sorted(found.items())),
        random.random() < 0.06,
        random.randrange(1, len(ORGANISATIONS) + 1),
        patient,
    )
    for place in range(random.choice((1, 1, 2, 3, 4))):
        made.series.append(_series(random, uid, place))
    return made


def _time(random: Random) -> str | None:
    if random.random() < 0.5:
        return f"{random.randrange(24):02}{random.randrange(60):02}{random.randrange(60):02}"
    return random.choice(TIMES)


def _single(value: str | None) -> str | None:
    return value.replace("\\", "/") if value else value


def _code(value: str, scheme: str) -> Attributes:
    return {"00080100": attribute("SH", value), "00080102": attribute("SH", scheme)}


def _series(random: Random, study_uid: str, place: int) -> Series:
    uid = f"{study_uid}.{random.randrange(1, 9)}{place}"
    found: Attributes = {"0020000E": attribute("UI", uid)}
    day = random.choice((None, "", *(f"202407{day:02}" for day in range(1, 24))))
    _text(found, "00080021", "DA", day)
    _text(found, "00080031", "TM", _time(random))
    _text(found, "00080060", "CS", random.choice(MODALITIES))
    _text(found, "0008103E", "LO", _single(random.choice(DESCRIPTIONS)))
    _text(found, "00180015", "CS", random.choice(PARTS))
    _text(found, "00181020", "LO", random.choice(("VB10\\VB20", "VB20", "vb20", "", None)))
    number = random.choice((None, "", "1", "01", "2", "007", "-3", "301"))
    _text(found, "00200011", "IS", number)
    day = random.choice((None, "", *(f"202407{day:02}" for day in range(1, 24))))
    _text(found, "00400244", "DA", day)
    _text(found, "00400245", "TM", _time(random))
    if random.random() < 0.7:
        items = [_request(random) for _ in range(random.randrange(4))]
        found["00400275"] = attribute("SQ", *items)
    made = Series(uid, dict(sorted(found.items())), random.random() < 0.06)
    for count in range(random.choice((1, 1, 2, 3))):
        made.instances.append(_instance(random, uid, count))
    return made


def _request(random: Random) -> Attributes:
    found: Attributes = {}
    _text(found, "00400007", "LO", random.choice(("TC craneal", "RM", None)))
    _text(found, "00400009", "SH", random.choice(("SPS1", "SPS2", "SPS3", "", None)))
    _text(found, "00401001", "SH", random.choice(("RP1", "RP2", "RP3", "", None)))
    return dict(sorted(found.items()))


def _instance(random: Random, series_uid: str, place: int) -> Instance:
    uid = f"{series_uid}.{random.randrange(1, 9)}{place}"
    found: Attributes = {"00080018": attribute("UI", uid)}
    kinds = ("ORIGINAL\\PRIMARY\\AXIAL", "DERIVED\\SECONDARY", "ORIGINAL\\PRIMARY", "", None)
    _text(found, "00080008", "CS", random.choice(kinds))
    _text(found, "00080016", "UI", random.choice(SOP_CLASSES))
    _text(found, "00080023", "DA", random.choice((None, *(f"202407{d:02}" for d in range(1, 15)))))
    _text(found, "0008002A", "DT", _moment(random))
    _text(found, "00080033", "TM", _time(random))
    number = random.choice((None, "", "1", "01", "2", "10", "3"))
    _text(found, "00200013", "IS", number)
    if random.random() < 0.8:
        found["00280010"] = attribute("US", random.choice((256, 512, 1024)))
        found["00280030"] = attribute("DS", random.choice((0.5, "0.50")), random.choice((0.5, 0.7)))
    return Instance(uid, dict(sorted(found.items())), random.random() < 0.06)


def _moment(random: Random) -> str | None:
    if random.random() < 0.2:
        return random.choice(("", None))
    clock = f"202407{random.randrange(1, 24):02}{random.randrange(24):02}{random.randrange(60):02}"
    return clock + random.choice(("", "30", "30.25", "+0100", "30-0500"))
