"""How careful a plan is, in words and numbers: waves, limits, budget, expected time, messages."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from orchestrator.cli import plan_steps, screen
from orchestrator.engine.rollout.budgeting import may_be_underway, rate_allows
from orchestrator.model import durations
from orchestrator.model.amounts import Share
from orchestrator.model.plans import Limits, Plan
from orchestrator.model.policies import Approver, Budget, Notify, Occasion
from orchestrator.model.steps import Step
from orchestrator.model.verdicts import Verdict

_FEW = 6


def waves(plan: Plan) -> Iterator[str]:
    """Tell how the set is portioned and what stands between two portions."""
    sizes = [wave.devices for wave in plan.limits.waves]
    if not sizes:
        return
    if len(sizes) == 1:
        yield f"1 wave of all {screen.counted(sizes[0], 'device')}"
        return
    noun = "device" if sizes[-1] == 1 else "devices"
    yield f"{len(sizes):,} waves: {_series(sizes)} {noun}"
    yield f"between them: {', '.join(_gates(plan)) or 'nothing is asked'}"
    if plan.playbook.rollout.spread_by:
        fields = ", ".join(plan.playbook.rollout.spread_by)
        yield f"the first holds at least one device of each kind by {fields}"


def _gates(plan: Plan) -> Iterator[str]:
    between = plan.playbook.rollout.between_waves
    if between.soak:
        yield f"{durations.as_text(between.soak)} soak"
    if between.succeeded is not None:
        needed = [wave.must_succeed for wave in plan.limits.waves[:-1]]
        wanted = between.succeeded
        shown = str(wanted) if isinstance(wanted, Share) else f"{wanted:,}"
        yield f"at least {shown} ({_series(needed)}) succeeded"
    if between.approval is Approver.ANOTHER:
        yield "approval by another person"
    elif between.approval is not None:
        yield "approval"


def _series(numbers: Iterable[int]) -> str:
    """Write numbers one after the other, equal ones that follow each other once."""
    runs = [(number, len(list(same))) for number, same in groupby(numbers)]
    shown = [
        f"{number:,} ({times:,} times)" if times > 1 else f"{number:,}"
        for number, times in runs[:_FEW]
    ]
    return ", ".join(shown) + (", ..." if len(runs) > _FEW else "")


def limits(plan: Plan) -> Iterator[str]:
    """Tell what the run may do at most, first of all to the devices."""
    found = plan.limits
    yield f"at most {screen.counted(found.max_down, 'device')} out of service at once"
    for place, limit in enumerate(found.max_down_per):
        groups = len({device.groups[place] for device in plan.devices})
        yield (
            f"at most {screen.counted(limit.at_most, 'device')} of the same {limit.title} out of"
            f" service ({screen.counted(groups, 'group')}), others' outages counted"
        )
    yield from plan_steps.allowances(plan.playbook)
    if plan.playbook.rollout.ramp:
        yield "begins with 1 device at once, then 2, 4, 8 as devices succeed"
    yield f"{screen.counted(found.in_flight, 'request')} in flight at once"
    yield f"{durations.as_text(found.delay)} between operation requests"
    if found.per_second is not None:
        yield f"{found.per_second:g} requests a second"


def stops(plan: Plan) -> Iterator[str]:
    """Tell when the run gives up by itself."""
    budget, devices = plan.limits.budget, plan.limits.devices
    if not budget.is_set:
        if plan.playbook.is_disruptive:
            yield "never by itself, however many fail: there is no budget"
        return
    amounts = list(_amounts(budget))
    if amounts:
        yield f"when {_either(amounts)}"
    if budget.failure_rate is not None:
        yield f"when {_rate(plan.limits)} are in trouble ({budget.failure_rate})"
    underway = may_be_underway(budget, {}, devices)
    if underway is None or not plan.playbook.rollout.strict:
        yield "what is under way then may go beyond it (strict: false)"
    else:
        told = f"never more than {screen.counted(underway, 'device')} under way (strict)"
        # A share of what has finished leaves room for more as devices succeed.
        later = may_be_underway(budget, {Verdict.SUCCEEDED: devices}, devices)
        yield f"at first {told}" if later is not None and later > underway else told


def _amounts(budget: Budget) -> Iterator[str]:
    named = (
        (budget.failed, "failed"),
        (budget.unconfirmed, "unconfirmed"),
        (budget.in_doubt, "in doubt"),
    )
    for allowed, word in named:
        if isinstance(allowed, int):
            yield f"{_more_than(allowed)} {word}"


def _more_than(allowed: int) -> str:
    return f"more than {allowed:,}" if allowed else "any"


def _rate(found: Limits) -> str:
    budget, devices = found.budget, found.devices
    of_all = f"{_more_than(rate_allows(budget, devices, devices))} of all {devices:,}"
    if not 0 < budget.after < devices:
        return of_all
    return (
        f"{_more_than(rate_allows(budget, 0, devices))} of the first {budget.after:,} or {of_all}"
    )


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def expected(plan: Plan) -> Iterator[str]:
    """Tell how long one device is expected to take, and what makes us believe so."""
    steps = plan.playbook.steps
    if len(plan.expected) < len(steps) or not sum(plan.expected[: len(steps)]):
        return
    yield (
        f"up to {durations.as_text(sum(plan.expected[: len(steps)]))} for one device:"
        f" {_step_times(steps, plan.expected)}"
    )
    yield f"({plan.expected_from})"


def _step_times(steps: Sequence[Step], seconds: Sequence[int]) -> str:
    return ", ".join(
        step.title if step.title.startswith("sleep") else f"{step.title} {durations.as_text(time)}"
        for step, time in zip(steps, seconds, strict=False)
        if time
    )


def tells(notify: Notify | None) -> Iterator[str]:
    """Tell who hears of the run, and what of it."""
    if notify is None:
        return
    if set(notify.on) == set(Occasion):
        occasions = "of everything"
    else:
        occasions = "when " + ", ".join(word.value.replace("_", " ") for word in notify.on)
    yield f"{', '.join(notify.to)} {occasions}"


def as_object(plan: Plan) -> dict[str, object]:
    """Give the same to programs; every amount is a number of devices."""
    playbook, limits = plan.playbook, plan.limits
    between, budget, notify = playbook.rollout.between_waves, limits.budget, playbook.notify
    return {
        "waves": [
            {"devices": wave.devices, "must_succeed": wave.must_succeed} for wave in limits.waves
        ],
        "spread_by": list(playbook.rollout.spread_by),
        "between_waves": {"soak": between.soak, "approval": between.approval},
        "budget": {
            "failed": budget.failed,
            "unconfirmed": budget.unconfirmed,
            "in_doubt": budget.in_doubt,
            "failure_rate": _fraction(budget.failure_rate),
            "after": budget.after,
            "strict": playbook.rollout.strict,
        },
        "notify": None
        if notify is None
        else {"to": list(notify.to), "on": [occasion.value for occasion in notify.on]},
    }


def _fraction(share: Share | None) -> float | None:
    return None if share is None else float(share.fraction)
