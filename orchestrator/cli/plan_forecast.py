"""What a plan foresees, in words, side by side with what else could be done, and for programs."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.cli import screen
from orchestrator.cli.plan_layout import WallClock, clock_of, labelled
from orchestrator.model import durations, moments
from orchestrator.model.forecasts import Binding, Forecast, Gain, Spread, WaveForecast, WhatIf
from orchestrator.model.plans import Plan
from orchestrator.model.verdicts import Verdict
from orchestrator.report.wording import in_words, stop_cause

USUAL = 50
"""Campaigns that are imagined of a set that is not large."""

PLANNED = "as planned"

_SHORT = 600.0
"""Seconds up to which the end of a campaign is told with its seconds."""

_FIRST_WAVES = 6
_ALL_WAVES = 8
_HOLDS = 6
_COLUMNS = 4
_WIDEST = 24
_TITLE = 14
_GAP = "  "

_WORDS = {
    "budget": "the budget",
    "ramp": "the ramp",
    "wave": "the end of a wave",
    "soak": "the soak between waves",
    "approval": "the approval",
    "window": "the closed window",
    "devices": "the devices' own time",
}


def brief(plan: Plan) -> Iterator[str]:
    """Give the two or three lines that belong before a run; nothing without a forecast."""
    forecast = plan.forecast
    if forecast is None:
        return
    clock = _clock(plan, forecast)
    p50, p90 = forecast.ends_at.p50, forecast.ends_at.p90
    ends = f"ends about {clock.full(p50)}, by {clock.after(p50, p90)} in 9 of 10"
    inside = "" if forecast.fits is None else f"; {_percent(forecast.fits)} inside the window"
    yield f"{ends}{inside} (clocks of {clock.zone})"
    worst = forecast.worst_group
    group = f" ({_number(worst.down.most)} in {worst.name})" if worst else ""
    yield f"{_succeed(forecast)}; down at most {_number(forecast.peak_down.most)}{group}"
    yield from (f"stopped {cause}" for cause in _stopped(forecast))
    if forecast.bindings:
        slowest = forecast.bindings[0]
        gain = f"; {_gained(forecast.gain, clock)}" if forecast.gain else ""
        yield f"slowest: {_held(slowest)} for {_percent(slowest.share)} of the time{gain}"


def lines(plan: Plan) -> Iterator[str]:
    """Give everything that is foreseen, or say that nothing is."""
    forecast = plan.forecast
    if forecast is None:
        yield "Forecast: none was made."
        return
    clock = _clock(plan, forecast)
    campaigns = screen.counted(forecast.campaigns, "imagined campaign")
    yield f"Forecast over {campaigns}, clocks of {clock.zone}:"
    yield from labelled("begins", _begins(forecast, clock))
    yield ""
    yield from _figures(forecast, clock)
    yield "  P50: half of the campaigns stay at or below it; P90: nine of ten do."
    yield ""
    yield from labelled("window", _window(forecast, clock))
    yield from labelled("stopped", _stopped(forecast))
    yield from labelled("longer", _cut_short(forecast))
    yield from labelled("slowest", _slowest(forecast, clock))
    yield from labelled("campaigns", _few(forecast))
    yield from labelled("based on", forecast.based_on)
    yield from labelled("assumes", forecast.assumes)


def side_by_side(plan: Plan, what_ifs: Sequence[WhatIf]) -> Iterator[str]:
    """Compare the forecast with those of a changed plan, up to four columns beside each other."""
    forecast = plan.forecast
    if forecast is None or not what_ifs:
        return
    clock = _clock(plan, forecast)
    planned = WhatIf(PLANNED, forecast)
    start = _start(forecast)
    yield f"What if, begun {clock.full(start)}, clocks of {clock.zone}:"
    yield "  Numbers are P50; where it is another one, P90 stands after a slash."
    room = _COLUMNS - 1
    for place in range(0, len(what_ifs), room):
        yield ""
        yield from _block([planned, *what_ifs[place : place + room]], clock, start)


def as_object(forecast: Forecast | None) -> dict[str, object] | None:
    """Give a forecast to programs: moments are ISO 8601, shares numbers up to 1."""
    if forecast is None:
        return None
    left, worst, opening = forecast.left_at_cutoff, forecast.worst_group, forecast.opening
    return {
        "campaigns": forecast.campaigns,
        "begins_at": moments.as_text(forecast.begins_at),
        "devices": forecast.devices,
        "ends_at": _moments(forecast.ends_at),
        "waves": [
            {"wave": wave.number, "ends_at": _moments(wave.ends_at), "reached": wave.reached}
            for wave in forecast.waves
        ],
        "opening": None
        if opening is None
        else {"start": moments.as_text(opening[0]), "end": moments.as_text(opening[1])},
        "inside_the_window": forecast.fits,
        "left_at_cutoff": None if left is None else _numbers(left),
        "verdicts": {word: _numbers(spread) for word, spread in forecast.verdicts.items()},
        "stopped": dict(forecast.stopped),
        "cut_short": forecast.cut_short,
        "peak_down": _numbers(forecast.peak_down),
        "worst_group": None
        if worst is None
        else {"group": worst.name, "peak_down": _numbers(worst.down)},
        "requests": _numbers(forecast.requests),
        "peak_rate": _numbers(forecast.peak_rate),
        "bindings": [
            {"limit": each.limit, "value": each.value, "share": each.share}
            for each in forecast.bindings
        ],
        "gain": _gain_as_object(forecast.gain),
        "based_on": list(forecast.based_on),
        "assumes": list(forecast.assumes),
    }


def what_ifs_as_object(what_ifs: Iterable[WhatIf]) -> list[dict[str, object]]:
    """Give what else could be done to programs, in the order it was asked for."""
    return [{"what_if": each.label, "forecast": as_object(each.forecast)} for each in what_ifs]


def _gain_as_object(gain: Gain | None) -> dict[str, object] | None:
    if gain is None:
        return None
    return {
        "limit": gain.limit,
        "value": gain.value,
        "raised": gain.raised,
        "ends_at": moments.as_text(gain.ends_at),
        "instead": moments.as_text(gain.instead),
    }


def _moments(spread: Spread) -> dict[str, str]:
    return {
        "p50": moments.as_text(spread.p50),
        "p90": moments.as_text(spread.p90),
        "most": moments.as_text(spread.most),
    }


def _numbers(spread: Spread) -> dict[str, float]:
    return {"p50": spread.p50, "p90": spread.p90, "most": spread.most}


def _start(forecast: Forecast) -> float:
    """Give when the first device can be started: at once, or when the window opens."""
    opening = forecast.opening
    return forecast.begins_at if opening is None else max(forecast.begins_at, opening[0])


def _clock(plan: Plan, forecast: Forecast) -> WallClock:
    exact = forecast.ends_at.most - _start(forecast) < _SHORT
    return WallClock(clock_of(plan).zone, exact=exact)


def _number(value: float) -> str:
    tenths = round(value, 0 if abs(value) >= 100 else 1)  # noqa: PLR2004 - a tenth is no news there
    return f"{tenths:,.0f}" if float(tenths).is_integer() else f"{tenths:,.1f}"


def _percent(share: float) -> str:
    """Write a share; only what is certain is 0% or 100%."""
    rounded = round(share * 100)
    if rounded == 0 and share > 0:
        return "under 1%"
    if rounded == 100 and share < 1:  # noqa: PLR2004
        return "over 99%"
    return f"{rounded}%"


def _succeed(forecast: Forecast) -> str:
    found = forecast.verdicts.get(Verdict.SUCCEEDED)
    of = screen.counted(forecast.devices, "device")
    return f"about {_number(found.p50 if found else 0)} of {of} succeed"


def _held(binding: Binding) -> str:
    return _limit(binding.limit, binding.value)


def _limit(limit: str, value: float | None) -> str:
    word = _WORDS.get(limit, limit)
    if value is None:
        return word
    if limit == "delay":
        return f"{word} {durations.as_text(value)}"
    return f"{word} {value:,.0f}" if float(value).is_integer() else f"{word} {value:g}"


def _gained(gain: Gain, clock: WallClock) -> str:
    raised = _limit(gain.limit, gain.raised)
    now = clock.after(gain.instead, gain.ends_at)
    instead = clock.after(gain.ends_at, gain.instead)
    if gain.instead >= gain.ends_at or now == instead:
        return f"{raised} would not end it sooner"
    return f"{raised} would end it at {instead} instead of {now}"


def _begins(forecast: Forecast, clock: WallClock) -> Iterator[str]:
    start = _start(forecast)
    if start <= forecast.begins_at:
        yield f"started {clock.full(start)}"
    else:
        began = clock.full(forecast.begins_at)
        yield f"started {began}, it waits for the window until {clock.full(start)}"


def _figures(forecast: Forecast, clock: WallClock) -> Iterator[str]:
    start = _start(forecast)
    ends, lasts = forecast.ends_at, [each - start for each in _three(forecast.ends_at)]
    rows: list[tuple[str, Sequence[str], str]] = [
        *_wave_rows(forecast.waves, lambda moment: clock.after(start, moment)),
        ("ends", [clock.after(start, moment) for moment in _three(ends)], ""),
        ("takes", [durations.as_text(max(0.0, seconds)) for seconds in lasts], ""),
        *((in_words(word), _told(spread), "") for word, spread in _verdicts(forecast)),
    ]
    if forecast.left_at_cutoff is not None:
        rows.append(("left at cutoff", _told(forecast.left_at_cutoff), "without a verdict then"))
    rows.append(("down at once", _told(forecast.peak_down), "out of service through this run"))
    if forecast.worst_group is not None:
        worst = forecast.worst_group
        rows.append(("worst group", _told(worst.down), f"down at once: {worst.name}"))
    rows.append(("requests", _told(forecast.requests), "for operations"))
    rows.append(("peak rate", _told(forecast.peak_rate), "a second, in the busiest minute"))
    yield from _table(rows)


def _table(rows: Sequence[tuple[str, Sequence[str], str]]) -> Iterator[str]:
    table = [("", ("P50", "P90", "most"), ""), *rows]
    title = max(len(row[0]) for row in table)
    widths = [max(len(cells[place]) for _, cells, _ in table) for place in range(3)]
    for name, cells, remark in table:
        shown = _GAP.join(f"{cell:>{wide}}" for cell, wide in zip(cells, widths, strict=True))
        start = f"  {name:<{title}}{_GAP}{shown}"
        margin = " " * (len(start) + len(_GAP))
        told = screen.folded(remark, indent=margin).removeprefix(margin)
        yield f"{start}{_GAP}{told}".rstrip()


def _three(spread: Spread) -> tuple[float, float, float]:
    return spread.p50, spread.p90, spread.most


def _told(spread: Spread) -> list[str]:
    return [_number(value) for value in _three(spread)]


def _wave_rows(
    waves: Sequence[WaveForecast], shown: Callable[[float], str]
) -> Iterator[tuple[str, Sequence[str], str]]:
    """Give a row a wave; of very many the first ones and the last."""
    hidden = len(waves) - _ALL_WAVES
    for place, wave in enumerate(waves):
        if hidden > 0 and _FIRST_WAVES <= place < len(waves) - 1:
            if place == _FIRST_WAVES:
                yield (f"{len(waves) - _FIRST_WAVES - 1:,} more waves", ("", "", ""), "")
            continue
        reached = "" if wave.reached >= 1 else f"reached by {_percent(wave.reached)}"
        yield (f"wave {wave.number:,} ends", list(map(shown, _three(wave.ends_at))), reached)


def _verdicts(forecast: Forecast) -> Iterator[tuple[str, Spread]]:
    for verdict in Verdict:
        if verdict in forecast.verdicts:
            yield verdict.value, forecast.verdicts[verdict]


def _window(forecast: Forecast, clock: WallClock) -> Iterator[str]:
    if forecast.fits is None or forecast.opening is None:
        return
    first, last = forecast.opening
    opening = f"{clock.full(first)} to {clock.after(first, last)}"
    share = _percent(forecast.fits)
    yield f"{share} of the campaigns have every verdict inside the opening {opening}"


def _stopped(forecast: Forecast) -> Iterator[str]:
    for cause, share in forecast.stopped.items():
        if share > 0:
            of = f"{round(share * forecast.campaigns):,} of {forecast.campaigns:,}"
            yield f"{stop_cause(cause)} in {of} campaigns"


def _cut_short(forecast: Forecast) -> Iterator[str]:
    if forecast.cut_short > 0:
        of = f"{round(forecast.cut_short * forecast.campaigns):,} of {forecast.campaigns:,}"
        yield f"{of} campaigns were not over in the time that is looked ahead; they end later"


def _slowest(forecast: Forecast, clock: WallClock) -> Iterator[str]:
    found = [each for each in forecast.bindings if each.share > 0]
    if not found:
        return
    (first, *others) = [(_held(each), _percent(each.share)) for each in found[:_HOLDS]]
    shares = "".join(f", {limit} {share}" for limit, share in others)
    yield f"{first[0]} holds it up {first[1]} of the time{shares}"
    if forecast.gain is not None:
        yield _gained(forecast.gain, clock)


def _few(forecast: Forecast) -> Iterator[str]:
    if forecast.campaigns < USUAL:
        yield f"fewer than {USUAL} (larger sets use fewer): all shares and P90s are the rougher"


def _block(columns: Sequence[WhatIf], clock: WallClock, start: float) -> Iterator[str]:
    room = screen.width() or screen.NARROWEST
    wide = min(_WIDEST, (room - _TITLE) // _COLUMNS - len(_GAP))
    yield from _row("", [each.label.replace(",", ", ") for each in columns], wide)
    forecasts = [each.forecast for each in columns]
    for title, cell in _rows(forecasts, clock, start):
        cells = [cell(forecast) for forecast in forecasts]
        yield from _row(title, [each or "-" for each in cells], wide)


def _row(title: str, cells: Sequence[str], wide: int) -> Iterator[str]:
    """Write one row, each of its cells folded to the width of a column."""
    folded = [textwrap.wrap(cell, wide, break_on_hyphens=False) or [""] for cell in cells]
    for line in range(max(map(len, folded))):
        shown = [each[line] if line < len(each) else "" for each in folded]
        beside = "".join(f"{_GAP}{each:<{wide}}" for each in shown)
        yield f"{title:<{_TITLE}}{beside}".rstrip()
        title = ""


Cell = Callable[[Forecast], str]


@dataclass(frozen=True, slots=True)
class _Count:
    """How many devices get a verdict, in half of the campaigns."""

    verdict: Verdict

    def __call__(self, forecast: Forecast) -> str:
        found = forecast.verdicts.get(self.verdict)
        return _number(found.p50) if found else "0"


_ALWAYS = (Verdict.SUCCEEDED, Verdict.FAILED, Verdict.UNCONFIRMED, Verdict.NOT_STARTED)


def _rows(
    forecasts: Sequence[Forecast], clock: WallClock, start: float
) -> Iterator[tuple[str, Cell]]:
    yield "end P50", lambda forecast: clock.after(start, forecast.ends_at.p50)
    yield "end P90", lambda forecast: clock.after(start, forecast.ends_at.p90)
    if any(forecast.fits is not None for forecast in forecasts):
        yield "in the window", lambda each: "" if each.fits is None else _percent(each.fits)
        yield "left at cutoff", lambda each: _pair(each.left_at_cutoff)
    yield "peak down", lambda forecast: _pair(forecast.peak_down)
    if any(forecast.worst_group is not None for forecast in forecasts):
        yield "worst group", _worst
    for verdict in Verdict:
        if verdict in _ALWAYS or any(verdict in forecast.verdicts for forecast in forecasts):
            yield in_words(verdict), _Count(verdict)
    yield "stopped", _stops
    yield "requests", lambda forecast: _pair(forecast.requests)
    yield "binds most", _binds
    if len({forecast.campaigns for forecast in forecasts}) > 1:
        yield "campaigns", lambda forecast: f"{forecast.campaigns:,}"


def _pair(spread: Spread | None) -> str:
    if spread is None:
        return ""
    p50, p90 = _number(spread.p50), _number(spread.p90)
    return p50 if p50 == p90 else f"{p50} / {p90}"


def _worst(forecast: Forecast) -> str:
    worst = forecast.worst_group
    return "" if worst is None else f"{_pair(worst.down)} in {worst.name}"


def _stops(forecast: Forecast) -> str:
    stopped: Mapping[str, float] = forecast.stopped
    told = [f"{_percent(each)} {stop_cause(cause)}" for cause, each in stopped.items() if each > 0]
    return ", ".join(told) or "never"


def _binds(forecast: Forecast) -> str:
    if not forecast.bindings:
        return ""
    first = forecast.bindings[0]
    return f"{_held(first)}, {_percent(first.share)}"
