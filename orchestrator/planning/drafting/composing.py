"""Playbooks that commands write: a command line or a table becomes the text of a playbook.

What is wrong with a value, the playbook's reader says; here it only finds its place.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.model import durations
from orchestrator.model.devices import WRITABLE_FIELDS
from orchestrator.model.secrecy import is_secret
from orchestrator.model.values import Plain, Table
from orchestrator.playbook.conditions import TEXT_FIELDS
from orchestrator.playbook.tables.tables import unwritable

MARK = "# Made by `orchestrator devices"
"""How the text of a composed playbook begins."""

BUDGET = "stop_when: {failure_rate: 20%, after: 10}"
"""When a composed run gives up: equal refusals, of a wrong column perhaps, end it early."""

_MANY_ROWS = 10

_SETTINGS = ("update_frequency", "debug", "firmware_image")
"""Written only after a new device has made contact; whatever else is documented, it is created with."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which devices a command line is about, as a playbook's `devices` has it."""

    organization: tuple[int, ...] = ()
    type: tuple[int, ...] = ()
    status: str | None = None
    last_status_change_from: str | None = None
    where: tuple[str, ...] = ()
    """One condition each, on one line: `field: condition` or `field=value`."""

    @property
    def is_empty(self) -> bool:
        """True when nothing is filtered."""
        return self == Filters()

    def lines(self) -> list[str]:
        """Give them as lines below `devices:`."""
        given: Mapping[str, object] = {
            "organization": self.organization,
            "type": self.type,
            "status": self.status,
            "last_status_change_from": self.last_status_change_from,
        }
        lines = [f"  {name}: {json.dumps(value)}" for name, value in given.items() if value]
        if self.where:
            lines += ["  where:", *(f"    {_condition(each)}" for each in self.where)]
        return lines


def _condition(text: str) -> str:
    """Take `field=value` for `field: value`; whatever else is wrong, the playbook's reader says."""
    name, separator, value = text.partition("=")
    return f"{name}: {value}" if separator and ":" not in name else text


def scalar(value: Plain) -> str:
    """Give a value in YAML, and in JSON as well where it has no control characters of its own."""
    if not isinstance(value, str):
        return json.dumps(value)
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in quoted)


def _escaped(sign: str) -> str:
    code = ord(sign)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four hex digits


_PLAIN = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d+)?|true|false|null")
_QUOTED = re.compile(r'"([^"\\]|\\.)*"')


def typed(field: str, text: str) -> str:
    """Give what somebody typed behind `field=` in YAML: quotes and text fields make a text of it."""
    if _QUOTED.fullmatch(text):
        return text
    is_plain = field not in TEXT_FIELDS and _PLAIN.fullmatch(text)
    return text if is_plain or text == "null" else scalar(text)


def listing(filters: Filters) -> str:
    """Compose a playbook that only chooses devices, none perhaps."""
    chosen = ["  expect: {at_least: 0}", *filters.lines()]
    if filters.is_empty:
        chosen.append("  all: true")
    return _playbook("devices-list", "", chosen, ["- sleep: 1s"], rollout=None)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table by what is done with them."""

    identity: tuple[str, ...]
    """A new device is created with them; secrets are among them."""
    settings: tuple[str, ...]
    """They are written once it has made contact."""
    left_out: tuple[str, ...]
    """The controller keeps these by itself."""
    gaps: frozenset[str]
    """Columns that some row has no value for."""

    @property
    def written(self) -> tuple[str, ...]:
        """Give all that can be written."""
        return (*self.identity, *self.settings)

    @property
    def lasting(self) -> tuple[str, ...]:
        """Give what a device that is there already gets: no secret, and no other organization."""
        return tuple(c for c in self.written if c != "organization_id" and not is_secret(c))


def columns_of(table: Table) -> Columns:
    """Sort a table's columns; those that no row has a value for are in none of them."""
    counts = {column: sum(column in row for row in table.rows.values()) for column in table.columns}
    used = [column for column in table.columns if counts[column] and column != table.key]
    written = [column for column in used if unwritable(column) is None]
    settings = [c for c in written if c in _SETTINGS or not (c in WRITABLE_FIELDS or is_secret(c))]
    return Columns(
        identity=tuple(column for column in written if column not in settings),
        settings=tuple(settings),
        left_out=tuple(column for column in used if unwritable(column) is not None),
        gaps=frozenset(column for column in written if counts[column] < len(table.rows)),
    )


NEEDED = ("name", "customer_id", "type", "organization_id")
"""What a record is created with beside its serial number; the controller refuses it without."""


