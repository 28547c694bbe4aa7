"""All devices of a world: by id, serial number and name, and by what the list filters on."""

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.model.operations import Action, Operation
from orchestrator.simulator.chance import uniform
from orchestrator.simulator.devices import SimulatedDevice
from orchestrator.simulator.fleet import FIRMWARE, FleetPlan, Member, make_member
from orchestrator.simulator.images import Image
from orchestrator.simulator.ledger import Ledger
from orchestrator.simulator.records import BLANK


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
        self._by_name: dict[object, set[int]] | None = None
        """Made when a name is looked for the first time."""
        self._leaving: list[SimulatedDevice] = []
        """Devices that may yet make contact under another id."""
        self._successors: dict[int, int] = {}
        self._predecessors: dict[int, int] = {}

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

    def with_serial(self, serial: str) -> int | None:
        """Give the id of the latest record with this serial number."""
        return self._by_serial.get(serial)

    def with_name(self, name: str) -> int | None:
        """Give the id of the record with exactly this name; the lowest where there are several."""
        if self._by_name is None:
            self._by_name = {}
            for each in self._devices.values():
                self._by_name.setdefault(each.fields["name"], set()).add(each.id)
        return min(self._by_name.get(name, ()), default=None)

    def present_id(self, identity: int) -> int:
        """Give the id under which the same device makes contact now."""
        while identity in self._successors:
            identity = self._successors[identity]
        return identity

    def has_serial(self, serial: object) -> bool:
        """Tell whether a serial number is taken."""
        return serial in self._by_serial

    def start(self, device: SimulatedDevice, operation: Operation, now: float) -> None:
        """Take an operation on for a device that has been advanced to now."""
        device.start(self.ledger.note_applied(device.id, operation, now))
        if operation.is_destructive and device.temperament.takes_new_id:
            self._leaving.append(device)
        device.advance(now)

    def upgrade(self, device: SimulatedDevice, image: object, now: float) -> None:
        """Have a device take a known firmware image, unless it runs that version; None: take none."""
        version = FIRMWARE[image][1] if isinstance(image, int) else None
        if version in (None, device.fields["software_version"]):
            device.schedule(None, now)
            return
        applied = self.ledger.note_applied(device.id, Action.UPGRADE, now)
        device.schedule(Image(str(version), applied), now)
        device.advance(now)

    def refresh(self, device: SimulatedDevice, now: float) -> float:
        """Make a connection request (api.md 2.4); give the seconds it takes to come or to fail."""
        came = device.request_connection(now)
        device.advance(now)
        chance = uniform(f"{self.seed}/{device.id}/refresh/{device.contacts_asked}")
        return 1.0 + chance if came else 5.0 + 3 * chance

    @property
    def awaits_returns(self) -> bool:
        """Tell whether a device may yet make contact under another id."""
        return bool(self._leaving)

    def welcome(self, now: float) -> None:
        """Make the records of devices that came back under another id until now."""
        for each in self._leaving:
            each.advance(now)
        come = [each for each in self._leaving if each.left_at is not None]
        for each in sorted(come, key=lambda each: (each.left_at, each.id)):
            self._onboard_again(each)
        self._leaving = [each for each in self._leaving if each.left_at is None]

    def _onboard_again(self, old: SimulatedDevice) -> None:
        assert old.left_at is not None  # it came back
        if old.id in self._successors:  # two resets, one return
            return
        identity = self.next_id()
        like = make_member(identity, self.seed, FleetPlan(), 1).fields
        own = {name: like[name] for name in ("uuid", "username", "password")}
        serial = old.fields["serial_number"]
        fields = {**old.fields, **BLANK, **own, "name": serial, "firmware_image": None}
        member = Member(identity, fields, old.temperament, None, None, 0.0)
        self.add(member, old.left_at).come_anew(old.left_at)
        self._successors[old.id] = identity
        if old.temperament.leaves_record:
            self._predecessors[identity] = old.id
        elif old.id in self._devices:
            self.remove(old)

    def next_id(self) -> int:
        """Give the id that the next record will have."""
        return self._highest + 1

    def add(self, member: Member, now: float) -> SimulatedDevice:
        """Take a new record in."""
        device = SimulatedDevice(member, self.seed, now)
        self._devices[member.id] = device
        self._highest = max(self._highest, member.id)
        self._by_serial[member.fields["serial_number"]] = member.id
        if self._by_name is not None:
            self._by_name.setdefault(member.fields["name"], set()).add(member.id)
        self._groups.clear()
        return device

    def edit(self, device: SimulatedDevice, fields: Mapping[str, object], now: float) -> None:
        """Give a record other contents."""
        before = device.fields
        device.edit(fields, now)
        if before["serial_number"] != fields["serial_number"]:
            self._free_serial(device.id, before["serial_number"])
            self._by_serial[fields["serial_number"]] = device.id
        if self._by_name is not None and before["name"] != fields["name"]:
            self._by_name[before["name"]].discard(device.id)
            self._by_name.setdefault(fields["name"], set()).add(device.id)
        if any(before[name] != fields[name] for name in ("organization_id", "type")):
            self._groups.clear()

    def remove(self, device: SimulatedDevice) -> None:
        """Forget a record; the ledger remembers what was done to it."""
        del self._devices[device.id]
        self._free_serial(device.id, device.fields["serial_number"])
        if self._by_name is not None:
            self._by_name[device.fields["name"]].discard(device.id)
        self._groups.clear()

    def _free_serial(self, identity: int, serial: object) -> None:
        if self._by_serial.get(serial) != identity:
            return
        del self._by_serial[serial]
        before = self._devices.get(self._predecessors.get(identity, 0))
        if before is not None and before.fields["serial_number"] == serial:
            self._by_serial[serial] = before.id

    def settle(self, now: float) -> None:
        """Advance every device that an operation was applied to, so that the ledger is complete."""
        for identity in self.ledger.touched():
            self.device(identity, now)
        self.welcome(now)
