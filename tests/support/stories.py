"""A dialogue with the brain: what the controller shows, what the brain sends, what comes back.

A `Story` drives one `Run` by hand in its own time. The controller is a record per device that the
test changes with `shows`; reads are answered from it at once unless the story says otherwise.
Operation requests stay open until the test answers them. All moments a test writes are seconds
since the story began.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec

from orchestrator.engine.run import PATIENCE, Run, replayed, resuming
from orchestrator.engine.walking.progressing import DeviceRun
from orchestrator.model import answers, commands, events, moments
from orchestrator.model.answering import event_of
from orchestrator.model.devices import DeviceId, Status, device_from_record
from orchestrator.model.events import Event
from orchestrator.model.operations import Action, Operation
from orchestrator.model.orders import Order, Person
from orchestrator.model.plans import Limits, Plan, PlannedDevice, Wave
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.policies import (
    Allowance,
    Budget,
    Depth,
    GroupLimit,
    Guard,
    RequestLimits,
    RetryPolicy,
    Rollout,
)
from orchestrator.model.readings import (
    Census,
    DevicesHeld,
    Found,
    Probed,
    Reading,
    ReadingFailed,
    Testimony,
)
from orchestrator.model.selections import Selection
from orchestrator.model.snapshots import Extras, Snapshot
from orchestrator.model.steps import (
    CheckStep,
    OperationStep,
    RecordStep,
    SleepStep,
    Step,
    default_proof,
)
from orchestrator.model.values import Assignment, Table
from orchestrator.model.windows import Window

T0 = 1_795_320_900.0
MOMENTS = ("last_connection", "status_change", "last_configuration")
VOLATILE = frozenset(
    {
        "is_being_read",
        "is_read_in_full",
        "failed_looks",
        "poll_at",
        "due",
        "quiet_until",
        "quiet_contact_at",
        "is_held",
        "held_since",
        "is_out_of_patience",
        "is_searched",
        "is_refreshed",
        "owes_refresh",
        "is_unprepared",
        "trouble",
        "course",
    }
)


def step(operation: str, *, attempts: int = 4, **proof: object) -> OperationStep:
    """Give an operation step with the proof of a playbook that says nothing else."""
    kind = Operation(operation)
    return OperationStep(kind, replace(default_proof(kind), **proof), attempts)


def record_step(
    action: str,
    *,
    attempts: int = 4,
    flag: str | None = None,
    takes_row: bool = False,
    proof: Mapping[str, object] | None = None,
    **written: object,
) -> RecordStep:
    """Give a step on the record that writes these fields."""
    kind = Action(action)
    operation = kind if flag is None else Operation(flag)
    assignments = tuple(Assignment(field, value) for field, value in written.items())
    return RecordStep(
        operation,
        replace(default_proof(operation), **(proof or {})),
        attempts,
        action=kind,
        assignments=assignments,
        takes_row=takes_row,
        flag=None if flag is None else Operation(flag),
    )


def plan_of(
    *steps: Step,
    devices: int = 1,
    max_down: int = 1,
    in_flight: int = 20,
    delay: float = 0.0,
    per_second: float | None = None,
    guard: Guard | None = None,
    selection: Selection | None = None,
    retry: RetryPolicy | None = None,
    created_at: float = T0,
    rescue: tuple[Step, ...] = (),
    rollout: Rollout | None = None,
    waves: Sequence[Wave] = (),
    budget: Budget | None = None,
    per: Sequence[GroupLimit] = (),
    groups: Mapping[int, tuple[str, ...]] | None = None,
    window: Window | None = None,
    zones: Mapping[int, str] | None = None,
    expected: tuple[int, ...] = (),
    attributes: tuple[str, ...] = (),
    chosen_by: Mapping[int, tuple[object, ...]] | None = None,
    begins_at: Mapping[int, int] | None = None,
    unproven: Sequence[int] = (),
    goes_on_after: str | None = None,
    snapshots: Depth = Depth.NONE,
    table: Table | None = None,
    allowances: tuple[Allowance, ...] = (),
    new: Sequence[int] = (),
    exhausted: Mapping[int, str] | None = None,
) -> Plan:
    """Give a plan over devices 1, 2, 3... with serial numbers SN1, SN2, SN3...

    `waves`, `budget` and `per` are the limits as a plan has them: whole numbers.
    """
    playbook = Playbook(
        name="story",
        description="",
        selection=selection or Selection(everything=True),
        steps=steps,
        guard=guard or Guard(),
        rollout=rollout or Rollout(max_down),
        requests=RequestLimits(delay, in_flight, per_second),
        retry=retry or RetryPolicy(),
        rescue=rescue,
        window=window,
        table=table,
        allowances=allowances,
        snapshots=snapshots,
    )
    return Plan(
        playbook=playbook,
        source=PlaybookSource("story.yaml", ""),
        controller="https://control.example.com/api/v1",
        created_at=created_at,
        devices=tuple(
            PlannedDevice(
                DeviceId(n),
                f"SN{n}",
                f"branch {n}",
                (groups or {}).get(n, ()),
                (zones or {}).get(n),
                chosen_by=(chosen_by or {}).get(n, ()),
                begins_at=(begins_at or {}).get(n, 0),
                unproven=n in unproven,
                is_new=n in new,
                exhausted=(exhausted or {}).get(n),
            )
            for n in range(1, devices + 1)
        ),
        limits=Limits(
            devices,
            max_down,
            in_flight,
            delay,
            per_second,
            tuple(per),
            tuple(waves),
            budget or Budget(),
        ),
        expected=expected,
        attributes=attributes,
        goes_on_after=goes_on_after,
    )


class Story:
    """One run, told step by step; every event of a decision is folded before the next thing happens."""

    def __init__(
        self,
        *steps: Step,
        patience: float = PATIENCE,
        skew: float = 0.0,
        chance: float = 0.5,
        by_pages: bool = False,
        **plan: object,
    ) -> None:
        self.plan = plan_of(*steps, **plan)
        self.patience = patience
        self.skew = skew
        """The controller's clock minus ours."""
        self.chance = chance
        self.by_pages = by_pages
        """Answer `ReadDevices` as list pages do: without the fields that only single reads have."""
        self.now = T0
        self.journal: list[Event] = []
        self.sent: list[commands.SendOperation] = []
        self.open: list[commands.SendOperation] = []
        self.reads: list[commands.Command] = []
        self.unread: list[tuple[float, commands.Command]] = []
        self.reads_fail: ReadingFailed | None = None
        self.is_silent = False
        """Reads are left open; `answer_reads` answers them."""
        self.is_usable = True
        """What probes find."""
        self.probe_detail: dict[str, object] = {}
        self.probes = 0
        self.censuses = 0
        self.notices: list[commands.SendNotice] = []
        self.held: set[int] = set()
        """Devices that this run holds, so that no other does."""
        self.elsewhere: dict[int, str] = {}
        """Devices that another run holds, and which."""
        self.is_alone = True
        self.census_fails: ReadingFailed | None = None
        self.answers_census = True
        self.snapshots: list[Snapshot] = []
        self.extras = Extras({"SSID": "branch"}, {"UpTime": "60"})
        """What the controller offers beside the record."""
        self.fingerprints = {"password": "fp:0123456789ab"}
        self.testimony = Testimony()
        self.is_unprepared: str | None = None
        """Why no secret can be made or stored."""
        self.records = {d.id: self._healthy(d) for d in self.plan.devices if not d.is_new}
        self.run = Run(self.plan, patience=patience)
        self._record([_beginning(self.plan)])

    def _healthy(self, planned: PlannedDevice) -> dict[str, object]:
        return {
            "id": planned.id,
            "serial_number": planned.serial_number,
            "status": "Up",
            "is_active": True,
            "pending_settings": "none",
            "status_change": -86_400.0,
            "last_connection": -100.0,
            "last_configuration": -86_400.0,
            "update_frequency": 300,
            "firmware_image_is_pending": False,
        }

    # What the controller shows and answers

    def shows(self, device: int = 1, **changes: object) -> "Story":
        """The controller's record of a device from now on; moments are seconds of the story."""
        self.records[DeviceId(device)].update(changes)
        return self

    def another(self, device: int, **changes: object) -> "Story":
        """A device of the controller's that the run is not about."""
        self.records[DeviceId(device)] = {
            **self._healthy(PlannedDevice(DeviceId(device), f"SN{device}", None)),
            **changes,
        }
        return self

    def obeys(self, order: Order) -> "Story":
        """A person's order from another terminal."""
        self._record(self.run.obey(order, self.now))
        return self.settles()

    def loses(self, device: int = 1) -> "Story":
        """The controller has no such record any more."""
        del self.records[DeviceId(device)]
        return self

    def accepts(self) -> "Story":
        """Answer the oldest open request with 200."""
        return self._answers(answers.Accepted(200, self._server_now()))

    def creates(self, record: int, **changes: object) -> "Story":
        """Answer the oldest open request, a creation, with the id of the new record."""
        change = self.open[0]
        planned = PlannedDevice(DeviceId(record), change.serial_number, None)
        unmet = {"status": "Down", "last_connection": None, "pending_settings": "initial"}
        written = {**self._healthy(planned), **unmet, **change.fields, **changes}
        self.records[DeviceId(record)] = written
        return self._answers(answers.Accepted(201, self._server_now(), record))

    def writes(self, *, status: int = 200) -> "Story":
        """Answer the oldest open change with success, and show it from now on."""
        change = self.open[0]
        if change.action is Action.DELETE:
            del self.records[change.record]
        else:
            self.records[change.record].update(change.fields)
        return self._answers(answers.Accepted(status, self._server_now()))

    def refuses(
        self, status: int, refusal: answers.Refusal, retry_after: float | None = None
    ) -> "Story":
        """Answer the oldest open request with a refusal."""
        reason = f"the controller answered {status}"
        return self._answers(answers.Refused(refusal, status, reason, retry_after))

    def drops(self) -> "Story":
        """The answer to the oldest open request is lost."""
        return self._answers(answers.Lost("the connection was closed"))

    def cannot_connect(self, *, stale: bool = False) -> "Story":
        """The oldest open request never leaves."""
        return self._answers(answers.Unsent("connection refused", stale))

    def _answers(self, answer: answers.OperationAnswer) -> "Story":
        self._record([event_of(self.open.pop(0), answer, self.now)])
        return self.settles()

    def answer_reads(self) -> "Story":
        """Answer all reads that were left open, from the record as it is now."""
        waiting, self.unread = self.unread, []
        for asked_at, command in waiting:
            self._read(command, asked_at=asked_at)
        return self.settles()

    def observes(self, device: int = 1, *, asked: float | None = None, **row: object) -> "Story":
        """Hand in a row of a list page that nobody asked for on behalf of this device."""
        asked_at = self.now if asked is None else T0 + asked
        record = {**self.records[DeviceId(device)], **row}
        self.run.observe(self._reading(record, asked_at, is_detail=False), self.now)
        return self.settles()

    # What time does

    def settles(self) -> "Story":
        """Let the brain decide until it has nothing more to say at this moment."""
        for _ in range(1000):
            decision = self.run.decide(self.now, lambda: self.chance)
            self._record(decision.events)
            self.now = max(self.now, self.run.last_at)
            for command in decision.commands:
                self._perform(command)
            if self.run.is_over or not (decision.events or self._wants_to_decide()):
                return self
        raise AssertionError("the brain never comes to rest")

    def _wants_to_decide(self) -> bool:
        wake = self.run.next_wake()
        return wake is not None and wake <= self.now

    def until(self, at: float) -> "Story":
        """Let time pass up to a moment, deciding whenever the brain wants to."""
        self.settles()
        while not self.run.is_over:
            wake = self.run.next_wake()
            if wake is None or wake > T0 + at:
                break
            self.now = max(self.now, wake)
            self.settles()
        self.now = max(self.now, T0 + at)
        return self if self.run.is_over else self.settles()

    def later(self, seconds: float) -> "Story":
        """Let so many seconds pass."""
        return self.until(self.now - T0 + seconds)

    def crashes(self, *, later: float = 0.0) -> "Story":
        """Another process takes over; requests and reads under way are never answered."""
        self.now += later
        self.open, self.unread = [], []
        self.run = replayed(self.plan, self.journal, patience=self.patience)
        self._record(resuming(self.run, self.now, by="ana", host="noc-1"))
        return self.settles()

    # What the brain has said

    def events(self, *kinds: type[Event]) -> list[Event]:
        """Give the recorded events of these kinds, all without kinds."""
        return [event for event in self.journal if not kinds or isinstance(event, kinds)]

    def last(self, kind: type[Event]) -> Event:
        """Give the latest event of a kind."""
        return self.events(kind)[-1]

    def device(self, device: int = 1) -> DeviceRun:
        """Give one device's walk."""
        return self.run.devices[DeviceId(device)]

    def verdict(self, device: int = 1) -> str | None:
        """Give a device's verdict."""
        run = self.run.devices.get(DeviceId(device))
        return run.verdict.value if run and run.verdict else None

    def reason(self, device: int = 1) -> str:
        """Give why a device ended as it did."""
        return self.device(device).reason

    @property
    def operations(self) -> list[tuple[int, str]]:
        """Every request that was sent: the device and the operation."""
        return [(command.device, command.operation.value) for command in self.sent]

    @property
    def refreshes(self) -> int:
        """Reads that asked the controller to update the status first."""
        return sum(
            isinstance(read, commands.ReadDevice) and read.update_status for read in self.reads
        )

    # The machinery

    def _record(self, happened: Iterable[Event]) -> None:
        for event in happened:
            self.journal.append(event)
            self.run.after(event)

    def _perform(self, command: commands.Command) -> None:
        match command:
            case commands.SendOperation() | commands.SendChange():
                self.sent.append(command)
                self.open.append(command)
            case commands.ProbeController():
                self.probes += 1
                found = Probed(self.now, self.is_usable, **self.probe_detail)
                self.run.observe(found, self.now)
            case commands.HoldDevices():
                self._hold(command)
            case commands.ReleaseDevices():
                self.held -= set(command.devices)
            case commands.TakeCensus():
                self._count()
            case commands.SendNotice():
                self.notices.append(command)
            case commands.SaveSnapshot():
                self.snapshots.append(command.snapshot)
            case _:
                self.reads.append(command)
                if self.is_silent:
                    self.unread.append((self.now, command))
                else:
                    self._read(command, asked_at=self.now)

    def _hold(self, command: commands.HoldDevices) -> None:
        ours = tuple(device for device in command.devices if device not in self.elsewhere)
        theirs = tuple((d, self.elsewhere[d]) for d in command.devices if d in self.elsewhere)
        self.held |= set(ours)
        self.run.observe(DevicesHeld(self.now, ours, theirs, alone=self.is_alone), self.now)

    def _count(self) -> None:
        self.censuses += 1
        if not self.answers_census:
            return
        if self.census_fails is not None:
            self.run.observe(Census(self.now, None, self.census_fails), self.now)
            return
        found = [
            self._reading(record, self.now, is_detail=False) for record in self.records.values()
        ]
        down = tuple(r.device for r in found if r.device.status is Status.DOWN)
        self.run.observe(Census(self.now, down), self.now)

    def _read(self, command: commands.Command, *, asked_at: float) -> None:
        is_many = isinstance(command, commands.ReadDevices)
        devices = command.devices if is_many else (command.device,)
        if self.reads_fail is not None:
            self.run.observe(replace(self.reads_fail, device_ids=devices), self.now)
            return
        if isinstance(
            command, commands.PrepareDevice | commands.FindDevice | commands.AskWitnesses
        ):
            self._look_closely(command, asked_at)
            return
        for device in devices:
            record = self.records.get(device)
            if record is None:
                self.run.observe(Reading(device, None, asked_at, self._server_now()), self.now)
            else:
                is_detail = not (is_many and self.by_pages)
                self.run.observe(self._reading(record, asked_at, is_detail=is_detail), self.now)

    def _look_closely(self, command: commands.Command, asked_at: float) -> None:
        nothing = Reading(command.device, None, asked_at, self._server_now())
        match command:
            case commands.PrepareDevice(secrets=secrets) if secrets and self.is_unprepared:
                failed = ReadingFailed((command.device,), self.is_unprepared, unprepared=True)
                self.run.observe(failed, self.now)
            case commands.PrepareDevice():
                known = self.records.get(command.record) or self._with_serial(command)
                reading = self._reading(known, asked_at, is_detail=True) if known else nothing
                prepared = msgspec.structs.replace(
                    reading,
                    device_id=command.device,
                    step=command.step,
                    extras=self.extras if command.deep else None,
                    fingerprints=self.fingerprints if command.secrets else {},
                )
                self.run.observe(prepared, self.now)
            case commands.FindDevice():
                known = self._with_serial(command)
                reading = self._reading(known, asked_at, is_detail=True) if known else nothing
                self.run.observe(Found(command.device, reading), self.now)
            case commands.AskWitnesses():
                known = self.records.get(command.device)
                reading = self._reading(known, asked_at, is_detail=True) if known else nothing
                self.run.observe(
                    msgspec.structs.replace(reading, testimony=self.testimony), self.now
                )

    def _with_serial(self, command: commands.Command) -> dict[str, object] | None:
        """Give the newest record with the serial number."""
        wanted = command.serial_number
        found = [r for r in self.records.values() if r["serial_number"] == wanted]
        return found[-1] if found else None

    def _reading(self, record: dict[str, object], asked_at: float, *, is_detail: bool) -> Reading:
        shown = dict(record)
        if not is_detail:
            del shown["update_frequency"], shown["firmware_image_is_pending"]
        for name in MOMENTS:
            if shown.get(name) is not None:
                shown[name] = moments.as_text(math.floor(T0 + self.skew + shown[name]))
        device = device_from_record(shown)
        return Reading(device.id, device, asked_at, self._server_now(), is_detail=is_detail)

    def _server_now(self) -> float:
        return float(math.floor(self.now + self.skew))


