"""What the controller asked of a device, what came of it, and its boots, as its log shows them.

Nothing is kept for it: it is told from what really happened.
"""

from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.model.operations import Action, Operation
from orchestrator.simulator.chance import uniform
from orchestrator.simulator.devices import SimulatedDevice
from orchestrator.simulator.exchange import timestamp
from orchestrator.simulator.ledger import AppliedOperation
from orchestrator.simulator.population import Population

BOOT = "1 BOOT"
BOOTSTRAP = "0 BOOTSTRAP"
PER_DEVICE = 100_000
"""Ids that the entries of one device may have."""
_COMMANDS = {
    Operation.REBOOT: "Reboot",
    Operation.FACTORY: "FactoryReset",
    Operation.DEVICE_FACTORY: "FactoryReset",
    Operation.SYNC: "Synchronize",
    Operation.RECONF: "Reconfigure",
    Action.UPGRADE: "Download",
}
_BOOTING = (Operation.REBOOT, Operation.FACTORY, Operation.DEVICE_FACTORY)
"""These are applied once they are delivered, as the device answers before it boots."""
_CREDENTIALS = "Device.ManagementServer.ConnectionRequestPassword"
_EACH = 3
"""Ids for each operation: the command and up to two events."""
_LONGEST_SILENCE = 21 * 86400.0
"""Since the last contact of a device that is down when the world begins."""
_FROM_OUTAGES, _FROM_CREDENTIALS, _FROM_FIRST = 60_000, 80_000, 99_000


class Entry(NamedTuple):
    """One line of the log."""

    at: float
    id: int
    action: str
    variable_name: str
    is_pending: bool = False
    is_applied: bool = True
    error_code: int | None = None
    error_message: str = ""

    @property
    def device(self) -> int:
        """Give the device it is about."""
        return self.id // PER_DEVICE

    def record(self) -> dict[str, object]:
        """Give it as JSON."""
        return {
            "id": self.id,
            "parent": self.device,
            "datetime": timestamp(int(self.at)),
            "action": self.action,
            "variable_name": self.variable_name,
            "is_pending": self.is_pending,
            "is_applied": self.is_applied,
            "error_code": self.error_code,
            "error_message": self.error_message,
        }


def entries_of(device: SimulatedDevice, population: Population) -> Iterator[Entry]:
    """Give the log of a device that has been advanced, in no particular order."""
    first = device.id * PER_DEVICE
    for place, applied in enumerate(population.ledger.of_device(device.id)):
        identity = first + _EACH * place
        yield _command(identity, applied)
        if has_booted(applied, device):
            assert applied.returned_at is not None  # it has booted
            yield Entry(applied.returned_at, identity + 1, "event", BOOT)
            if applied.operation.is_destructive:
                yield Entry(applied.returned_at, identity + 2, "event", BOOTSTRAP)
    for place, (cause, _, until) in enumerate(device.own_outages):
        if cause == "firmware" and until is not None:
            yield Entry(until, first + _FROM_OUTAGES + place, "event", BOOT)
    credentials = device.credentials
    for place, at in enumerate(credentials.written_at):
        is_taken = place < credentials.taken
        identity = first + _FROM_CREDENTIALS + place
        yield Entry(at, identity, "set", _CREDENTIALS, not is_taken, is_taken)
    if _has_come(device):
        assert device.first_contact is not None  # it has come
        yield Entry(device.first_contact, first + _FROM_FIRST, "event", BOOTSTRAP)


def has_booted(applied: AppliedOperation, device: SimulatedDevice) -> bool:
    """Tell whether an operation made the device boot, and it came back under the same id."""
    return (
        applied.down_at is not None
        and applied.returned_at is not None
        and not (applied.operation.is_destructive and device.left_at == applied.returned_at)
    )


def last_boot(device: SimulatedDevice, population: Population) -> float:
    """Give the moment at which a device that has been advanced booted last."""
    boots = [
        applied.returned_at or 0.0
        for applied in population.ledger.of_device(device.id)
        if has_booted(applied, device)
    ]
    boots += [until for cause, _, until in device.own_outages if until and cause == "firmware"]
    if _has_come(device):
        boots.append(device.first_contact or 0.0)
    if boots:
        return max(boots)
    latest = max(device.created, population.started_at - _LONGEST_SILENCE)
    share = uniform(f"{population.seed}/{device.id}/up_time")
    return device.created + share * (latest - device.created)


def _command(identity: int, applied: AppliedOperation) -> Entry:
    operation = applied.operation
    told = Entry(applied.arrived_at, identity, "command", _COMMANDS[operation])
    settled = applied.delivered_at if operation in _BOOTING else applied.done_at
    if settled is not None:
        return told
    fault = _fault(applied)
    if fault is None:
        return told._replace(is_pending=True, is_applied=False)
    return told._replace(is_applied=False, error_code=fault[0], error_message=fault[1])


def _fault(applied: AppliedOperation) -> tuple[int, str] | None:
    """Give why a firmware image will not come to run any more; None while it still may."""
    if applied.returned_at is None or applied.returned_at == applied.delivered_at:
        return None
    if applied.down_at is None:
        return 9001, "Superseded by another request"
    return 9010, "Download failure"


def _has_come(device: SimulatedDevice) -> bool:
    return (
        device.first_contact is not None
        and device.last_contact is not None
        and device.last_contact >= device.first_contact
    )
