"""The door: the only module that knows every room; it puts the pieces together for the surfaces."""

import getpass
import random
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

import orchestrator
from orchestrator.adapters import plan_file
from orchestrator.adapters.aiohttp_controller import AiohttpController, ReadRetries
from orchestrator.adapters.aiohttp_wire import Timeouts
from orchestrator.adapters.file_journal import FileJournal
from orchestrator.adapters.log_listener import LogListener
from orchestrator.adapters.request_gate import RequestGate
from orchestrator.adapters.run_folder import RunFolder, RunsFolder
from orchestrator.adapters.system_clock import SystemClock
from orchestrator.adapters.token_source import TokenSource
from orchestrator.engine.run import Run, replayed, resuming
from orchestrator.engine.selecting import filters_of
from orchestrator.model.devices import DETAIL_ONLY_FIELDS, Device
from orchestrator.model.errors import RunError
from orchestrator.model.events import Event, RunInterrupted, RunStarted, RunStopped
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.policies import RequestLimits
from orchestrator.model.readings import Reading
from orchestrator.planning.freezing import Freezer
from orchestrator.playbook.loading import load_playbook
from orchestrator.ports import Clock, Controller, Listener
from orchestrator.report.html import as_html
from orchestrator.report.summary import Summary
from orchestrator.runtime.driving import Drive
from orchestrator.runtime.listing import Listing
from orchestrator.runtime.looking import read_in_full
from orchestrator.runtime.stopping import heeding_signals
from orchestrator.settings import Settings

log = structlog.get_logger(__name__)


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


async def make_plan(settings: Settings, playbook: Path, variables: Mapping[str, str]) -> Plan:
    """Read the playbook and the inventory (GETs only) and freeze the device set.

    Raises PlaybookError, SelectionError, SettingsError or ControllerError.
    """
    read, source = load_playbook(playbook, variables)
    async with connected(settings, read.requests) as (controller, clock):
        return await _freeze(settings, read, source, controller, clock)


async def _freeze(
    settings: Settings,
    playbook: Playbook,
    source: PlaybookSource,
    controller: Controller,
    clock: Clock,
) -> Plan:
    """Ages such as `older_than` are judged by the controller's clock, at its first answer."""
    selection = playbook.selection
    listing = Listing(controller, filters_of(selection), page_size=settings.page_size)
    began_at = clock.now()
    freezer: Freezer | None = None
    in_full = any(condition.field in DETAIL_ONLY_FIELDS for condition in selection.where)
    candidates: list[Device] = []
    async for page in listing:
        freezer = freezer or Freezer(playbook, source, now=page.server_at)
        for device in page.devices:
            if in_full:
                candidates.append(device)
            else:
                freezer.add(device)
    freezer = freezer or Freezer(playbook, source, now=began_at)
    async for device in read_in_full(controller, candidates, playbook.requests):
        freezer.add(device)
    plan = freezer.plan(
        controller=settings.base_url,
        listed=listing.summary.unique,
        notes=listing.summary.warnings,
    )
    return replace(plan, read_at=began_at)


async def start_run(
    settings: Settings, plan: Plan, *, run_id: str | None = None, listeners: Sequence[Listener] = ()
) -> RunOutcome:
    """Make a run of the plan and drive it until it is over or interrupted by a signal.

    Raises RunError when the folder cannot be made, UnrecordedError or JournalError when something
    cannot be recorded.
    """
    async with connected(settings, plan.playbook.requests, not_before=plan.read_at) as hands:
        now = hands[1].now()
        folder = RunsFolder(settings.runs_dir).create(run_id, playbook=plan.playbook.name, now=now)
        with folder.locked(now=now):
            folder.make_way()
            plan_digest = plan_file.write_plan(plan, folder.plan_path)
            run = Run(plan, patience=settings.controller_patience)
            for device in plan.records.values():
                seen = Reading(device.id, device, plan.read_at, plan.created_at, is_detail=False)
                run.observe(seen, now)
            key = settings.audit_key_bytes
            with FileJournal.create(folder.journal_path, folder.run_id, key) as journal:
                session = _Session(settings, folder, run, journal, Summary.of(plan), listeners)
                return await session.drive(hands, [_beginning(settings, plan, plan_digest, now)])


