"""A plan's forecast held against what its run came to."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite

from orchestrator.model import durations
from orchestrator.model.events import ApprovalGiven, CancelOrdered, LimitOrdered, PauseOrdered
from orchestrator.model.forecasts import Forecast, Spread
from orchestrator.model.verdicts import Verdict
from orchestrator.report.summary import Summary


class Measure(StrEnum):
    """What a foreseen figure counts."""

    MOMENT = "moment"
    SECONDS = "seconds"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One figure of the forecast beside what it came to."""

    name: str
    """`end`, `lasts`, `wave 1 ends`, `peak_down`, `requests`, or a verdict."""
    measure: Measure
    spread: Spread
    """Infinite is what is not known because campaigns were cut short."""
    came_to: float | None
    """None as long as it is not known."""
    held: bool | None
    """Whether it stayed within what nine of ten campaigns came to; None where that says nothing."""


_DAY = 86_400.0


_BEYOND_P50 = 0.5
_BEYOND_P90 = 0.1
"""Shares of the campaigns whose ends the P50 and the P90 leave beyond them."""


def known_ends(forecast: Forecast) -> Spread:
    """Give the ends that the campaigns came to; infinite is what too many were cut short to know.

    Where a tenth of them was not over within the time that is looked ahead no P90 is known, and
    where half was not no P50 either.
    """
    ends, cut = forecast.ends_at, forecast.cut_short
    return Spread(
        inf if cut >= _BEYOND_P50 else ends.p50,
        inf if cut >= _BEYOND_P90 else ends.p90,
        inf if cut > 0 else ends.most,
    )


def not_within(forecast: Forecast) -> str:
    """Give what stands in place of an end that is not known, such as `not within 60 days`."""
    return f"not within {looked_ahead(forecast)}"


def looked_ahead(forecast: Forecast) -> str:
    """Give how far a forecast looks of which campaigns were cut short, such as `60 days`."""
    opening = forecast.opening
    begin = forecast.begins_at if opening is None else max(forecast.begins_at, opening[0])
    # A campaign that is cut short ends where the time that is looked ahead does.
    seconds = max(0.0, forecast.ends_at.most - begin)
    days, rest = divmod(round(seconds), round(_DAY))
    return f"{days} days" if days > 1 and not rest else durations.as_text(seconds)


def foreseen(summary: Summary) -> list[Foreseen]:
    """Give every figure of the forecast with its outcome; nothing without a forecast or a start."""
    forecast = summary.forecast
    if forecast is None or summary.started is None:
        return []
    return [*_times(summary, forecast), *_amounts(summary, forecast), *_verdicts(summary, forecast)]


def moved(summary: Summary) -> float:
    """Give the seconds by which the run began to work later than the forecast took it to.

    A forecast whose run waits for the same opening of the window anyway is not moved by a start
    that came earlier or later.
    """
    forecast, started = summary.forecast, summary.started
    if forecast is None or started is None:
        return 0.0
    if forecast.opening is None:
        return started.at - forecast.begins_at
    openings = summary.course.openings
    begun = max(started.at, openings[0].opened.at) if openings else started.at
    return begun - max(forecast.begins_at, forecast.opening[0])


def foreseen_ends(summary: Summary) -> tuple[float, float] | None:
    """Give when half and when nine of ten campaigns had ended, moved to the run's own beginning.

    Infinite is what is not known.
    """
    if summary.forecast is None or summary.started is None:
        return None
    ends = _shifted(known_ends(summary.forecast), moved(summary))
    return ends.p50, ends.p90


def disturbances(summary: Summary) -> list[str]:
    """Name what happened to the run that no forecast foresees, so that its times say less."""
    acts = summary.course.acts
    kinds = {
        "a person paused it": any(isinstance(act, PauseOrdered) for act in acts),
        "a person changed a limit": any(isinstance(act, LimitOrdered) for act in acts),
        "a person cancelled it": any(isinstance(act, CancelOrdered) for act in acts),
        "an approval was waited for": any(isinstance(act, ApprovalGiven) for act in acts),
        "the controller could not be used for a while": summary.pauses > 0,
        "nobody drove it for a while": summary.resumes > 0,
    }
    return [told for told, happened in kinds.items() if happened]


def _times(summary: Summary, forecast: Forecast) -> Iterator[Foreseen]:
    ends, shift = known_ends(forecast), moved(summary)
    # The end of a stopped run says nothing about how long all of it would have taken.
    end = summary.finished_at if summary.stopped is None else None
    passed = None if summary.is_over or summary.stopped is not None else summary.last_at
    yield _timed("end", _shifted(ends, shift), end, passed)
    for wave in forecast.waves if len(forecast.waves) > 1 else ():
        record = summary.course.waves.get(wave.number)
        finished = None if record is None or record.finished is None else record.finished.at
        if finished is not None or passed is not None:
            name = f"wave {wave.number} ends"
            yield _timed(name, _shifted(wave.ends_at, shift), finished, passed)
    if summary.started is not None:
        began = summary.started.at
        span = _shifted(ends, shift - began)
        lasted = None if end is None else end - began
        since = None if passed is None else passed - began
        yield Foreseen("lasts", Measure.SECONDS, span, lasted, _in_time(span, lasted, since))


def _timed(name: str, spread: Spread, came_to: float | None, passed: float | None) -> Foreseen:
    return Foreseen(name, Measure.MOMENT, spread, came_to, _in_time(spread, came_to, passed))


def _in_time(spread: Spread, came_to: float | None, passed: float | None) -> bool | None:
    """What has not come although its time has `passed` did not come in time, whenever it does.

    Nothing is judged by a time that is not known.
    """
    if not isfinite(spread.p90):
        return None
    if came_to is not None:
        return came_to <= spread.p90
    return False if passed is not None and passed > spread.p90 else None


def _shifted(spread: Spread, seconds: float) -> Spread:
    return Spread(spread.p50 + seconds, spread.p90 + seconds, spread.most + seconds)


def _amounts(summary: Summary, forecast: Forecast) -> Iterator[Foreseen]:
    for name, spread, came_to in (
        ("peak_down", forecast.peak_down, summary.peak_down),
        ("requests", forecast.requests, summary.requests.sent),
    ):
        yield Foreseen(name, Measure.COUNT, spread, came_to, _held(spread, came_to, summary))


def _verdicts(summary: Summary, forecast: Forecast) -> Iterator[Foreseen]:
    """More successes than foreseen are no broken promise, so nothing is said about them."""
    for verdict, count in summary.counts().items():
        spread = forecast.verdicts.get(verdict, Spread(0, 0, 0))
        if not count and verdict not in forecast.verdicts:
            continue
        judged = not Verdict(verdict).is_success
        yield Foreseen(
            verdict, Measure.COUNT, spread, count, _held(spread, count, summary) if judged else None
        )


def _held(spread: Spread, came_to: float, summary: Summary) -> bool | None:
    """What is still within it may yet leave it, as long as the run is not over."""
    held = came_to <= spread.p90
    return held if summary.is_over or not held else None
