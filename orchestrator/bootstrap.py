"""The door: the only module that knows every room; it puts the pieces together for the surfaces."""

import os
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import Protocol, runtime_checkable

import structlog
from anyio import to_thread

import orchestrator
from orchestrator.adapters.controller.aiohttp_controller import AiohttpController
from orchestrator.adapters.controller.aiohttp_reads import ReadRetries
from orchestrator.adapters.controller.aiohttp_wire import Timeouts
from orchestrator.adapters.controller.request_gate import RequestGate
from orchestrator.adapters.controller.token_source import TokenSource
from orchestrator.adapters.machine import os_user
from orchestrator.adapters.machine.device_leases import DeviceLeases
from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.adapters.people.apprise_messenger import AppriseMessenger
from orchestrator.adapters.people.notify_file import Targets, read_targets
from orchestrator.adapters.people.order_box import OrderBox
from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.plans.taken_plans import Following, taking
from orchestrator.adapters.runs.earlier_operations import earlier_operations
from orchestrator.adapters.runs.file_journal import FileJournal
from orchestrator.adapters.runs.kept_outcome import keep_at_end
from orchestrator.adapters.runs.kept_run import save_report, taken_up
from orchestrator.adapters.runs.log_listener import LogListener
from orchestrator.adapters.runs.run_folder import RunFolder, RunsFolder, new_id
from orchestrator.adapters.runs.snapshot_file import SnapshotFile
from orchestrator.adapters.vault.run_secrets import (
    RunSecrets,
    VaultPlace,
    check_secrets,
    open_secrets,
)
from orchestrator.engine.run import Run, replayed, resuming
from orchestrator.model import durations, moments
from orchestrator.model.errors import RunError, RunLockedError, SettingsError
from orchestrator.model.events import Event, RunInterrupted, RunStarted, RunStopped
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import Playbook
from orchestrator.model.policies import RequestLimits
from orchestrator.model.readings import DevicesHeld, Reading
from orchestrator.planning.drafting.allowing import Memory, remembered
from orchestrator.ports import Clock, Controller, Leases, Listener, Messenger
from orchestrator.report.notices import Notices
from orchestrator.report.summary import Summary
from orchestrator.runtime.driving import Drive
from orchestrator.runtime.heralding import Herald, missing_targets
from orchestrator.runtime.inbox import Inbox
from orchestrator.runtime.stopping import heeding_signals
from orchestrator.settings import Settings

log = structlog.get_logger(__name__)

_FRESH = 10_000
"""Records of the plan that a run begins with, the first to be touched: before it comes to others, they
are too old to be believed."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How this process left a run."""

    run_id: str
    folder: Path
    summary: Summary
    head: str
    """The chain's last hash: keep it to see later whether the journal's tail was cut."""
    finished: bool
    interrupted: RunInterrupted | None
    """Also set when a second signal ended the process before it could be recorded."""
    stopped: RunStopped | None


@asynccontextmanager
async def connected(
    settings: Settings, limits: RequestLimits, *, not_before: float = 0.0
) -> AsyncIterator[tuple[Controller, Clock]]:
    """Give a controller that keeps to these limits, and the clock of its world."""
    settings.read_token()  # says in one sentence what is wrong with it
    token = (
        TokenSource(settings.token.get_secret_value())
        if settings.token is not None
        else TokenSource.from_file(settings.token_file or Path())
    )
    clock = SystemClock(settings.speed, not_before=not_before)
    controller = AiohttpController(
        settings.base_url,
        token,
        RequestGate(clock, limits),
        clock,
        timeouts=Timeouts(
            connect=settings.connect_timeout,
            answer=settings.answer_timeout,
            read=settings.read_timeout,
        ),
        read_retries=ReadRetries(attempts=settings.read_attempts),
        ca_bundle=settings.ca_bundle,
        plain_http_allowed=settings.allow_plain_http,
    )
    async with controller:
        yield controller, clock


def check_controller(settings: Settings, plan: Plan, what: str) -> None:
    """Return only if the settings lead to the controller the plan was made against."""
    if plan.controller != settings.base_url:
        raise RunError(
            f"{what} was made against {plan.controller}, the settings say {settings.base_url}"
        )


