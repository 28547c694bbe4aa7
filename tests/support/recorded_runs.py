"""Runs on disk as a process would have left them: a plan, a journal, nothing else."""

from dataclasses import replace
from fractions import Fraction

import anyio

from orchestrator.adapters.plans.plan_file import write_plan
from orchestrator.adapters.runs.file_journal import FileJournal
from orchestrator.adapters.runs.run_folder import RunFolder, RunsFolder
from orchestrator.model.amounts import Share
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import RunFinished
from orchestrator.model.plans import LeftOut, Limits, Plan, PlannedDevice, Wave
from orchestrator.model.policies import Budget
from tests.support import histories
from tests.support.playbooks import playbook, source

REDEPLOY = """
    playbook: redeploy
    description: Wipe and configure again.
    devices: {organization: 123}
    steps:
      - operation: factory
      - operation: reconf
    rollout: {max_down: 2}
"""

CAREFUL = f"""{REDEPLOY}
    rescue:
      - operation: sync
    notify: {{to: [noc-chat, noc-mail]}}
"""


def plan_of(*devices: int, text: str = REDEPLOY, **changes) -> Plan:
    """Give a plan over these devices."""
    limits = Limits(devices=len(devices), max_down=2, in_flight=20, delay=0.2, per_second=20.0)
    details = {
        "left_out": (LeftOut("status is Down", 4, ("1007 (ZN1007)", "1009 (ZN1009)")),),
        "warnings": ("a warning from the plan",),
        "operation_requests": 2 * len(devices),
        "reading_requests": 40,
        "listed": len(devices) + 4,
        **changes,
    }
    return Plan(
        playbook=playbook(text),
        source=source(text),
        controller="https://control.example.com/api/v1",
        created_at=histories.T0,
        devices=tuple(PlannedDevice(DeviceId(d), f"ZN{d}", f"branch {d}") for d in devices),
        limits=limits,
        **details,
    )


def careful_plan() -> Plan:
    """Give the plan of `histories.careful_story`: three waves, budgets, a rescue, people to tell."""
    devices = range(1, 21)
    plan = plan_of(*devices, text=CAREFUL)
    return replace(
        plan,
        limits=replace(
            plan.limits,
            max_down=5,
            waves=(Wave(2, 2), Wave(6, 5), Wave(12, 0)),
            budget=Budget(failed=2, unconfirmed=2, failure_rate=Share(Fraction(1, 4)), after=10),
        ),
    )


STORY = (
    histories.run_started(devices=3),
    histories.intended(1001),
    histories.accepted(1001),
    histories.intended(1002),
    histories.accepted(1002),
    histories.succeeded(1001),
    histories.finished(1001, step=1),
    histories.finished(1002, verdict="unconfirmed", reason="no return within 20m"),
)
"""Two of three devices have their verdict."""

ENDING = (
    histories.finished(1003, verdict="skipped", reason="status is Down"),
    RunFinished(histories.T0 + 90, {"succeeded": 1, "unconfirmed": 1, "skipped": 1}),
)


def record(runs_dir, events, *, run_id="night-1", plan=None, key=None) -> RunFolder:
    """Leave a run behind, with each event committed on its own."""
    folder = RunsFolder(runs_dir).create(run_id, playbook="redeploy", now=histories.T0)
    write_plan(plan or plan_of(1001, 1002, 1003), folder.plan_path)

    async def write() -> None:
        with FileJournal.create(folder.journal_path, run_id, key) as journal:
            for event in events:
                await journal.append([event])

    anyio.run(write)
    return folder
