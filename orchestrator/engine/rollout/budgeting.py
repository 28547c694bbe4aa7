"""How many failures a run may cause, and how many devices may be under way because of that."""

from collections.abc import Mapping

from orchestrator.model.policies import Budget
from orchestrator.model.verdicts import Verdict

_NAMES = {
    "failed": Verdict.FAILED,
    "unconfirmed": Verdict.UNCONFIRMED,
    "in_doubt": Verdict.IN_DOUBT,
}

Verdicts = Mapping[Verdict, int]


def overspent(budget: Budget, verdicts: Verdicts, devices: int) -> str | None:
    """Say which limit was passed; None while the run is within its budget.

    The amounts of the budget are whole numbers, as they stand in a plan.
    """
    for name, verdict in _NAMES.items():
        allowed, count = getattr(budget, name), verdicts.get(verdict, 0)
        if isinstance(allowed, int) and count > allowed:
            word = name.replace("_", " ")
            return f"{_devices(count)} {word}; the budget allows {allowed}"
    if budget.failure_rate is not None:
        troubled, finished = trouble(verdicts), _judged(verdicts)
        if troubled > rate_allows(budget, finished, devices):
            least = min(budget.after, devices)
            counted = "" if finished >= least else f", counted as at least {least}"
            return (
                f"{troubled} of {finished} finished devices failed, unconfirmed or in doubt;"
                f" the budget allows {budget.failure_rate}{counted}"
            )
    return None


def may_be_underway(budget: Budget, verdicts: Verdicts, devices: int) -> int | None:
    """Give how many devices may be under way so that no budget is overspent by more than one.

    None is no limit. Should all of them fail, the run ends one failure beyond its budget.
    """
    rooms = [
        allowed - verdicts.get(verdict, 0) + 1
        for name, verdict in _NAMES.items()
        if isinstance(allowed := getattr(budget, name), int)
    ]
    if budget.failure_rate is not None:
        allowed = rate_allows(budget, _judged(verdicts), devices)
        rooms.append(allowed - trouble(verdicts) + 1)
    return max(0, min(rooms)) if rooms else None


def rate_allows(budget: Budget, finished: int, devices: int) -> int:
    """Give how many of the finished devices may be in trouble: a share of at least `after` of them.

    A few early failures are no rate; but what is sure to exceed it at `after` exceeds it now.
    """
    assert budget.failure_rate is not None
    return budget.failure_rate.floored(max(finished, min(budget.after, devices)))


def trouble(verdicts: Verdicts) -> int:
    """Count the devices that somebody has to look at."""
    return sum(count for verdict, count in verdicts.items() if verdict.is_trouble)


def succeeded(verdicts: Verdicts) -> int:
    """Count the devices that are as the playbook wants them."""
    return sum(count for verdict, count in verdicts.items() if verdict.is_success)


def _judged(verdicts: Verdicts) -> int:
    return trouble(verdicts) + succeeded(verdicts)


def ramped(succeeded: int) -> int:
    """Give how many devices may be under way at once while a run gathers speed: 1, 2, 4, 8.

    The number doubles when as many more devices as it stands at have succeeded.
    """
    return int(1 << ((succeeded + 1).bit_length() - 1))


def _devices(count: int) -> str:
    return "1 device" if count == 1 else f"{count} devices"
