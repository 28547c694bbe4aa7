"""What has happened; the journal holds nothing else, and a run's state is the fold of these.

Every event has `at`, our clock in seconds since 1970 rounded to the microsecond. Other fields
whose name ends in `_at` are moments too; those about a device's contacts are the controller's clock.
In the journal moments are ISO 8601 text and fields that are None are left out.
An event holds no other event, so none is ever part of a cycle: the collector need not look at them.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from orchestrator.model import moments
from orchestrator.model.devices import Device, Status


class RunStarted(Struct, frozen=True, gc=False):
    """The first line of every journal: what is about to be done, by whom, where."""

    at: float
    playbook: str
    plan_digest: str
    playbook_digest: str
    version: str
    started_by: str
    host: str
    controller: str
    devices: int
    chain: str = "sha256"
    """How the journal's lines are chained: `sha256` or `hmac-sha256`."""


class RunResumed(Struct, frozen=True, gc=False):
    """A process took the run over; intentions without an answer are in doubt from here on."""

    at: float
    epoch: int
    """Counts the processes that have driven the run; an older writer is refused."""
    resumed_by: str
    host: str
    torn_bytes: int = 0
    """Bytes of an unfinished line that the process before left behind; cut off, never acknowledged."""


class RunInterrupted(Struct, frozen=True, gc=False):
    """A person or the system asked the process to end; the run can be resumed."""

    at: float
    reason: str
    cause: str = "person"
    """`person`, or `controller` when it could not be used for longer than the patience allows."""


class RunPaused(Struct, frozen=True, gc=False):
    """Nothing new is sent and no deadline runs; the controller cannot be used now."""

    at: float
    cause: str
    """`token` or `controller`."""
    detail: str


class RunContinued(Struct, frozen=True, gc=False):
    """The controller can be used again; deadlines go on where they stood."""

    at: float


class RunStopped(Struct, frozen=True, gc=False):
    """Nothing new will be started in this run, ever."""

    at: float
    cause: str
    """`invalid_request`, `controller`, `budget`, `wave`, `denied` or `person`."""
    detail: str


class RunFinished(Struct, frozen=True, gc=False):
    """Every device has its verdict."""

    at: float
    verdicts: Mapping[str, int]


class SendingSlowed(Struct, frozen=True, gc=False):
    """The controller refused for load: all sending waits until `until_at` and is slower afterwards."""

    at: float
    until_at: float
    factor: float
    """How many times longer than planned the gaps between operation requests are now."""
    reason: str


class WindowOpened(Struct, frozen=True, gc=False):
    """Devices may be started until `until_at`."""

    at: float
    until_at: float
    zone: str
    """The time zone in which the window was reckoned."""


class WindowClosed(Struct, frozen=True, gc=False):
    """Nothing more is started in this zone until the next opening; chains once begun are finished."""

    at: float
    zone: str
    next_at: float | None = None
    """None: it never opens again."""


class WaveStarted(Struct, frozen=True, gc=False):
    """The devices of this wave may be started; waves count from 1."""

    at: float
    wave: int
    devices: int


class WaveFinished(Struct, frozen=True, gc=False):
    """Every device of the wave has its verdict; it soaks until `until_at`."""

    at: float
    wave: int
    verdicts: Mapping[str, int]
    until_at: float


class WaveJudged(Struct, frozen=True, gc=False):
    """What the gate behind a wave says: `pass`, `fail` or `inconclusive` (then a person is asked)."""

    at: float
    wave: int
    outcome: str
    detail: str


class ApprovalAsked(Struct, frozen=True, gc=False):
    """A person has to agree before the run goes on here."""

    at: float
    what: str
    """`wave 2` or `step 3`: what is begun with the approval."""
    question: str
    by: str = "anybody"
    """`anybody`, or `another` person than the one who started the run."""


class ApprovalGiven(Struct, frozen=True, gc=False):
    """A person agreed."""

    at: float
    what: str
    by: str
    host: str
    why: str = ""


class ApprovalDenied(Struct, frozen=True, gc=False):
    """A person did not agree."""

    at: float
    what: str
    by: str
    host: str
    why: str = ""


class PauseOrdered(Struct, frozen=True, gc=False):
    """A person wants nothing new to be started for now; waits go on and chains are finished."""

    at: float
    by: str
    host: str
    why: str = ""


class ContinueOrdered(Struct, frozen=True, gc=False):
    """A person takes the pause back."""

    at: float
    by: str
    host: str
    why: str = ""


class CancelOrdered(Struct, frozen=True, gc=False):
    """A person wants nothing new to be started ever; with `abandon` not even to finish chains."""

    at: float
    by: str
    host: str
    why: str = ""
    abandon: bool = False


