"""Which limit keeps the next device from being started? Asked of the same state that decides."""

from typing import TYPE_CHECKING

from orchestrator.engine.rollout import pacing
from orchestrator.engine.rollout.waving import Stage

if TYPE_CHECKING:
    from orchestrator.engine.run import Run

DEVICES = "devices"
"""Nobody is kept: all that are left are under way, and only they take their time."""
WINDOW = "window"


def binding(run: "Run", now: float) -> str:
    """Name what keeps the next device from its start, at a moment at which nothing is to be decided.

    One of the words of `model.forecasts.Binding`; costs O(1).
    """
    if run.stopped is not None:
        return DEVICES
    if not run.zones.is_any_open:
        return WINDOW
    return _of_stage(run) or _of_requests(run, now) or _of_devices(run)


def _of_stage(run: "Run") -> str | None:
    """The waves, and what people are asked."""
    waves = run.waves
    if waves.stage in (Stage.SOAKING, Stage.LOOKING):
        return "soak"
    if waves.stage is Stage.ASKING or run.approvals.open:
        return "approval"
    return None


def _of_requests(run: "Run", now: float) -> str | None:
    """Somebody is ready, and only the wire is waited for."""
    if not run.admissions.cleared:
        return None
    if run.admissions.in_flight >= run.limits.in_flight:
        return "in_flight"
    if run.pace.next_at <= now:
        return None
    limits = run.limits
    by_rate = 0.0
    if limits.per_second is not None:
        by_rate = 1 / (limits.per_second * pacing.OPERATION_SHARE)
    return "per_second" if by_rate > limits.delay else "delay"


def _of_devices(run: "Run") -> str:
    """Nobody is ready: the wave is begun to its end, or the devices under way leave no room."""
    waves, admissions = run.waves, run.admissions
    is_anybody_aside = admissions.waits_for_group
    begun = len(run.devices)
    if begun >= waves.begins + waves.wave.devices and not is_anybody_aside:
        return DEVICES if waves.is_last else "wave"
    room = run.spending.most_underway
    if room is not None and run.waits.underway >= room:
        return _of_room(run)
    if run.plan.playbook.is_disruptive and admissions.free_places <= 0:
        return "max_down"
    if is_anybody_aside or admissions.is_group_full:
        return "max_down_per"
    return WINDOW if admissions.fresh.is_anybody_aside else DEVICES


def _of_room(run: "Run") -> str:
    by_budget, by_ramp = run.spending.by_budget, run.spending.by_ramp
    if by_ramp is None or (by_budget is not None and by_budget <= by_ramp):
        return "budget"
    return "ramp"
