"""Who is not gone on with when a run was stopped or its window closed for good, and the run's end."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from orchestrator.engine.walking import concluding
from orchestrator.engine.walking.deciding import BATCH, Decision
from orchestrator.engine.walking.progressing import DeviceRun
from orchestrator.model import events
from orchestrator.model.events import Event
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.steps import ApproveStep
from orchestrator.model.verdicts import Verdict

if TYPE_CHECKING:
    from orchestrator.engine.run import Run


def given_up(run: "Run", device: DeviceRun, at: float) -> list[Event]:
    """End an idle device's walk if nothing more will be asked of it.

    A chain once begun is finished, and so are steps behind which no operation is to come; a walk
    that was never begun is not.
    """
    if run.stopped is None and not run.zones.is_over(device.planned):
        return []
    has_more = isinstance(device.current, ApproveStep) or device.course.has_operation_from(
        device.step
    )
    is_begun = device.id in run.devices
    if is_begun and (not has_more or (device.is_in_chain and not run.is_abandoned)):
        return []
    title = device.current.title
    if run.stopped is not None and device.is_in_chain:
        verdict = Verdict.FAILED
        reason = f"abandoned before {title}: {run.stopped.detail}"
    elif run.stopped is not None:
        verdict = Verdict.NOT_STARTED
        reason = f"the run was stopped before {title}: {run.stopped.detail}"
        if device.touched and device.unproven is None and not device.is_in_chain:
            reason += "; whatever was done before is proven"
    else:
        verdict = Verdict.DEFERRED
        reason = f"the window closed before {title} and does not open again"
    run.starts.queued.discard(device.id)
    if not (device.touched or device.doubted):
        return [concluding.finish(device, at, verdict, reason)]
    if verdict is Verdict.NOT_STARTED:
        verdict = Verdict.FAILED
    return concluding.give_up(device, at, verdict, reason)


def give_up_the_rest(run: "Run", decision: Decision, at: float) -> None:
    """Give the devices that were never begun their verdict, once none of them will be."""
    if run.stopped is None and not run.zones.are_over:
        for zone in run.zones.over:
            for planned in islice(run.admissions.fresh.dismiss(zone), BATCH):
                decision.events += given_up(run, DeviceRun(planned, run.course), at)
        return
    for planned in islice(_not_begun(run), BATCH):
        decision.events += given_up(run, DeviceRun(planned, run.course), at)


def _not_begun(run: "Run") -> Iterator[PlannedDevice]:
    for device in run.unbegun:
        if device not in run.devices and (planned := run.plan.devices.find(device)) is not None:
            yield planned


def consider_end(run: "Run", decision: Decision, at: float) -> None:
    """The run is finished once every device has its verdict."""
    if decision.events or run.ended < len(run.plan.devices):
        return
    counts: Mapping[str, int] = {v.value: n for v, n in sorted(run.verdicts.items())}
    decision.events.append(events.RunFinished(at, counts))
