"""The language: every key of a playbook, what it means, and what its value may be.

The reader and the JSON Schema are both made from these tables, so they cannot disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.model.operations import Operation
from orchestrator.model.policies import RequestLimits, RetryPolicy, Rollout
from orchestrator.playbook import composing
from orchestrator.playbook.composing import Scalar
from orchestrator.playbook.conditions import (
    KNOWN_FIELDS,
    STATUS,
    Conditions,
    condition_definitions,
    misnamed,
)
from orchestrator.playbook.device_lists import DeviceList
from orchestrator.playbook.faults import nearest
from orchestrator.playbook.shapes import (
    INVALID,
    VARIABLE,
    JsonSchema,
    Key,
    Keys,
    Later,
    OneOrMany,
    Spot,
)
from orchestrator.playbook.values import (
    FLAG,
    Duration,
    Moment,
    Rate,
    Text,
    Whole,
    Words,
)

MOST_IN_FLIGHT = 1000
"""Each request under way takes a connection, and a process has only so many."""

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
_COUNT_OR_SHARE: JsonSchema = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": r"^\d+(\.\d+)?%$"},
        VARIABLE,
    ]
}
_SHARE: JsonSchema = {"anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?%$"}, VARIABLE]}
_LATER_TEXT: JsonSchema = {"type": "string", "minLength": 1}
_LATER_WHOLE: JsonSchema = {"anyOf": [{"type": "integer", "minimum": 0}, VARIABLE]}
_LATER_DURATION = Duration().schema()


def _later_keys(**properties: JsonSchema) -> JsonSchema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


@dataclass(frozen=True, slots=True)
class FieldNames:
    """Names of record fields to sort by; a leading `-` turns one around."""

    def read(self, spot: Spot) -> Any:
        """Give them as a tuple."""
        names = OneOrMany(Text(wanted="the name of a field")).read(spot)
        if names is INVALID:
            return INVALID
        for name in names:
            wrong = misnamed(name.removeprefix("-"), is_plain=True)
            if wrong or not name.removeprefix("-"):
                return spot.fault(*(wrong or ("there is no field name here", "")))
        items = spot.node.items if isinstance(spot.node, composing.Sequence) else ()
        fields = [item.text.removeprefix("-") for item in items if isinstance(item, Scalar)]
        for field in fields:
            if fields.count(field) > 1:
                return spot.fault(f"{field!r} is named more than once", "name each field once")
        return names

    def schema(self) -> JsonSchema:
        """Documented fields are offered, others are taken."""
        known = sorted(KNOWN_FIELDS)
        one = {
            "type": "string",
            "minLength": 1,
            "examples": [*known, *(f"-{name}" for name in known)],
        }
        many = {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
        return {"anyOf": [one, many]}


DEVICES = Keys(
    {
        "organization": Key(
            OneOrMany(Whole(least=0, wanted="the number of an organization")),
            "Id of the organization, or a list of ids. Sent to the controller as a filter.",
        ),
        "type": Key(
            OneOrMany(Whole(least=0, wanted="the number of a device type")),
            "Id of the device type, or a list of ids. Sent to the controller as a filter.",
        ),
        "status": Key(
            STATUS, "up or down, as the controller believes. Sent to the controller as a filter."
        ),
        "last_status_change_from": Key(
            Moment(),
            "Only devices whose status changed at this date or later. Sent as a filter.",
        ),
        "where": Key(
            Conditions(
                "conditions on fields of the record",
                hints={
                    "organization": (
                        "organization is a filter, not a field of the record",
                        "write it right under devices, or organization_id here",
                    ),
                    "last_status_change_from": (
                        "last_status_change_from is a filter, not a field of the record",
                        "write it right under devices, or status_change here",
                    ),
                },
            ),
            "Conditions on any field of the record, checked here. All of them have to hold; what is"
            " unknown satisfies none but `missing`.",
        ),
        "include": Key(
            DeviceList(may_be_empty=False),
            'Only these devices: ids, serial numbers, or "@file.csv" beside the playbook.',
        ),
        "exclude": Key(
            DeviceList(may_be_empty=True),
            'Never these devices: ids, serial numbers, or "@file.csv" beside the playbook.',
        ),
        "expect": Key(
            Keys(
                {
                    "at_least": Key(Whole(), "Fewer devices stop the plan. Default 1."),
                    "at_most": Key(Whole(least=1), "More devices stop the plan."),
                },
                "expect",
            ),
            "How many devices the selection may choose.",
        ),
        "order_by": Key(
            FieldNames(),
            "Fields that give the order in which devices have their turn; - reverses one.",
        ),
        "limit": Key(Whole(least=1), "At most this many devices, the first in order."),
        "all": Key(
            FLAG, "true: every device the token may see is meant. Stands without any condition."
        ),
    },
    "devices",
    {
        "filter": "conditions stand under `where`",
        "filters": "conditions stand under `where`",
        "organization_id": "did you mean 'organization'?",
        **dict.fromkeys(
            sorted(KNOWN_FIELDS - {"type", "status", "organization_id"}),
            "a field of the record stands under `where`",
        ),
    },
)

PROOF = Keys(
    {
        "status": Key(
            Words(
                {"up": True, "Up": True}, "up, the only status that proves a return", ("up", "Up")
            ),
            "up: the device has to be Up again. Always demanded of disruptive operations, and"
            " written for the reader only; not for sync and reconf, which cause no outage.",
        ),
        "pending_settings": Key(
            Words(
                {"none": True, "any": False},
                "none (has to be clear) or any (may be pending)",
                ("none", "any"),
            ),
            "none: pending settings have to be clear. any: they need not."
            " Default none for sync and reconf, any for disruptive operations.",
        ),
        "within": Key(
            Duration(may_be_zero=False),
            "How long to wait for the proof. Default: two periodic contacts of the device, plus 15"
            " minutes for factory and device_factory, plus 5 minutes for the others.",
        ),
        "settle": Key(
            Duration(),
            "Disruptive operations only: how long after the session that delivers the command a"
            " contact counts as a return. Default 60s for reboot, 150s for the factory kinds.",
        ),
        "stable_for": Key(
            Duration(),
            "Disruptive operations only: how long the device has to stay Up. Default 30s.",
        ),
    },
    "proof",
)

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
        "continue_on": Key(
            Later({"type": ["array", "string"]}), "Verdicts after which the device goes on."
        ),
    },
    "an operation step",
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
        "continue_on": Key(
            Later({"type": ["array", "string"]}), "Verdicts after which the device goes on."
        ),
    },
    "a check step",
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
)
STEP_KINDS: Mapping[str, Keys] = {
    "operation": OPERATION_STEP,
    "check": CHECK_STEP,
    "sleep": SLEEP_STEP,
}
LATER_STEPS: Mapping[str, tuple[JsonSchema, str]] = {
    "approve": ({"type": ["string", "object"]}, "Wait until a person agrees."),
    "notify": ({"type": ["string", "object"]}, "Tell somebody."),
    "update": ({"type": "object"}, "Change some fields of the record."),
    "replace": ({"type": ["string", "object"]}, "Replace the record."),
    "create": ({"type": ["string", "object"]}, "Create a record."),
    "delete": ({"type": ["boolean", "object"]}, "Delete the record."),
    "deactivate": ({"type": ["boolean", "object"]}, "Set the record inactive."),
}


@dataclass(frozen=True, slots=True)
class Steps:
    """A list of steps, each of exactly one kind."""

    def read(self, spot: Spot) -> Any:
        """Give a list of (kind, values, the step's own spot); faulty steps are left out."""
        node = spot.node
        if not isinstance(node, composing.Sequence):
            if isinstance(node, Scalar) and not node.is_known:
                return INVALID
            return spot.fault("expected a list of steps", "write each as `- operation: reboot`")
        if not node.items:
            return spot.fault("there is no step here, so nothing would be done")
        steps = [_read_step(spot.item(index, item)) for index, item in enumerate(node.items)]
        return INVALID if INVALID in steps else steps

    def schema(self) -> JsonSchema:
        """Steps of today, and the shapes of those to come."""
        kinds = [keys.schema() for keys in STEP_KINDS.values()]
        kinds += [
            {
                "type": "object",
                "required": [name],
                "properties": {name: {"description": what, **shape}},
            }
            for name, (shape, what) in LATER_STEPS.items()
        ]
        return {"type": "array", "minItems": 1, "items": {"anyOf": kinds}}


def _read_step(spot: Spot) -> Any:
    node = spot.node
    if not isinstance(node, composing.Mapping):
        hint = ""
        if isinstance(node, Scalar) and node.text in OPERATION.meanings:
            hint = f"write `- operation: {node.text}`"
        return spot.fault("a step is a mapping such as `operation: reboot`", hint)
    names = [entry.key.text for entry in node.entries]
    for entry in node.entries:
        if entry.key.text in LATER_STEPS:
            return Later({}).read(spot.at_key(entry))
    kinds = [name for name in names if name in STEP_KINDS]
    if len(kinds) > 1:
        return spot.fault(f"a step is of one kind, this is {' and '.join(kinds)}", "make two steps")
    if not kinds:
        hint = next(
            (f"write `operation: {name}`" for name in names if name in OPERATION.meanings),
            nearest(names[0], list(STEP_KINDS)) if names else "",
        )
        return spot.fault("this is no step: it has none of operation, check, sleep", hint)
    values = STEP_KINDS[kinds[0]].read(spot)
    return INVALID if values is INVALID else (kinds[0], values, spot)


@dataclass(frozen=True, slots=True)
class Variables:
    """Declared names with their defaults; their values are in place before anything is read."""

    def read(self, spot: Spot) -> Any:
        """Only say whether it is a mapping."""
        node = spot.node
        if isinstance(node, composing.Mapping):
            return True
        if isinstance(node, Scalar) and node.is_null:
            return True
        return spot.fault("expected names with their defaults", "write one a line: `site: Seattle`")

    def schema(self) -> JsonSchema:
        """A mapping of single values."""
        return {
            "type": ["object", "null"],
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        }


ROLLOUT = Keys(
    {
        "max_down": Key(
            Whole(least=1, wanted="a whole number of devices"),
            f"Devices out of service through this run at once. Default {Rollout().max_down}.",
        ),
        "max_down_per": Key(
            Later({"type": "object", "additionalProperties": _LATER_WHOLE}),
            "The same for each value of a field.",
        ),
        "waves": Key(
            Later({"type": "array", "items": _COUNT_OR_SHARE, "minItems": 1}),
            "Size of each wave, as a count or a share of the set; the last one repeats.",
        ),
        "between_waves": Key(
            Later(
                _later_keys(soak=_LATER_DURATION, succeeded=_SHARE, approval={"type": "boolean"})
            ),
            "What has to be true before the next wave begins.",
        ),
        "stop_when": Key(
            Later(
                _later_keys(
                    failed=_LATER_WHOLE,
                    unconfirmed=_LATER_WHOLE,
                    failure_rate=_SHARE,
                    after=_LATER_WHOLE,
                )
            ),
            "The failure budget: more than this stops the run.",
        ),
        "strict": Key(
            Later({"type": "boolean"}), "Never start more devices than failures are still allowed."
        ),
        "ramp": Key(
            Later({"type": ["object", "boolean"]}), "Begin with few devices and become faster."
        ),
        "spread_by": Key(Later(_LATER_TEXT), "A field whose values take turns."),
    },
    "rollout",
)

PLAYBOOK = Keys(
    {
        "playbook": Key(
            Text(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}", "a name of letters, digits and . _ -"),
            "Name of the playbook; runs are named after it.",
            is_required=True,
        ),
        "description": Key(Text(), "What it does, for people."),
        "vars": Key(
            Variables(),
            "Variables with their defaults; `${name}` in a value stands for one, --var name=value"
            " sets it. One without a default has to be given.",
        ),
        "devices": Key(DEVICES, "Which devices: the selection.", is_required=True),
        "steps": Key(Steps(), "What is done with each device, in order.", is_required=True),
        "rescue": Key(
            Later({"type": "array", "items": {"type": "object"}}),
            "Steps for a device whose own steps failed for good.",
        ),
        "guard": Key(
            Conditions(
                "conditions on fields of the record",
                takes_any=True,
                others={
                    "fresh_within": Key(
                        Duration(may_be_zero=False),
                        "How old a record may be when it is judged. Default 60s.",
                    )
                },
            ),
            "What has to be true of a device right before each operation, else it is skipped."
            " Default: status up, is_active true, and before disruptive operations also"
            " pending_settings none. A field given here replaces its default for every operation;"
            " any takes it away.",
        ),
        "rollout": Key(ROLLOUT, "How many devices a run may disturb."),
        "requests": Key(
            Keys(
                {
                    "delay": Key(
                        Duration(),
                        f"Time between two operation requests. Default {RequestLimits().delay:g}s.",
                    ),
                    "in_flight": Key(
                        Whole(least=1, most=MOST_IN_FLIGHT),
                        f"Requests under way at once, at most {MOST_IN_FLIGHT}."
                        f" Default {RequestLimits().in_flight}.",
                    ),
                    "per_second": Key(
                        Rate(),
                        "Requests of every kind in a second, none for no limit."
                        f" Default {RequestLimits().per_second:g}.",
                    ),
                },
                "requests",
            ),
            "What the controller is spared.",
        ),
        "retry": Key(
            Keys(
                {
                    "attempts": Key(
                        Whole(least=1),
                        "Attempts of a step that names none, the first included."
                        f" Default {RetryPolicy().attempts}.",
                    ),
                    "first_wait": Key(
                        Duration(),
                        f"Wait before the second attempt. Default {RetryPolicy().first_wait:g}s.",
                    ),
                    "longest_wait": Key(
                        Duration(),
                        f"Waits double up to this. Default {RetryPolicy().longest_wait:g}s.",
                    ),
                },
                "retry",
            ),
            "How often and how soon a step is tried again.",
        ),
        "window": Key(
            Later(
                _later_keys(
                    opens=_LATER_TEXT,
                    lasts=_LATER_DURATION,
                    once=_LATER_TEXT,
                    timezone=_LATER_TEXT,
                    cutoff={"anyOf": [{"const": "fits"}, _LATER_DURATION]},
                )
            ),
            "When devices may be started.",
        ),
        "notify": Key(Later({"type": ["object", "array", "string"]}), "Who is told of the run."),
    },
    "a playbook",
    {
        "name": "the name stands behind `playbook:`",
        "hosts": "did you mean 'devices'?",
        "tasks": "did you mean 'steps'?",
        "selection": "did you mean 'devices'?",
        "selector": "did you mean 'devices'?",
        "variables": "did you mean 'vars'?",
        "max_down": "it stands under `rollout`",
        "waves": "it stands under `rollout`",
        "delay": "it stands under `requests`",
        "attempts": "it stands under `retry`, or in a step",
        "where": "it stands under `devices`",
    },
)


def json_schema() -> JsonSchema:
    """Describe a playbook as JSON Schema (draft 2020-12), so that editors complete and check it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Playbook",
        "description": "Which devices, which steps, how carefully.",
        **PLAYBOOK.schema(),
        "$defs": {
            "variable": {
                "description": "Stands for a variable declared under `vars`.",
                "type": "string",
                "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}",
            },
            "duration": {
                "description": "Time, such as 200ms, 30s, 10m, 4h, 2d or 1h30m.",
                "type": "string",
                "pattern": r"^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d)?\s*)+$",
            },
            **condition_definitions(),
        },
    }