def durable(run: Run) -> dict[str, object]:
    """Give everything of a run's state that its journal must be able to restore."""
    names = [name for name in DeviceRun.__struct_fields__ if name not in VOLATILE]
    return {
        "devices": {
            device.id: {name: getattr(device, name) for name in names}
            for device in run.devices.values()
            if device.attempt or device.step or device.verdict or device.phase.name != "READY"
        },
        "verdicts": +run.verdicts,
        "down": run.admissions.down,
        "in_flight": run.admissions.in_flight,
        "pace": run.pace,
        "stopped": run.stopped,
        "pause": run.pause,
        "abandoned": run.is_abandoned,
        "limits": run.limits,
        "wave": (run.waves.number, run.waves.stage.name.replace("LOOKING", "SOAKING")),
        "asked": (run.approvals.open, run.approvals.given, run.approvals.is_closed),
        "windows": (run.zones.open_until, run.zones.closed),
        "interrupted": run.interrupted,
        "is_paused": run.is_paused,
        "finished_at": run.finished_at,
        "active": run.active(run.last_at),
    }


ANA = Person("ana", "noc-1", "ticket 12")
BEN = Person("ben", "noc-2")


def check(*conditions: object, within: float = 0.0) -> CheckStep:
    """Give a check step."""
    return CheckStep(tuple(conditions), within)


def sleep(seconds: float) -> SleepStep:
    """Give a sleep step."""
    return SleepStep(seconds)


def _beginning(plan: Plan) -> Event:
    return events.RunStarted(
        T0, "story", "", "", "test", "ana", "noc-1", plan.controller, len(plan.devices)
    )
