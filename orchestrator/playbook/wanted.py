"""The language of a wanted state: which devices, and what their records should say.

```yaml
wanted: branch-standard
devices: {organization: 123, type: 15}        # as in a playbook, a table with `with` and `key` too
fields:
  is_active: true
  location_name: "${row.site}"                # what the device's row says
  software_version: {at_least: "2.5"}         # any condition that `where` takes
```
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator.model.errors import Fault, PlaybookError
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.secrecy import is_secret
from orchestrator.model.selections import Condition, Equals, Selection
from orchestrator.playbook import composing
from orchestrator.playbook.checking import contradict, said
from orchestrator.playbook.composing import Bounds, Scalar, compose
from orchestrator.playbook.conditions import Conditions, Demands
from orchestrator.playbook.decoding import decoded
from orchestrator.playbook.faults import Faults, Place, nearest
from orchestrator.playbook.loading import ReadFile, load_playbook
from orchestrator.playbook.shapes import INVALID, JsonSchema, Key, Keys, Spot
from orchestrator.playbook.values import Text

_COLUMN = re.compile(r"\$\{row\.([^}]+)\}")
_BOUNDS = Bounds(
    "wanted state",
    composing.MAX_CHARACTERS,
    composing.MAX_NODES,
    "a wanted state begins with `wanted: a-name`",
)
_MOST_BYTES = 16 * 1024 * 1024
_BUILT_IN = ("id", "uuid")
"""Fields that no device ever changes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the records of some devices should say."""

    name: str
    description: str
    playbook: Playbook
    """Holds the selection and the table; its steps do nothing."""
    source: PlaybookSource
    conditions: tuple[Condition, ...]
    columns: Mapping[str, str]
    """Fields that should say what a column of the device's row says."""


def load_wanted(path: Path, read_file: ReadFile = Path.read_bytes) -> Wanted:
    """Read a wanted state and the files it names.

    Raises PlaybookError with all faults, also when the file itself cannot be read.
    """
    shown, text = str(path), _text(path, read_file)
    faults = Faults(shown, text)
    spot, values = _values(text, faults)
    _check_lines(spot, faults)
    own = _faults_of(faults)
    try:
        chosen = _devices_alone(spot.node, text)
        playbook, source = load_playbook(path, {}, _instead(path, chosen, read_file))
    except PlaybookError as error:
        found = [*own, *error.faults]
        raise PlaybookError(_in_order(shown, found)) from error
    demands: _Fields = values.get("fields", _Fields((), {}, {}))
    _check_columns(demands, playbook, faults)
    _check_choice(demands, playbook, faults)
    faults.raise_if_any()
    name, description = values["wanted"], values.get("description", "").strip()
    return Wanted(name, description, playbook, source, demands.conditions, demands.columns)


def _text(path: Path, read_file: ReadFile) -> str:
    # Asked before reading: a device or a pipe would never end, a huge file fill the memory.
    if path.exists() and not path.is_file():
        raise _unread(path, "cannot be read: it is not a file")
    try:
        raw = read_file(path) if not path.exists() or path.stat().st_size < _MOST_BYTES else None
    except FileNotFoundError as error:
        raise _unread(path, "does not exist") from error
    except OSError as error:
        raise _unread(path, f"cannot be read: {error.strerror or error}") from error
    if raw is None:
        raise _unread(path, "cannot be read: it is too large")
    try:
        return decoded(raw)
    except OSError as error:
        raise _unread(path, f"cannot be read: {error}") from error


def _unread(path: Path, why: str) -> PlaybookError:
    return PlaybookError([Fault(str(path), 1, 1, "", f"the wanted state {why}")])


def _values(text: str, faults: Faults) -> tuple[Spot, Mapping[str, Any]]:
    root = compose(text, faults, _BOUNDS)
    if root is None:
        faults.raise_if_any()
    assert root is not None, "an unreadable text has a fault"
    spot = Spot(root, "", Place(1, 1), faults, _no_files)
    values = _WANTED.read(spot)
    if values is INVALID:
        faults.raise_if_any()
    return spot, values


def _check_lines(spot: Spot, faults: Faults) -> None:
    """Raise PlaybookError where the devices cannot be read by themselves."""
    node = spot.node
    entries = node.entries if isinstance(node, composing.Mapping) else ()
    lines = [entry.key.place.line for entry in entries]
    if len(set(lines)) < len(lines):
        hint = "write `wanted:`, `devices:` and `fields:` below one another"
        faults.add(spot.place, "", "each key of a wanted state begins a line of its own", hint)
        faults.raise_if_any()
    if isinstance(node, composing.Mapping) and node.get("devices") is None:
        faults.raise_if_any()


def _no_files(name: str) -> str:
    raise FileNotFoundError(f"the file {name!r} is read with the devices")


def _faults_of(faults: Faults) -> list[Fault]:
    try:
        faults.raise_if_any()
    except PlaybookError as error:
        return list(error.faults)
    return []


def _in_order(path: str, faults: list[Fault]) -> list[Fault]:
    return sorted(dict.fromkeys(faults), key=lambda f: (f.path != path, f.path, f.line, f.column))


def _devices_alone(root: composing.Node, text: str) -> str:
    """Make a playbook of the devices alone, each line where it stands: nothing about them differs."""
    lines = text.split("\n")
    entries = root.entries if isinstance(root, composing.Mapping) else ()
    starts = sorted(entry.key.place.line for entry in entries)
    begins = next((e.key.place.line for e in entries if e.key.text == "devices"), len(lines) + 1)
    ends = next((line for line in starts if line > begins), len(lines) + 1)
    kept = [line if begins <= number < ends else "" for number, line in enumerate(lines, 1)]
    return "\n".join([*kept, "playbook: wanted", "steps:", "  - sleep: 1s", ""])


