"""Playbooks that this program writes: what they do, to whom and how to undo it stands at their top."""

import json
from collections.abc import Mapping, Sequence

from orchestrator.engine.choosing.matching import printable
from orchestrator.model import durations
from orchestrator.model.devices import DeviceId
from orchestrator.model.playbooks import PlaybookSource
from orchestrator.model.policies import RequestLimits
from orchestrator.model.secrecy import is_secret
from orchestrator.model.values import Plain
from orchestrator.planning.tallying import counted, some
from orchestrator.playbook.tables.cells import (
    READ_ONLY_FIELDS,
    Wrong,
    near_writable,
    null_of,
    value_of,
)

ROLLBACK_TABLE = "rollback.jsonl"

Rows = Mapping[DeviceId, Mapping[str, Plain]]


def rollback_source(
    run_id: str, playbook: str, rows: Rows, limits: RequestLimits
) -> PlaybookSource:
    """Write the playbook that puts these values back after a run, whole with its table.

    It keeps to the run's request limits. Its path is no file's: its source tells that.
    """
    name = f"rollback-of-{run_id}"
    devices = counted(len(rows), "device")
    text = "\n".join(
        [
            *header(
                f"Puts back what run {run_id} ({playbook}) changed in records: {fields_of(rows)}.",
                f"{devices}, the one that was changed last first.",
                "roll back the run that carries this out.",
            ),
            f"playbook: {name}",
            f"description: {text_value(f'Puts back what run {run_id} changed.')}",
            *selection_of(ROLLBACK_TABLE, len(rows)),
            "steps:",
            "  - update: row",
            "snapshots: record",
            *_requests(limits),
            "",
        ]
    )
    return PlaybookSource(f"<{name}>", text, {}, {ROLLBACK_TABLE: table_of(rows)})


def header(what: str, to_whom: str, to_undo: str, *notes: str) -> list[str]:
    """Give the comment at the top of a playbook."""
    lines = [
        f"# What it does   {what}",
        f"# To whom        {to_whom}",
        f"# To undo it     {to_undo}",
    ]
    return [*lines, *(f"# {printable_line(note)}" for note in notes)]


def printable_line(text: str) -> str:
    """Give text that can stand in a comment: one line, however long."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def selection_of(table: str, devices: int) -> list[str]:
    """Choose the devices of a table by their ids."""
    return [
        "devices:",
        f'  with: "@{table}"',
        "  key: id",
        f"  expect: {{at_most: {devices}}}",
    ]


def table_of(rows: Rows) -> str:
    """Write one JSON object a line, a device each, so that values keep their types."""
    lines = (json.dumps({"id": device, **fields}) for device, fields in rows.items())
    return "".join(f"{line}\n" for line in lines)


def fields_of(rows: Rows) -> str:
    """Name the fields that rows write."""
    names = sorted({name for fields in rows.values() for name in fields})
    return some([printable(name) for name in names], len(names))


def text_value(text: str) -> str:
    """Write text as a YAML value in which no variable is looked for."""
    return json.dumps(text.replace("${", "$${"))


def _requests(limits: RequestLimits) -> Sequence[str]:
    per_second = "none" if limits.per_second is None else f"{limits.per_second:g}"
    return [
        "requests:",
        f"  delay: {durations.as_text(limits.delay)}",
        f"  in_flight: {limits.in_flight}",
        f"  per_second: {per_second}",
    ]


def unfit(field: str, value: object) -> bool:
    """Say whether a value cannot stand in a generated table: it is none that its field takes."""
    if near_writable(field) is not None or field in READ_ONLY_FIELDS or is_secret(field):
        return True
    if value is None:
        return isinstance(null_of(field), Wrong)
    if not isinstance(value, str | int | float | bool):
        return True
    is_text = isinstance(value, str)
    text = value if isinstance(value, str) else json.dumps(value)
    return isinstance(value_of(field, text, is_text=is_text), Wrong)
