"""All devices of a world: by id, by serial number, and by what the list filters on."""

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.model.operations import Operation
from orchestrator.simulator.devices import SimulatedDevice
from orchestrator.simulator.fleet import Member
from orchestrator.simulator.ledger import Ledger


class Population:
    """The devices and what is done to them; every look advances the device to the given moment."""

    def __init__(
        self, fleet: Iterable[Member], ledger: Ledger, *, seed: int, started_at: float
    ) -> None:
        self.ledger = ledger
        self.seed = seed
        self.started_at = started_at
        self._devices = {member.id: SimulatedDevice(member, seed, started_at) for member in fleet}
        self._by_serial = {each.fields["serial_number"]: each.id for each in self._devices.values()}
        self._highest = max(self._devices, default=1000)
        self._groups: dict[tuple[int | None, int | None], Sequence[SimulatedDevice]] = {}

    def __len__(self) -> int:
        return len(self._devices)

    def __contains__(self, identity: int) -> bool:
        return identity in self._devices

    def device(self, identity: int, now: float) -> SimulatedDevice | None:
        """Give one device as it is now; None when there is none with this id."""
        found = self._devices.get(identity)
        if found is not None:
            found.advance(now)
        return found

    def group(
        self, organizations: frozenset[int] | None, organization: int | None, type_id: int | None
    ) -> Sequence[SimulatedDevice]:
        """Give the devices of an organization and a type in order of id, not advanced."""
        if organization is None and organizations is not None:
            return [
                each
                for each in self.group(None, None, type_id)
                if each.fields["organization_id"] in organizations
            ]
        key = (organization, type_id)
        found = self._groups.get(key)
        if found is None:
            found = self._groups[key] = [
                each
                for _, each in sorted(self._devices.items())
                if organization in (None, each.fields["organization_id"])
                and type_id in (None, each.fields["type"])
            ]
        return found

    def has_serial(self, serial: object, *, other_than: int | None = None) -> bool:
        """Tell whether a serial number is taken, by another device than the one named."""
        return self._by_serial.get(serial) not in (None, other_than)

    def start(self, device: SimulatedDevice, operation: Operation, now: float) -> None:
        """Take an operation on for a device that has been advanced to now."""
        device.start(self.ledger.note_applied(device.id, operation, now))
        device.advance(now)

    def next_id(self) -> int:
        """Give the id that the next record will have."""
        return self._highest + 1

    def add(self, member: Member, now: float) -> SimulatedDevice:
        """Take a new record in."""
        device = SimulatedDevice(member, self.seed, now)
        self._devices[member.id] = device
        self._highest = max(self._highest, member.id)
        self._by_serial[member.fields["serial_number"]] = member.id
        self._groups.clear()
        return device

    def edit(self, device: SimulatedDevice, fields: Mapping[str, object], now: float) -> None:
        """Give a record other contents."""
        self._by_serial.pop(device.fields["serial_number"], None)
        device.edit(fields, now)
        self._by_serial[fields["serial_number"]] = device.id
        self._groups.clear()

    def remove(self, device: SimulatedDevice) -> None:
        """Forget a record; the ledger remembers what was done to it."""
        del self._devices[device.id]
        self._by_serial.pop(device.fields["serial_number"], None)
        self._groups.clear()

    def settle(self, now: float) -> None:
        """Advance every device that an operation was applied to, so that the ledger is complete."""
        for identity in self.ledger.touched():
            self.device(identity, now)
