"""Rows that name another organization than the one their device is in."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.model.devices import DeviceId
    from orchestrator.model.plans import Plan
    from orchestrator.model.values import Table


def misplaced(plan: "Plan", table: "Table") -> "dict[DeviceId, str]":
    """Give the planned devices that are in another organization than their rows say, and the sentence.

    A record that does not tell its organization is taken for where the row has it. Raises
    SelectionError when no other device would be left.
    """
    from orchestrator.model.errors import SelectionError

    found: dict[DeviceId, str] = {}
    for planned in plan.devices:
        record, name = plan.records.get(planned.id), planned.serial_number
        if planned.is_new or record is None or name is None or name not in table.rows:
            continue
        wanted, there = table.rows[name].get("organization_id"), record.value("organization_id")
        if isinstance(there, int) and isinstance(wanted, int) and there != wanted:
            found[planned.id] = (
                f"{name} (line {table.lines.get(name, 0)}) is left out: its row names organization"
                f" {wanted}, and device {planned.id} is in {there}"
            )
    if found and len(found) == len(plan.devices):
        raise SelectionError("nothing was sent: " + "\n  ".join(list(found.values())))
    return found
