"""When a plan may start devices: its window in words, and its next openings."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from orchestrator.cli import screen
from orchestrator.engine.rollout.windowing import upcoming
from orchestrator.model import durations, moments
from orchestrator.model.plans import Plan
from orchestrator.model.windows import Blackout, Opening, Window

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
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
        "openings": [
            {"start": moments.as_text(opening.start), "end": moments.as_text(opening.end)}
            for opening in _openings(plan, window)
        ],
    }


def _openings(plan: Plan, window: Window) -> list[Opening]:
    # A plan from a file knows the controller's clock only; the run goes by ours.
    return upcoming(window, window.timezone, plan.read_at or plan.created_at)


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
    start, end = _shown(opening, ZoneInfo(window.timezone))
    begins, ends = _shown(opening, UTC)
    here = f"{_DAYS[start.weekday()]} {start:%Y-%m-%d %H:%M} to {_moment(start, end)}"
    there = f"{_moment(start, begins)} to {_moment(begins, ends)} UTC"
    return f"{here} ({there})"


def _shown(opening: Opening, zone: tzinfo) -> tuple[datetime, datetime]:
    return datetime.fromtimestamp(opening.start, zone), datetime.fromtimestamp(opening.end, zone)


def _moment(start: datetime, end: datetime) -> str:
    """Write a time of day, with its day only where that is another one."""
    if start.date() == end.date():
        return f"{end:%H:%M}"
    return f"{_DAYS[end.weekday()]} {end:%m-%d %H:%M}"