async def resume_run(
    settings: Settings, reference: str, *, listeners: Sequence[Listener] = ()
) -> RunOutcome:
    """Take a run over where its journal ends. The listeners hear the whole history first.

    Raises RunError when there is nothing to resume, RunLockedError when another process drives
    it, JournalError when its journal cannot be believed.
    """
    folder = RunsFolder(settings.runs_dir).find(reference)
    with folder.locked(now=SystemClock().now()):
        plan = plan_file.read_plan(folder.plan_path)
        key = settings.audit_key_bytes
        with FileJournal.open(folder.require_journal(), folder.run_id, key) as journal:
            history = list(journal.read())
            run = replayed(plan, history, patience=settings.controller_patience)
            _check_resumable(settings, folder, run, history)
            for listener in listeners:
                listener.hear(history)
            summary = Summary.of(plan, history)
            session = _Session(settings, folder, run, journal, summary, listeners)
            async with connected(settings, plan.playbook.requests, not_before=run.last_at) as hands:
                torn = journal.torn.bytes if journal.torn else 0
                now, host = hands[1].now(), socket.gethostname()
                taking_over = resuming(run, now, by=_user(), host=host, torn_bytes=torn)
                return await session.drive(hands, taking_over)


def _check_resumable(
    settings: Settings, folder: RunFolder, run: Run, history: Sequence[Event]
) -> None:
    plan = run.plan
    if not history or not isinstance(history[0], RunStarted):
        raise RunError(f"run {folder.run_id} never began: its journal is empty; start it anew")
    if history[0].plan_digest != plan_file.digest(plan):
        raise RunError(f"the plan of run {folder.run_id} is not the one its journal was begun with")
    if plan.controller != settings.base_url:
        raise RunError(
            f"run {folder.run_id} was made against {plan.controller},"
            f" the settings say {settings.base_url}"
        )
    if run.finished_at is not None:
        raise RunError(f"run {folder.run_id} is finished; there is nothing to resume")


@dataclass(frozen=True, slots=True)
class _Session:
    """One process driving one run."""

    settings: Settings
    folder: RunFolder
    run: Run
    journal: FileJournal
    summary: Summary
    listeners: Sequence[Listener]

    async def drive(
        self, hands: tuple[Controller, Clock], beginning: Sequence[Event]
    ) -> RunOutcome:
        controller, clock = hands
        drive = Drive(
            self.run,
            journal=self.journal,
            controller=controller,
            clock=clock,
            chance=random.SystemRandom().random,
            listeners=[_Mirror(self.summary), LogListener(log), *self.listeners],
            page_size=self.settings.page_size,
        )

        async def work() -> None:
            await drive.record(beginning)
            await drive.to_the_end()

        try:
            cancelled = await heeding_signals(drive, work)
        finally:
            self._save_report()
        interrupted = self.run.interrupted
        if cancelled:
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

    def _save_report(self) -> None:
        """The report can be made again from the journal; a full disk must not hide what happened."""
        page = as_html(self.summary, run_id=self.folder.run_id, head=self.journal.head)
        try:
            self.folder.save(self.folder.report_path, page.encode())
        except RunError as error:
            log.warning("report.not_saved", reason=str(error))


class _Mirror:
    """Keeps the summary up to date."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            self._summary.after(event)


def _beginning(settings: Settings, plan: Plan, plan_digest: str, now: float) -> Event:
    return RunStarted(
        at=round(now, 6),
        playbook=plan.playbook.name,
        plan_digest=plan_digest,
        playbook_digest=plan_file.playbook_digest(plan.source),
        version=orchestrator.__version__,
        started_by=_user(),
        host=socket.gethostname(),
        controller=plan.controller,
        devices=len(plan.devices),
        chain="sha256" if settings.audit_key is None else "hmac-sha256",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
