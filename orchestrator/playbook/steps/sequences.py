"""The steps of a playbook: every kind, its keys, and the sequence they stand in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.model.operations import Operation
from orchestrator.model.verdicts import Verdict
from orchestrator.playbook import composing
from orchestrator.playbook.composing import Scalar
from orchestrator.playbook.conditions import Conditions
from orchestrator.playbook.faults import nearest
from orchestrator.playbook.shapes import (
    INVALID,
    JsonSchema,
    Key,
    Keys,
    OneOrMany,
    Spot,
)
from orchestrator.playbook.steps.proofs import PROOF
from orchestrator.playbook.steps.records import record_step_keys
from orchestrator.playbook.values import APPROVER, FLAG, Duration, Sentence, Whole, Words

OPERATION = Words(
    {operation.value: operation for operation in Operation},
    f"an operation: {', '.join(Operation)}",
    tuple(operation.value for operation in Operation),
    {
        "restart": "did you mean 'reboot'?",
        "factory_reset": "did you mean 'factory'?",
        "reset": "did you mean 'factory'?",
        "reconfigure": "did you mean 'reconf'?",
        "synchronize": "did you mean 'sync'?",
    },
)

_EITHER = "write failed, unconfirmed or both"
_CONTINUE_ON = Key(
    OneOrMany(
        Words(
            {verdict.value: verdict for verdict in (Verdict.FAILED, Verdict.UNCONFIRMED)},
            "a verdict after which a device may go on: failed or unconfirmed",
            (Verdict.FAILED, Verdict.UNCONFIRMED),
            {
                "in_doubt": "nobody knows whether the operation is still to come, so the device"
                " has to wait for a person",
                "succeeded": f"a device that succeeded goes on by itself; {_EITHER}",
                "skipped": f"nothing was sent to a skipped device, so it ends there; {_EITHER}",
                "deferred": f"a deferred device waits for its window; {_EITHER}",
                "not_started": f"such a device was never begun; {_EITHER}",
                "any": _EITHER,
                "true": _EITHER,
                "always": _EITHER,
            },
        )
    ),
    "failed, unconfirmed, or both: the device goes on to its next step all the same. The verdict"
    " it ends with stays the one that was forgiven.",
)
_REFRESH = Key(
    FLAG,
    "true: have the controller contact the device once before it is read (update_status). Default"
    " false.",
)
_MISPLACED = {
    "rescue": "it stands once, beside `steps`",
    "guard": "it stands once, beside `steps`",
    "retry": "it stands once, beside `steps`; a step may have `attempts`",
    "on_failure": "did you mean 'continue_on'? What is done for a failed device is `rescue`,"
    " beside `steps`",
    "ignore_errors": "did you mean 'continue_on'?",
}

OPERATION_STEP = Keys(
    {
        "operation": Key(
            OPERATION,
            "Ask the controller to start this operation and wait for the proof.",
            is_required=True,
        ),
        "proof": Key(PROOF, "What has to be read back before the step counts as succeeded."),
        "attempts": Key(
            Whole(least=1), "How often it may be tried in all. Default: retry.attempts."
        ),
        "continue_on": _CONTINUE_ON,
    },
    "an operation step",
    _MISPLACED,
)
CHECK_STEP = Keys(
    {
        "check": Key(
            Conditions(
                "what the device has to satisfy",
                hints={
                    "within": (
                        "within stands beside check, not inside it",
                        "move it one level out: `- check: {...}` and below it `within: 10m`",
                    )
                },
            ),
            "Read the device afresh; it fails when these conditions do not hold in time.",
            is_required=True,
        ),
        "within": Key(Duration(), "How long they may still become true. Default 0: at once."),
        "refresh": _REFRESH,
        "continue_on": _CONTINUE_ON,
    },
    "a check step",
    _MISPLACED,
)
DONE_STEP = Keys(
    {
        "done_if": Key(
            Conditions("what makes everything else needless"),
            "Read the device afresh; where these conditions hold, nothing more is done with it and it"
            " has succeeded. Else it goes on.",
            is_required=True,
        ),
        "refresh": _REFRESH,
    },
    "a done_if step",
    {**_MISPLACED, "within": "it looks once; a step `- sleep: 5m` before it can wait"},
)
SLEEP_STEP = Keys(
    {
        "sleep": Key(
            Duration(may_be_zero=False),
            "Do nothing with the device for this long.",
            is_required=True,
        )
    },
    "a sleep step",
    _MISPLACED,
)
_QUESTION = Sentence("a question for the person who approves")
QUESTION = Keys(
    {
        "question": Key(_QUESTION, "What the person is asked.", is_required=True),
        "by": Key(
            APPROVER,
            "anybody, or another: anybody but the person who started the run. Default anybody.",
        ),
    },
    "approve",
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question alone, or with who may answer it."""

    def read(self, spot: Spot) -> Any:
        """Give the values of its keys."""
        if isinstance(spot.node, composing.Mapping):
            return QUESTION.read(spot)
        text = _QUESTION.read(spot)
        return INVALID if text is INVALID else {"question": text}

    def schema(self) -> JsonSchema:
        """Text, or an object."""
        return {"anyOf": [_QUESTION.schema(), QUESTION.schema()]}


