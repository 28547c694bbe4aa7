"""What the plan had foreseen beside what came of it."""

from math import isfinite

from orchestrator.model import durations
from orchestrator.model.forecasts import Forecast
from orchestrator.report.foreseen import (
    Foreseen,
    Measure,
    disturbances,
    foreseen,
    looked_ahead,
    not_within,
)
from orchestrator.report.page.markup import At, Cell, Judged, paragraph, section, table
from orchestrator.report.summary import Summary
from orchestrator.report.wording import in_words

_NAMES = {
    "end": "end",
    "lasts": "duration",
    "peak_down": "most devices down at once",
    "requests": "operation requests sent",
}


def outlook(summary: Summary) -> str:
    """Hold the forecast against the run."""
    figures = foreseen(summary)
    forecast = summary.forecast
    if forecast is None or not figures:
        return ""
    heads = ("what", "half stayed within", "nine of ten within", "came to", "kept")
    return section(
        "Forecast and outcome",
        paragraph(_source(forecast)),
        paragraph(_limits_of(summary)),
        table(heads, [_row(figure, forecast) for figure in figures], stacks=True),
    )


def _source(forecast: Forecast) -> str:
    told = f"The plan imagined {forecast.campaigns:,} campaigns before the first request."
    if forecast.fits is not None:
        told += f" {forecast.fits:.0%} of them were over before the opening of the window ended."
    if forecast.cut_short:
        told += f" {forecast.cut_short:.0%} of them were not over within {looked_ahead(forecast)}."
    based = " ".join(each if each.endswith(".") else f"{each}." for each in forecast.based_on)
    return f"{told} {based}".strip()


def _limits_of(summary: Summary) -> str:
    if summary.stopped is not None:
        return "The run was stopped, so its end is not held against the one foreseen."
    happened = disturbances(summary)
    if not happened:
        return ""
    return (
        f"What no forecast foresees happened too: {', '.join(happened)}."
        " The times are judged all the same."
    )


def _row(figure: Foreseen, forecast: Forecast) -> tuple[Cell, ...]:
    held: Cell = ""
    if figure.held is not None:
        held = Judged("yes" if figure.held else "no", figure.held)
    return (
        _NAMES.get(figure.name, in_words(figure.name)),
        _foreseen(figure.measure, figure.spread.p50, forecast),
        _foreseen(figure.measure, figure.spread.p90, forecast),
        "not known yet" if figure.came_to is None else _value(figure.measure, figure.came_to),
        held,
    )


def _foreseen(measure: Measure, value: float, forecast: Forecast) -> Cell:
    return _value(measure, value) if isfinite(value) else not_within(forecast)


def _value(measure: Measure, value: float) -> Cell:
    match measure:
        case Measure.MOMENT:
            return At(value)
        case Measure.SECONDS:
            return durations.as_text(round(value))
        case Measure.COUNT:
            return f"{value:,.0f}"
