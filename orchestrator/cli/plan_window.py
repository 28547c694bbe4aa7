"""When a plan may start devices: its window in words, and its next openings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from orchestrator.cli import screen
from orchestrator.cli.plan_layout import WallClock
from orchestrator.engine.rollout.windowing import upcoming
from orchestrator.model import durations, moments
from orchestrator.model.plans import Plan
from orchestrator.model.windows import Blackout, Opening, Window

_ZONES = 6


def told(plan: Plan) -> Iterator[str]:
    """Tell when devices may be started."""
    window = plan.playbook.window
    if window is None:
        return
    yield f"{_opens(window)} for {durations.as_text(window.lasts)}, clocks of {window.timezone}"
    if window.cutoff is None:
        yield "a device is begun only if its steps are expected to end in time"
    else:
        yield f"nothing is begun in the last {durations.as_text(window.cutoff)}"
    if window.timezone_field is not None:
        yield f"each device by its own clock ({window.timezone_field}): {_zones(plan, window)}"
    if window.blackouts:
        yield f"never on {', '.join(map(_blackout, window.blackouts))}"
    for opening in _openings(plan, window)[:1]:
        yield f"next: {_opening(opening, window)}"


def openings(plan: Plan) -> Iterator[str]:
    """List the next openings, in the window's zone and in UTC."""
    window = plan.playbook.window
    if window is None:
        return
    yield f"Next openings ({window.timezone}):"
    found = _openings(plan, window)
    for opening in found:
        yield f"  {_opening(opening, window)}"
    if not found:
        yield "  none"


def openings_as_object(plan: Plan) -> dict[str, list[dict[str, str]]]:
    """Give the openings of every zone that devices have."""
    return {zone: _spans(found) for zone, found in plan.openings.items()}


def as_object(plan: Plan) -> dict[str, object] | None:
    """Give the same to programs; None when there is no window."""
    window = plan.playbook.window
    if window is None:
        return None
    once = isinstance(window.opens, datetime)
    return {
        "opens": window.opens.isoformat() if isinstance(window.opens, datetime) else window.opens,
        "once": once,
        "lasts": window.lasts,
        "timezone": window.timezone,
        "timezone_field": window.timezone_field,
        "cutoff": "fits" if window.cutoff is None else window.cutoff,
        "blackout": [
            {"from": days.first.isoformat(), "to": days.last.isoformat()}
            for days in window.blackouts
        ],
        "openings": _spans(_openings(plan, window)),
    }


def _spans(openings: Iterable[Opening]) -> list[dict[str, str]]:
    return [
        {"start": moments.as_text(opening.start), "end": moments.as_text(opening.end)}
        for opening in openings
    ]


def _openings(plan: Plan, window: Window) -> Sequence[Opening]:
    found = plan.openings.get(window.timezone)
    if found is not None:
        return found
    # An older plan from a file knows the controller's clock only; the run goes by ours.
    return upcoming(window, window.timezone, plan.made_at or plan.read_at or plan.created_at)


def _opens(window: Window) -> str:
    if isinstance(window.opens, datetime):
        return f"opens once, {window.opens:%Y-%m-%d %H:%M},"
    return f'opens "{window.opens}"'


def _zones(plan: Plan, window: Window) -> str:
    counted = Counter(device.zone or window.timezone for device in plan.devices)
    shown = ", ".join(f"{zone} ({n:,})" for zone, n in counted.most_common(_ZONES))
    hidden = len(counted) - _ZONES
    return f"{shown}, {screen.counted(hidden, 'other')}" if hidden > 0 else shown


def _blackout(days: Blackout) -> str:
    first, last = days.first.isoformat(), days.last.isoformat()
    return first if first == last else f"{first} to {last}"


def _opening(opening: Opening, window: Window) -> str:
    here, there = WallClock(window.timezone), WallClock("UTC")
    start = here.shown(opening.start)
    begins = there.shown(opening.start)
    local = f"{here.full(opening.start)} to {here.after(opening.start, opening.end)}"
    return (
        f"{local} ({there.beside(start, begins)} to {there.after(opening.start, opening.end)} UTC)"
    )
