"""`demo`: a whole campaign against a simulated fleet, held against what really happened."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.cli.commands.simulator import BASE_URL
from orchestrator.cli.exit_codes import ExitCode
from orchestrator.cli.options import CONTROLLER, LOG, RUNS, with_settings
from orchestrator.model.errors import RunError
from orchestrator.simulator.endpoints import DEFAULT_TOKEN

if TYPE_CHECKING:
    from orchestrator.bootstrap import RunOutcome
    from orchestrator.model.plans import Plan
    from orchestrator.ports import Listener
    from orchestrator.settings import Settings

app = new_app()

_PLAYBOOK = "redeploy.yaml"
_FAULTS = (
    "rate_429=0.03,rate_503=0.02,rate_500=0.03,reset_before=0.10,reset_after=0.04,"
    "reads.rate_500=0.01,reads.slow=0.01"
)
_FLEET_PER_DEVICE = 3
"""The playbook's filters choose rather more than a third of the simulated devices."""


@app.command()
@with_settings(RUNS, LOG, opens_log=True, ignoring=(*CONTROLLER, "token"))
def demo(
    *,
    settings: "Settings",
    devices: Annotated[int, typer.Option("--devices", min=1, help="Devices to redeploy.")] = 200,
    speed: Annotated[
        float, typer.Option("--speed", min=1, max=10_000, help="How much faster time runs.")
    ] = 120.0,
    seed: Annotated[int, typer.Option("--seed", help="Another seed is another story.")] = 7,
    plain: Annotated[
        bool, typer.Option("--plain", help="Write plain lines even on a terminal.")
    ] = False,
) -> int:
    """Redeploy a simulated fleet over real HTTP, with some trouble on purpose.

    Some devices fail, some are never proven back, some stay in doubt; at the end the run is held
    against what the simulator knows to have happened.
    """
    from orchestrator.cli import campaign, plan_text

    style = campaign.style_for(settings, as_json=False, plain=plain)
    with _simulated(devices * _FLEET_PER_DEVICE, seed, speed) as base_url:
        ours = _for_simulator(settings, base_url, speed)
        plan = _plan(ours, devices)
        for line in plan_text.brief(plan):
            screen.show(line)
        screen.show("")
        run_id = campaign.new_run_id(ours, plan)
        with campaign.telling(style, plan, run_id, speed=speed) as listener:
            outcome = campaign.in_loop(settings.event_loop, _drive, ours, plan, run_id, [listener])
        ledger = _ledger(base_url)
    campaign.conclude(settings, outcome, write=screen.show, may_go_on=False)
    if not outcome.finished:
        return campaign.code_of(outcome)
    return _compare(outcome, plan, ledger)


async def _drive(
    settings: "Settings", plan: "Plan", run_id: str, listeners: "Sequence[Listener]"
) -> "RunOutcome":
    from orchestrator.bootstrap import start_run

    return await start_run(settings, plan, run_id=run_id, listeners=listeners)


@contextmanager
def _simulated(devices: int, seed: int, speed: float) -> Iterator[str]:
    """Start the simulator as a process of its own and give its base URL; it ends with the block."""
    command = [sys.executable, "-m", "orchestrator", "simulator", "--until-stdin-closes"]
    command += ["--devices", str(devices), "--seed", str(seed), "--speed", str(speed)]
    command += ["--port", "0", "--token", DEFAULT_TOKEN, "--faults", _FAULTS]
    # A session of its own: Ctrl-C is for the run, which still has to hear answers.
    with subprocess.Popen(  # noqa: S603 - ourselves
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield _base_url(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()


def _base_url(process: "subprocess.Popen[str]") -> str:
    for line in process.stdout or ():
        _, found, url = line.partition(BASE_URL)
        if found:
            return url.strip()
    raise RunError("the simulator did not start; try `orchestrator simulator` by itself")


def _for_simulator(settings: "Settings", base_url: str, speed: float) -> "Settings":
    """Keep where runs and logs go; what is said of a real controller was never read."""
    from pydantic import SecretStr

    return settings.model_copy(
        update={
            "base_url": base_url,
            "locks_dir": settings.runs_dir.parent / "locks",
            "token": SecretStr(DEFAULT_TOKEN),
            "speed": speed,
        }
    )


def _plan(settings: "Settings", devices: int) -> "Plan":
    from orchestrator.cli import campaign, shipped
    from orchestrator.planner import foresee_quickly, survey_plan

    variables = {"limit": str(devices), "max_down": str(max(1, devices * 2 // 5))}
    playbook = shipped.playbook(_PLAYBOOK)
    return foresee_quickly(
        campaign.in_loop(settings.event_loop, survey_plan, settings, playbook, variables)
    )


def _ledger(base_url: str) -> Any:
    address = base_url.removesuffix("/api/v1") + "/_simulator/ledger"
    # A proxy in the environment knows nothing of this machine's own ports.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(address, timeout=30) as answer:
        return json.load(answer)


def _compare(outcome: "RunOutcome", plan: "Plan", ledger: Any) -> int:
    from orchestrator.adapters.runs.journal_reading import read_records
    from orchestrator.adapters.runs.run_folder import RunFolder
    from orchestrator.cli import comparing

    records = read_records(RunFolder(outcome.folder).journal_path, believed=True)
    happened = (record.event for record in records)
    limit = plan.limits.max_down
    comparison = comparing.compare(outcome.summary, happened, ledger, limit)
    screen.show("")
    for line in comparing.lines(comparison, outcome.summary, limit):
        screen.show(line, "red" if comparison.disagreements else None)
    return ExitCode.BUG if comparison.disagreements else ExitCode.DONE
