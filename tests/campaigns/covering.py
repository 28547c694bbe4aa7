"""What a set of campaigns has met, so that nobody is fooled by seeds that exercise nothing."""

from collections import Counter

from orchestrator.model import events
from orchestrator.model.operations import Action, Operation
from orchestrator.model.policies import Depth
from orchestrator.model.steps import (
    ApproveStep,
    CheckStep,
    DoneStep,
    EscalateStep,
    NotifyStep,
    RecordStep,
    RequestStep,
    SleepStep,
)
from orchestrator.model.values import Template
from orchestrator.planning.drafting.tabling import PROVISIONAL
from tests.campaigns.changing import KINDS
from tests.campaigns.driving import Life
from tests.campaigns.history import History

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
    "that change records",
    *(f"that change records: {kind}" for kind in KINDS),
    *(f"with {action} applied" for action in Action),
    "with create that found the device",
    *(f"with update and {flag}" for flag in ("reboot", "sync", "factory")),
    "with values from a row",
    "with values from the record",
    "with secrets proven",
    "with secrets that could not be had",
    "with snapshots full",
    "with snapshots record",
    "with snapshots none",
    "with a change lost and applied",
    "with a change lost and not applied",
    "with a creation lost",
    "with a creation found by its serial number",
    "with a change rejected",
    "with a process ended at a change",
    "with a device found under another id",
    "with an image that failed",
    "with a device lost in an upgrade",
    "with witnesses asked",
    "with done_if that held",
    "with done_if that did not hold",
    "with a device handed to a person",
    "with a device that had its share",
    "with a device already as wanted",
)
"""What is counted, and has to be met by enough seeds."""


def met(life: Life) -> Counter[str]:
    """Give what one campaign has met, one each, and its verdicts."""
    found = Counter(["runs", *_drawn(life), *_lived(life), *_changed(life)])
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
            isinstance(step, RequestStep | CheckStep) and step.continue_on for step in steps
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


def _changed(life: Life) -> list[str]:
    """What a campaign has met that changes records."""
    drawn, playbook = life.drawn, life.plan.playbook
    if drawn.changes is None:
        return []
    history = History(life)
    steps, attempts = history.steps, history.attempts
    changes = [step for step in steps if isinstance(step, RecordStep)]
    lost = [
        each
        for each in attempts
        if isinstance(each.answer, events.OperationLost) and each.intended.action is not None
    ]
    said = [(steps[e.step], e) for e in history.of(events.StepSucceeded)]
    temperaments = {
        life.world.population.device(a.device, life.now).temperament.name
        for a in attempts
        if a.operation is Action.UPGRADE and a.applied and a.device in life.world.population
    }
    named = {
        "with create that found the device": any(
            getattr(step, "action", None) is Action.CREATE and event.evidence.startswith("already")
            for step, event in said
        ),
        "with values from a row": any(step.takes_row for step in changes),
        "with values from the record": any(
            isinstance(each.value, Template) for step in changes for each in step.assignments
        ),
        "with secrets proven": any(
            (device, step) in life.chronicle.vault.proven
            for device, step, _ in life.chronicle.vault.kept
        ),
        "with secrets that could not be had": life.chronicle.vault.refused > 0,
        "with snapshots full": any(a.intended.snapshot == "full" for a in attempts),
        "with snapshots record": any(a.intended.snapshot == "record" for a in attempts),
        "with snapshots none": playbook.snapshots is Depth.NONE,
        "with a change lost and applied": any(each.was_applied for each in lost),
        "with a change lost and not applied": not all(each.was_applied for each in lost),
        "with a creation lost": any(each.operation is Action.CREATE for each in lost),
        "with a creation found by its serial number": any(
            each.operation is Action.CREATE and each.resolved and each.resolved.applied
            for each in lost
        ),
        "with a change rejected": any(
            event.refusal == "rejected" for event in history.of(events.OperationRefused)
        ),
        "with a process ended at a change": any(
            each.answer is not None and "the process ended" in each.answer.reason for each in lost
        ),
        "with a device found under another id": any(
            isinstance(event, events.DeviceFound) and event.device < PROVISIONAL
            for event in life.journal
        ),
        "with an image that failed": "upgrade_fails" in temperaments,
        "with a device lost in an upgrade": "lost_in_upgrade" in temperaments,
        "with witnesses asked": any(
            isinstance(step, RequestStep) and step.proof.witnesses for step, _ in said
        ),
        "with done_if that held": any(
            isinstance(step, DoneStep) and event.evidence.startswith("nothing")
            for step, event in said
        ),
        "with done_if that did not hold": any(
            isinstance(step, DoneStep) and event.evidence.startswith("goes on")
            for step, event in said
        ),
        "with a device handed to a person": any(isinstance(step, EscalateStep) for step, _ in said),
        "with a device that had its share": any(
            event.reason == device.exhausted
            for device in life.plan.devices
            if device.exhausted
            for event in history.of_device[device.id]
            if isinstance(event, events.StepFailed)
        ),
        "with a device already as wanted": "already_ok" in life.verdicts.values(),
    }
    applied = {f"with {a.intended.action} applied" for a in attempts if a.was_applied}
    flags = {
        f"with update and {a.operation}"
        for a in attempts
        if a.was_applied
        and a.intended.action == Action.UPDATE
        and isinstance(a.operation, Operation)
    }
    return [
        "that change records",
        f"that change records: {drawn.changes}",
        *(applied - {"with None applied"}),
        *flags,
        *(name for name, is_so in named.items() if is_so),
    ]


def table(total: Counter[str]) -> str:
    """Give what all campaigns together have met, for people."""
    names = [*RUNS, *sorted(name for name in total if name not in RUNS)]
    return "\n".join(f"  {name:<44} {total[name]:>9,}" for name in names)


def never_met(total: Counter[str]) -> list[str]:
    """Give what no campaign has met."""
    return [name for name in RUNS if not total[name]]
