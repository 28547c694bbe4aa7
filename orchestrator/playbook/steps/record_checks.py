"""Contradictions between the steps on records, the table, and what they may be used for."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.model.devices import Status
from orchestrator.model.operations import Action
from orchestrator.model.policies import Guard
from orchestrator.model.selections import Condition, Equals
from orchestrator.model.values import Origin, Table, Template
from orchestrator.playbook.faults import nearest
from orchestrator.playbook.shapes import Spot, spot_at
from orchestrator.playbook.steps.proofs import shows_field
from orchestrator.playbook.steps.records import ACTIONS, Given, action_of, given_of
from orchestrator.playbook.steps.sequences import ReadStep
from orchestrator.playbook.tables.cells import Wrong, is_typed, value_of
from orchestrator.playbook.tables.tables import unwritable

_UP = Equals((Status.UP,))


def check_records(
    spot: Spot, values: Mapping[str, Any], guard: Guard, table: Table | None, chosen: Any
) -> None:
    """Note what is wrong with the steps that change records; `chosen` are the selection's conditions."""
    steps = values.get("steps", ())
    rescue = values.get("rescue", ())
    devices = values.get("devices", {})
    for sequence in (steps, rescue):
        for kind, step, at in sequence:
            if kind in ACTIONS:
                _check_step(kind, step, at, table, has_table="with" in devices)
    _check_creation(steps, devices)
    _check_deletion(spot, steps, guard, chosen)
    for kind, step, at in rescue:
        _check_rescued(kind, step, at)


def _check_step(
    kind: str, step: Mapping[str, Any], at: Spot, table: Table | None, *, has_table: bool
) -> None:
    given = given_of(kind, step)
    here = spot_at(at, kind)
    if len(given.flags) > 1:
        names = " and ".join(flag.value for flag in given.flags)
        spot_at(here, given.flags[1].value).fault(
            f"one request sets one flag, this sets {names}", "make two steps"
        )
    _check_rows(kind, given, here, table, has_table=has_table)
    _check_firmware(kind, step, given, at, table)


def _check_rows(kind: str, given: Given, at: Spot, table: Table | None, *, has_table: bool) -> None:
    takes = [(given.spots[f], r) for f, r in given.references if r.origin is Origin.ROW]
    if not has_table:
        spots = [at] if given.takes_row else []
        for spot in [] if kind == "create" else spots + [spot for spot, _ in takes]:
            spot.fault(
                "there is no row: the playbook has no table",
                'name it under `devices`, as `with: "@sites.csv"`',
            )
        return
    if table is None:  # it has faults of its own
        return
    for spot, reference in takes:
        if reference.name not in table.columns:
            spot.fault(
                f"{table.name} has no column {reference.name!r}",
                nearest(reference.name, table.columns),
            )
    if given.takes_row:
        _check_whole_row(kind, at, table)
    for each in given.assignments:
        _check_cells(each.field, each.value, given, table)


def _check_whole_row(kind: str, at: Spot, table: Table) -> None:
    if len(table.columns) == 1:
        at.fault(f"{table.name} has no column but its key, so nothing would be written")
    for column in table.columns:
        wrong = unwritable(column) if column != table.key else None
        if wrong:
            at.fault(
                f"{kind}: row would write the column {column} of {table.name}: {wrong[0]}",
                f"remove the column, or name what is written: `{kind}: {{description:"
                ' "${row.description}"}`',
            )


def _check_cells(field: str, value: object, given: Given, table: Table) -> None:
    """Hold the cells of a column against the field that they are written into."""
    if not isinstance(value, Template) or len(value.parts) != 1 or not is_typed(field):
        return
    (part,) = value.parts
    if isinstance(part, str) or part.origin is not Origin.ROW or part.name == field:
        return
    for key, row in table.rows.items():
        cell = row.get(part.name)
        if cell is None:
            continue
        found = value_of(field, str(cell), is_text=False)
        if isinstance(found, Wrong):
            line = table.lines[key]
            given.spots[field].fault(
                f"{part.name} in line {line} of {table.name} is no {field}: {found.message}",
                f"a column named {field} is checked cell by cell",
            )
            return


def _check_firmware(
    kind: str, step: Mapping[str, Any], given: Given, at: Spot, table: Table | None
) -> None:
    columns = table.columns if given.takes_row and table else ()
    if "firmware_image" not in (*given.fields, *columns):
        return
    here = spot_at(at, kind, "firmware_image")
    if kind != "update":
        here.fault(
            f"firmware_image is scheduled by an update alone, and this is a {kind}",
            "write `- update: {firmware_image: 7}` and what proves it",
        )
        return
    if action_of(kind, step, table) is Action.UPGRADE and given.flags:
        spot_at(at, kind, given.flags[0].value).fault(
            "a device that takes its firmware goes out of service by itself,"
            f" {given.flags[0].value} would do so twice",
            "remove it, or make two steps",
        )
    if not shows_field(step.get("proof", {}), ["software_version"]):
        here.fault(
            "that an image is scheduled does not say that the device runs it",
            'add `proof: {shows: {software_version: "2.5"}}` with the version of the image',
        )


def _check_creation(steps: Sequence[ReadStep], devices: Mapping[str, Any]) -> None:
    for index, (kind, step, at) in enumerate(steps):
        if kind != "create":
            continue
        here = spot_at(at, kind)
        if index:
            here.fault(
                "what is created is new, so no step can come before it",
                "make create the first step",
            )
        if "with" not in devices:
            here.fault(
                "there is no table whose rows could become devices",
                'name it under `devices`, as `with: "@new.csv"`',
            )
        elif devices.get("key", "serial_number") != "serial_number":
            here.fault(
                f"a new device is known by its serial number, and the table by {devices['key']}",
                "write `key: serial_number`, or remove `key`",
            )
        given = given_of(kind, step)
        if "serial_number" in given.fields:
            given.spots["serial_number"].fault(
                "serial_number is the table's key, so each new device has its own already",
                "remove it",
            )


def _check_deletion(
    spot: Spot, steps: Sequence[ReadStep], guard: Guard, chosen: Sequence[tuple[Any, Condition]]
) -> None:
    for index, (kind, _, at) in enumerate(steps):
        if kind != "delete":
            continue
        if index != len(steps) - 1:
            spot_at(at, kind).fault(
                "a deleted device has nothing left to do, so no step can follow",
                "make delete the last step",
            )
        demands_down = any(each.field == "status" and _refuses_up(each) for each in guard.delete)
        for path, condition in chosen:
            if demands_down and condition.field == "status" and condition.test == _UP:
                spot_at(spot, "devices", *path).fault(
                    "devices that are Up would be deleted, and somebody may be using them",
                    "write `status: down`, or `guard: {status: any}` if such devices are meant",
                )


def _refuses_up(condition: Condition) -> bool:
    return isinstance(condition.test, Equals) and Status.UP not in condition.test.values


def _check_rescued(kind: str, step: Mapping[str, Any], at: Spot) -> None:
    if kind in ("create", "delete"):
        spot_at(at, kind).fault(
            f"a rescue brings a device back, and {kind} does not",
            "rescue with an operation or an update, look with check, or hand over with escalate",
        )
    for flag in given_of(kind, step).flags:
        if flag.is_destructive:
            spot_at(at, kind, flag.value).fault(
                f"{flag.value} wipes the device, and a rescue brings back what is left of it",
                "rescue with reboot, sync or reconf, or look with check",
            )
