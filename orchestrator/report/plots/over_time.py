"""What happened along the clock: devices out of service, and how far the run had come."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from orchestrator.model.events import LimitOrdered
from orchestrator.report.foreseen import foreseen_ends
from orchestrator.report.holds import Hold
from orchestrator.report.plots.drawing import Ink, Sketch
from orchestrator.report.plots.frames import Frame, framed
from orchestrator.report.plots.scales import clock, counting
from orchestrator.report.summary import Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HOLD_INKS = {
    Hold.WINDOW: Ink.WINDOW,
    Hold.PERSON: Ink.PERSON,
    Hold.CONTROLLER: Ink.CONTROLLER,
    Hold.APPROVAL: Ink.APPROVAL,
    Hold.UNDRIVEN: Ink.UNDRIVEN,
}
_WAVES_SHADED = 60
_HOLDS_SHADED = 100
_LABEL_ROOM = 52
_NUMBER_ROOM = 16
_FAR = 2.5
"""A limit more than so many times above the peak is told, not drawn: it would flatten the curve."""
_LONG = 2.0
"""An end foreseen later than so many times the run's own length is told, not drawn."""

Curve = Sequence[tuple[float, float]]


def span(summary: Summary) -> tuple[float, float]:
    """Give the moments between which the run is drawn; an end foreseen nearby is among them."""
    begin = summary.started.at if summary.started is not None else summary.last_at
    end = max(summary.last_at, begin + 1)
    ends = foreseen_ends(summary)
    if ends is not None:
        far = begin + _LONG * (end - begin)
        end = max([end, *(each for each in ends if each <= far)])
    return begin, end + (end - begin) * 0.01


def limit_curve(summary: Summary) -> Curve:
    """Give how many devices were allowed to be down from each moment on."""
    if summary.max_down is None:
        return ()
    changes = [
        (act.at, act.value)
        for act in summary.course.acts
        if isinstance(act, LimitOrdered) and act.limit == "max_down"
    ]
    return [(span(summary)[0], summary.max_down), *changes]


def limit_is_near(summary: Summary) -> bool:
    """Say whether the limit is drawn beside the devices down."""
    return any(level <= _FAR * max(1, summary.peak_down) for _, level in limit_curve(summary))


def down(summary: Summary, *, told: str) -> dict[str, str]:
    """Draw the devices out of service through the run, with what was allowed."""
    begin, _ = span(summary)
    limit = limit_curve(summary)
    near = limit_is_near(summary)
    most = max([level for _, level in limit], default=0) if near else 0
    if most > 2 * _FAR * max(1, summary.peak_down):
        most = 0

    def paint(sketch: Sketch, frame: Frame) -> None:
        axes = _axes(sketch, frame, summary)
        counting(axes, max(1, summary.peak_down, most))
        _scenery(axes, frame, summary)
        _stairs(axes, summary.timeline.curve(), begin, summary.last_at, Ink.CURVE, filled=True)
        if near:
            xs, ys = _corners(limit, begin, summary.last_at)
            axes.plot(xs, ys, color=Ink.BAD, linewidth=1.5, linestyle=(0, (5, 4)))

    return framed("down", lambda frame: 250 if frame.is_wide else 220, paint, told=told)


def progress(summary: Summary, *, told: str) -> dict[str, str]:
    """Draw how many devices had their verdict when, with the ends that were foreseen."""
    begin, end = span(summary)
    ends = foreseen_ends(summary) or ()

    def paint(sketch: Sketch, frame: Frame) -> None:
        axes = _axes(sketch, frame, summary)
        counting(axes, max(1, summary.total))
        _scenery(axes, frame, summary)
        _stairs(axes, summary.ends.curve(), begin, summary.last_at, Ink.GOOD, filled=True)
        _stairs(axes, summary.trouble_ends.curve(), begin, summary.last_at, Ink.BAD, filled=True)
        for moment, dashes in zip(ends, ((6, 3), (2, 2)), strict=False):
            if moment <= end:
                axes.axvline(moment, color=Ink.INK, linewidth=1.4, linestyle=(0, dashes))

    return framed("progress", lambda frame: 220 if frame.is_wide else 200, paint, told=told)


def foreseen_drawn(summary: Summary) -> int:
    """Count how many of the two ends that were foreseen are drawn beside the progress."""
    _, until = span(summary)
    return sum(each <= until for each in foreseen_ends(summary) or ())


def waves_are_shaded(summary: Summary) -> bool:
    """Say whether the waves are seen behind the curves."""
    return summary.course.in_waves and 1 < len(summary.course.waves) <= _WAVES_SHADED


def holds_drawn(summary: Summary) -> list[Hold]:
    """Name what is marked behind the curves."""
    drawn_here = {record.hold for record in summary.holds.records[:_HOLDS_SHADED]}
    return [hold for hold in Hold if hold in drawn_here]


def _axes(sketch: Sketch, frame: Frame, summary: Summary) -> "Axes":
    top = 26 if waves_are_shaded(summary) else 8
    axes = sketch.axes(48 if frame.is_wide else 40, 44, 12, top)
    clock(axes, *span(summary), frame.ticks)
    return axes


def _scenery(axes: "Axes", frame: Frame, summary: Summary) -> None:
    begin, end = axes.get_xlim()
    if waves_are_shaded(summary):
        _waves(axes, frame, summary, (frame.width - 60) / (end - begin))
    for record in summary.holds.records[:_HOLDS_SHADED]:
        until = summary.last_at if record.until is None else record.until
        axes.axvspan(
            max(begin, record.since),
            max(begin, record.since, until),
            facecolor=HOLD_INKS[record.hold],
            edgecolor="none",
            alpha=0.22,
            zorder=0.4,
        )
    if not summary.is_over:
        axes.axvline(summary.last_at, color=Ink.SOFT, linewidth=1)


def _waves(axes: "Axes", frame: Frame, summary: Summary, scale: float) -> None:
    """Shade every other wave and number them as far as there is room."""
    for wave in summary.course.waves.values():
        finished = summary.last_at if wave.finished is None else wave.finished.at
        if wave.number % 2:
            axes.axvspan(
                wave.began_at, finished, facecolor=Ink.WAVE, edgecolor="none", alpha=0.6, zorder=0.2
            )
        room = (finished - wave.began_at) * scale
        if room < _NUMBER_ROOM:
            continue
        axes.text(
            (wave.began_at + finished) / 2,
            1.03,
            f"wave {wave.number}" if room >= _LABEL_ROOM else f"{wave.number}",
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=11 if frame.is_wide else 10.5,
        )


def _stairs(
    axes: "Axes", curve: Curve, begin: float, end: float, ink: Ink, *, filled: bool
) -> None:
    if not curve:
        return
    xs, ys = _corners([(begin, 0), *curve], begin, end)
    if filled:
        axes.fill_between(xs, ys, facecolor=ink, edgecolor="none", alpha=0.16, linewidth=0)
    axes.plot(xs, ys, color=ink, linewidth=1.6)


def _corners(curve: Curve, begin: float, end: float) -> tuple[list[float], list[float]]:
    """Give the corners of a curve that keeps each level until the next."""
    points = list(_stepped([(max(begin, at), level) for at, level in curve]))
    points.append((max(end, points[-1][0]), points[-1][1]))
    return [x for x, _ in points], [y for _, y in points]


def _stepped(curve: Curve) -> Iterator[tuple[float, float]]:
    before = curve[0][1]
    for at, level in curve:
        yield at, before
        yield at, level
        before = level