class LimitOrdered(Struct, frozen=True, gc=False):
    """A person changed a limit, within what the plan allows."""

    at: float
    by: str
    host: str
    limit: str
    """`max_down`, `in_flight`, `delay`, or `max_down_per.` and its fields."""
    value: float
    before: float
    why: str = ""


class NotificationSent(Struct, frozen=True, gc=False):
    """People were told."""

    at: float
    about: str
    to: str
    """The name of the target; where it leads stands in the settings only."""


class NotificationFailed(Struct, frozen=True, gc=False):
    """People could not be told; the run goes on all the same."""

    at: float
    about: str
    to: str
    reason: str


class StepStarted(Struct, frozen=True, gc=False):
    """A device begins a step that is not an operation."""

    at: float
    device: int
    step: int
    until_at: float
    """When a sleep ends, or until when a check may still become true."""


class StepHeld(Struct, frozen=True, gc=False):
    """A device in the middle of its chain does not satisfy the guard; it is waited for until `until_at`."""

    at: float
    device: int
    step: int
    reason: str
    until_at: float


class Baseline(Struct, frozen=True, gc=False):
    """The record read right before a request, as far as proofs need it."""

    read_at: float
    """The controller's clock at that reading."""
    status: str
    serial_number: str | None = None
    pending: tuple[str, ...] | None = None
    status_change_at: float | None = None
    last_connection_at: float | None = None
    last_configuration_at: float | None = None
    update_frequency: float | None = None
    software_version: str | None = None


def baseline_of(device: Device | None, *, read_at: float) -> Baseline:
    """Keep of a record what proofs need later; of a device without one, that there was none."""
    if device is None:
        return Baseline(read_at=read_at, status=Status.UNKNOWN.value)
    version = device.fields.get("software_version")
    return Baseline(
        read_at=read_at,
        status=device.status.value,
        serial_number=device.serial_number,
        pending=device.pending,
        status_change_at=device.status_change,
        last_connection_at=device.last_connection,
        last_configuration_at=device.last_configuration,
        update_frequency=device.update_frequency,
        software_version=version if isinstance(version, str) else None,
    )


class OperationIntended(Struct, frozen=True, gc=False):
    """One operation request is about to leave; it is durable before the first byte does."""

    at: float
    device: int
    step: int
    attempt: int
    operation: str
    server_at: float
    """The controller's clock at `at`, as far as its last answer tells."""
    baseline: Baseline
    action: str | None = None
    """For a change of the record: `create`, `update`, `upgrade`, `replace`, `deactivate` or `delete`."""
    before: Mapping[str, object] | None = None
    """What the record said in the fields that are written; None in it is null or not known."""
    after: Mapping[str, object] | None = None
    """What is written; of secret values the fingerprints."""
    snapshot: str | None = None
    """How much of the device was saved in the run's folder before: `record` or `full`."""


class OperationAccepted(Struct, frozen=True, gc=False):
    """The controller took the request. Nothing is proven by it."""

    at: float
    device: int
    step: int
    attempt: int
    status: int
    server_at: float
    record: int | None = None
    """The id that a created record got."""


class DeviceFound(Struct, frozen=True, gc=False):
    """The device has its record under this id now; it was looked for by its serial number."""

    at: float
    device: int
    step: int
    record: int
    reason: str


class OperationRefused(Struct, frozen=True, gc=False):
    """The controller answered that it did not apply the request."""

    at: float
    device: int
    step: int
    attempt: int
    status: int
    refusal: str
    reason: str
    retry_after: float | None = None


class OperationUnsent(Struct, frozen=True, gc=False):
    """Not one byte of the request left this machine."""

    at: float
    device: int
    step: int
    attempt: int
    reason: str
    stale: bool = False


class OperationLost(Struct, frozen=True, gc=False):
    """The request was sent, or may have been, and no answer came: it is in doubt."""

    at: float
    device: int
    step: int
    attempt: int
    reason: str
    status: int | None = None


class ContactSeen(Struct, frozen=True, gc=False):
    """The first contact after a request in doubt; whether later ones keep its rhythm tells of a boot."""

    at: float
    device: int
    step: int
    contact_at: float


class DoubtResolved(Struct, frozen=True, gc=False):
    """Signs read from the controller told whether a request in doubt was applied."""

    at: float
    device: int
    step: int
    attempt: int
    applied: bool
    sign: str


class RetryScheduled(Struct, frozen=True, gc=False):
    """The step will be tried again, not before `retry_at`."""

    at: float
    device: int
    step: int
    attempt: int
    retry_at: float
    reason: str
    awaits_change: bool = False
    """Any change of the device's record ends the wait."""


class DeliverySeen(Struct, frozen=True, gc=False):
    """The first contact after acceptance: the session that delivers the command, not a return."""

    at: float
    device: int
    step: int
    contact_at: float


class OutageSeen(Struct, frozen=True, gc=False):
    """The device was seen to be out of service after the command was delivered."""

    at: float
    device: int
    step: int
    since_at: float


