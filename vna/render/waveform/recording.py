"""What a waveform object says of itself (PS3.3 §C.10.9): everything but the samples."""

from __future__ import annotations

from dataclasses import dataclass

from vna.dicom.item import Item
from vna.errors import Undecodable
from vna.render.waveform.leads import lead_of

WAVEFORM_SEQUENCE, WAVEFORM_DATA = 0x54000100, 0x54001010

# Bits allocated and interpretation (PS3.3 §C.10.9.1.5) → the type of one sample, little endian.
SAMPLE_TYPES = {
    (8, "SB"): "i1",
    (8, "UB"): "u1",
    (8, "MB"): "u1",
    (8, "AB"): "u1",
    (16, "SS"): "<i2",
    (16, "US"): "<u2",
    (32, "SL"): "<i4",
    (32, "UL"): "<u4",
    (64, "SV"): "<i8",
    (64, "UV"): "<u8",
}
_MILLIVOLTS = {"nV": 1e-6, "uV": 1e-3, "µV": 1e-3, "mV": 1.0, "V": 1e3}
_UNIT_NAMES = {"mm[Hg]": "mmHg", "[degF]": "°F", "Cel": "°C", "1": "", "{no units}": ""}


@dataclass(frozen=True, slots=True)
class Channel:
    """One trace. A sample is `sample * scale + baseline`, in `unit`.

    `lead`: of an ECG, as in `leads.TWELVE`, else "". Electrical potentials are in mV, whatever the
    object has. `calibrated`: the object says what a sample means. `skew_seconds`: of its first
    sample against the group. `filters`: what was filtered away, for people.
    """

    label: str
    lead: str
    unit: str
    scale: float
    baseline: float
    calibrated: bool
    skew_seconds: float
    filters: str


@dataclass(frozen=True, slots=True)
class Group:
    """A multiplex group: channels that were sampled together, interleaved.

    `number`: from 1. `sample_type`: of numpy. `padding`: the sample that stands for none.
    `rate`: samples a second. `offset_seconds`: from the beginning of the recording.
    """

    number: int
    label: str
    channels: tuple[Channel, ...]
    samples: int
    rate: float
    interpretation: str
    sample_type: str
    padding: int | None
    offset_seconds: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.samples / self.rate

    @property
    def stride(self) -> int:
        """Bytes from one moment to the next."""
        return int(self.sample_type[-1]) * len(self.channels)


@dataclass(frozen=True, slots=True)
class Note:
    """A waveform annotation (PS3.3 §C.10.10). `group` and `positions` (samples, from 1) are 0 and
    empty where it is about the whole recording."""

    text: str
    group: int
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """`patient`: lines that name the patient and the time, for those who ask for them."""

    groups: tuple[Group, ...]
    notes: tuple[Note, ...]
    patient: tuple[str, ...]


def recording(data_set: Item) -> Recording:
    """What `data_set` says. Raises `Undecodable` where no group of it can be drawn."""
    items = data_set.items(WAVEFORM_SEQUENCE)
    found = [_group(item, number) for number, item in enumerate(items, start=1)]
    groups = tuple(each for each in found if each is not None)
    if not groups:
        raise Undecodable("there is no waveform of a known sample format")
    notes = tuple(_note(item) for item in data_set.items(0x0040B020))
    return Recording(groups, tuple(each for each in notes if each.text), _patient(data_set))


def _group(item: Item, number: int) -> Group | None:
    bits, interpretation = item.integer(0x54001004), item.first(0x54001006).upper()
    sample_type = SAMPLE_TYPES.get((bits, interpretation))
    rate = item.number(0x003A001A) or 0.0
    count = item.integer(0x003A0005)
    data = item.element(WAVEFORM_DATA)
    if sample_type is None or rate <= 0 or not 0 < count <= 65535 or data is None:
        return None
    definitions = item.items(0x003A0200)[:count]
    channels = [_channel(each, at, rate) for at, each in enumerate(definitions, start=1)]
    channels += [_unknown(at) for at in range(len(channels) + 1, count + 1)]
    # What the object breaks off in has fewer samples than it says.
    held = data.length // (int(sample_type[-1]) * count)
    samples = min(item.integer(0x003A0010, held), held)
    if samples <= 0:
        return None
    return Group(
        number,
        item.first(0x003A0020),
        tuple(channels),
        samples,
        rate,
        interpretation,
        sample_type,
        _padding(item, sample_type),
        (item.number(0x00181068) or 0.0) / 1000,
    )


