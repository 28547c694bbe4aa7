"""What a set of campaigns has met, so that nobody is fooled by seeds that exercise nothing."""

from collections import Counter

from orchestrator.model import events
from orchestrator.model.steps import ApproveStep, CheckStep, NotifyStep, OperationStep, SleepStep
from tests.campaigns.driving import Life

RUNS = (
    "runs",
    "with waves",
    "with a soak and a gate",
    "with spread_by",
    "with a budget",
    "with max_down_per",
    "with a window",
    "with zones of devices",
    "with a ramp",
    "with a rescue",
    "with continue_on",
    "with approve steps",
    "with sleep, check or notify steps",
    "with faults",
    "with storms",
    "with absent devices",
    "with neighbours that held a device",
    "with orders",
    "with refused orders",
    "with orders while nobody drove",
    "killed",
    "interrupted",
    "paused by the controller",
    "paused by a person",
    "with lowered or raised limits",
    "abandoned",
    "stopped by budget",
    "stopped by wave",
    "stopped by denied",
    "stopped by person",
    "with several openings",
    "with a wave judged inconclusive",
    "with a device rescued",
    "with a step forgiven",
    "with a chain finished after a stop",
)
"""What is counted, and has to be met by enough seeds."""


def met(life: Life) -> Counter[str]:
    """Give what one campaign has met, one each, and its verdicts."""
    found = Counter(["runs", *_drawn(life), *_lived(life)])
    found.update(f"verdict {verdict}" for verdict in life.verdicts.values())
    found.update({"events": len(life.journal), "requests": life.requests})
    return found


def _drawn(life: Life) -> list[str]:
    drawn, playbook, limits = life.drawn, life.drawn.playbook, life.plan.limits
    rollout, window = playbook.rollout, playbook.window
    steps = playbook.all_steps
    named = {
        "with waves": bool(limits.waves),
        "with a soak and a gate": any(wave.must_succeed for wave in limits.waves[:-1]),
        "with spread_by": bool(rollout.spread_by),
        "with a budget": limits.budget.is_set,
        "with max_down_per": bool(limits.max_down_per),
        "with a window": window is not None,
        "with zones of devices": any(device.zone for device in life.plan.devices),
        "with a ramp": rollout.ramp,
        "with a rescue": bool(playbook.rescue),
        "with continue_on": any(
            isinstance(step, OperationStep | CheckStep) and step.continue_on for step in steps
        ),
        "with approve steps": any(isinstance(step, ApproveStep) for step in steps),
        "with sleep, check or notify steps": any(
            isinstance(step, SleepStep | CheckStep | NotifyStep) for step in steps
        ),
        "with faults": not drawn.faults.operations.is_quiet,
        "with storms": bool(drawn.storms),
        "with absent devices": bool(drawn.absences),
    }
    return [name for name, is_so in named.items() if is_so]


def _lived(life: Life) -> list[str]:
    told, chronicle = life.journal, life.chronicle
    kinds = {type(event) for event in told}
    stops = [place for place, event in enumerate(told) if isinstance(event, events.RunStopped)]
    openings = Counter(event.zone for event in told if isinstance(event, events.WindowOpened))
    named = {
        "with neighbours that held a device": chronicle.elsewhere > 0,
        "with orders": chronicle.obeyed > 0,
        "with refused orders": chronicle.refused > 0,
        "with orders while nobody drove": chronicle.undriven > 0,
        "killed": chronicle.kills > 0,
        "interrupted": events.RunInterrupted in kinds,
        "paused by the controller": events.RunPaused in kinds,
        "paused by a person": events.PauseOrdered in kinds,
        "with lowered or raised limits": events.LimitOrdered in kinds,
        "abandoned": any(isinstance(e, events.CancelOrdered) and e.abandon for e in told),
        "with several openings": max(openings.values(), default=0) > 1,
        "with a wave judged inconclusive": any(
            isinstance(e, events.WaveJudged) and e.outcome == "inconclusive" for e in told
        ),
        "with a device rescued": events.RescueStarted in kinds,
        "with a step forgiven": events.StepForgiven in kinds,
        "with a chain finished after a stop": bool(stops)
        and any(isinstance(event, events.OperationIntended) for event in told[stops[0] :]),
    }
    causes = [f"stopped by {told[place].cause}" for place in stops]
    return [name for name, is_so in named.items() if is_so] + causes


def table(total: Counter[str]) -> str:
    """Give what all campaigns together have met, for people."""
    names = [*RUNS, *sorted(name for name in total if name not in RUNS)]
    return "\n".join(f"  {name:<38} {total[name]:>9,}" for name in names)


def never_met(total: Counter[str]) -> list[str]:
    """Give what no campaign has met."""
    return [name for name in RUNS if not total[name]]