def importing(table: Table, *, file: str, wait: float | None, exclude: Sequence[int] = ()) -> str:
    """Compose the onboarding of a table's devices: created, waited for, then what their rows say.

    `file` is the table's name beside the playbook; `wait` are seconds for the first contact, None
    does not wait for it. A column with gaps is written by the row, without its empty cells; where
    that would send secrets again, only new devices get it. No organization narrows the listing: a
    serial number that is in use elsewhere has to be seen.
    """
    columns = columns_of(table)
    create = _row_or_fields(columns.identity, columns.gaps)
    steps = [f"- create: {create}"]
    if wait is not None:
        steps += ["- check: {status: up}", f"  within: {durations.as_text(wait)}"]
    new = only_for_new(table)
    updated = [column for column in columns.lasting if column not in new]
    if updated:
        steps.append(f"- update: {_row_or_fields(updated, columns.gaps)}")
    chosen = _with_table(table, file)
    if exclude:
        chosen.append(f"  exclude: {json.dumps(list(exclude))}")
    text = f"Onboard the devices of {table.name}."
    rollout = _budget_of(table)
    if rollout is not None and wait is not None:
        # Devices wait long for their first contact: one by one they would keep each other waiting.
        rollout += ", strict: false"
    return _playbook("devices-import", text, chosen, steps, rollout=rollout)


def only_for_new(table: Table) -> tuple[str, ...]:
    """Name the columns that an import writes into no device that is there: by the row it would send
    the row's secrets again.
    """
    columns = columns_of(table)
    return tuple(c for c in columns.lasting if c in columns.gaps) if table.secrets else ()


def updating_from(table: Table, *, file: str) -> str:
    """Compose a bulk update of the devices that a table has rows for."""
    columns = columns_of(table)
    steps = [f"- update: {_row_or_fields(columns.written, columns.gaps)}"]
    chosen = _with_table(table, file)
    text = f"Update the devices of {table.name}."
    return _playbook("devices-update", text, chosen, steps, rollout=_budget_of(table))


def updating(filters: Filters, fields: Mapping[str, str], *, include: Iterable[int] = ()) -> str:
    """Compose an update of the same fields of many devices; the values are those of `typed`."""
    written = ", ".join(f"{name}: {value}" for name, value in fields.items())
    chosen = [*_included(include), *filters.lines()]
    steps = [f"- update: {{{written}}}"]
    return _playbook("devices-update", f"Update {', '.join(fields)}.", chosen, steps)


def deleting(filters: Filters, *, include: Iterable[int] = (), deactivate_first: bool) -> str:
    """Compose the deletion of devices that are Down, and inactive or made so before."""
    # Conditions, not filters: then the plan tells who is left out because of them.
    own = ("status: down",) if deactivate_first else ("status: down", "is_active: false")
    chosen = [*_included(include), *replace(filters, where=(*filters.where, *own)).lines()]
    steps = ["- deactivate: true"] if deactivate_first else []
    text = "Delete devices that are Down and inactive."
    return _playbook("devices-delete", text, chosen, [*steps, "- delete: true"])


def _budget_of(table: Table) -> str | None:
    """Of a few rows each has its own result: one bad row is no sign that the others are bad too."""
    return BUDGET if len(table.rows) >= _MANY_ROWS else None


def _playbook(
    name: str,
    text: str,
    chosen: Sequence[str],
    steps: Sequence[str],
    *,
    rollout: str | None = BUDGET,
) -> str:
    command = name.replace("-", " ").removeprefix("devices ")
    lines = [f"{MARK} {command}`.", f"playbook: {name}"]
    if text:
        lines.append(f"description: {scalar(text)}")
    lines += ["devices:", *chosen, "steps:", *(f"  {step}" for step in steps)]
    if rollout is not None:
        lines.append(f"rollout: {{{rollout}}}")
    return "\n".join([*lines, ""])


def _included(ids: Iterable[int]) -> list[str]:
    wanted = list(ids)
    return [f"  include: {json.dumps(wanted)}"] if wanted else []


def _with_table(table: Table, file: str) -> list[str]:
    return [f"  with: {scalar('@' + file)}", f"  key: {table.key}"]


def _row_or_fields(columns: Sequence[str], gaps: frozenset[str]) -> str:
    """Name the columns one by one, for a reader; a row without one of them needs the row's own way."""
    if not columns or gaps.intersection(columns):
        return "row"
    fields = (f"{_key(name)}: {scalar(f'${{row.{name}}}')}" for name in columns)
    return "{" + ", ".join(fields) + "}"


_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def _key(name: str) -> str:
    """Leave a name as it is where that can be read: in quotes a misspelt one would be believed."""
    return name if _NAME.fullmatch(name) else scalar(name)


def takes_rows(table: Table) -> bool:
    """Tell whether gaps have some step written by the row: then the table has to hold nothing else."""
    return bool(columns_of(table).gaps)
