"""Which part of which channel goes where: the pages of a recording, before a sample is read.

Paper is A4 across (297 × 210 mm), with more than five rows A3 upright (297 × 420 mm), so that a
row of 250 mm holds the usual 10 s at 25 mm/s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vna.render.waveform.leads import COLUMNS, RHYTHM, TWELVE
from vna.render.waveform.recording import Group, Recording
from vna.render.waveform.sheet import Grid

Layout = Literal["auto", "3x4", "12x1", "stack"]
LAYOUTS: tuple[Layout, ...] = ("auto", "3x4", "12x1", "stack")

WIDTH, SHORT, TALL = 297, 210, 420
LEFT, ROW_MM = 35, 250  # where traces begin, and how long they are
GRID_LEFT, GRID_TOP, GRID_RIGHT, GRID_BELOW = 25, 25, 290, 15
ROWS_SHORT, ROWS_MOST = 5, 12


@dataclass(frozen=True, slots=True)
class Scale:
    """`speed`: mm/s. `gain`: mm/mV. `start` and `seconds`: the part to draw, None for all."""

    layout: Layout = "auto"
    speed: float = 25.0
    gain: float = 10.0
    start: float = 0.0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """A channel from `start`, for at most `seconds`; its middle line is at `y` mm and its first
    moment at `x` mm. `height`: mm that it has to itself."""

    channel: int
    start: float
    seconds: float
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Plan:
    """One page. `start` and `seconds`: of the samples that it needs."""

    group: Group
    layout: Layout
    start: float
    seconds: float
    traces: tuple[Trace, ...]
    height: int

    @property
    def grid(self) -> Grid:
        """Where the squares are."""
        return Grid(GRID_LEFT, GRID_TOP, GRID_RIGHT, self.height - GRID_BELOW)

    @property
    def window(self) -> tuple[int, int]:
        """(first, count) of the samples that the page needs."""
        group = self.group
        first = min(max(0, int(self.start * group.rate)), group.samples)
        # one more on either side, so that lines reach the edges
        last = min(group.samples, int((self.start + self.seconds) * group.rate) + 2)
        return first, max(0, last - first)


class Pages:
    """The pages of a recording, groups in their order, each in time. Made one by one: a recording
    of days has thousands."""

    def __init__(self, recording: Recording, scale: Scale) -> None:
        self._scale = scale
        self._parts: list[tuple[Group, list[Sequence[int]], int]] = []
        for group in recording.groups:
            begin, end = _window(group, scale)
            if end <= begin:
                continue
            # a last page of less than one sample is none
            per_page = ROW_MM / scale.speed
            times = max(1, int(-(-(end - begin - 0.5 / group.rate) // per_page)))
            self._parts.append((group, _channel_sets(group, scale.layout), times))

    def __len__(self) -> int:
        return sum(len(sets) * times for _, sets, times in self._parts)

    def plan(self, number: int) -> Plan:
        """Page `number`, from 1; raises `IndexError`."""
        at = number - 1
        for group, sets, times in self._parts:
            if 0 <= at < len(sets) * times:
                return self._plan(group, sets[at % len(sets)], at // len(sets))
            at -= len(sets) * times
        raise IndexError(number)

    def _plan(self, group: Group, channels: Sequence[int], time: int) -> Plan:
        begin, end = _window(group, self._scale)
        per_page = ROW_MM / self._scale.speed
        start = begin + time * per_page
        seconds = min(per_page, end - start)
        layout = _layout_of(group, self._scale.layout)
        if layout != "stack" and set(channels) != set(_by_lead(group).values()):
            layout = "stack"  # what the object has beside the twelve leads
        if layout == "3x4":
            return Plan(group, layout, start, seconds, self._columns(group, start, seconds), SHORT)
        tall = len(channels) > ROWS_SHORT
        height = TALL if tall else SHORT
        room = height - GRID_TOP - GRID_BELOW
        step = room // len(channels) // 5 * 5
        traces = tuple(
            Trace(channel, start, seconds, LEFT, _middle(row, step), step)
            for row, channel in enumerate(channels)
        )
        return Plan(group, layout, start, seconds, traces, height)

    def _columns(self, group: Group, start: float, seconds: float) -> tuple[Trace, ...]:
        """Three rows of four leads, and the rhythm lead along the whole page below them.

        A whole row goes on in time from lead to lead; of a shorter recording every lead is shown
        from its beginning.
        """
        by_lead = _by_lead(group)
        quarter = ROW_MM / 4
        shown = quarter / self._scale.speed
        running = seconds >= 4 * shown - 0.5 / group.rate
        traces = []
        for column, leads in enumerate(COLUMNS):
            begin = start + column * shown if running else start
            for row, lead in enumerate(leads):
                long = min(shown, seconds)
                x = LEFT + column * quarter
                traces.append(Trace(by_lead[lead], begin, long, x, _middle(row, 40), 40))
        traces.append(Trace(by_lead[RHYTHM], start, seconds, LEFT, _middle(3, 40), 40))
        return tuple(traces)


def _window(group: Group, scale: Scale) -> tuple[float, float]:
    end = group.seconds if scale.seconds is None else scale.start + scale.seconds
    return scale.start, min(end, group.seconds)


def _layout_of(group: Group, asked: Layout) -> Layout:
    """A layout for twelve leads needs them; anything else is stacked."""
    if asked == "stack" or not set(TWELVE) <= {each.lead for each in group.channels}:
        return "stack"
    return "3x4" if asked == "auto" else asked


def _channel_sets(group: Group, asked: Layout) -> list[Sequence[int]]:
    """The channels of each page of one moment."""
    layout = _layout_of(group, asked)
    if layout == "stack":
        every = range(len(group.channels))
        return [every[at : at + ROWS_MOST] for at in range(0, len(every), ROWS_MOST)]
    by_lead = _by_lead(group)
    rest = [at for at in range(len(group.channels)) if at not in by_lead.values()]
    sets: list[Sequence[int]] = [[by_lead[lead] for lead in TWELVE]]
    return sets + [rest[at : at + ROWS_MOST] for at in range(0, len(rest), ROWS_MOST)]


def _by_lead(group: Group) -> dict[str, int]:
    """The first channel of each of the twelve leads."""
    found: dict[str, int] = {}
    for at, each in enumerate(group.channels):
        if each.lead:
            found.setdefault(each.lead, at)
    return found


def _middle(row: int, step: int) -> int:
    """The middle line of a row, on a 5 mm line of the grid."""
    return GRID_TOP + row * step + step // 2 // 5 * 5
