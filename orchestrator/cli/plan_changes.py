"""What has changed since a plan was made, as text for people and as an object for programs."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from orchestrator.cli import screen
from orchestrator.cli.plan_layout import clipped
from orchestrator.model import moments
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.planning.drafting.changing import Changes, ValueChange

_FEW = 20


def lines(found: Changes, was: Plan, now: Plan, path: Path, *, everyone: bool) -> Iterator[str]:
    """Tell what differs, the devices all or a sample of them; one line when nothing does."""
    made, read = moments.as_short_text(was.made_at), moments.as_short_text(now.made_at)
    if not found.is_any:
        count = screen.counted(found.unchanged, "device")
        yield f"Nothing has changed since {path} was made at {made}: {count}, as they were."
        return
    yield f"{path}, made at {made}, against what is there at {read}:"
    yield from _few("Playbook", [str(each) for each in found.lines])
    yield from _few("Variables", [str(each) for each in found.variables])
    yield from _few("Limits", [str(each) for each in found.limits])
    yield from _devices("In", [(each, "") for each in found.arrived], everyone=everyone)
    gone = [(each.device, each.reason) for each in found.departed]
    yield from _devices("Out", gone, everyone=everyone)
    changed = [(each.device, "; ".join(map(str, each.values))) for each in found.changed]
    yield from _devices("Changed", changed, everyone=everyone)
    yield ""
    yield f"As they were: {screen.counted(found.unchanged, 'device')}"


def _few(title: str, told: Sequence[str]) -> Iterator[str]:
    if told:
        yield ""
        yield f"{title}:"
        yield from (f"  {each}" for each in told)


def _devices(
    title: str, told: Sequence[tuple[PlannedDevice, str]], *, everyone: bool
) -> Iterator[str]:
    if not told:
        return
    shown = told if everyone else told[:_FEW]
    rows = [
        ("new" if d.is_new else d.id, clipped(d.serial_number), clipped(d.name), reason)
        for d, reason in shown
    ]
    yield ""
    yield f"{title} ({len(told):,}):"
    yield from (f"  {line}" for line in screen.table(("", "", "", ""), rows, limit=screen.width()))
    if len(told) > len(shown):
        yield f"  and {len(told) - len(shown):,} more; --all lists everyone"


def as_object(found: Changes, was: Plan, now: Plan, path: Path, digest: str) -> dict[str, object]:
    """Give the same to programs, with every device."""
    return {
        "against": str(path),
        "digest": digest,
        "made_at": moments.as_text(was.made_at),
        "compared_at": moments.as_text(now.made_at),
        "any": found.is_any,
        "playbook": [
            {"path": each.path, "line": each.line, "was": each.was, "is": each.now}
            for each in found.lines
        ],
        "variables": _values(found.variables),
        "limits": _values(found.limits),
        "in": [_device(each) for each in found.arrived],
        "out": [{**_device(each.device), "reason": each.reason} for each in found.departed],
        "changed": [
            {**_device(each.device), "values": _values(each.values)} for each in found.changed
        ],
        "unchanged": found.unchanged,
    }


def _values(values: Iterable[ValueChange]) -> list[dict[str, str]]:
    return [{"name": each.name, "was": each.was, "is": each.now} for each in values]


def _device(device: PlannedDevice) -> dict[str, object]:
    return {"device": device.id, "serial_number": device.serial_number, "name": device.name}
