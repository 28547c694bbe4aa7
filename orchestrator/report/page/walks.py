"""What became of single devices: those in trouble, where the slowest spent their time, each step."""

from collections.abc import Iterator

from orchestrator.model import durations
from orchestrator.model.events import DeviceFinished
from orchestrator.report.lanes import Lane, Phase
from orchestrator.report.page.markup import (
    At,
    Cell,
    group_line,
    grouped_table,
    legend,
    paragraph,
    picture,
    section,
    table,
)
from orchestrator.report.plots import device_lanes
from orchestrator.report.plots import step_times as step_plots
from orchestrator.report.plots.drawing import Ink
from orchestrator.report.summary import Summary
from orchestrator.report.tables import device_name
from orchestrator.report.wording import devices, in_words

_SHOWN = 200
_REASONS_SHOWN = 50
_PHASES = {
    Phase.PROVING: "request sent, proof awaited",
    Phase.SETTLING: "back, has to stay up",
    Phase.IN_DOUBT: "in doubt",
    Phase.RESTING: "to be tried again",
    Phase.BETWEEN: "waiting for its next step",
    Phase.HOLDING: "held, or a step that asks for nothing",
}


def troubles(summary: Summary) -> str:
    """Name the devices that somebody has to look at, by what happened to them."""
    if not summary.in_trouble:
        return ""
    heads = ("device", "id", "serial number", "location", "where", "when")
    groups = summary.reasons.most_common()
    told = f"{devices(summary.in_trouble)} ended in trouble, the commonest reason first."
    hidden = len(groups) - _REASONS_SHOWN
    rows = list(_trouble_groups(summary, groups[:_REASONS_SHOWN]))
    return section(
        "To look at",
        paragraph(told),
        grouped_table(heads, rows, stacks=True),
        paragraph(f"and {hidden:,} more reasons" if hidden > 0 else "", "soft"),
        paragraph(_uncounted(summary), "soft"),
    )


def _uncounted(summary: Summary) -> str:
    """Say of how many the reasons are too many to be kept, and where they stand."""
    uncounted = summary.in_trouble - summary.reasons.total()
    if not uncounted:
        return ""
    told = f"Of these {devices(uncounted)} had yet other reasons"
    return f"{told}; orchestrator report --format csv names every device and its reason."


def _trouble_groups(
    summary: Summary, groups: list[tuple[tuple[str, str], int]]
) -> Iterator[tuple[str, list[tuple[Cell, ...]]]]:
    """Name up to so many devices in all; of each group at least its size is told."""
    members: dict[tuple[str, str], list[DeviceFinished]] = {key: [] for key, _ in groups}
    for end in summary.troubles:
        kept = members.get((end.verdict, end.reason))
        if kept is not None and len(kept) < _SHOWN:
            kept.append(end)
    room = _SHOWN
    for (verdict, reason), count in groups:
        shown = members[verdict, reason][:room]
        room -= len(shown)
        hidden = count - len(shown)
        aside = devices(count)
        if hidden:
            aside += f", {hidden:,} of them not named here; see orchestrator show"
        line = f"{in_words(verdict)}: {reason}" if reason else in_words(verdict)
        yield group_line(line, aside), [_trouble(summary, end) for end in shown]


def _trouble(summary: Summary, end: DeviceFinished) -> tuple[Cell, ...]:
    planned, record = summary.device(end.device), summary.record_id(end.device)
    return (
        (planned and planned.name) or "",
        "new" if record is None else f"{record}",
        (planned and planned.serial_number) or "",
        (planned and planned.location) or "",
        summary.title(end.step),
        At(end.at),
    )


def lanes(summary: Summary) -> str:
    """Show where the time of the failed and of the slowest devices went."""
    shown = summary.lanes.chosen(summary.last_at)
    if not shown:
        return ""
    failed = sum(lane.is_trouble for lane in shown)
    going = sum(lane.verdict is None for lane in shown)
    slowest = len(shown) - failed
    parts = [_failed(failed, summary.in_trouble)] if failed else []
    if slowest:
        parts.append(f"the {slowest:,} slowest of the others" if slowest > 1 else "the slowest one")
    told = f"{' and '.join(parts)}, each from its first act on.".capitalize()
    keys = [
        (device_lanes.PHASE_INKS[phase].variable, "area", _PHASES[phase])
        for phase in Phase
        if any(stretch.phase is phase for lane in shown for stretch in lane.stretches)
    ]
    if failed:
        keys.append((Ink.BAD.variable, "cross", "ended in trouble"))
    if len(shown) > failed + going:
        keys.append((Ink.GOOD.variable, "dot", "ended"))
    drawing = device_lanes.lanes(
        shown,
        name=lambda lane: _name(summary, lane.device),
        end=lambda lane: _end(summary, lane),
        told=told,
    )
    return section("Where their time went", paragraph(told), picture(drawing, legend(keys)))


def _failed(shown: int, in_all: int) -> str:
    if shown < in_all:
        return f"the first {shown:,} of {devices(in_all)} in trouble"
    return "the device in trouble" if in_all == 1 else f"all {devices(in_all)} in trouble"


def _name(summary: Summary, device: int) -> str:
    planned = summary.device(device)
    if planned is None:
        return f"device {device}"
    return planned.name or planned.serial_number or device_name(summary, device)


def _end(summary: Summary, lane: Lane) -> str:
    took = durations.as_text(round(lane.seconds))
    if lane.verdict is None:
        return f"{took}, under way"
    if lane.is_trouble:
        return f"{took}, {in_words(lane.verdict)}, {_short_step(summary, lane.step)}"
    return took if lane.verdict == "succeeded" else f"{took}, {in_words(lane.verdict)}"


def _short_step(summary: Summary, step: int) -> str:
    if summary.rescue_from is not None and step >= summary.rescue_from:
        return f"rescue {step - summary.rescue_from + 1}"
    return f"step {step + 1}"


def step_times(summary: Summary) -> str:
    """Show how long each step took from its first request to its proof."""
    times = summary.step_times()
    if not times:
        return ""
    drawable = step_plots.drawable(summary)
    told = "From a step's first request, or its beginning, to its proof, over the devices that proved it."
    drawing = ""
    if drawable:
        keys = legend(
            [
                (Ink.BAR.variable, "area", "devices"),
                (Ink.INK.variable, "line", "median"),
                (Ink.INK.variable, "dashed", "nine of ten within"),
            ]
        )
        drawing = picture(step_plots.step_times(summary, drawable, told=told), keys)
    rows = (
        (
            each.title,
            each.devices,
            durations.as_text(each.median),
            durations.as_text(each.slowest_tenth),
            durations.as_text(each.longest),
        )
        for each in times
    )
    heads = ("step", "devices", "median", "nine of ten within", "longest")
    return section(
        "How long each step took", paragraph(told), drawing, table(heads, rows, stacks=True)
    )
