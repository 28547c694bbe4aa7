"""Two runs side by side: as text of 80 columns for people and as an object for programs."""

import textwrap
from collections.abc import Iterator

from orchestrator.cli import screen
from orchestrator.model import durations, moments
from orchestrator.report.contrasting import Contrast, DevicePair, Pair, StepPair
from orchestrator.report.exports.run_report import RunReport
from orchestrator.report.figures import DeviceRow, StepTime
from orchestrator.report.standing import in_short
from orchestrator.report.tables import device_name
from orchestrator.report.wording import in_words

_FEW = 20
_WAVES = 12
_WORDS = {
    "devices": "devices",
    "requests": "requests sent",
    "retries": "tried again",
    "peak_down": "down at most",
    "max_down": "down allowed",
    "waves": "waves",
}
_HEAD = ("", "A", "B", "B AGAINST A")
_NONE = "-"


def lines(contrast: Contrast) -> Iterator[str]:
    """Tell a comparison to people; what makes the runs different is named first."""
    yield from _run(contrast.first, "A")
    yield from _run(contrast.second, "B")
    if contrast.differences:
        yield ""
        for told in contrast.differences:
            yield from _folded(f"! {screen.sentence(told[:1].upper() + told[1:])}", "  ")
    yield ""
    yield from screen.table(_HEAD, _rows(contrast), limit=screen.width() or screen.NARROWEST)
    yield from _devices(contrast)


def _run(run: RunReport, letter: str) -> Iterator[str]:
    started = run.summary.started
    yield from _folded(f"{letter}  run {run.run_id}", "   ")
    if started is not None:
        state = in_short(run.summary, driven=run.driven)
        begun = moments.as_short_text(started.at)
        yield from _folded(f"   {started.playbook}, started {begun}: {state}", "   ")


def _folded(text: str, margin: str) -> list[str]:
    columns = screen.width() or screen.NARROWEST
    return textwrap.wrap(screen.harmless(text), columns, subsequent_indent=margin)


def _rows(contrast: Contrast) -> Iterator[tuple[str, str, str, str]]:
    yield _times("took", contrast.took)
    yield _counts("devices", contrast.figures["devices"])
    for verdict, pair in contrast.verdicts.items():
        yield _verdicts(f"  {in_words(verdict)}", pair, contrast.figures["devices"])
    for name, pair in contrast.figures.items():
        if name != "devices" and not (pair.first is pair.second is None):
            yield _counts(_WORDS[name], pair)
    for number, pair in list(contrast.waves.items())[:_WAVES]:
        yield _times(f"  wave {number} finished after", pair)
    hidden = len(contrast.waves) - _WAVES
    if hidden > 0:
        yield (f"  and {hidden:,} more waves", "", "", "")
    for step in contrast.steps:
        yield from _step(step)
    late = contrast.lateness
    if not late.first is late.second is None:
        change = "" if not late.change else f"{late.change * 100:+.0f} points"
        yield ("took of the forecast", _share(late.first), _share(late.second), change)


def _step(step: StepPair) -> Iterator[tuple[str, str, str, str]]:
    title = screen.harmless(step.title)
    short = title if len(title) <= _TITLE else f"{title[: _TITLE - 3]}..."
    yield _times(f"{short}, median", _pair_of(step, "median"))
    yield _times("  nine of ten within", _pair_of(step, "slowest_tenth"))


_TITLE = 18


def _pair_of(step: StepPair, figure: str) -> Pair:
    def value(times: StepTime | None) -> float | None:
        return None if times is None else getattr(times, figure)

    return Pair(value(step.first), value(step.second))


def _counts(name: str, pair: Pair) -> tuple[str, str, str, str]:
    change = "" if not pair.change else f"{pair.change:+,.0f}{_percent(pair)}"
    return (name, _count(pair.first), _count(pair.second), change)


def _verdicts(name: str, pair: Pair, devices: Pair) -> tuple[str, str, str, str]:
    """Show each count with its share, as the runs may differ in size."""
    change = "" if not pair.change else f"{pair.change:+,.0f}"
    first, second = _of(pair.first, devices.first), _of(pair.second, devices.second)
    return (name, first, second, change)


def _of(count: float | None, devices: float | None) -> str:
    return f"{_count(count)} ({count / devices:.0%})" if count and devices else _count(count)


