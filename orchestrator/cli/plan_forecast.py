"""What a plan foresees, in words, side by side with what else could be done, and for programs."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite

from orchestrator.cli import screen
from orchestrator.cli.plan_layout import WallClock, clipped, clock_of, labelled
from orchestrator.model import durations, moments
from orchestrator.model.forecasts import Binding, Forecast, Gain, Spread, WaveForecast, WhatIf
from orchestrator.model.plans import Plan
from orchestrator.model.verdicts import Verdict
from orchestrator.report.foreseen import known_ends, looked_ahead, not_within
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
_ROOM = 24
"""Columns that a note needs to stand beside its figures; with fewer it stands below them."""
_MATTERS = 0.1
"""Share of the campaigns from which on a question to people is told before a run."""
_GATES = 4
_BELOW = " " * 6

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
    inside = "" if forecast.fits is None else f"; {_percent(forecast.fits)} inside the window"
    yield f"{_ends(forecast, clock)}{inside} (clocks of {clock.zone})"
    worst = forecast.worst_group
    group = f" ({_number(worst.down.most)} in {clipped(worst.name)})" if worst else ""
    yield f"{_succeed(forecast)}; down at most {_number(forecast.peak_down.most)}{group}"
    yield from (f"stopped {cause}" for cause in _stopped(forecast))
    if max(forecast.asked.values(), default=0.0) >= _MATTERS:
        yield from _asked(forecast)
    if forecast.bindings:
        slowest = forecast.bindings[0]
        gain = f"; {_gained(forecast.gain, forecast, clock)}" if forecast.gain else ""
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
    yield from labelled("asks", _asked(forecast))
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
    """Give a forecast to programs: moments are ISO 8601, shares numbers up to 1.

    An end that is not known, because campaigns were cut short, is null.
    """
    if forecast is None:
        return None
    left, worst, opening = forecast.left_at_cutoff, forecast.worst_group, forecast.opening
    return {
        "campaigns": forecast.campaigns,
        "begins_at": moments.as_text(forecast.begins_at),
        "devices": forecast.devices,
        "ends_at": _moments(known_ends(forecast)),
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
        "asked": dict(forecast.asked),
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
        "gain": _gain_as_object(forecast),
        "based_on": list(forecast.based_on),
        "assumes": list(forecast.assumes),
    }


def what_ifs_as_object(what_ifs: Iterable[WhatIf]) -> list[dict[str, object]]:
    """Give what else could be done to programs, in the order it was asked for."""
    return [{"what_if": each.label, "forecast": as_object(each.forecast)} for each in what_ifs]


def _gain_as_object(forecast: Forecast) -> dict[str, object] | None:
    gain = forecast.gain
    if gain is None:
        return None
    return {
        "limit": gain.limit,
        "value": gain.value,
        "raised": gain.raised,
        "ends_at": _moment(_in_sight(gain.ends_at, forecast)),
        "instead": _moment(_in_sight(gain.instead, forecast)),
    }


def _moments(spread: Spread) -> dict[str, str | None]:
    return {
        "p50": _moment(spread.p50),
        "p90": _moment(spread.p90),
        "most": _moment(spread.most),
    }


def _moment(moment: float) -> str | None:
    return moments.as_text(moment) if isfinite(moment) else None


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
    told = f"{rounded}%"
    return "over 99%" if told == "100%" and share < 1 else told


def _succeed(forecast: Forecast) -> str:
    well = [found.p50 for each, found in forecast.verdicts.items() if Verdict(each).is_success]
    of = screen.counted(forecast.devices, "device")
    return f"about {_number(sum(well))} of {of} succeed"


def _held(binding: Binding) -> str:
    return _limit(binding.limit, binding.value)


def _limit(limit: str, value: float | None) -> str:
    word = _WORDS.get(limit, limit)
    if value is None:
        return word
    if limit == "delay":
        return f"{word} {durations.as_text(value)}"
    return f"{word} {value:,.0f}" if float(value).is_integer() else f"{word} {value:g}"


def _gained(gain: Gain, forecast: Forecast, clock: WallClock) -> str:
    given_up = gain.limit == "strict"
    raised = "without strict it" if given_up else _limit(gain.limit, gain.raised)
    end = "would end" if given_up else "would end it"
    before, after = (_in_sight(each, forecast) for each in (gain.ends_at, gain.instead))
    if not isfinite(after):
        return f"{raised} {end.replace('would', 'would not')} within {looked_ahead(forecast)}"
    instead = clock.after(before if isfinite(before) else _start(forecast), after)
    now = clock.after(after, before) if isfinite(before) else not_within(forecast)
    if after >= before or now == instead:
        return f"{raised} {end.replace('would', 'would not')} sooner"
    return f"{raised} {end} at {instead} instead of {now}"


def _in_sight(end: float, forecast: Forecast) -> float:
    """Give an end; infinite where it is only that of the time that is looked ahead."""
    return inf if forecast.cut_short > 0 and end >= forecast.ends_at.most else end


def _ends(forecast: Forecast, clock: WallClock) -> str:
    """Say when it ends, as far as that can be said."""
    ends, share = known_ends(forecast), _percent(forecast.cut_short)
    if not isfinite(ends.p50):
        return f"does not end within {looked_ahead(forecast)} in {share} of the campaigns"
    about = f"ends about {clock.full(ends.p50)}"
    if not isfinite(ends.p90):
        return f"{about}, in {share} of the campaigns {not_within(forecast)}"
    return f"{about}, by {clock.after(ends.p50, ends.p90)} in 9 of 10"


def _end(moment: float, forecast: Forecast, clock: WallClock, start: float) -> str:
    return clock.after(start, moment) if isfinite(moment) else not_within(forecast)


def _lasts(end: float, forecast: Forecast, start: float) -> str:
    if isfinite(end):
        return durations.as_text(max(0.0, end - start))
    return f"over {looked_ahead(forecast)}"


def _begins(forecast: Forecast, clock: WallClock) -> Iterator[str]:
    start = _start(forecast)
    if start <= forecast.begins_at:
        yield f"started {clock.full(start)}"
    else:
        began = clock.full(forecast.begins_at)
        yield f"started {began}, it waits for the window until {clock.full(start)}"


def _figures(forecast: Forecast, clock: WallClock) -> Iterator[str]:
    start = _start(forecast)
    ends = _three(known_ends(forecast))
    rows: list[tuple[str, Sequence[str], str]] = [
        *_wave_rows(forecast.waves, lambda moment: clock.after(start, moment)),
        ("ends", [_end(each, forecast, clock, start) for each in ends], ""),
        ("takes", [_lasts(each, forecast, start) for each in ends], ""),
        *((in_words(word), _told(spread), "") for word, spread in _verdicts(forecast)),
    ]
    if forecast.left_at_cutoff is not None:
        rows.append(("left at cutoff", _told(forecast.left_at_cutoff), "without a verdict then"))
    rows.append(("down at once", _told(forecast.peak_down), "out of service through this run"))
    if forecast.worst_group is not None:
        worst = forecast.worst_group
        rows.append(("worst group", _told(worst.down), f"down at once: {clipped(worst.name)}"))
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
        if (screen.width() or screen.NARROWEST) - len(margin) < _ROOM:
            yield start.rstrip()
            if remark:
                yield screen.folded(remark, indent=_BELOW)
            continue
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


def _asked(forecast: Forecast) -> Iterator[str]:
    """Say before which waves people are asked although the playbook asks nobody there."""
    found = _questions(forecast)
    if not found:
        return
    (what, share), *others = found[:_GATES]
    told = f"in {share} of the campaigns the gate before {what} cannot tell and asks a person"
    told += "".join(f", in {each} the one before {name}" for name, each in others)
    more = len(found) - _GATES
    told += f", in fewer {screen.counted(more, 'other gate')}" if more > 0 else ""
    yield f"{told}; the times take the answer as given at once"


def _questions(forecast: Forecast) -> list[tuple[str, str]]:
    """Give what gates that cannot tell ask for, with the share of campaigns, the greatest first."""
    found = [(what, share) for what, share in forecast.asked.items() if share > 0]
    found.sort(key=lambda each: (-each[1], len(each[0]), each[0]))
    return [(screen.harmless(what), _percent(share)) for what, share in found]


def _cut_short(forecast: Forecast) -> Iterator[str]:
    if forecast.cut_short > 0:
        of = f"{round(forecast.cut_short * forecast.campaigns):,} of {forecast.campaigns:,}"
        ahead = looked_ahead(forecast)
        yield f"{of} campaigns were not over within the {ahead} that are looked ahead"


def _slowest(forecast: Forecast, clock: WallClock) -> Iterator[str]:
    found = [each for each in forecast.bindings if each.share > 0]
    if not found:
        return
    (first, *others) = [(_held(each), _percent(each.share)) for each in found[:_HOLDS]]
    shares = "".join(f", {limit} {share}" for limit, share in others)
    yield f"{first[0]} holds it up {first[1]} of the time{shares}"
    if forecast.gain is not None:
        yield _gained(forecast.gain, forecast, clock)


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
    yield "end P50", lambda each: _end(known_ends(each).p50, each, clock, start)
    yield "end P90", lambda each: _end(known_ends(each).p90, each, clock, start)
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
    if any(_questions(forecast) for forecast in forecasts):
        yield "asks a person", _asks
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
    return "" if worst is None else f"{_pair(worst.down)} in {clipped(worst.name)}"


def _stops(forecast: Forecast) -> str:
    stopped: Mapping[str, float] = forecast.stopped
    told = [f"{_percent(each)} {stop_cause(cause)}" for cause, each in stopped.items() if each > 0]
    return ", ".join(told) or "never"


def _asks(forecast: Forecast) -> str:
    found = _questions(forecast)
    told = [f"{share} before {what}" for what, share in found[:_GATES]]
    more = len(found) - _GATES
    return ", ".join([*told, f"{more:,} more"] if more > 0 else told) or "never"


def _binds(forecast: Forecast) -> str:
    if not forecast.bindings:
        return ""
    first = forecast.bindings[0]
    return f"{_held(first)}, {_percent(first.share)}"
