"""Every sample stands at its millimetre: paths are read back into seconds and units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.render.waveform.recorded import (
    LEADS,
    bundled_ecg,
    by_pydicom,
    channel,
    group,
    recorded,
    traces,
)
from vna.render.waveform.layout import Scale

HALF_A_MICRON = 0.0006  # mm; the paths have three decimals


def test_an_ecg_has_twelve_leads_with_every_sample_at_its_millimetre() -> None:
    theirs = by_pydicom(bundled_ecg()) / 1000  # µV → mV
    found = traces(bundled_ecg())
    assert [each.name for each in found[:12]] == list(LEADS)
    assert found[12].name == "II"
    for each in found:
        at = np.rint(each.seconds * 1000).astype(int)
        assert np.abs(each.seconds - at / 1000).max() < HALF_A_MICRON / 25
        expected = theirs[at, LEADS.index(each.name)]
        assert np.abs(each.values - expected).max() < HALF_A_MICRON / 10
        assert {each.facts["unit"], each.facts["mm-per-unit"]} == {"mV", "10"}
        assert np.all(np.diff(at) == 1)


def test_three_rows_of_four_leads_go_on_in_time_above_the_rhythm_lead() -> None:
    found = traces(bundled_ecg())
    assert [float(each.facts["start"]) for each in found[:12:3]] == [0, 2.5, 5, 7.5]
    assert [float(each.facts["x"]) for each in found[:12:3]] == [35, 97.5, 160, 222.5]
    assert all(abs(np.ptp(each.seconds) - 2.5) < 0.002 for each in found[:12])
    assert len(found[12].seconds) == 10000


def test_twelve_rows_show_all_of_each_lead() -> None:
    theirs = by_pydicom(bundled_ecg()) / 1000
    found = traces(bundled_ecg(), Scale("12x1"))
    assert [each.name for each in found] == list(LEADS)
    for at, each in enumerate(found):
        assert np.abs(each.values - theirs[:, at]).max() < HALF_A_MICRON / 10


@pytest.mark.parametrize(("speed", "gain"), [(50.0, 10.0), (25.0, 20.0), (12.5, 5.0)])
def test_another_speed_and_gain_stretch_the_paper(speed: float, gain: float) -> None:
    theirs = by_pydicom(bundled_ecg()) / 1000
    for each in traces(bundled_ecg(), Scale("12x1", speed, gain)):
        at = np.rint(each.seconds * 1000).astype(int)
        expected = theirs[at, LEADS.index(each.name)]
        assert np.abs(each.values - expected).max() < HALF_A_MICRON / gain
        assert each.facts["mm-per-unit"] == f"{gain:g}"


def test_a_part_of_a_recording_begins_where_it_is_asked() -> None:
    theirs = by_pydicom(bundled_ecg()) / 1000
    (first, *_) = traces(bundled_ecg(), Scale("12x1", start=4.0, seconds=2.0))
    at = np.rint(first.seconds * 1000).astype(int)
    assert (at[0], at[-1]) == (4000, 6000)
    assert np.abs(first.values - theirs[at, 0]).max() < HALF_A_MICRON / 10


def test_a_short_recording_shows_every_lead_from_its_beginning() -> None:
    samples = np.arange(1000 * 12, dtype="<i2").reshape(1000, 12)
    data = recorded(group(samples, [channel(f"Lead {lead}") for lead in LEADS], 500))
    found = traces(data)
    assert {each.facts["start"] for each in found} == {"0"}
    assert {len(each.values) for each in found} == {1000}


_KINDS = {"SB": "i1", "UB": "u1", "SS": "<i2", "US": "<u2", "SL": "<i4", "UL": "<u4"}


@given(
    st.data(),
    st.sampled_from(sorted(_KINDS)),
    st.sampled_from(["uV", "mV"]),
    st.sampled_from(["0.5", "1", "2.44"]),
    st.sampled_from(["0.9", "1"]),
    st.sampled_from(["0", "-3", "12.5"]),
)
@settings(max_examples=40, deadline=None)
def test_generated_samples_of_every_kind_are_what_pydicom_reads(
    data: st.DataObject, kind: str, unit: str, sensitivity: str, correction: str, baseline: str
) -> None:
    count = data.draw(st.integers(1, 3))
    samples = data.draw(arrays.arrays(_KINDS[kind], (data.draw(st.integers(2, 60)), count)))
    more = {"ChannelSensitivityCorrectionFactor": correction, "ChannelBaseline": baseline}
    channels = [channel(f"Trace {at}", unit, sensitivity, **more) for at in range(count)]
    made = recorded(group(samples, channels, 100, kind))
    found = traces(made)
    theirs = by_pydicom(made) / (1000 if unit == "uV" else 1)
    for at, each in enumerate(found):
        tolerance = HALF_A_MICRON / 10 + np.abs(theirs[:, at]).max() * 1e-9
        assert np.abs(each.values - theirs[:, at]).max() <= tolerance


def test_a_padded_sample_is_a_gap_in_the_trace() -> None:
    samples = np.array([[1], [2], [-32768], [4], [5]], "<i2")
    made = recorded(group(samples, [channel("Lead I")], 100, WaveformPaddingValue=b"\x00\x80"))
    (each,) = traces(made)
    assert np.rint(each.values * 1000).tolist() == [1, 2, 4, 5]
    assert np.rint(each.seconds * 100).tolist() == [0, 1, 3, 4]


def test_a_channel_that_was_sampled_later_is_drawn_later() -> None:
    samples = np.ones((50, 2), "<i2")
    late = channel("B", ChannelTimeSkew="0.004")
    skewed = channel("C", ChannelSampleSkew="0.5")
    first, second = traces(recorded(group(samples, [channel("A"), late], 100)))
    assert second.seconds[0] - first.seconds[0] == pytest.approx(0.004)
    (third,) = traces(recorded(group(samples[:, :1], [skewed], 100)))
    assert third.seconds[0] == pytest.approx(0.005)


def test_a_trace_far_from_zero_is_moved_by_whole_millivolts_and_says_so() -> None:
    samples = np.full((50, 1), 30_250, "<i2")
    (each,) = traces(recorded(group(samples, [channel("Lead I")], 100)))
    assert each.facts["middle"] == "30"
    assert each.values == pytest.approx(30.25)


def test_pressure_is_drawn_in_its_own_unit_at_a_scale_it_names() -> None:
    samples = np.linspace(20, 120, 200).astype("<i2").reshape(-1, 1)
    (each,) = traces(recorded(group(samples, [channel("AO", "mm[Hg]")], 200)))
    assert each.facts["unit"] == "mmHg"
    assert each.values == pytest.approx(samples[:, 0], abs=0.01)


def test_no_peak_of_a_fast_signal_is_lost() -> None:
    samples = np.zeros((44100, 1), "<i2")
    samples[12345] = 1000
    (each,) = traces(recorded(group(samples, [channel("Sound", None)], 44100)))
    assert len(each.values) < 3000
    assert each.values.max() == pytest.approx(1000)
    assert each.seconds[each.values.argmax()] == pytest.approx(12345 / 44100, abs=0.002)


def test_the_scale_that_is_told_gives_back_samples_of_every_size() -> None:
    samples = np.full((7, 1), 479461817, "<i4")
    made = recorded(group(samples, [channel("Trace", "mV", "2.44")], 100, "SL"))
    (each,) = traces(made)
    assert np.allclose(each.values, 479461817 * 2.44, rtol=1e-9, atol=0)