def check_age(plan: Plan, what: str, now: float) -> None:
    """Return only if the plan may still be carried out at that moment."""
    if plan.expires_at is not None and now >= plan.expires_at:
        ago = durations.as_text(max(1.0, now - plan.expires_at))
        when = moments.as_short_text(plan.expires_at)
        raise RunError(f"{what} expired at {when}, {ago} ago; make a new one")


def memory_of(settings: Settings, playbook: Playbook) -> tuple[Memory | None, tuple[str, ...]]:
    """Give what the runs in this folder did of what the playbook allows each device so much of, and
    what could not be read of it.
    """
    allowances = playbook.allowances
    if not allowances:
        return None, ()
    longest = max(allowance.per for allowance in allowances)
    found = earlier_operations(
        settings.runs_dir,
        settings.audit_key_bytes,
        controller=settings.base_url,
        operations={allowance.operation.value for allowance in allowances},
        # The time of files says nothing of a clock that runs faster.
        written_since=SystemClock().now() - longest if settings.speed == 1 else None,
    )
    return Memory(allowances, found.uses, found.handed), found.warnings


async def start_run(
    settings: Settings,
    plan: Plan,
    *,
    run_id: str | None = None,
    listeners: Sequence[Listener] = (),
    once: bool = False,
) -> RunOutcome:
    """Make a run of the plan and drive it until it is over or interrupted by a signal.

    With `once`, as for a plan from a file, only if the plan is still good and no other run was made
    of it. What its devices had of operations is counted anew: a plan may be old. Raises SettingsError
    when people are to be told and nobody knows where, SecretError when a secret cannot be had,
    RunError when the plan cannot be taken or the folder cannot be made, UnrecordedError or
    JournalError when something cannot be recorded.
    """
    messenger = _messenger(settings, plan.playbook)
    check_secrets(plan, _vault_of(settings), settings.password_command, os.environ)
    async with connected(settings, plan.playbook.requests, not_before=plan.read_at) as hands:
        now = hands[1].now()
        with _taken(settings, plan, run_id, now) if once else nullcontext(_Taken(run_id)) as taken:
            memory, _ = await to_thread.run_sync(memory_of, settings, plan.playbook)
            plan = remembered(plan, memory, now)
            runs = RunsFolder(settings.runs_dir)
            folder = runs.create(taken.run_id, playbook=plan.playbook.name, now=now)
            with folder.locked(now=now), _leases(settings, plan, folder) as leases:
                folder.make_way()
                plan_digest = plan_file.write_plan(plan, folder.plan_path)
                run = Run(plan, patience=settings.controller_patience)
                for device in islice(plan.records.values(), _FRESH):
                    seen = Reading(
                        device.id, device, plan.read_at, plan.created_at, is_detail=False
                    )
                    run.observe(seen, now)
                key = settings.audit_key_bytes
                with (
                    _keeping(settings, plan, folder, hands[1]) as kept,
                    FileJournal.create(folder.journal_path, folder.run_id, key) as journal,
                ):
                    told, summary = _mirrored(plan, (*taken.listeners, *listeners))
                    session = _Session(settings, folder, run, journal, summary, told, leases, kept)
                    beginning = _beginning(settings, plan, plan_digest, now)
                    return await session.drive(hands, messenger, [beginning])


@dataclass(frozen=True, slots=True)
class _Taken:
    """The run that a plan is for, and who has to hear that it began."""

    run_id: str | None
    listeners: tuple[Listener, ...] = ()


@contextmanager
def _taken(settings: Settings, plan: Plan, run_id: str | None, now: float) -> Iterator[_Taken]:
    """Keep every other process from carrying the plan out; the run has its id before its folder."""
    check_age(plan, "the plan", now)
    name = run_id or new_id(plan.playbook.name, now=now, suffix=token_hex(2))
    runs, digest = RunsFolder(settings.runs_dir), plan_file.digest(plan)
    following = Following.of(plan)
    with taking(settings.locks_dir, runs, digest, name, now, following=following) as taken:
        yield _Taken(name, (taken,))