def _times(name: str, pair: Pair) -> tuple[str, str, str, str]:
    change = ""
    if pair.change:
        sign = "+" if pair.change > 0 else "-"
        change = f"{sign}{durations.as_text(abs(pair.change))}{_percent(pair)}"
    return (name, _time(pair.first), _time(pair.second), change)


def _count(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.0f}"


def _time(value: float | None) -> str:
    return _NONE if value is None else durations.as_text(value)


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{value:.0%}"


def _percent(pair: Pair) -> str:
    return f" ({pair.change / pair.first:+.0%})" if pair.first and pair.change else ""


def _devices(contrast: Contrast) -> Iterator[str]:
    devices = contrast.devices
    if devices is None:
        return
    yield ""
    if not devices.both:
        yield "No device is in both."
        return
    both = f"{screen.counted(devices.both, 'device')} in both"
    if not devices.differing:
        yield f"Every verdict is the same: {both}."
        return
    yield f"Other verdict in B than in A: {len(devices.differing):,} of {both}"
    turns = [
        (f"{count:>7,}", f"{_verdict(one)} -> {_verdict(other)}")
        for (one, other), count in devices.turns.items()
    ]
    yield from screen.table(("", ""), turns)
    yield ""
    for pair in devices.differing[:_FEW]:
        yield from _device(contrast, pair)
    hidden = len(devices.differing) - _FEW
    if hidden > 0:
        yield f"  and {hidden:,} more; --json names them all"


def _device(contrast: Contrast, pair: DevicePair) -> Iterator[str]:
    run = contrast.first if pair.first.serial_number else contrast.second
    name = device_name(run.summary, pair.first.device)
    yield from _folded(f"  {name}: {_end(pair.first)} -> {_end(pair.second)}", "    ")


def _end(row: DeviceRow) -> str:
    """Give a verdict with its own reason."""
    verdict = _verdict(row.verdict)
    return f"{verdict} ({row.reason})" if row.reason else verdict


def _verdict(verdict: str | None) -> str:
    return "no verdict" if verdict is None else in_words(verdict)


def as_object(contrast: Contrast) -> dict[str, object]:
    """Tell the same to programs; durations are seconds, unknown things null."""
    devices = contrast.devices
    return {
        "runs": [_run_object(contrast.first), _run_object(contrast.second)],
        "differences": list(contrast.differences),
        "seconds": _pair(contrast.took),
        "verdicts": {verdict: _pair(pair) for verdict, pair in contrast.verdicts.items()},
        **{name: _pair(pair) for name, pair in contrast.figures.items()},
        "wave_ends": [{"wave": number, **_pair(pair)} for number, pair in contrast.waves.items()],
        "steps": [
            {
                "title": step.title,
                "devices": _pair(_pair_of(step, "devices")),
                "median_seconds": _pair(_pair_of(step, "median")),
                "p90_seconds": _pair(_pair_of(step, "slowest_tenth")),
            }
            for step in contrast.steps
        ],
        "ratio_to_forecast": _pair(contrast.lateness),
        "compared": None
        if devices is None
        else {
            "both": devices.both,
            "only_first": devices.only_first,
            "only_second": devices.only_second,
            "differing": [_device_object(pair) for pair in devices.differing],
        },
    }


def _run_object(run: RunReport) -> dict[str, object]:
    started = run.summary.started
    return {
        "run": run.run_id,
        "playbook": None if started is None else started.playbook,
        "controller": None if started is None else started.controller,
        "state": run.summary.state_if(driven=run.driven).value,
        "started_at": None if started is None else moments.as_text(started.at),
        "head": run.audit.head,
        "sound": run.audit.sound,
    }


def _pair(pair: Pair) -> dict[str, float | None]:
    return {
        name: None if value is None else round(value, 4)
        for name, value in (("first", pair.first), ("second", pair.second), ("change", pair.change))
    }


def _device_object(pair: DevicePair) -> dict[str, object]:
    return {
        "device": pair.first.device,
        "serial_number": pair.first.serial_number or pair.second.serial_number,
        "first": {"verdict": pair.first.verdict, "reason": pair.first.reason},
        "second": {"verdict": pair.second.verdict, "reason": pair.second.reason},
    }
