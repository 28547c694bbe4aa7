"""Axes that speak of time as people do: clock times in UTC, durations in minutes and hours."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestrator.model import durations

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DAY = 86_400
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * each for each in (1, 2, 5, 10, 15, 30)),
    *(3_600 * each for each in (1, 2, 3, 6, 12)),
    *(_DAY * each for each in (1, 2, 7, 14, 28, 91, 364)),
)


def step_of(span: float, at_most: int) -> int:
    """Give the seconds between ticks so that there are at most so many of them."""
    return next((step for step in _STEPS if span / step <= at_most), 10 * _STEPS[-1])


def clock(axes: "Axes", begin: float, end: float, at_most: int) -> None:
    """Let the x axis tell moments; the date stands below the first and wherever it changes."""
    step = step_of(end - begin, at_most)
    ticks = [
        float(step * each) for each in range(math.ceil(begin / step), math.floor(end / step) + 1)
    ]
    axes.set_xlim(begin, end)
    axes.set_xticks(ticks, list(_clock_labels(ticks, step)))


def _clock_labels(ticks: list[float], step: int) -> Iterator[str]:
    date = ""
    for tick in ticks:
        moment = datetime.fromtimestamp(tick, UTC)
        day = moment.strftime("%Y-%m-%d")
        hour = moment.strftime("%H:%M:%S" if step < 60 else "%H:%M")  # noqa: PLR2004 - a minute
        if step >= _DAY:
            yield day
        else:
            yield hour if day == date else f"{hour}\n{day}"
        date = day


def lasting(axes: "Axes", end: float, at_most: int, *, begin: float = 0.0) -> None:
    """Let the x axis tell durations."""
    step = step_of(end - begin, at_most) if end - begin > 1 else (end - begin) / 2
    ticks = [step * each for each in range(math.ceil(begin / step), int(end / step) + 1)]
    axes.set_xlim(begin, end)
    axes.set_xticks(ticks, [durations.as_text(tick) if tick else "0" for tick in ticks])


def counting(axes: "Axes", top: float) -> None:
    """Let the y axis tell whole numbers from zero on, with room above the top."""
    step = _count_step(top)
    ticks = range(0, int(top / step) * step + 1, step)
    axes.set_ylim(0, top * 1.08)
    axes.set_yticks(list(ticks), [f"{tick:,}" for tick in ticks])
    axes.grid(visible=True, axis="y")
    axes.set_axisbelow(True)


def _count_step(top: float, at_most: int = 4) -> int:
    size = 1
    while True:
        for factor in (1, 2, 5):
            if top / (factor * size) <= at_most:
                return factor * size
        size *= 10
