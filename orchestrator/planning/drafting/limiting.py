"""Every limit of a playbook as a whole number, for a set of so many devices."""

from orchestrator.model.amounts import Amount, Share, at_most
from orchestrator.model.errors import SelectionError
from orchestrator.model.plans import Limits
from orchestrator.model.playbooks import Playbook
from orchestrator.model.policies import Budget
from orchestrator.planning.drafting.portioning import judged, portions
from orchestrator.planning.tallying import counted


def resolve_limits(playbook: Playbook, devices: int) -> Limits:
    """Give what a run over that many devices may do at most, in whole numbers.

    Raises SelectionError when the waves do not cover the set or a budget would stop nothing.
    """
    rollout = playbook.rollout
    return Limits(
        devices=devices,
        max_down=max(1, min(at_most(rollout.max_down, devices), devices)),
        in_flight=playbook.requests.in_flight,
        delay=playbook.requests.delay,
        per_second=playbook.requests.per_second,
        max_down_per=rollout.max_down_per,
        waves=judged(portions(rollout.waves, devices), rollout.between_waves.succeeded),
        budget=resolve_budget(rollout.stop_when, devices),
    )


def resolve_budget(budget: Budget, devices: int) -> Budget:
    """Give a budget for that many devices; only its rate stays a share, of what has finished.

    Raises SelectionError when it could never stop a run.
    """
    if not budget.is_set:
        return Budget()
    rate = budget.failure_rate
    if rate is not None and rate >= Share.of_percent("100"):
        raise SelectionError(f"a failure rate of {rate} would stop nothing; write less than 100%")
    return Budget(
        failed=_below(devices, budget.failed, "failure"),
        unconfirmed=_below(devices, budget.unconfirmed, "unconfirmed device"),
        in_doubt=_below(devices, budget.in_doubt, "device in doubt", "devices in doubt"),
        failure_rate=rate,
        after=min(budget.after, devices),
    )


def _below(devices: int, amount: Amount | None, one: str, many: str = "") -> int | None:
    if amount is None:
        return None
    allowed = at_most(amount, devices)
    if allowed >= devices > 0:
        what = f"{allowed} {many or one + 's'}" if allowed != 1 else f"1 {one}"
        raise SelectionError(
            f"a budget of {what} in a set of {counted(devices, 'device')} would stop nothing;"
            f" write at most {devices - 1}"
        )
    return allowed
