"""The switchboard: orders and questions to a run from another terminal, whether it is driven or not."""

import random
from contextlib import suppress
from functools import partial

from orchestrator.adapters.machine import os_user
from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.adapters.people import order_box
from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.runs.journal_reading import read_records, trust_in
from orchestrator.adapters.runs.kept_run import save_report, taken_up
from orchestrator.adapters.runs.run_folder import RunFolder, RunsFolder
from orchestrator.engine import explaining
from orchestrator.engine.run import replayed
from orchestrator.model.errors import RunError, RunLockedError
from orchestrator.model.orders import (
    Ask,
    Order,
    OrderRefusedError,
    OrderUnansweredError,
    Person,
)
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.report.summary import Summary
from orchestrator.runtime.obeying import how_it_stands, is_too_late, obey_undriven, told_of
from orchestrator.settings import Settings

ANSWER_SECONDS = 3.0
"""Real seconds for which the driving process is waited for before its journal is read instead."""


async def give_order(settings: Settings, reference: str, order: Order) -> str:
    """Give a run an order, whoever drives it; what came of it, in one sentence without a full stop.

    Where nobody drives the run the order is recorded here, and holds when the run is resumed.
    Raises OrderRefusedError when the run does not do this, OrderUnansweredError when the process
    that drives it does not answer, RunError or JournalError when it cannot be given at all.
    """
    folder = RunsFolder(settings.runs_dir).find(reference)
    folder.require_journal()
    while True:
        if _is_driven(folder):
            patient = partial(_is_driven, folder)
            answer = await order_box.deliver(folder.path, order, is_driven=patient)
            if answer is not None and answer.refused:
                raise OrderRefusedError(answer.told)
            if answer is not None:
                return answer.told
        # Somebody may begin to drive it this very moment.
        with suppress(RunLockedError), folder.locked(now=SystemClock().now()):
            return await _obey_here(settings, folder, order)


def _is_driven(folder: RunFolder) -> bool:
    return folder.holder() is not None


async def _obey_here(settings: Settings, folder: RunFolder, order: Order) -> str:
    with taken_up(folder, settings.audit_key_bytes) as kept:
        run = replayed(kept.plan, kept.history, patience=settings.controller_patience)
        if run.finished_at is not None:
            raise OrderRefusedError(is_too_late(order, f"run {folder.run_id}"))
        happened = await obey_undriven(
            run,
            order,
            journal=kept.journal,
            now=SystemClock(settings.speed, not_before=run.last_at).now(),
            chance=random.SystemRandom().random,
            torn_bytes=kept.torn_bytes,
        )
        save_report(folder, Summary.of(kept.plan, [*kept.history, *happened]), kept.journal.head)
        return f"{told_of(happened)}; {how_it_stands(run)}"


async def explain(settings: Settings, reference: str, device: str) -> str:
    """Say in one sentence without a full stop what holds a device of a run, or how it ended.

    Asks the process that drives the run, which knows more than its journal does; else reads the
    journal. Raises RunError when there is no such run or device in it, JournalError when its
    journal cannot be read or believed.
    """
    folder = RunsFolder(settings.runs_dir).find(reference)
    journal = folder.require_journal()
    plan = plan_file.read_plan(folder.plan_path)
    planned = _planned(folder, plan, device)
    serial = f" ({planned.serial_number})" if planned.serial_number else ""
    named = f"device {planned.id}{serial}"
    told = await _asked(folder, planned.id) if _is_driven(folder) else None
    if told is not None:
        return f"{named}: {told}"
    trust = trust_in(journal, settings.audit_key_bytes)
    records = read_records(journal, trust.key, believed=trust.believed)
    run = replayed(plan, (record.event for record in records))
    # Time stands still for a run that nobody drives.
    driven = _is_driven(folder)
    now = SystemClock(settings.speed, not_before=run.last_at).now() if driven else run.last_at
    told = f"{named}: {explaining.why(run, planned.id, now)}"
    if driven or run.finished_at is not None:
        return told
    return f"{told}; nobody drives the run now"


async def _asked(folder: RunFolder, device: int) -> str | None:
    """Ask the process that drives the run; None when it is busy, suspended or just ending."""
    question = Ask(Person(os_user.user_name(), os_user.host_name()), device)
    try:
        answer = await order_box.deliver(
            folder.path, question, is_driven=partial(_is_driven, folder), patience=ANSWER_SECONDS
        )
    except (OrderUnansweredError, RunError):
        return None
    return None if answer is None or answer.refused else answer.told


def _planned(folder: RunFolder, plan: Plan, wanted: str) -> PlannedDevice:
    name = wanted.strip().casefold()
    for device in plan.devices:
        if name in (str(device.id), (device.serial_number or "").strip().casefold()):
            return device
    raise RunError(
        f"there is no device {wanted!r} among the {len(plan.devices):,} of run {folder.run_id};"
        " name it by its id or its serial number"
    )