_BESIDE_QUESTION = "write `approve: {question: ..., by: another}`"
APPROVE_STEP = Keys(
    {
        "approve": Key(
            Question(),
            "Wait until a person agrees. Asked once a run, when its first device gets here, and"
            " never answered by time.",
            is_required=True,
        )
    },
    "an approve step",
    {**_MISPLACED, "by": _BESIDE_QUESTION, "question": _BESIDE_QUESTION},
)
NOTIFY_STEP = Keys(
    {
        "notify": Key(
            Sentence("a text for the people who are told"),
            "Tell those whom `notify.to` names that devices got here. That nobody could be told"
            " fails nothing.",
            is_required=True,
        )
    },
    "a notify step",
    {**_MISPLACED, "to": "who is told stands under `notify`, beside `steps`"},
)
ESCALATE_STEP = Keys(
    {
        "escalate": Key(
            Sentence("a text for the people who are told"),
            "Hand the device to a person: like notify, one message a device, with its history.",
            is_required=True,
        )
    },
    "an escalate step",
    {**_MISPLACED, "to": "who is told stands under `notify`, beside `steps`"},
)
STEP_KINDS: Mapping[str, Keys] = {
    "operation": OPERATION_STEP,
    **record_step_keys({"continue_on": _CONTINUE_ON}, _MISPLACED),
    "check": CHECK_STEP,
    "done_if": DONE_STEP,
    "sleep": SLEEP_STEP,
    "approve": APPROVE_STEP,
    "notify": NOTIFY_STEP,
    "escalate": ESCALATE_STEP,
}
_MEANT = {
    **dict.fromkeys(("patch", "set", "modify", "change", "edit"), "update"),
    **dict.fromkeys(("remove", "destroy", "del"), "delete"),
    **dict.fromkeys(("add", "new", "post", "onboard", "import"), "create"),
    **dict.fromkeys(("put", "overwrite"), "replace"),
    **dict.fromkeys(("disable", "retire"), "deactivate"),
    **dict.fromkeys(("skip_if", "stop_if", "unless", "end_if", "until"), "done_if"),
    **dict.fromkeys(("alert", "page", "ticket", "handover"), "escalate"),
    **dict.fromkeys(("wait", "pause"), "sleep"),
    **dict.fromkeys(("assert", "verify"), "check"),
}
"""Words that people try for a kind of step."""
ALLOWANCE = Keys(
    {
        "operation": Key(OPERATION, "The operation that is counted.", is_required=True),
        "at_most": Key(Whole(least=1), "How often a device may get it.", is_required=True),
        "per": Key(Duration(may_be_zero=False), "In how much time.", is_required=True),
    },
    "an allowance of per_device",
    {
        "max": "did you mean 'at_most'?",
        "within": "did you mean 'per'?",
        "every": "did you mean 'per'?",
    },
)

ReadStep = tuple[str, Mapping[str, Any], Spot]
"""A step's kind, the values of its keys, and where it stands."""


@dataclass(frozen=True, slots=True)
class Steps:
    """A list of steps, each of exactly one kind."""

    hint: str = "write each as `- operation: reboot`"

    def read(self, spot: Spot) -> Any:
        """Give a list of ReadStep."""
        node = spot.node
        if not isinstance(node, composing.Sequence):
            if isinstance(node, Scalar) and not node.is_known:
                return INVALID
            return spot.fault("expected a list of steps", self.hint)
        if not node.items:
            return spot.fault("there is no step here, so nothing would be done")
        steps = [_read_step(spot.item(index, item)) for index, item in enumerate(node.items)]
        return INVALID if INVALID in steps else steps

    def schema(self) -> JsonSchema:
        """An array of steps of any kind."""
        kinds = [keys.schema() for keys in STEP_KINDS.values()]
        return {"type": "array", "minItems": 1, "items": {"anyOf": kinds}}


def _read_step(spot: Spot) -> Any:
    node = spot.node
    if not isinstance(node, composing.Mapping):
        hint = ""
        if isinstance(node, Scalar) and node.text in OPERATION.meanings:
            hint = f"write `- operation: {node.text}`"
        return spot.fault("a step is a mapping such as `operation: reboot`", hint)
    names = [entry.key.text for entry in node.entries]
    kinds = [name for name in names if name in STEP_KINDS]
    if len(kinds) > 1:
        return spot.fault(f"a step is of one kind, this is {' and '.join(kinds)}", "make two steps")
    if not kinds:
        hint = next(
            (f"write `operation: {name}`" for name in names if name in OPERATION.meanings),
            next((f"did you mean {_MEANT[name]!r}?" for name in names if name in _MEANT), "")
            or (nearest(names[0], list(STEP_KINDS)) if names else ""),
        )
        return spot.fault(f"this is no step: it has none of {', '.join(STEP_KINDS)}", hint)
    values = STEP_KINDS[kinds[0]].read(spot)
    return INVALID if values is INVALID else (kinds[0], values, spot)
