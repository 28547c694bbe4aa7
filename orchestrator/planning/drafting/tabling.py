"""A playbook's table against the devices that are there: rows without one, and those that become new."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from msgspec.structs import replace

from orchestrator.engine.choosing.matching import Rejection, printable
from orchestrator.engine.choosing.selecting import Chooser, row_name
from orchestrator.engine.walking.rendering import rendered
from orchestrator.model.devices import Device, DeviceId, device_from_record
from orchestrator.model.errors import SelectionError
from orchestrator.model.operations import Action
from orchestrator.model.playbooks import Playbook
from orchestrator.model.selections import Selection
from orchestrator.model.steps import RecordStep
from orchestrator.model.values import Plain, Table
from orchestrator.planning.tallying import EXAMPLES, counted, some

PROVISIONAL = 2**48
"""Ids from here on stand for devices that have no record yet; no controller counts so far."""

_HASH_BITS = 47


def provisional_id(serial_number: str) -> DeviceId:
    """Give the id by which a plan names a device that is to be created; always the same for a serial number."""
    found = int.from_bytes(blake2b(serial_number.encode(), digest_size=6).digest())
    return DeviceId(PROVISIONAL + (found >> (48 - _HASH_BITS)))


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A device that has no record yet, as it would be after its creation."""

    device: Device
    row: str
    """What names its row."""


class Rows:
    """Remembers which rows of a table some listed record answers to."""

    def __init__(self, playbook: Playbook) -> None:
        self._playbook = playbook
        self._table = playbook.table
        self._owners: dict[str, DeviceId] = {}
        """Rows that a listed device answers to, and the first that does."""
        self._shared: dict[str, list[DeviceId]] = {}
        """Rows that several answer to."""
        self._nearly: dict[str, list[str]] = {}
        """Rows that differ from listed records only in upper and lower case, and how those have it."""
        self._folded = (
            {} if self._table is None else {name.casefold(): name for name in self._table.rows}
        )

    def see(self, device: Device) -> None:
        """Look at one listed record, chosen or not; each device once."""
        if self._table is None:
            return
        name = row_name(self._table, device)
        if name is None:
            return
        if name in self._table.rows:
            first = self._owners.setdefault(name, device.id)
            if first != device.id:
                self._shared.setdefault(name, [first]).append(device.id)
        elif (row := self._folded.get(name.casefold())) is not None:
            self._nearly.setdefault(row, []).append(f"{printable(name)}, device {device.id}")

    def check(self, chosen: Container[DeviceId]) -> None:
        """Raise SelectionError for rows that several of the chosen devices answer to: one is meant, and
        nobody knows which.
        """
        table, found = self._table, []
        if table is None:
            return
        for name, ids in self._shared.items():
            meant = [str(each) for each in ids if each in chosen]
            if len(meant) > 1:
                found.append(_owned(table, name, meant))
        if found:
            more = len(found) - EXAMPLES
            told = "; ".join([*found[:EXAMPLES], *([f"{more} more such rows"] if more > 0 else [])])
            remedy = "key the table by id, or exclude those that are not meant"
            raise SelectionError(
                f"a row of {table.name} is about one device, and nothing was sent: {told}; {remedy}"
            )

    def newcomers(
        self, chooser: Chooser, taken: Iterable[DeviceId]
    ) -> Iterator[tuple[Newcomer, Rejection | None]]:
        """Give, in the table's order, the devices that rows nobody answers to become, and why one of
        them is left out. None but where the playbook creates devices.
        """
        if self._table is None or not self._playbook.creates:
            return
        taken = set(taken)
        elsewhere = Chooser(_placing(self._playbook.selection), 0.0, may_be_new=True)
        for name in self._unowned():
            if name in self._nearly:
                continue
            device = _newcomer(self._playbook, self._table, name)
            while device.id in taken:
                device = replace(device, id=DeviceId(device.id + 1))
            taken.add(device.id)
            found = chooser.unnamed(device)
            if found is None:
                found = elsewhere.rejection(_only_known(device, self._playbook.selection))
            yield Newcomer(device, name), found

    def warnings(self) -> list[str]:
        """Say which rows no device answers to, which answer nearly, and which several answer to."""
        table, found = self._table, []
        if table is None:
            return []
        unowned = [name for name in self._unowned() if name not in self._nearly]
        if unowned and not self._playbook.creates:
            found.append(
                f"{counted(len(unowned), 'row')} of {table.name} without a device among those that"
                f" the controller listed for these filters: {_lines(table, unowned)}"
            )
        if self._nearly:
            pairs = [
                f"{printable(row)} (line {table.lines.get(row, 0)}): did you mean {' or '.join(names)}?"
                for row, names in self._nearly.items()
                if row not in self._owners
            ]
            if pairs:
                found.append(
                    f"{counted(len(pairs), 'row')} of {table.name} written otherwise than the"
                    f" controller has it, and so without a device: {some(pairs, len(pairs))}"
                )
        if self._shared:
            shared = list(self._shared.items())
            told = [_owned(table, name, list(map(str, ids))) for name, ids in shared[:EXAMPLES]]
            found.append(
                f"{counted(len(shared), 'row')} of {table.name} that several listed devices answer to, of"
                f" which one at most is chosen: {some(told, len(shared))}"
            )
        return found

    def _unowned(self) -> list[str]:
        table = self._table
        return [] if table is None else [name for name in table.rows if name not in self._owners]


def name_of(device: Device) -> str:
    """Name a device in a list of examples: by its id, or by its serial number before it has one."""
    is_new = device.id >= PROVISIONAL and device.serial_number is not None
    return printable(device.serial_number) if is_new else str(device.id)


def _lines(table: Table, names: Sequence[str]) -> str:
    told = [f"{printable(name)} (line {table.lines.get(name, 0)})" for name in names[:EXAMPLES]]
    return some(told, len(names))


def _owned(table: Table, name: str, ids: Sequence[str]) -> str:
    line = table.lines.get(name, 0)
    return f"{printable(name)} (line {line}) is the {table.key} of devices {some(ids, len(ids))}"


def _newcomer(playbook: Playbook, table: Table, name: str) -> Device:
    """Give the record as the row and the values of the `create` step make it; its status is unknown."""
    row = table.rows[name]
    fields: dict[str, Plain] = {c: v for c, v in row.items() if c not in table.secrets}
    for step in playbook.steps:
        if isinstance(step, RecordStep) and step.action is Action.CREATE:
            fields |= rendered(step, None, row, table=table).fields
    passing = ("id", "status", "pending_settings", "last_connection")
    kept = {field: value for field, value in fields.items() if field not in passing}
    return device_from_record({**kept, "id": provisional_id(name), "serial_number": name})


def _placing(selection: Selection) -> Selection:
    """Give what a selection says of where devices belong, which holds for new ones too."""
    return Selection(organizations=selection.organizations, types=selection.types, everything=True)


def _only_known(device: Device, selection: Selection) -> Device:
    """Give the record with whatever its row leaves to the controller as the selection wants it."""
    fields = dict(device.fields)
    if selection.organizations:
        fields.setdefault("organization_id", selection.organizations[0])
    if selection.types:
        fields.setdefault("type", selection.types[0])
    return replace(device, fields=fields)