def _channel(item: Item, at: int, rate: float) -> Channel:
    source = item.item(0x003A0208)
    value = source.first(0x00080100) if source else ""
    meaning = source.text(0x00080104) if source else ""
    label = item.first(0x003A0203)
    lead = lead_of(value, label, meaning)
    sensitivity = item.number(0x003A0210)
    unit = ""
    scale, baseline = 1.0, 0.0
    if sensitivity is not None:
        correction = item.number(0x003A0212)
        scale = sensitivity * (1.0 if correction is None else correction)
        baseline = item.number(0x003A0213) or 0.0
        units = item.item(0x003A0211)
        code = units.first(0x00080100) if units else ""
        factor = _MILLIVOLTS.get(code)
        if factor is not None:
            unit, scale, baseline = "mV", scale * factor, baseline * factor
        else:
            unit = _UNIT_NAMES.get(code, code)
    skew = item.number(0x003A0214)
    if skew is None:
        skew = (item.number(0x003A0215) or 0.0) / rate
    return Channel(
        lead or label or meaning or value or f"Channel {at}",
        lead,
        unit,
        scale,
        baseline,
        sensitivity is not None and scale != 0,
        skew,
        _filters(item),
    )


def _unknown(at: int) -> Channel:
    return Channel(f"Channel {at}", "", "", 1.0, 0.0, False, 0.0, "")


def _filters(item: Item) -> str:
    low, high, notch = (item.number(tag) for tag in (0x003A0220, 0x003A0221, 0x003A0222))
    parts = []
    if low and high:
        parts.append(f"{low:g}–{high:g} Hz")
    elif low or high:
        parts.append(f">{low:g} Hz" if low else f"<{high:g} Hz")
    if notch:
        parts.append(f"notch {notch:g} Hz")
    return ", ".join(parts)


def _padding(item: Item, sample_type: str) -> int | None:
    found = item.element(0x5400100A)
    size = int(sample_type[-1])
    if found is None or not found.value or len(found.value) < size:
        return None
    order = "big" if found.big and found.vr != "OB" else "little"
    return int.from_bytes(found.value[:size], order, signed="i" in sample_type)  # type: ignore[arg-type]


def _note(item: Item) -> Note:
    concept = item.item(0x0040A043)
    name = _meaning(concept)
    value = item.text(0x00700006).strip() or _meaning(item.item(0x0040A168))
    if not value:
        value = item.text(0x0040A30A).replace("\\", ", ")
        units = item.item(0x004008EA)
        if value and units:
            value = f"{value} {units.first(0x00080100)}"
    channels = item.numbers(0x0040A0B0)
    positions = tuple(int(each) for each in item.numbers(0x0040A132))
    text = f"{name}: {value}" if name and value else name or value
    return Note(text, int(channels[0]) if channels else 0, positions)


def _meaning(code: Item | None) -> str:
    return (code.text(0x00080104) or code.first(0x00080100)) if code else ""


def _patient(data_set: Item) -> tuple[str, ...]:
    name = data_set.text(0x00100010).split("=")[0].rstrip("^ ")
    about = (data_set.first(0x00100020), _date(data_set.first(0x00100030)),
             data_set.first(0x00100040))  # fmt: skip
    moment = data_set.first(0x0008002A) or (
        (data_set.first(0x00080023) or data_set.first(0x00080020))
        + (data_set.first(0x00080033) or data_set.first(0x00080030))
    )
    lines = (name.replace("^", " "), "  ".join(filter(None, about)), _moment(moment))
    return tuple(line for line in lines if line)


def _date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) >= 8 else text


def _moment(text: str) -> str:
    clock = text[8:14]
    return (
        f"{_date(text)} {clock[:2]}:{clock[2:4]}:{clock[4:6]}" if len(clock) == 6 else _date(text)
    )
