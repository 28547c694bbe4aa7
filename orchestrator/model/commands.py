"""What should happen: the brain says it, the runtime does it."""

from collections.abc import Mapping

from msgspec import Struct, field

from orchestrator.model.devices import DeviceId
from orchestrator.model.operations import Action, Operation
from orchestrator.model.snapshots import Snapshot
from orchestrator.model.steps import Witness
from orchestrator.model.values import Assignment, Plain, Secret


class SendOperation(Struct, frozen=True):
    """Put one operation request on the wire, once; its OperationIntended is durable by now."""

    device: DeviceId
    """As the run names it."""
    step: int
    attempt: int
    operation: Operation
    record: DeviceId | None = None
    """Its record's id where that is another one by now."""

    @property
    def address(self) -> DeviceId:
        """Give the id that stands in the request."""
        return self.device if self.record is None else self.record


class SendChange(Struct, frozen=True):
    """Put one change of a record on the wire, once; its OperationIntended is durable by now."""

    device: DeviceId
    step: int
    attempt: int
    action: Action
    record: DeviceId | None
    """The record's id; None for a creation."""
    fields: Mapping[str, Plain]
    """What is written, the flag among it; without the secret values."""
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    """The secret ones, by field; prepared and stored by now."""
    serial_number: str | None = None


class SaveSnapshot(Struct, frozen=True):
    """Save what a device was before a step changes it; durable before the step's intention is."""

    snapshot: Snapshot


class PrepareDevice(Struct, frozen=True):
    """Read one device in full, with all that its next step needs before its request may be intended:
    its settings and variables for the snapshot, and secret values made and stored.
    """

    device: DeviceId
    """As the run names it."""
    step: int
    record: DeviceId | None
    """Its record's id; None for a device that is to be created: then it is looked for by its serial number."""
    serial_number: str | None
    deep: bool
    """With settings and variables."""
    secrets: tuple[Assignment, ...] = ()
    row: str | None = None
    """What names its row in the playbook's table."""


class FindDevice(Struct, frozen=True):
    """Look for a device by its serial number: its id is silent, or no answer told the new one."""

    device: DeviceId
    serial_number: str


class AskWitnesses(Struct, frozen=True):
    """Read one device in full, and what these witnesses say since its request was accepted."""

    device: DeviceId
    """The id of its record."""
    witnesses: tuple[Witness, ...]
    since_at: float
    """The controller's clock."""


class ReadDevices(Struct, frozen=True):
    """Read these records, by list pages or one by one, whichever costs fewer requests."""

    devices: tuple[DeviceId, ...]


class ReadDevice(Struct, frozen=True):
    """Read one record in full; with update_status the controller contacts it first (api.md 2.4)."""

    device: DeviceId
    update_status: bool = False


class ProbeController(Struct, frozen=True):
    """Ask with one cheap read whether the controller can be reached and takes the token."""


class HoldDevices(Struct, frozen=True):
    """Take these devices for this run, so that no other run on this machine touches them."""

    devices: tuple[DeviceId, ...]


class ReleaseDevices(Struct, frozen=True):
    """Let other runs have these devices again."""

    devices: tuple[DeviceId, ...]


class TakeCensus(Struct, frozen=True):
    """List every device that is Down now where the run works, whoever chose or harmed it."""


class SendNotice(Struct, frozen=True):
    """Tell the playbook's people that devices came to a `notify` or an `escalate` step."""

    device: DeviceId
    step: int
    text: str
    history: tuple[str, ...] = ()
    """What became of the device so far, a sentence each; for an `escalate` step, told one by one."""


Command = (
    SendOperation
    | SendChange
    | SaveSnapshot
    | PrepareDevice
    | FindDevice
    | AskWitnesses
    | ReadDevices
    | ReadDevice
    | ProbeController
    | HoldDevices
    | ReleaseDevices
    | TakeCensus
    | SendNotice
)
