"""Pauses because of the controller: when they begin, how it is probed, and when it is given up."""

from typing import TYPE_CHECKING

from orchestrator.engine.walking import concluding
from orchestrator.engine.walking.deciding import Decision
from orchestrator.model import events
from orchestrator.model.commands import ProbeController
from orchestrator.model.readings import Probed
from orchestrator.model.verdicts import Verdict

if TYPE_CHECKING:
    from orchestrator.engine.run import Run


def consider_controller(run: "Run", decision: Decision, now: float) -> None:
    """Say what follows from how the controller can be used; it never counts against a device."""
    reach, probed = run.reach, run.probed
    run.probed = None
    if probed is not None:
        _after_probe(run, decision, probed, now)
        if decision.events:
            return
    if run.stop_for is not None and run.stopped is None:
        decision.events.append(events.RunStopped(now, *run.stop_for))
        return
    if reach.paused_at is None:
        if reach.cause is not None:
            decision.events.append(events.RunPaused(now, reach.cause, reach.detail))
            return
        waits = bool(run.suspects)
    elif now - _unusable_since(run, reach.paused_at) > run.patience:
        detail = f"the controller could not be used: {reach.detail}"
        decision.events.append(events.RunInterrupted(now, detail, "controller"))
        return
    else:
        waits = True
    if waits and not reach.is_probing and now >= reach.probe_at:
        reach.is_probing = True
        decision.commands.append(ProbeController())


def _unusable_since(run: "Run", paused_at: float) -> float:
    """A controller that reads and does not operate lets probes succeed: its pauses count as one."""
    if run.reach.cause == "token" and run.rejected_since is not None:
        return min(paused_at, run.rejected_since)
    if run.reach.cause == "controller" and run.reach.is_storm:
        return min(paused_at, run.reach.storm_since)
    return paused_at


def _after_probe(run: "Run", decision: Decision, probed: Probed, now: float) -> None:
    run.reach.is_probing = False
    if probed.usable:
        if run.is_paused:
            decision.events.append(events.RunContinued(now))
            return
        run.reach.answered()
        for suspect in sorted(run.suspects):
            device = run.devices[suspect]
            if device.asked_after <= probed.asked_at:
                decision.events += concluding.fail(device, now, Verdict.FAILED, device.reason)
        return
    run.reach.probe_failed(now)
    if probed.unauthorised:
        run.reach.rejected(probed.detail)
    else:
        run.reach.missed(probed.detail)
