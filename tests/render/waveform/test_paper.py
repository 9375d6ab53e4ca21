"""What is on the paper beside the traces, and that SVG, PNG and PDF are the same paper."""

from __future__ import annotations

import io
import struct
from xml.etree import ElementTree

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from tests.render.waveform.recorded import (
    LEADS,
    SVG_NAME,
    bundled_ecg,
    channel,
    drawn,
    group,
    recorded,
)
from vna.dicom.item import Item
from vna.dicom.scan import scan
from vna.dicom.source import BytesSource
from vna.errors import NotAcceptable, Undecodable
from vna.render.waveform.layout import Pages, Scale
from vna.render.waveform.leads import lead_of
from vna.render.waveform.paper import Paper
from vna.render.waveform.pdf import pdf
from vna.render.waveform.png import png
from vna.render.waveform.recording import recording
from vna.render.waveform.samples import values
from vna.render.waveform.svg import svg


def texts(document: bytes) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(document).iter(f"{SVG_NAME}text")]


def test_the_sheet_names_leads_speed_gain_and_time_but_not_the_patient() -> None:
    found = texts(svg(drawn(bundled_ecg())[0]))
    assert set(LEADS) <= set(found)
    assert "25 mm/s   10 mm/mV   0.05–300 Hz" in found
    assert any("0 s–10 s of 10 s, 1000 samples/s" in text for text in found)
    assert not any("Anonymous" in text or "642341" in text or "SINUSALE" in text for text in found)


def test_the_patient_and_the_findings_are_there_when_they_are_asked_for() -> None:
    found = texts(svg(drawn(bundled_ecg(), patient=True, notes=True)[0]))
    assert "Anonymous" in found
    assert any("642341" in text for text in found)
    assert "2013-01-25 10:59:19" in found
    assert {"RITMO SINUSALE", "ECG NORMALE", "RR Interval: 982 ms"} <= set(found)


def test_every_row_has_a_calibration_pulse_of_one_millivolt() -> None:
    root = ElementTree.fromstring(svg(drawn(bundled_ecg(), Scale(gain=20))[0]))
    pulses = [each for each in root.iter(f"{SVG_NAME}path") if each.get("data-calibration")]
    assert len(pulses) == 4
    for pulse in pulses:
        ys = [float(pair.split()[1]) for pair in pulse.attrib["d"][1:].split("L")]
        assert max(ys) - min(ys) == 20


def test_what_is_not_calibrated_says_so_and_has_no_pulse() -> None:
    samples = np.arange(100, dtype="<i2").reshape(-1, 1)
    document = svg(drawn(recorded(group(samples, [channel("Lead I", None)], 100)))[0])
    assert "I  (not calibrated)" in texts(document)
    assert not any("mm/mV" in text for text in texts(document))
    assert b"data-calibration" not in document


def test_a_pdf_page_is_as_large_as_its_paper_and_the_same_each_time() -> None:
    sheets = drawn(bundled_ecg(), Scale("12x1"))
    made = pdf(sheets)
    document = pypdfium2.PdfDocument(made)
    assert len(document) == len(sheets) == 2
    size = [each / 72 * 25.4 for each in document[0].get_size()]
    assert size == pytest.approx([297, 420], abs=0.01)
    assert pdf(sheets) == made


def test_a_png_states_its_resolution_and_keeps_the_scale() -> None:
    (sheet, _) = drawn(bundled_ecg())
    made = png(sheet, 100)
    image = Image.open(io.BytesIO(made))
    assert image.size == (round(297 / 25.4 * 100), round(210 / 25.4 * 100))
    at = made.index(b"pHYs")
    assert struct.unpack(">IIB", made[at + 4 : at + 13]) == (3937, 3937, 1)  # per metre


@pytest.mark.parametrize("of", ["png", "pdf"])
def test_picture_and_paper_have_ink_where_the_vectors_have(of: str) -> None:
    (sheet, _) = drawn(bundled_ecg())
    if of == "png":
        image = Image.open(io.BytesIO(png(sheet, 200)))
    else:
        page = pypdfium2.PdfDocument(pdf([sheet]))[0]
        image = page.render(scale=200 / 72).to_pil()
    ink = np.asarray(image.convert("L")) < 110
    wide = ink | np.roll(ink, 1, 0) | np.roll(ink, -1, 0)
    wide |= np.roll(wide, 1, 1) | np.roll(wide, -1, 1)
    for stroke in sheet.strokes[:13]:
        at = np.rint(stroke.runs[0] / 25.4 * 200).astype(int)
        assert wide[at[:, 1], at[:, 0]].mean() > 0.97
    assert 0.001 < ink.mean() < 0.05


