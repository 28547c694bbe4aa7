"""What if: the same plan with another limit, more failures, slower devices, or patient people."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from orchestrator.model import durations
from orchestrator.model.errors import OrchestratorError
from orchestrator.model.plans import Limits, Plan
from orchestrator.model.steps import (
    UPDATE_FREQUENCY_SECONDS,
    ApproveStep,
    RequestStep,
    proof_seconds,
)
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.foresight.experiencing import Experience, Outcomes
from orchestrator.planning.timing import Timed, timed

FIGURES = 1000
"""Figures in which a supposed share of failures is spelled out: it is right to a tenth of a percent."""


class WhatIfError(OrchestratorError):
    """A supposition that cannot be; its sentence says what would be right."""


@dataclass(frozen=True, slots=True)
class Supposition:
    """One column of a comparison: what is taken to be otherwise, by name and as it was written."""

    label: str
    values: Mapping[str, float]
    """Whole numbers, seconds, shares and factors, by the names of `NAMES` or `max_down_per.FIELD`;
    `strict` is 1 or 0."""


def parse_what_if(text: str) -> Supposition:
    """Read `max_down=40` or `max_down=40,failure=3%`; raises WhatIfError in one sentence."""
    values: dict[str, float] = {}
    for part in text.split(","):
        name, separator, value = (word.strip() for word in part.partition("="))
        if not separator or not name or not value:
            raise WhatIfError(f"--what-if {text!r}: write name=value, such as max_down=40")
        if name in values:
            raise WhatIfError(f"--what-if {text!r} supposes {name} twice; give it one value")
        values[name] = _read(text, name, value)
    _check_together(text, values)
    return Supposition(",".join(part.strip() for part in text.split(",")), values)


def parse_what_ifs(texts: Iterable[str]) -> tuple[Supposition, ...]:
    """Read one supposition a column; raises WhatIfError also when two columns are the same."""
    found: list[Supposition] = []
    for text in texts:
        read = parse_what_if(text)
        if any(each.values == read.values for each in found):
            raise WhatIfError(f"--what-if {text!r} is given twice; each column supposes another")
        found.append(read)
    return tuple(found)


def _read(text: str, name: str, value: str) -> float:
    reader = NAMES.get("max_down_per" if name.startswith("max_down_per.") else name)
    if reader is None:
        close = get_close_matches(name, NAMES, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(NAMES)}"
        raise WhatIfError(f"--what-if {text!r}: nothing named {name!r} can be supposed; {hint}")
    try:
        return reader(value)
    except (ValueError, ZeroDivisionError) as error:
        raise WhatIfError(f"--what-if {text!r}: {name} {error}") from None


def _count(value: str) -> float:
    if not re.fullmatch(r"\d{1,9}", value) or int(value) == 0:
        raise ValueError(f"takes a whole number from 1 to 999999999, not {value!r}")
    return int(value)


def _rate(value: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", value) or float(value) == 0:
        raise ValueError(f"takes a number of requests above 0, not {value!r}")
    return float(value)


def _seconds(value: str) -> float:
    return 0.0 if value == "0" else durations.from_text(value)


def _delay(value: str) -> float:
    try:
        return _seconds(value)
    except ValueError:
        raise ValueError(f"takes a duration such as 100ms or 2s, not {value!r}") from None


def _patience(value: str) -> float:
    try:
        return _seconds(value)
    except ValueError:
        raise ValueError(f"takes a duration such as 30m or 2h, not {value!r}") from None


def _share(value: str) -> float:
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?)%", value)
    if not found or Fraction(found[1]) > 100:  # noqa: PLR2004 - percent
        raise ValueError(f"takes a share of the devices such as 3%, not {value!r}")
    return float(Fraction(found[1]) / 100)


def _factor(value: str) -> float:
    found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,3})?)(x|%)", value)
    factor = Fraction(found[1]) / (100 if found[2] == "%" else 1) if found else Fraction(0)
    if not factor:
        raise ValueError(f"takes a factor such as 1.5x or 150%, not {value!r}")
    return float(factor)


def _yes(value: str) -> float:
    if value.lower() not in ("yes", "no", "true", "false"):
        raise ValueError(f"takes yes or no, not {value!r}")
    return float(value.lower() in ("yes", "true"))


NAMES: Mapping[str, Callable[[str], float]] = {
    "max_down": _count,
    "max_down_per": _count,
    "in_flight": _count,
    "delay": _delay,
    "per_second": _rate,
    "strict": _yes,
    "failure": _share,
    "slower": _factor,
    "approval": _patience,
}
"""What can be supposed, and how its value is written; `max_down_per.FIELD` is one group limit."""


def _check_together(text: str, values: Mapping[str, float]) -> None:
    of_fields = [name for name in values if name.startswith("max_down_per.")]
    if "max_down_per" in values and of_fields:
        raise WhatIfError(
            f"--what-if {text!r}: max_down_per already stands for every group limit;"
            f" leave out {of_fields[0]}"
        )
    if {"delay", "per_second"} <= values.keys() and values["delay"] * values["per_second"] > 1:
        at_most = 1 / values["delay"]
        raise WhatIfError(
            f"--what-if {text!r} contradicts itself: with that delay at most {at_most:g} requests"
            " leave in a second"
        )


def suppose(
    plan: Plan, experience: Experience, supposition: Supposition
) -> tuple[Plan, Experience]:
    """Give the plan and the experience as they would be; raises WhatIfError when they cannot be."""
    values = supposition.values
    _check_effect(plan, supposition)
    plan = replace(plan, limits=_limits(plan, supposition))
    if "strict" in values:
        plan = _strict(plan, is_strict=bool(values["strict"]))
    if "approval" in values:
        experience = replace(experience, approval_seconds=values["approval"])
    if "slower" in values or "failure" in values:
        experience = replace(experience, by_kind=_otherwise(plan, experience, values))
    return plan, experience


def _check_effect(plan: Plan, supposition: Supposition) -> None:
    """Refuse what would change nothing in this plan: its column would seem to say something."""
    playbook, why = plan.playbook, None
    asks = any(isinstance(step, ApproveStep) for step in playbook.all_steps)
    between = playbook.rollout.between_waves
    gated = len(plan.limits.waves) > 1 and (between.approval or between.succeeded is not None)
    if "approval" in supposition.values and not asks and not gated:
        why = "nobody is ever asked in this plan"
    elif "strict" in supposition.values and not plan.limits.budget.is_set:
        why = "the playbook has no budget that could be strict"
    if why is not None:
        raise WhatIfError(f"--what-if {supposition.label!r} changes nothing: {why}")


def _limits(plan: Plan, supposition: Supposition) -> Limits:
    limits, values = plan.limits, supposition.values
    groups = []
    unused = {name for name in values if name.startswith("max_down_per")}
    for limit in limits.max_down_per:
        names = {"max_down_per", *(f"max_down_per.{each}" for each in limit.fields)} & values.keys()
        unused -= names
        groups.append(replace(limit, at_most=int(values[min(names)])) if names else limit)
    if unused:
        known = sorted({field for limit in limits.max_down_per for field in limit.fields})
        there = f"only for {', '.join(known)}" if known else "no max_down_per at all"
        raise WhatIfError(
            f"--what-if {supposition.label!r}: the playbook has {there}; name one it has"
        )
    return replace(
        limits,
        max_down=min(int(values.get("max_down", limits.max_down)), max(limits.devices, 1)),
        in_flight=int(values.get("in_flight", limits.in_flight)),
        delay=values.get("delay", limits.delay),
        per_second=values.get("per_second", limits.per_second),
        max_down_per=tuple(groups),
    )


def _strict(plan: Plan, *, is_strict: bool) -> Plan:
    rollout = replace(plan.playbook.rollout, strict=is_strict)
    return replace(plan, playbook=replace(plan.playbook, rollout=rollout))


def _otherwise(
    plan: Plan, experience: Experience, values: Mapping[str, float]
) -> dict[tuple[Timed, str | None], Outcomes]:
    """Spell out what every operation would come to for every type of device of the plan."""
    steps = [step for step in plan.playbook.all_steps if isinstance(step, RequestStep)]
    kinds = {device.kind for device in plan.devices} | {None}
    failing = next((s for s in steps if s.operation.is_disruptive), steps[0] if steps else None)
    found: dict[tuple[Timed, str | None], Outcomes] = {}
    for step in steps:
        for kind in kinds:
            outcomes = experience.of(timed(step), kind)
            if "failure" in values:
                share = values["failure"] if step is failing else 0.0
                outcomes = failing_so(outcomes, share, _given_up_after(step))
            if "slower" in values:
                outcomes = _slower(outcomes, values["slower"])
            found.setdefault((timed(step), kind), outcomes)
    return found


def _given_up_after(step: RequestStep) -> float:
    return proof_seconds(step, UPDATE_FREQUENCY_SECONDS)


def failing_so(outcomes: Outcomes, share: float, given_up_after: float) -> Outcomes:
    """Give the same outcomes with that share of the devices never proven back, and no other failure."""
    failures = round(FIGURES * share)
    proven = FIGURES - failures
    seconds = outcomes.seconds
    return Outcomes(
        seconds=tuple(seconds[i * len(seconds) // proven] for i in range(proven))
        if seconds
        else (),
        failures=((Verdict.UNCONFIRMED, given_up_after),) * failures,
        requests=FIGURES,
    )


def _slower(outcomes: Outcomes, factor: float) -> Outcomes:
    return replace(
        outcomes,
        seconds=tuple(seconds * factor for seconds in outcomes.seconds),
        failures=tuple((verdict, seconds * factor) for verdict, seconds in outcomes.failures),
    )


def raised(plan: Plan, limit: str) -> tuple[str, float, float, Plan] | None:
    """Give what a limit is called and is, what it would be when raised, and the plan with that.

    None when raising it means nothing or is not one number.
    """
    limits = plan.limits
    match limit:
        case "max_down" if limits.max_down < limits.devices:
            more = min(_more(limits.max_down), limits.devices)
            return limit, limits.max_down, more, _with(plan, max_down=more)
        case "max_down_per":
            least = min(each.at_most for each in limits.max_down_per)
            groups = tuple(replace(g, at_most=g.at_most + 1) for g in limits.max_down_per)
            return limit, least, least + 1, _with(plan, max_down_per=groups)
        case "in_flight":
            more = _more(limits.in_flight)
            return limit, limits.in_flight, more, _with(plan, in_flight=more)
        case "delay":
            return limit, limits.delay, limits.delay / 2, _with(plan, delay=limits.delay / 2)
        case "per_second":
            rate = limits.per_second or 0.0
            return limit, rate, rate * 2, _with(plan, per_second=rate * 2)
        case "budget":
            return "strict", 1, 0, _strict(plan, is_strict=False)
        case _:
            return None


def _more(value: int) -> int:
    """Give a good deal more, as a person would say it: 25 is 40, 100 is 160."""
    more = value * 8 // 5
    return max(value + 1, more - more % 5 if more > 20 else more)  # noqa: PLR2004 - small numbers


def _with(plan: Plan, **changes: Any) -> Plan:
    return replace(plan, limits=replace(plan.limits, **changes))