async def resume_run(
    settings: Settings, reference: str, *, listeners: Sequence[Listener] = ()
) -> RunOutcome:
    """Take a run over where its journal ends. The listeners hear the whole history first.

    Raises RunError when there is nothing to resume, SecretError when a secret that is still to be sent
    cannot be had or the vault is another one, RunLockedError when another process drives
    it or another run has one of its devices, JournalError when its journal cannot be believed.
    """
    folder = RunsFolder(settings.runs_dir).find(reference)
    with (
        folder.locked(now=SystemClock().now()),
        taken_up(folder, settings.audit_key_bytes) as kept,
    ):
        plan, history = kept.plan, kept.history
        messenger = _messenger(settings, plan.playbook)
        run = replayed(plan, history, patience=settings.controller_patience)
        _check_resumable(settings, folder, run)
        with _leases(settings, plan, folder) as leases:
            _hold_again(folder, run, leases)
            async with connected(settings, plan.playbook.requests, not_before=run.last_at) as hands:
                taking_over = resuming(
                    run,
                    hands[1].now(),
                    by=os_user.user_name(),
                    host=os_user.host_name(),
                    torn_bytes=kept.torn_bytes,
                )
                with _keeping(settings, plan, folder, hands[1]) as keepers:
                    keepers.secrets.check(_underway(run))
                    keepers.secrets.hear(history)
                    told, summary = _mirrored(plan, listeners)
                    for listener in told:
                        listener.hear(history)
                    session = _Session(
                        settings, folder, run, kept.journal, summary, told, leases, keepers
                    )
                    return await session.drive(hands, messenger, taking_over, history)


def _messenger(settings: Settings, playbook: Playbook) -> Messenger:
    """Refuse to begin what people want to be told of, while nobody knows where they are."""
    untold = why_untold(settings, playbook)
    if untold is not None:
        raise SettingsError(untold)
    targets = _targets(settings, playbook)
    return AppriseMessenger({name: targets[name] for name in targets})


def _targets(settings: Settings, playbook: Playbook) -> Targets:
    """Give where the names lead that the playbook notifies, as far as the settings say."""
    if playbook.notify is None or settings.notify_file is None:
        return {}
    known = read_targets(settings.notify_file)
    return {name: known[name] for name in playbook.notify.to if name in known}


def why_untold(settings: Settings, playbook: Playbook) -> str | None:
    """Say whom a playbook wants to tell although nobody knows where they are; None when all is known."""
    missing = missing_targets(playbook.notify, _targets(settings, playbook))
    names = ", ".join(repr(name) for name in missing)
    if not missing:
        return None
    if settings.notify_file is None:
        what = f"the playbook notifies {names}; name the file that says where these names lead"
        return f"{what} in ORCHESTRATOR_NOTIFY_FILE"
    what = (
        f"the playbook notifies {names}, and {settings.notify_file} does not say where that leads"
    )
    return f"{what}; add lines such as `name = apprise-url`"


def _check_resumable(settings: Settings, folder: RunFolder, run: Run) -> None:
    check_controller(settings, run.plan, f"run {folder.run_id}")
    if run.finished_at is not None:
        raise RunError(f"run {folder.run_id} is finished; there is nothing to resume")


def _leases(settings: Settings, plan: Plan, folder: RunFolder) -> DeviceLeases:
    now = SystemClock().now()
    return DeviceLeases.open(settings.locks_dir, plan.controller, folder.run_id, now)


def _underway(run: Run) -> Iterator[tuple[int, int]]:
    """Give the devices that something may still be sent for, each with the step it stands at."""
    for planned in run.plan.devices:
        begun = run.devices.get(planned.id)
        if begun is None and run.stopped is None:
            yield planned.id, planned.begins_at
        elif begun is not None and begun.verdict is None:
            yield begun.id, begun.step


def _hold_again(folder: RunFolder, run: Run, leases: Leases) -> None:
    """Take the devices that are in the middle of something before anything else is done."""
    now = run.last_at
    underway = [device.id for device in run.devices.whole.values() if device.verdict is None]
    for device in underway:
        holder = leases.hold(device)
        if holder is not None:
            raise RunLockedError(
                f"run {folder.run_id} is in the middle of device {device}, which {holder} holds;"
                " wait for that run or stop it first"
            )
    run.observe(DevicesHeld(now, tuple(underway), alone=leases.is_alone), now)


