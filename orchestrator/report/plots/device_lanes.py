"""Where the time of single devices went: one lane each, from its first act on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.report.lanes import Lane, Phase, Stretch
from orchestrator.report.plots.drawing import FONT, Ink, Sketch
from orchestrator.report.plots.frames import Frame, framed
from orchestrator.report.plots.scales import lasting
from orchestrator.report.plots.step_times import cut

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PHASE_INKS = {
    Phase.PROVING: Ink.PROVING,
    Phase.SETTLING: Ink.SETTLING,
    Phase.IN_DOUBT: Ink.IN_DOUBT,
    Phase.RESTING: Ink.RESTING,
    Phase.BETWEEN: Ink.BETWEEN,
    Phase.HOLDING: Ink.HOLDING,
}
_WIDE_ROW, _NARROW_ROW = 22.0, 36.0
_BAR = 10.0
_NAME_COLUMN, _END_COLUMN = 180.0, 205.0
_NAME, _END, _LINE = 26, 30, 48
"""Characters that fit into the columns, and into the line above a lane on a phone."""
_PIXEL = 0.8

_Corner = tuple[float, float]
_Bars = dict[Ink, list[tuple[_Corner, ...]]]


def lanes(
    shown: Sequence[Lane],
    *,
    name: Callable[[Lane], str],
    end: Callable[[Lane], str],
    told: str,
) -> dict[str, str]:
    """Draw the lanes; `name` and `end` say what stands beside each."""
    longest = max(1.0, *(lane.seconds for lane in shown))

    from matplotlib.collections import PolyCollection  # noqa: PLC0415 - dear, see drawing.py

    def paint(sketch: Sketch, frame: Frame) -> None:
        left, right = (_NAME_COLUMN, _END_COLUMN) if frame.is_wide else (8, 20)
        axes = sketch.axes(left, 28, right, 4)
        row = _row(frame)
        lasting(axes, longest * 1.01, frame.ticks - 3 if frame.is_wide else frame.ticks)
        axes.set_ylim(len(shown) * row, 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.grid(visible=True, axis="x")
        axes.set_axisbelow(True)
        room = frame.width - left - right
        bars: _Bars = {}
        for number, lane in enumerate(shown):
            middle = number * row + (row / 2 if frame.is_wide else row - 9)
            _lay(bars, lane, middle, _PIXEL * longest / room)
            _mark(axes, lane, middle)
            if frame.is_wide:
                before = -(_NAME_COLUMN - 4) / room
                _write(axes, before, middle, sketch.foreign(cut(name(lane), _NAME)), Ink.INK)
                _write(axes, 1 + 14 / room, middle, sketch.foreign(cut(end(lane), _END)), Ink.SOFT)
            else:
                line = sketch.foreign(cut(f"{name(lane)} · {end(lane)}", _LINE))
                _write(axes, 0, middle - 14, line, Ink.INK)
        for ink, corners in bars.items():
            axes.add_collection(PolyCollection(corners, facecolors=ink, linewidth=0), autolim=False)

    return framed("lanes", lambda frame: _row(frame) * len(shown) + 32, paint, told=told)


def _row(frame: Frame) -> float:
    return _WIDE_ROW if frame.is_wide else _NARROW_ROW


def _lay(bars: _Bars, lane: Lane, middle: float, least: float) -> None:
    """Add a lane's bars by their colour; what nobody could see joins its neighbour."""
    low, high = middle - _BAR / 2, middle + _BAR / 2
    for stretch in _visible(lane.stretches, least):
        begin = stretch.begins_at - lane.began_at
        end = max(stretch.ends_at - lane.began_at, begin + least)
        corners = ((begin, low), (end, low), (end, high), (begin, high))
        bars.setdefault(PHASE_INKS[stretch.phase], []).append(corners)


def _visible(stretches: Sequence[Stretch], least: float) -> Iterator[Stretch]:
    pending: Stretch | None = None
    for stretch in stretches:
        if pending is None:
            pending = stretch
        elif pending.phase == stretch.phase or _is_thin(stretch, least):
            pending = replace(pending, ends_at=stretch.ends_at)
        elif _is_thin(pending, least):
            pending = replace(stretch, begins_at=pending.begins_at)
        else:
            yield pending
            pending = stretch
    if pending is not None:
        yield pending


def _is_thin(stretch: Stretch, least: float) -> bool:
    return stretch.ends_at - stretch.begins_at < least


def _mark(axes: "Axes", lane: Lane, middle: float) -> None:
    """Mark how a lane ended: a cross is trouble, a dot is none; nothing while it goes on."""
    if lane.verdict is None:
        return
    ink, marker = (Ink.BAD, "X") if lane.is_trouble else (Ink.GOOD, "o")
    axes.plot(
        [lane.seconds],
        [middle],
        color=ink,
        marker=marker,
        markersize=10 if lane.is_trouble else 7,
        markeredgecolor=Ink.PAPER,
        markeredgewidth=1,
        clip_on=False,
    )


def _write(axes: "Axes", x: float, middle: float, text: str, ink: Ink) -> None:
    axes.text(
        x,
        middle,
        text,
        transform=axes.get_yaxis_transform(),
        color=ink,
        va="center",
        fontsize=FONT - 0.5,
    )
