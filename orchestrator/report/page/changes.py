"""What the run wrote into records: device by device, field by field, what was and what is."""

from collections.abc import Iterator

from orchestrator.model.operations import Action
from orchestrator.model.secrecy import NEVER_SHOWN, is_secret
from orchestrator.report.differences import Certainty, Deed, DeviceDifferences
from orchestrator.report.page.markup import Cell, group_line, grouped_table, paragraph, section
from orchestrator.report.summary import Summary
from orchestrator.report.tables import device_name
from orchestrator.report.telling_changes import value_of
from orchestrator.report.wording import devices

_DEEDS = {Action.CREATE: "the record was created", Action.DELETE: "the record was deleted"}


def changes(summary: Summary, run_id: str) -> str:
    """Show the changes of the first devices; nothing when the run changed no record."""
    groups = [
        (line, rows)
        for each in summary.changes.shown
        if (rows := list(_rows(each)))
        for line in [_line(summary, each)]
    ]
    if not groups:
        return ""
    hidden = summary.changes.hidden
    told = f"Records of {devices(len(groups) + hidden)} were changed."
    command = f"orchestrator diff {run_id}"
    rest = f"and {hidden:,} more; all of them: {command}" if hidden else ""
    return section(
        "What was changed",
        paragraph(told),
        grouped_table(("field", "before", "after", "how sure"), groups, stacks=True),
        paragraph(rest, "soft"),
    )


def _line(summary: Summary, found: DeviceDifferences) -> str:
    planned = summary.device(found.device)
    return group_line(device_name(summary, found.device), (planned and planned.name) or "")


def _rows(found: DeviceDifferences) -> Iterator[tuple[Cell, ...]]:
    for deed in found.deeds:
        if isinstance(deed.what, Action) and deed.what in _DEEDS:
            yield _DEEDS[deed.what], "", "", _sure(deed.certainty)
            yield from _created(deed)
    for change in found.fields:
        name = change.field
        before = NEVER_SHOWN if is_secret(name) else value_of(name, change.before)
        yield name, before, value_of(name, change.after), _sure(change.certainty)


def _created(deed: Deed) -> Iterator[tuple[Cell, ...]]:
    for name, value in deed.values.items():
        yield name, "", value_of(name, value), _sure(deed.certainty)


def _sure(certainty: Certainty) -> str:
    """What was read back needs no word."""
    match certainty:
        case Certainty.PROVEN:
            return ""
        case Certainty.ACCEPTED:
            return "accepted, not proven"
        case Certainty.IN_DOUBT:
            return "in doubt"
