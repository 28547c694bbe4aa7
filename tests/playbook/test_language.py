"""Every fault says where it is, what is wrong, and what was meant."""

import pytest

from orchestrator.playbook.language import DEVICES, PLAYBOOK
from orchestrator.playbook.rollouts import BETWEEN_WAVES, NOTIFY, ROLLOUT, STOP_WHEN
from orchestrator.playbook.steps.proofs import PROOF
from orchestrator.playbook.steps.sequences import ALLOWANCE, QUESTION, STEP_KINDS
from tests.support.playbooks import fault, faults, minimal, playbook


@pytest.mark.parametrize(
    ("more", "key", "message", "hint"),
    [
        ("rolout: {max_down: 1}", "rolout", "no key of a playbook", "'rollout'"),
        ("rollout: {max_don: 1}", "rollout.max_don", "no key of rollout", "'max_down'"),
        ("rollout: {max_down: 0}", "rollout.max_down", "below the least possible, 1", ""),
        ("rollout: {max_down: many}", "rollout.max_down", "whole number of devices", "as 10%"),
        ('rollout: {max_down: "3"}', "rollout.max_down", "in quotes", "remove the quotes"),
        ("rollout: {max_down: }", "rollout.max_down", "no value here", ""),
        ("rollout: {max_down: [1]}", "rollout.max_down", "found a list", ""),
        ("rollout: {max_down: {a: 1}}", "rollout.max_down", "found a mapping", ""),
        ("rollout: 3", "rollout", "expected rollout", "max_down, max_down_per, waves"),
        ("requests: {per_second: -1}", "requests.per_second", "never let anything", "none"),
        ("requests: {per_second: fast}", "requests.per_second", "not a number", ""),
        ("requests: {per_second: }", "requests.per_second", "no value here", ""),
        ("requests: {delay: -1}", "requests.delay", "below zero", ""),
        ("requests: {delay: -1s}", "requests.delay", "not a duration", "never below zero"),
        ("requests: {delay: 3 min}", "requests.delay", "not a duration", "3m?"),
        ("requests: {delay: 2 weeks}", "requests.delay", "not a duration", "14d"),
        ("requests: {delay: 3 moons}", "requests.delay", "not a duration", "units are"),
        ("requests: {in_flight: 0}", "requests.in_flight", "below the least", ""),
        ("requests: {in_flight: 1001}", "requests.in_flight", "above the most possible, 1000", ""),
        ("requests: {delay: 31536001}", "requests.delay", "longer than the longest", "365d"),
        ("retry: {attempts: 0}", "retry.attempts", "below the least", ""),
        ("retry: {first_wait: 2m}", "retry.first_wait", "longer than the longest", ""),
        ("guard: {fresh_within: 0s}", "guard.fresh_within", "no time at all", ""),
        ("guard: 3", "guard", "expected conditions", "status: up"),
        ("vars: [1]", "vars", "expected names", ""),
        ("tasks: []", "tasks", "no key", "'steps'"),
        ("max_down: 3", "max_down", "no key", "rollout"),
        ("spread_by: type", "spread_by", "no key", "it stands under `rollout`"),
        ("approval: true", "approval", "no key", "`rollout.between_waves`"),
        ("approve: go?", "approve", "no key", "it is a step"),
        ("rollback: []", "rollback", "no key", "'rescue'"),
        ("rescu: []", "rescu", "no key", "'rescue'"),
        ("schedule: {}", "schedule", "no key", "'window'"),
        ("snapshots: always", "snapshots", "not how much is saved", "full"),
        ("backup: full", "backup", "no key", "'snapshots'"),
        ("per_device: {operation: reboot}", "per_device", "expected a list such as", ""),
        ("per_device: []", "per_device", "list is empty", ""),
        ("limits: 3", "limits", "no key", "`per_device`"),
        ("description: [a]", "description", "found a list", ""),
        (f"description: {'x' * 10_001}", "description", "longer than 10000", ""),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_would_be_right(more, key, message, hint):
    found = fault(minimal(more=more + "\n"))

    assert (found.key, found.path) == (key, "branch.yaml")
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("devices", "key", "message"),
    [
        ("organization: acme", "devices.organization", "number of an organization"),
        ("organization: []", "devices.organization", "list is empty"),
        ("organization: [1, -2]", "devices.organization[1]", "below the least"),
        ("status: on", "devices.status", "not a status"),
        ("last_status_change_from: soon", "devices.last_status_change_from", "not a date"),
        ("{type: 1, limit: 0}", "devices.limit", "below the least"),
        ("{type: 1, all: yes}", "devices.all", "not true or false"),
        ("{type: 1, all: 'true'}", "devices.all", "in quotes"),
        ("{type: 1, order_by: [sofware_version]}", "devices.order_by[0]", "no documented field"),
        ("{type: 1, order_by: 'type, name'}", "devices.order_by", "not one field"),
        ("{type: 1, order_by: [password]}", "devices.order_by[0]", "a secret"),
        ("{type: 1, order_by: [-]}", "devices.order_by[0]", "no field name"),
        ("{type: 1, order_by: []}", "devices.order_by", "list is empty"),
        ("{type: 1, order_by: [name, name]}", "devices.order_by", "'name' is named more than once"),
        ("{type: 1, order_by: [name, -name]}", "devices.order_by", "'name' is named more than"),
        ("{type: 1, serial_number: 3}", "devices.serial_number", "no key of devices"),
        (
            "{type: 1, except_outages_of: status}",
            "devices.except_outages_of",
            "status changes while",
        ),
        ("{type: 1, csv: '@a.csv'}", "devices.csv", "no key of devices"),
        ("with: sites.csv", "devices.with", "'sites.csv' is not a table"),
        ("with: '@sites.xls'", "devices.with", "'sites.xls' is no table that can be read"),
        ("with: '@../sites.csv'", "devices.with", "leaves the playbook's folder"),
        ("with: '@nope.csv'", "devices.with", "'nope.csv' is not kept"),
        ("{type: 1, key: id}", "devices.key", "key is about a table, and there is none"),
        ("{organization: 1, expect: 5}", "devices.expect", "expected expect"),
    ],
)
def test_a_selection_that_cannot_be_meant_is_a_fault(devices, key, message):
    found = fault(minimal(devices))

    assert found.key == key
    assert message in found.message


@pytest.mark.parametrize(
    ("steps", "key", "message", "hint"),
    [
        ("- reboot", "steps[0]", "a step is a mapping", "`- operation: reboot`"),
        ("- [reboot]", "steps[0]", "a step is a mapping", ""),
        ("- reboot: now", "steps[0]", "no step", "`operation: reboot`"),
        ("- {}", "steps[0]", "no step", ""),
        ("- slep: 3s", "steps[0]", "no step", "'sleep'"),
        ("- {operation: sync, sleep: 3s}", "steps[0]", "operation and sleep", "two steps"),
        ("- operation: Reboot", "steps[0].operation", "not an operation", "'reboot'"),
        ("- operation: factory_reset", "steps[0].operation", "not an operation", "'factory'"),
        ("- {operation: sync, attempts: 0}", "steps[0].attempts", "below the least", ""),
        ("- {operation: sync, proof: 3}", "steps[0].proof", "expected proof", ""),
        ("- {operation: reboot, proof: {status: down}}", "steps[0].proof.status", "not up", ""),
        ("- {operation: sync, proof: {within: 0}}", "steps[0].proof.within", "no time", ""),
        ("- check: {}", "steps[0].check", "expected what the device", ""),
        ("- {check: {status: up, within: 3m}}", "steps[0].check.within", "beside check", "move"),
        ("- sleep: 0s", "steps[0].sleep", "no time at all", ""),
        ("- sleep: 99999999999999d", "steps[0].sleep", "longer than the longest", "at most 365d"),
        (f"- sleep: {'9' * 400}d", "steps[0].sleep", "longer than the longest", "at most 365d"),
        (
            "- {operation: reboot, proof: {within: 366d}}",
            "steps[0].proof.within",
            "longer than the longest possible, 365d",
            "",
        ),
    ],
)
def test_a_step_that_cannot_be_meant_is_a_fault(steps, key, message, hint):
    found = fault(minimal(steps=steps))

    assert found.key == key
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize("steps", ["steps: 3", "steps: []", "steps:"])
def test_a_playbook_without_steps_does_nothing_and_is_a_fault(steps):
    assert fault(f"playbook: a\ndevices: {{type: 1}}\n{steps}\n").key == "steps"


@pytest.mark.parametrize("name", ["../../etc", "a/b", "-x", "ü" * 3, "x" * 101, ""])
def test_a_name_that_could_not_name_a_run_is_a_fault(name):
    assert faults(f"playbook: '{name}'\ndevices: {{type: 1}}\nsteps: [sleep: 1s]\n")


TABLES = [PLAYBOOK, DEVICES, PROOF, ROLLOUT, BETWEEN_WAVES, STOP_WHEN, NOTIFY, QUESTION, ALLOWANCE]


@pytest.mark.parametrize("keys", [*TABLES, *STEP_KINDS.values()])
def test_every_key_is_explained(keys):
    assert all(key.description.endswith(".") for key in keys.keys.values())


def test_the_text_of_a_number_like_name_is_kept():
    assert playbook(minimal().replace("branch", "2026")).name == "2026"


def test_the_longest_duration_and_the_most_requests_are_taken():
    read = playbook(minimal(steps="- sleep: 365d", more="requests: {in_flight: 1000}\n"))

    assert (read.steps[0].seconds, read.requests.in_flight) == (365 * 86_400.0, 1000)


def test_a_record_may_be_older_than_any_step_may_last():
    assert faults(minimal("where: {created: {older_than: 730d}}")) == []
    assert "36500d" in fault(minimal("where: {created: {older_than: 40000d}}")).message


def test_a_name_in_quotes_is_taken_at_its_word_where_devices_are_sorted():
    assert playbook(minimal("{type: 1, order_by: ['nam']}")).selection.order_by == ("nam",)
