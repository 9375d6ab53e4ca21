"""A page of a recording drawn at true scale: traces, calibration pulses and what must be said."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from vna.render.waveform.layout import GRID_LEFT, LEFT, ROW_MM, Plan, Scale, Trace
from vna.render.waveform.recording import Channel, Group, Recording
from vna.render.waveform.samples import Samples
from vna.render.waveform.sheet import Points, Sheet, Stroke, Text

# More samples in a millimetre than any paper shows are drawn as the lowest and highest of each step
# of 0.05 mm: a peak is never lost. ECG of 1000 samples a second is drawn sample by sample, at half
# the usual speed, too.
SAMPLES_PER_MM = 100
_STEP_MM = 0.05
# A trace that lies this far off on paper is brought back by whole units, and the sheet says so.
_STRAY_MM = 30
_NICE = (1.0, 2.0, 5.0, 10.0)
_LEGEND_Y, _TITLE_Y, _LINE = 21.0, 7.0, 4.5


def draw(
    recording: Recording,
    plan: Plan,
    scale: Scale,
    samples: Samples,
    *,
    page: tuple[int, int] = (1, 1),
    patient: bool = False,
    notes: bool = False,
) -> Sheet:
    """The sheet of `plan`; `samples` are those of its window, `page` is (number, of how many)."""
    strokes: list[Stroke] = []
    texts = list(_titles(plan, scale, page))
    rows: dict[float, float] = {}
    for trace in plan.traces:
        shown = _Drawn(plan, trace, scale, samples)
        strokes.append(shown.stroke)
        texts.append(shown.label)
        if shown.pulse:
            rows[trace.y] = scale.gain
    strokes += [_pulse(y, gain) for y, gain in rows.items()]
    if patient:
        texts += [Text(150, _TITLE_Y + at * _LINE, line, 4)
                  for at, line in enumerate(recording.patient)]  # fmt: skip
    if notes:
        texts += _notes(recording, plan)
    return Sheet(297, plan.height, plan.grid, tuple(strokes), tuple(texts))


class _Drawn:
    """One trace: where its samples are on the sheet."""

    def __init__(self, plan: Plan, trace: Trace, scale: Scale, samples: Samples) -> None:
        channel = plan.group.channels[trace.channel]
        x, values = _part(plan, trace, scale, samples)
        electric = channel.unit == "mV" and channel.calibrated
        if electric:
            gain, middle = scale.gain, _stray(values, scale.gain)
        else:
            gain, middle = _fitted(values, trace.height)
        self.pulse = electric
        points = np.column_stack((x, trace.y - (values - middle) * gain))
        self.stroke = Stroke(tuple(_runs(points)), _facts(channel, trace, gain, middle))
        self.label = Text(trace.x + 1, trace.y - min(trace.height / 2, 20) + 4,
                          _label(channel, gain, middle, electric))  # fmt: skip


def _part(plan: Plan, trace: Trace, scale: Scale, samples: Samples) -> tuple[Samples, Samples]:
    """x in mm and the value of every sample of the trace."""
    group = plan.group
    first, _ = plan.window
    skew = group.channels[trace.channel].skew_seconds
    values = samples[:, trace.channel]
    times = skew + (first + np.arange(len(values))) / group.rate
    half = 0.5 / group.rate
    inside = (times >= trace.start - half) & (times <= trace.start + trace.seconds + half)
    x = trace.x + (times[inside] - trace.start) * scale.speed
    if group.rate / scale.speed > SAMPLES_PER_MM:
        return _envelope(x, values[inside])
    return x, values[inside]


def _envelope(x: Samples, values: Samples) -> tuple[Samples, Samples]:
    if not len(x):
        return x, values
    starts = np.flatnonzero(np.diff(np.floor(x / _STEP_MM), prepend=-1.0))
    low = np.fmin.reduceat(values, starts)
    high = np.fmax.reduceat(values, starts)
    return np.repeat(x[starts], 2), np.column_stack((low, high)).ravel()


def _runs(points: Points) -> Iterator[Points]:
    """The points without gaps: NaN is where nothing was recorded."""
    there = np.isfinite(points[:, 1])
    edges = np.flatnonzero(np.diff(there.astype(np.int8), prepend=0, append=0))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        yield points[begin:end]


def _stray(values: Samples, gain: float) -> float:
    """mV to take away from a trace that would not be on the paper: whole ones, mostly none."""
    here = values[np.isfinite(values)]
    if not len(here):
        return 0.0
    middle = float(np.median(here))
    return float(round(middle)) if abs(middle) * gain > _STRAY_MM else 0.0


def _fitted(values: Samples, height: float) -> tuple[float, float]:
    """mm per unit and the value on the middle line, so that all of the trace has room."""
    here = values[np.isfinite(values)]
    if not len(here):
        return 1.0, 0.0
    low, high = float(here.min()), float(here.max())
    span = high - low
    if span <= 0:
        return 1.0, low
    gain = _nice(height * 0.8 / span)
    step = _nice(5 / gain)
    return gain, round((low + high) / 2 / step) * step


def _nice(number: float) -> float:
    """The largest of 1, 2, 5, 10, … that is not above `number`."""
    power = 10.0 ** math.floor(math.log10(number))
    return power * max(each for each in _NICE if each * power <= number * (1 + 1e-9))


def _pulse(y: float, gain: float) -> Stroke:
    """1 mV for 5 mm, before the row."""
    x = GRID_LEFT + 1
    points = [(x, y), (x + 1.5, y), (x + 1.5, y - gain), (x + 6.5, y - gain), (x + 6.5, y),
              (x + 8, y)]  # fmt: skip
    return Stroke((np.array(points, dtype=np.float64),), (("calibration", "1 mV"),))


def _facts(
    channel: Channel, trace: Trace, gain: float, middle: float
) -> tuple[tuple[str, str], ...]:
    return (
        ("lead" if channel.lead else "channel", channel.label),
        ("start", f"{trace.start:.6g}"),
        ("unit", channel.unit),
        ("x", f"{trace.x:g}"),
        ("y", f"{trace.y:g}"),
        ("mm-per-unit", f"{gain:.15g}"),
        ("middle", f"{middle:.15g}"),
    )


def _label(channel: Channel, gain: float, middle: float, electric: bool) -> str:
    parts = [channel.label]
    if electric:
        if middle:
            parts.append(f"(moved by {-middle:+g} mV)")
    elif channel.calibrated and channel.unit:
        parts.append(f"{gain:g} mm/{channel.unit}, middle line {middle:g} {channel.unit}")
    else:
        parts.append("(not calibrated)")
    return "  ".join(parts)


def _titles(plan: Plan, scale: Scale, page: tuple[int, int]) -> Iterator[Text]:
    group = plan.group
    electric = any(each.unit == "mV" and each.calibrated for each in group.channels)
    gain = f"   {scale.gain:g} mm/mV" if electric else ""
    filters = {each.filters for each in group.channels}
    said = f"   {filters.pop()}" if len(filters) == 1 else ""
    yield Text(GRID_LEFT, _LEGEND_Y + 2, f"{scale.speed:g} mm/s{gain}{said}")
    name = f"{group.label}   " if group.label else ""
    long = f"{name}{_clock(plan.start)}–{_clock(plan.start + plan.seconds)} of {_length(group)}"
    yield Text(GRID_LEFT, _TITLE_Y + _LINE, long)
    if page[1] > 1:
        yield Text(GRID_LEFT, _TITLE_Y, f"Page {page[0]} of {page[1]}")


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.4g} s"
    whole, rest = divmod(round(seconds, 1), 60)
    return f"{int(whole // 60)}:{int(whole % 60):02}:{rest:04.1f}"


def _length(group: Group) -> str:
    return f"{_clock(group.seconds)}, {group.rate:g} samples/s"


def _notes(recording: Recording, plan: Plan) -> list[Text]:
    """What the object says of the recording as a whole, below the grid and beside the title."""
    whole = [each.text for each in recording.notes
             if not each.positions and each.group in (0, plan.group.number)]  # fmt: skip
    columns = ((GRID_LEFT, plan.height - 11.0), (GRID_LEFT + ROW_MM / 2, plan.height - 11.0))
    fitting = [" ".join(text.split())[:70] for text in whole[:6]]
    made = []
    for at, text in enumerate(fitting):
        x, y = columns[at // 3]
        made.append(Text(x, y + at % 3 * 4, text, 3))
    return made


assert LEFT + ROW_MM < 290  # a row ends on the grid