@dataclass(frozen=True, slots=True)
class _Keepers:
    """What a run leaves beside its journal: what devices were, and the secrets that they get."""

    snapshots: SnapshotFile
    secrets: RunSecrets


@contextmanager
def _keeping(settings: Settings, plan: Plan, folder: RunFolder, clock: Clock) -> Iterator[_Keepers]:
    place, command = _vault_of(settings), settings.password_command
    secrets = open_secrets(plan, folder.path, clock, place, command=command, environment=os.environ)
    with SnapshotFile.open(folder.path) as snapshots, closing(secrets):
        yield _Keepers(snapshots, secrets)


def _vault_of(settings: Settings) -> VaultPlace:
    return VaultPlace(settings.vault_file, settings.vault_key_text, settings.vault_key_file)


@dataclass(frozen=True, slots=True)
class _Session:
    """One process driving one run."""

    settings: Settings
    folder: RunFolder
    run: Run
    journal: FileJournal
    summary: Summary
    listeners: Sequence[Listener]
    leases: Leases
    keepers: _Keepers

    async def drive(
        self,
        hands: tuple[Controller, Clock],
        messenger: Messenger,
        beginning: Sequence[Event],
        history: Sequence[Event] = (),
    ) -> RunOutcome:
        controller, clock = hands
        inbox = Inbox(clock)
        notices = Notices(self.run.plan, self.folder.run_id)
        herald = Herald(self.run.plan, notices, messenger, clock, inbox.put)
        herald.hear_history(history)
        drive = Drive(
            self.run,
            journal=self.journal,
            controller=controller,
            clock=clock,
            chance=random.SystemRandom().random,
            listeners=[LogListener(log), *self.listeners],
            page_size=self.settings.page_size,
            leases=self.leases,
            orders=OrderBox(self.folder.path),
            herald=herald,
            inbox=inbox,
            secrets=self.keepers.secrets,
            snapshots=self.keepers.snapshots,
        )

        async def work() -> None:
            await drive.record(beginning)
            await drive.to_the_end()

        try:
            cancelled = await heeding_signals(drive, work)
        finally:
            save_report(self.folder, self.summary, self.journal.head)
            keep_at_end(self.folder, self.summary, self.settings.audit_key_bytes)
        interrupted = self.run.interrupted
        if cancelled and not self.run.is_over:
            interrupted = RunInterrupted(clock.now(), "a second signal ended it at once")
        return RunOutcome(
            run_id=self.folder.run_id,
            folder=self.folder.path,
            summary=self.summary,
            head=self.journal.head,
            finished=self.run.finished_at is not None,
            interrupted=interrupted,
            stopped=self.run.stopped,
        )


@runtime_checkable
class _Mirroring(Protocol):
    """A listener that keeps a summary of what it hears; another one need not be kept then."""

    summary: Summary


def _mirrored(plan: Plan, listeners: Sequence[Listener]) -> tuple[tuple[Listener, ...], Summary]:
    """Give the listeners with one among them that keeps the summary, and that summary."""
    for listener in listeners:
        if isinstance(listener, _Mirroring):
            return tuple(listeners), listener.summary
    summary = Summary.of(plan, rows=False)
    return (_Mirror(summary), *listeners), summary


class _Mirror:
    """Keeps the summary up to date."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary

    def hear(self, events: Sequence[Event]) -> None:
        self._summary.hear(events)


def _beginning(settings: Settings, plan: Plan, plan_digest: str, now: float) -> Event:
    return RunStarted(
        at=round(now, 6),
        playbook=plan.playbook.name,
        plan_digest=plan_digest,
        playbook_digest=plan_file.playbook_digest(plan.source),
        version=orchestrator.__version__,
        started_by=os_user.user_name(),
        host=os_user.host_name(),
        controller=plan.controller,
        devices=len(plan.devices),
        chain="sha256" if settings.audit_key is None else "hmac-sha256",
    )
