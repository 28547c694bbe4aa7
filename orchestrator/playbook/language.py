"""The language: every key of a playbook, what it means, and what its value may be.

The reader and the JSON Schema are both made from these tables, so they cannot disagree.
"""

from dataclasses import dataclass
from typing import Any

from orchestrator.model.policies import Depth, RequestLimits, RetryPolicy
from orchestrator.playbook import composing
from orchestrator.playbook.composing import Scalar
from orchestrator.playbook.conditions import (
    KNOWN_FIELDS,
    STATUS,
    Conditions,
    condition_definitions,
)
from orchestrator.playbook.device_lists import DeviceList
from orchestrator.playbook.fields import FieldNames
from orchestrator.playbook.rollouts import NOTIFY, ROLLOUT
from orchestrator.playbook.shapes import (
    JsonSchema,
    Key,
    Keys,
    Many,
    OneOrMany,
    Spot,
)
from orchestrator.playbook.steps.sequences import ALLOWANCE, Steps
from orchestrator.playbook.tables.tables import DEFAULT_KEY, KEY, TableName
from orchestrator.playbook.values import (
    FLAG,
    Duration,
    Moment,
    Rate,
    Text,
    Whole,
    Words,
)
from orchestrator.playbook.windows import WINDOW

MOST_IN_FLIGHT = 1000
"""Each request under way takes a connection, and a process has only so many."""

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
            'Only these devices: ids, serial numbers, names, or "@file.csv" beside the playbook.',
        ),
        "exclude": Key(
            DeviceList(may_be_empty=True),
            'Never these devices: ids, serial numbers, names, or "@file.csv" beside the playbook.',
        ),
        "with": Key(
            TableName(),
            'A table beside the playbook, one row a device: "@file.csv", .jsonl or .yaml. Only devices'
            " with a row are chosen; steps write its values as ${row.column}.",
        ),
        "key": Key(
            KEY,
            "The column of the table that names the device: id, serial_number or name. Default"
            f" {DEFAULT_KEY}.",
        ),
        "except_outages_of": Key(
            FieldNames(is_ordered=False),
            "Fields such as location_name: devices are left out when every active device with the"
            " same values is Down, and there are two of them at least. That is an outage.",
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
            ("csv", "table", "rows", "file", "data", "from"),
            "did you mean 'with'? A table is named `with: \"@sites.csv\"`",
        ),
        "except_outages": "did you mean 'except_outages_of'?",
        **dict.fromkeys(
            sorted(KNOWN_FIELDS - {"type", "status", "organization_id"}),
            "a field of the record stands under `where`",
        ),
    },
)


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
            Steps("write each as `- operation: sync`"),
            "Steps for a device whose own step failed, or stayed unconfirmed, for good. Its verdict"
            " stays what it was. None of them may wipe the device again.",
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
            " pending_settings none; before a record is deleted status down, is_active false; before"
            " changes of records alone nothing. A field given here replaces its default for every"
            " step; any takes it away.",
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
        "per_device": Key(
            Many(ALLOWANCE, "a list such as [{operation: reboot, at_most: 2, per: 1d}]"),
            "How often one device may get an operation, over all runs. One that had its share goes to"
            " the rescue at once: a person has to look.",
        ),
        "snapshots": Key(
            Words(
                {depth.value: depth for depth in Depth},
                "how much is saved before a change: full, record or none",
                tuple(Depth),
                {"true": "write full", "false": "write none", "all": "write full"},
            ),
            "What of a device is saved before it is changed. full: its record, and its settings and"
            " variables where the controller offers them. Default full.",
        ),
        "window": Key(WINDOW, "When devices may be started."),
        "notify": Key(NOTIFY, "Who is told of the run, and of what."),
    },
    "a playbook",
    {
        "name": "the name stands behind `playbook:`",
        "hosts": "did you mean 'devices'?",
        "tasks": "did you mean 'steps'?",
        "selection": "did you mean 'devices'?",
        "selector": "did you mean 'devices'?",
        "variables": "did you mean 'vars'?",
        "rollback": "did you mean 'rescue'?",
        "schedule": "did you mean 'window'?",
        "limits": "how often a device may get an operation stands under `per_device`",
        "snapshot": "did you mean 'snapshots'?",
        "backup": "did you mean 'snapshots'?",
        "with": "it stands under `devices`",
        "except_outages_of": "it stands under `devices`",
        **dict.fromkeys(ROLLOUT.keys, "it stands under `rollout`"),
        **dict.fromkeys(WINDOW.keys, "it stands under `window`"),
        "approval": "it stands under `rollout.between_waves`; a step is `- approve: ...`",
        "approve": "it is a step: `- approve: ...` under `steps`",
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
