"""What should happen: the brain says it, the runtime does it."""

from dataclasses import dataclass

from orchestrator.model.devices import DeviceId
from orchestrator.model.operations import Operation


@dataclass(frozen=True, slots=True)
class SendOperation:
    """Put one operation request on the wire, once; its OperationIntended is durable by now."""

    device: DeviceId
    step: int
    attempt: int
    operation: Operation


@dataclass(frozen=True, slots=True)
class ReadDevices:
    """Read these devices, by list pages or one by one, whichever costs fewer requests."""

    devices: tuple[DeviceId, ...]


@dataclass(frozen=True, slots=True)
class ReadDevice:
    """Read one device in full; with update_status the controller contacts it first (api.md 2.4)."""

    device: DeviceId
    update_status: bool = False


@dataclass(frozen=True, slots=True)
class ProbeController:
    """Ask with one cheap read whether the controller can be reached and takes the token."""


@dataclass(frozen=True, slots=True)
class HoldDevices:
    """Take these devices for this run, so that no other run on this machine touches them."""

    devices: tuple[DeviceId, ...]


@dataclass(frozen=True, slots=True)
class ReleaseDevices:
    """Let other runs have these devices again."""

    devices: tuple[DeviceId, ...]


@dataclass(frozen=True, slots=True)
class TakeCensus:
    """List every device that is Down now where the run works, whoever chose or harmed it."""


@dataclass(frozen=True, slots=True)
class SendNotice:
    """Tell the playbook's people that devices came to a `notify` step."""

    device: DeviceId
    step: int
    text: str


Command = (
    SendOperation
    | ReadDevices
    | ReadDevice
    | ProbeController
    | HoldDevices
    | ReleaseDevices
    | TakeCensus
    | SendNotice
)