def _instead(path: Path, text: str, read_file: ReadFile) -> ReadFile:
    return lambda asked: text.encode() if asked == path else read_file(asked)


@dataclass(frozen=True, slots=True)
class _Fields:
    conditions: tuple[Condition, ...]
    columns: Mapping[str, str]
    places: Mapping[str, Spot]


@dataclass(frozen=True, slots=True)
class _WantedFields:
    """Fields of the record: a value, a condition, or a column of the device's row."""

    conditions = Conditions("fields of the record and what they should say")

    def read(self, spot: Spot) -> Any:
        node = spot.node
        if not isinstance(node, composing.Mapping) or not node.entries:
            hint = "write one field a line, such as `is_active: true`"
            return spot.fault("expected fields of the record and what they should say", hint)
        found: list[Condition] = []
        columns: dict[str, str] = {}
        places: dict[str, Spot] = {}
        for entry in node.entries:
            name = entry.key.text
            places[name] = spot.entry(entry)
            if is_secret(name):
                hint = "rotate-credentials.yaml sets secrets"
                spot.at_key(entry).fault(f"{name} is a secret: no record ever shows it", hint)
            elif (column := _column(spot.entry(entry))) is not None:
                columns[name] = column
            else:
                alone = replace(spot, node=replace(node, entries=(entry,)))
                demands = self.conditions.read(alone)
                if isinstance(demands, Demands):
                    found += [each for tests in demands.conditions.values() for each in tests]
        return _Fields(tuple(found), columns, places)

    def schema(self) -> JsonSchema:
        return self.conditions.schema()


def _column(spot: Spot) -> str | None:
    """Give the column that a value refers to; None when it is a value of its own."""
    node = spot.node
    if not isinstance(node, Scalar) or "${" not in node.text:
        return None
    found = _COLUMN.fullmatch(node.text.strip())
    if found is None:
        spot.fault(
            f"{node.text!r} is no value: only a column of the device's row is known here",
            'write "${row.column}" alone, or the value itself',
        )
        return ""
    return found.group(1)


@dataclass(frozen=True, slots=True)
class _ReadElsewhere:
    """The devices: read as a playbook's, by the playbook's own reader."""

    def read(self, _spot: Spot) -> Any:
        return True

    def schema(self) -> JsonSchema:
        return {"type": "object"}


_WANTED = Keys(
    {
        "wanted": Key(
            Text(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,80}", "a name of letters, digits and . _ -"),
            "Name of the wanted state.",
            is_required=True,
        ),
        "description": Key(Text(), "What it is for, for people."),
        "devices": Key(_ReadElsewhere(), "Which devices, as in a playbook.", is_required=True),
        "fields": Key(_WantedFields(), "What their records should say.", is_required=True),
    },
    "a wanted state",
    {
        "playbook": "this is a wanted state; carry a playbook out with `run`",
        "steps": "a wanted state does nothing; `drift -o FILE` makes the playbook that does",
        "where": "it stands under `devices`",
        "with": "it stands under `devices`",
        "key": "it stands under `devices`",
        "name": "the name stands behind `wanted:`",
    },
)


def _check_columns(fields: _Fields, playbook: Playbook, faults: Faults) -> None:
    """Refuse a column that no table has, and another value for what names the rows."""
    table = playbook.table
    for name, column in fields.columns.items():
        spot = fields.places[name]
        if not column:
            continue
        if table is None:
            hint = 'name one under `devices`, such as `with: "@sites.csv"`'
            spot.fault(f"${{row.{column}}} is a column, and there is no table", hint)
        elif column not in table.columns:
            hint = nearest(column, list(table.columns))
            spot.fault(f"{table.name} has no column {column!r}", hint)
        elif column in table.secrets:
            spot.fault(f"{column} is a secret column: no record ever shows its value")
    if table is None or table.key not in fields.places:
        return
    if fields.columns.get(table.key) != table.key:
        what = f"the rows of {table.name} name devices by {table.key}, so it cannot be another"
        faults.add(fields.places[table.key].place, f"fields.{table.key}", what, "remove it")


def _check_choice(fields: _Fields, playbook: Playbook, faults: Faults) -> None:
    """Refuse a state that no chosen device can ever have: it would no longer be chosen."""
    chosen = _choices(playbook.selection)
    for condition in fields.conditions:
        name, wanted = condition.field, said(condition.test)
        for choice in chosen:
            if choice.field == name and contradict(choice.test, condition.test):
                what = f"the selection chooses {name} {said(choice.test)} and fields want {wanted}"
                never = f"{name} never changes; remove it"
                hint = never if name in _BUILT_IN else "choose by something else"
                spot = fields.places[name]
                faults.add(spot.place, spot.key, f"no device can be so: {what}", hint)
                break


def _choices(selection: Selection) -> list[Condition]:
    """Give what a selection says of fields, whatever words it uses for that."""
    status = () if selection.status is None else (selection.status,)
    listed: dict[str, tuple[str | int, ...]] = {
        "status": status,
        "organization_id": selection.organizations,
        "type": selection.types,
    }
    named = [Condition(field, Equals(values)) for field, values in listed.items() if values]
    return [*named, *selection.where]
