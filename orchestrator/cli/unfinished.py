"""Runs of a playbook that ended before they were over, as with their process: taken up by the clock."""

from typing import TYPE_CHECKING

import structlog

from orchestrator.model.errors import JournalError, OrchestratorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.adapters.runs.run_folder import RunFolder
    from orchestrator.bootstrap import RunOutcome
    from orchestrator.ports import Listener
    from orchestrator.settings import Settings

log = structlog.get_logger(__name__)


def unfinished(settings: "Settings", playbook: str) -> "list[RunFolder]":
    """Give the runs of a playbook against this controller that are not over and that no process
    drives, the oldest first.

    Of one whose journal cannot be believed nobody knows; only the log is told of it.
    """
    from orchestrator.adapters.runs.kept_outcome import outcome_of
    from orchestrator.adapters.runs.run_folder import RunsFolder

    wanted = playbook, settings.base_url
    found = []
    for run in reversed(RunsFolder(settings.runs_dir).listed()):
        started, folder = run.started, run.folder
        if started is None or (started.playbook, started.controller) != wanted:
            continue
        if run.holder is not None:
            continue
        try:
            outcome, _ = outcome_of(folder, settings.audit_key_bytes, driven=False)
        except JournalError as error:
            log.warning("cron.run_cannot_be_read", run=folder.run_id, reason=str(error))
            continue
        if not outcome.is_over:
            found.append(folder)
    return found


def finish(settings: "Settings", playbook: str, *, yes: bool) -> tuple[bool, int]:
    """Bring the unfinished runs of a playbook to their ends, and give the exit code of the last one
    that had trouble, 0 when none had; first, whether a new run may begin now.

    None may while one of them is not over: one line says so where it cannot be resumed at all.
    """
    from orchestrator.adapters.plans.plan_file import read_plan
    from orchestrator.bootstrap import resume_run
    from orchestrator.cli import campaign, cron, screen
    from orchestrator.cli.exit_codes import exit_code_of

    worst = 0
    for folder in unfinished(settings, playbook):
        run_id = folder.run_id

        async def drive(listeners: "Sequence[Listener]", run_id: str = run_id) -> "RunOutcome":
            return await resume_run(settings, run_id, listeners=listeners)

        log.info("cron.resumes", playbook=playbook, run=run_id)
        try:
            plan = read_plan(folder.plan_path)
            cron.check_permitted(plan.playbook, yes=yes)
            style = campaign.Style.TROUBLE
            outcome = campaign.carry_out(settings, plan, run_id, drive, style=style, resumed=True)
        except OrchestratorError as error:
            told = "; ".join(str(error).splitlines())
            screen.complain(f"run {run_id} is not over and cannot be resumed: {told}")
            return False, exit_code_of(error)
        worst = campaign.code_of(outcome) or worst
        if not outcome.finished:
            return False, worst
    return True, worst
