"""How long each step took: bars of how many devices needed how long."""

from collections.abc import Sequence

from orchestrator.report.distribution import distribute
from orchestrator.report.figures import StepTime
from orchestrator.report.plots.drawing import Ink, Sketch
from orchestrator.report.plots.frames import Frame, framed
from orchestrator.report.plots.scales import lasting
from orchestrator.report.summary import Summary
from orchestrator.report.wording import printable

STEPS_DRAWN = 12
_FEWEST = 5
_SAME = 1.0
_ROW = 108.0
_TITLE = {"wide": 90, "narrow": 38}


def drawable(summary: Summary) -> list[StepTime]:
    """Give the steps whose times differ enough to be a picture."""
    times = summary.step_times()
    return [each for each in times if _differ(summary.durations(each.step))][:STEPS_DRAWN]


def _differ(seconds: Sequence[float]) -> bool:
    return len(seconds) >= _FEWEST and max(seconds) - min(seconds) > _SAME


def step_times(summary: Summary, times: Sequence[StepTime], *, told: str) -> dict[str, str]:
    """Draw a row of bars for each step, each with its own axis."""
    height = _ROW * len(times)

    def paint(sketch: Sketch, frame: Frame) -> None:
        for row, each in enumerate(times):
            _row(sketch, frame, summary, each, height - _ROW * (row + 1))

    return framed("steps", lambda _: height, paint, told=told)


def _row(sketch: Sketch, frame: Frame, summary: Summary, each: StepTime, bottom: float) -> None:
    bars = distribute(
        summary.durations(each.step),
        slowest_tenth=each.slowest_tenth,
        bars=60 if frame.is_wide else 36,
    )
    top = sketch.height - bottom - _ROW + 22
    axes = sketch.axes(8, bottom + 26, 22, top)
    edges = [bars.begin + bars.width * number for number in range(len(bars.counts) + 1)]
    axes.stairs(bars.counts, edges, fill=True, facecolor=Ink.BAR, edgecolor="none")
    lasting(axes, bars.end, frame.ticks, begin=bars.begin)
    axes.set_ylim(0, max(bars.counts) * 1.05 or 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(each.median, color=Ink.INK, linewidth=1.6)
    axes.axvline(each.slowest_tenth, color=Ink.INK, linewidth=1.4, linestyle=(0, (3, 2.5)))
    axes.text(
        0,
        1.1,
        sketch.foreign(cut(each.title, _TITLE[frame.name])),
        transform=axes.transAxes,
        color=Ink.INK,
        va="bottom",
    )
    if bars.beyond:
        axes.text(
            1,
            1.1,
            f"{bars.beyond:,} took longer",
            transform=axes.transAxes,
            ha="right",
            va="bottom",
        )


def cut(text: str, characters: int) -> str:
    """Give text that fits, without anything that could not stand in a picture."""
    text = printable(text)
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"