def test_letters_that_a_picture_lacks_are_refused_rather_than_lost() -> None:
    samples = np.zeros((10, 1), "<i2")
    data = recorded(group(samples, [channel("Lead I")], 100), SpecificCharacterSet="ISO_IR 192",
                    PatientName="Ямада^Таро")  # fmt: skip
    (sheet,) = drawn(data, patient=True)
    assert "Ямада Таро" in texts(svg(sheet))
    with pytest.raises(NotAcceptable, match="svg"):
        pdf([sheet])
    with pytest.raises(NotAcceptable, match="svg"):
        png(sheet)


def test_text_of_the_object_cannot_become_markup() -> None:
    samples = np.zeros((10, 1), "<i2")
    evil = '"><script>alert(1)</script>\x01'
    data = recorded(group(samples, [channel(evil, "mm")], 100), PatientName=evil)
    document = svg(drawn(data, patient=True)[0])
    assert b"<script" not in document
    assert any("<script>alert(1)</script>" in text for text in texts(document))


def test_a_long_recording_is_pages_that_are_made_one_by_one() -> None:
    rate, hours = 125, 24
    samples = np.zeros((rate * 3600, 3), "<i2")  # an hour of data, the header says a day
    made = group(samples[:1250], [channel(f"Lead {each}") for each in ("I", "II", "V1")], rate)
    found = recording(Item.decode(_header(recorded(made))))
    day = found.groups[0].__class__(
        **{name: getattr(found.groups[0], name) for name in found.groups[0].__slots__}
        | {"samples": rate * 3600 * hours}
    )
    pages = Pages(found.__class__((day,), (), ()), Scale())
    assert len(pages) == hours * 360
    plan = pages.plan(hours * 360)
    assert plan.start == hours * 3600 - 10
    assert plan.window[1] * day.stride <= 1252 * 6
    with pytest.raises(IndexError):
        pages.plan(hours * 360 + 1)


def test_many_channels_are_several_pages_and_every_one_is_drawn_once() -> None:
    samples = np.zeros((100, 30), "<i2")
    names = [f"EEG {at}" for at in range(30)]
    sheets = drawn(recorded(group(samples, [channel(name) for name in names], 100)))
    assert len(sheets) == 3
    facts = [dict(stroke.facts) for sheet in sheets for stroke in sheet.strokes]
    assert [each["channel"] for each in facts if "channel" in each] == names


def test_companded_samples_are_made_linear() -> None:
    codes = np.arange(256, dtype="u1").reshape(-1, 1)
    for kind, most in (("MB", 8031), ("AB", 4032)):
        made = recorded(group(codes, [channel("Sound", None)], 8000, kind))
        found = recording(Item.decode(_header(made)))
        linear = values(found.groups[0], codes.tobytes())[:, 0]
        assert (linear.max(), linear.min()) == (most, -most)
        assert np.unique(np.abs(linear)).size == 128


def test_an_object_without_a_drawable_group_is_undecodable() -> None:
    samples = np.zeros((10, 1), "<i2")
    odd = group(samples, [channel("Lead I")], 100, kind="XX")
    for data in (recorded(odd), recorded()):
        with pytest.raises(Undecodable):
            recording(Item.decode(_header(data)))


@pytest.mark.parametrize(
    ("code", "name", "lead"),
    [
        ("5.6.3-9-63", "", "aVL"),
        ("2:4", "", "V2"),
        ("MDC_ECG_LEAD_V6", "", "V6"),
        ("X", "Lead I (Einthoven)", "I"),
        ("X", "Derivación aVF", "aVF"),
        ("X", "AVR", "aVR"),
        ("X", "Respiration", ""),
        ("5.6.3-9-1234", "V7", ""),
    ],
)
def test_a_lead_is_known_by_its_code_or_its_name(code: str, name: str, lead: str) -> None:
    assert lead_of(code, name) == lead


def test_what_is_asked_of_the_pool_survives_json() -> None:
    wanted = Paper("image/png", (2,), Scale("12x1", 50, 5, 1.5, None), 300, 70, True, False)
    assert Paper.from_facts(wanted.facts()) == wanted


def _header(data: bytes) -> bytes:
    return scan(BytesSource(data)).header.encode()
