"""How carefully devices are taken, and who is told: waves, limits, budgets, notifications."""

from dataclasses import dataclass
from typing import Any

from orchestrator.model.policies import Approver, Occasion, Rollout
from orchestrator.playbook import composing
from orchestrator.playbook.composing import Scalar
from orchestrator.playbook.fields import FieldNames, GroupLimits
from orchestrator.playbook.shapes import INVALID, JsonSchema, Key, Keys, Many, OneOrMany, Spot
from orchestrator.playbook.values import (
    APPROVER,
    FLAG,
    Duration,
    Percent,
    Quantity,
    Text,
    Whole,
    Words,
)

DEFAULT_AFTER = 10
"""Devices that a failure rate is counted over at least; fewer say little."""

_DEVICES = "a whole number of devices or a share such as 10%"
_SOME = Quantity(Whole(least=1, wanted=_DEVICES), Percent())
_ALLOWED = Quantity(Whole(wanted=_DEVICES), Percent(may_be_none=True, may_be_all=False))
_WHO = Keys(
    {
        "by": Key(
            APPROVER,
            "anybody, or another: anybody but the person who started the run.",
            is_required=True,
        )
    },
    "approval",
)


@dataclass(frozen=True, slots=True)
class Approval:
    """Whether a person has to agree, and which."""

    def read(self, spot: Spot) -> Any:
        """Give an Approver, or None for nobody."""
        if isinstance(spot.node, composing.Mapping):
            who = _WHO.read(spot)
            return INVALID if who is INVALID or "by" not in who else who["by"]
        if isinstance(spot.node, Scalar) and spot.node.text in tuple(Approver):
            return spot.fault(
                f"{spot.node.text!r} is not true or false", f"write {{by: {spot.node.text}}}"
            )
        flag = FLAG.read(spot)
        if flag is INVALID:
            return INVALID
        return Approver.ANYBODY if flag else None

    def schema(self) -> JsonSchema:
        """A truth value, or an object that names who."""
        return {"anyOf": [*FLAG.schema()["anyOf"], _WHO.schema()]}


BETWEEN_WAVES = Keys(
    {
        "soak": Key(
            Duration(),
            "How long a finished wave is left alone before it is judged. Default 0: not at all.",
        ),
        "succeeded": Key(
            _SOME,
            "How many devices of the wave, or which share of it (rounded up), must have succeeded"
            " and be Up still after the soak. Too few stop the run. Default: any number.",
        ),
        "approval": Key(
            Approval(),
            "true: a person has to agree before the next wave. {by: another}: not the one who"
            " started the run. Nobody's silence is consent. Default false.",
        ),
    },
    "between_waves",
    {
        "approve": "did you mean 'approval'?",
        "wait": "did you mean 'soak'?",
        "pause": "did you mean 'soak'?",
    },
    may_be_empty=False,
)

STOP_WHEN = Keys(
    {
        "failed": Key(_ALLOWED, "More failed devices than this, or this share of the set."),
        "unconfirmed": Key(
            _ALLOWED, "More devices than this, or this share of the set, that were not proven back."
        ),
        "in_doubt": Key(
            _ALLOWED,
            "More devices than this, or this share of the set, of which nobody can tell whether"
            " the operation was applied.",
        ),
        "failure_rate": Key(
            Percent(may_be_none=True, may_be_all=False),
            "More trouble (failed, unconfirmed, in doubt) than this share of the devices that have"
            " succeeded or ended in trouble.",
        ),
        "after": Key(
            Whole(least=1, wanted="a whole number of devices"),
            "The failure rate is counted over at least so many devices, so that a first failure is"
            f" not a rate of 100%. Default {DEFAULT_AFTER}.",
        ),
    },
    "stop_when",
    {
        "rate": "did you mean 'failure_rate'?",
        "failures": "did you mean 'failed'?",
        "doubt": "did you mean 'in_doubt'?",
    },
    may_be_empty=False,
)

ROLLOUT = Keys(
    {
        "max_down": Key(
            _SOME,
            "Devices out of service through this run at once, as a number or a share of the set"
            f" (rounded down). Default {Rollout().max_down}.",
        ),
        "max_down_per": Key(
            GroupLimits(),
            "The same among devices that share a field's value, such as `location: 1`; several"
            " fields are joined by commas. Devices there that are Down for other reasons count too;"
            " devices without a value are the group `unknown`.",
        ),
        "waves": Key(
            Many(_SOME, "a list of waves such as [1, 10, 25%, 100%]"),
            "Size of each wave, as a number or a share of the set (rounded down, at least 1). A"
            " number at the end repeats, a share at the end takes all the rest.",
        ),
        "spread_by": Key(
            FieldNames(is_ordered=False),
            "Fields such as type_short_name: the first wave holds at least one device of each"
            " combination of their values.",
        ),
        "between_waves": Key(BETWEEN_WAVES, "What has to be true before the next wave begins."),
        "stop_when": Key(STOP_WHEN, "The failure budget: more than one of these stops the run."),
        "strict": Key(
            FLAG,
            "true: never more devices under way than failures are still allowed, and one, so that"
            " no budget is overshot. false: faster. Default true.",
        ),
        "ramp": Key(
            FLAG,
            "true: begin with one device at once, then 2, 4, 8, as devices succeed. Default false.",
        ),
    },
    "rollout",
    {
        "serial": "did you mean 'waves'?",
        "batches": "did you mean 'waves'?",
        "budget": "did you mean 'stop_when'?",
        "window": "it stands beside `rollout`",
        **dict.fromkeys(STOP_WHEN.keys, "it stands under `stop_when`"),
        **dict.fromkeys(BETWEEN_WAVES.keys, "it stands under `between_waves`"),
    },
)

NOTIFY = Keys(
    {
        "to": Key(
            OneOrMany(
                Text(
                    r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}",
                    "a name of letters, digits and . _ -",
                    hint="write a name such as noc-chat; where it leads stands in the file"
                    " ORCHESTRATOR_NOTIFY_FILE, never in a playbook",
                )
            ),
            "Names of those who are told. Where a name leads stands in the file"
            " ORCHESTRATOR_NOTIFY_FILE.",
            is_required=True,
        ),
        "on": Key(
            OneOrMany(
                Words(
                    {occasion.value: occasion for occasion in Occasion},
                    f"an occasion: {', '.join(Occasion)}",
                    tuple(Occasion),
                    {
                        "start": "did you mean 'started'?",
                        "wave": "did you mean 'wave_finished'?",
                        "end": "did you mean 'finished'?",
                        "ended": "did you mean 'finished'?",
                        "all": "leave the key out: then every occasion is told",
                    },
                )
            ),
            f"What they are told of: {', '.join(Occasion)}. Default: all of it.",
        ),
    },
    "notify",
)