class DeviceReturned(Struct, frozen=True, gc=False):
    """The evidence is there; the device must now stay Up for the playbook's `stable_for`."""

    at: float
    device: int
    step: int
    evidence: str
    contact_at: float | None = None


class DeviceRelapsed(Struct, frozen=True, gc=False):
    """A returned device went out of service again, or is about to, before it was stable."""

    at: float
    device: int
    step: int
    reason: str
    contact_at: float | None = None
    """Its last contact at that moment; only what comes after it can prove a return."""
    since_at: float | None = None
    """When the new outage began, if one was seen."""


class LastLookTaken(Struct, frozen=True, gc=False):
    """The time for the proof is over; the controller is asked to refresh this one device first."""

    at: float
    device: int
    step: int


class StepSucceeded(Struct, frozen=True, gc=False):
    """The step is proven."""

    at: float
    device: int
    step: int
    evidence: str


class StepFailed(Struct, frozen=True, gc=False):
    """The step is over for good without success; `verdict` says in which way."""

    at: float
    device: int
    step: int
    verdict: str
    reason: str


class StepForgiven(Struct, frozen=True, gc=False):
    """The step ended without success and the playbook lets the device go on; its verdict is kept."""

    at: float
    device: int
    step: int
    verdict: str
    reason: str


class RescueStarted(Struct, frozen=True, gc=False):
    """A step failed for good; the device goes through the playbook's rescue from `step` on."""

    at: float
    device: int
    step: int
    verdict: str
    """How the step ended; the device's verdict in the end, however the rescue goes."""


class DeviceFinished(Struct, frozen=True, gc=False):
    """A device has its verdict; `step` is where it ended."""

    at: float
    device: int
    step: int
    verdict: str
    reason: str = ""


Event = (
    RunStarted
    | RunResumed
    | RunInterrupted
    | RunPaused
    | RunContinued
    | RunStopped
    | RunFinished
    | SendingSlowed
    | WindowOpened
    | WindowClosed
    | WaveStarted
    | WaveFinished
    | WaveJudged
    | ApprovalAsked
    | ApprovalGiven
    | ApprovalDenied
    | PauseOrdered
    | ContinueOrdered
    | CancelOrdered
    | LimitOrdered
    | NotificationSent
    | NotificationFailed
    | StepStarted
    | StepHeld
    | OperationIntended
    | OperationAccepted
    | DeviceFound
    | OperationRefused
    | OperationUnsent
    | OperationLost
    | ContactSeen
    | DoubtResolved
    | RetryScheduled
    | DeliverySeen
    | OutageSeen
    | DeviceReturned
    | DeviceRelapsed
    | LastLookTaken
    | StepSucceeded
    | StepFailed
    | StepForgiven
    | RescueStarted
    | DeviceFinished
)

EVENTS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in Event.__args__}
"""Every event by its name in the journal."""


def as_facts(event: Event | Baseline) -> dict[str, object]:
    """Give an event's fields as the journal holds them: moments as text, nothing for None."""
    facts: dict[str, object] = {}
    for name, write in _WRITERS[type(event)]:
        value = getattr(event, name)
        if value is not None:
            facts[name] = value if write is None else write(value)
    return facts


def from_facts(name: str, facts: Mapping[str, Any]) -> Event:
    """Read an event back; the exact inverse of `as_facts`.

    Raises ValueError when the name or the fields are not those of an event.
    """
    kind = EVENTS.get(name)
    if kind is None:
        raise ValueError(f"{name!r} is not an event this version knows")
    event: Event = _read(kind, facts)
    return event


def _read(kind: type[Any], facts: Mapping[str, Any]) -> Any:
    values: dict[str, Any] = {}
    for name, read in _READERS[kind]:
        if name in facts:
            value = facts[name]
            values[name] = value if read is None else read(value)
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{kind.__name__} does not have these fields: {error}") from error


_Converters = tuple[tuple[str, Callable[[Any], object] | None], ...]


def _converters(
    kind: type[Any], *, moment: Callable[[Any], object], **others: Callable[[Any], object]
) -> _Converters:
    """Pair every field of a kind with what its value goes through; None is as it stands."""
    return tuple(
        (name, moment if name == "at" or name.endswith("_at") else others.get(name))
        for name in kind.__struct_fields__
    )


_KINDS: tuple[type[Any], ...] = (*EVENTS.values(), Baseline)
_WRITERS: Mapping[type[Any], _Converters] = {
    kind: _converters(kind, moment=moments.as_text, baseline=as_facts) for kind in _KINDS
}
_READERS: Mapping[type[Any], _Converters] = {
    kind: _converters(
        kind, moment=moments.from_written, baseline=partial(_read, Baseline), pending=tuple
    )
    for kind in _KINDS
}
