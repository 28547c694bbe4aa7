"""What the plan foresaw beside what came of it, for programs and in one figure."""

from math import isfinite

from orchestrator.model import moments
from orchestrator.report.foreseen import Foreseen, Measure, disturbances, foreseen
from orchestrator.report.summary import Summary

_LASTS = "lasts"


def lasting(summary: Summary) -> Foreseen | None:
    """Give how long the run was foreseen to last, with how long it did; None without a forecast."""
    found = (each for each in foreseen(summary) if each.name == _LASTS)
    return next(found, None)


def lateness(summary: Summary) -> float | None:
    """Give how many times as long as foreseen (P50) the run took.

    None without a forecast, before the run is over, and when it was stopped before its end.
    """
    found = lasting(summary)
    if found is None or found.came_to is None:
        return None
    p50 = found.spread.p50
    return found.came_to / p50 if isfinite(p50) and p50 > 0 else None


def as_object(summary: Summary) -> dict[str, object] | None:
    """Tell it to programs; None without a forecast.

    Each of `figures` has `p50`, `p90`, `most`, its `outcome` (null as long as it is not known) and
    `held`: whether it stayed within P90 (null where that says nothing). Moments are moved to the
    run's own beginning.
    """
    forecast = summary.forecast
    if forecast is None:
        return None
    ratio = lateness(summary)
    return {
        "campaigns": forecast.campaigns,
        "begins_at": moments.as_text(forecast.begins_at),
        "ratio_to_p50": None if ratio is None else round(ratio, 4),
        "fits": forecast.fits,
        "figures": {each.name: _figure(each) for each in foreseen(summary)},
        "based_on": list(forecast.based_on),
        "assumes": list(forecast.assumes),
        "disturbed_by": disturbances(summary),
    }


def _figure(figure: Foreseen) -> dict[str, object]:
    spread, measure = figure.spread, figure.measure
    came_to = None if figure.came_to is None else _value(figure.came_to, measure)
    return {
        "p50": _value(spread.p50, measure),
        "p90": _value(spread.p90, measure),
        "most": _value(spread.most, measure),
        "outcome": came_to,
        "held": figure.held,
    }


def _value(value: float, measure: Measure) -> float | str | None:
    """Write a figure as JSON can hold it: what no imagined campaign came to is null."""
    if not isfinite(value):
        return None
    return moments.as_text(value) if measure is Measure.MOMENT else round(value, 3)
