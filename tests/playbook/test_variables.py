"""`${name}` stands for a declared variable, in values only, and nothing else is reached."""

import pytest

from orchestrator.model.selections import Condition, Equals
from tests.support.playbooks import fault, faults, minimal, playbook

VARS = "vars: {site: HQ, most: 25, quoted: '25', needed: }\n"


def read(devices="organization: 1", more="", **variables):
    variables = {"needed": "x"} | variables
    return playbook(minimal(devices, more=VARS + more), variables=variables)


def test_a_default_stands_where_no_value_is_given():
    assert read(more='rollout: {max_down: "${most}"}\n').rollout.max_down == 25


def test_a_given_value_is_stronger_than_the_default():
    assert read(more='rollout: {max_down: "${most}"}\n', most="7").rollout.max_down == 7


def test_a_part_of_a_text_can_be_a_variable():
    read_ = read(more="description: Wipe ${site} at ${needed}\nrequests: {delay: '${most}ms'}\n")

    assert read_.description == "Wipe HQ at x"
    assert read_.requests.delay == 0.025


def test_a_doubled_dollar_stands_for_the_sign_itself():
    assert read(more="description: pay $${site} and $5\n").description == "pay ${site} and $5"


@pytest.mark.parametrize(
    ("name", "value"), [("most", 25), ("quoted", "25"), ("site", "HQ"), ("needed", "x")]
)
def test_a_value_that_is_one_variable_is_typed_as_if_it_stood_there(name, value):
    condition = read(f'where: {{my_field: "${{{name}}}"}}').selection.where[0]

    assert condition == Condition("my_field", Equals((value,)))
    assert type(condition.test.values[0]) is type(value)


def test_a_variable_in_a_list_and_in_a_file_name_is_replaced():
    text = minimal("include: ['@${site}.csv', '${most}']", more="vars: {site: HQ, most: 25}\n")

    assert playbook(text, files={"HQ.csv": "77\n"}).selection.include == {"77", "25"}


def test_a_variable_without_a_value_is_one_fault_however_often_it_is_used():
    text = minimal(
        "{organization: '${needed}', where: {name: '${needed}', created: '${needed}'}}",
        more=VARS + "guard: {name: '${needed}'}\n",
    )

    found = fault(text)

    assert found.key == "vars.needed"
    assert "--var needed=" in found.hint


@pytest.mark.parametrize(
    "place",
    [
        *("steps: ${v}", "steps: [{sleep: '${v}'}]", "vars: {v: }"),
        *("rollout: ${v}", "guard: ${v}", "guard: {fresh_within: '${v}', created: '${v}'}"),
        *("guard: {created: {below: '${v}'}, status: '${v}', type: '${v}', name: '${v}'}",),
        "requests: {delay: '${v}', per_second: '${v}', in_flight: '${v}'}",
    ],
)
def test_nothing_is_said_of_a_place_whose_variable_has_no_value(place):
    text = "playbook: a\ndevices: {type: 1}\n" + place + "\n"
    text += "" if place.startswith("vars") else "vars: {v: }\n"
    text += "" if place.startswith("steps") else "steps: [{sleep: 1s}]\n"

    assert [f.key for f in faults(text)] == ["vars.v"]


@pytest.mark.parametrize(
    ("more", "key", "message", "hint"),
    [
        ("description: ${sites}\n", "description", "no variable 'sites'", "'site'"),
        ("rollout: {max_down: '${site}%'}\n", "rollout.max_down", "not a share", ""),
        ("rollout: {max_down: '${quoted}'}\n", "rollout.max_down", "in quotes", ""),
        ("rollout: {max_down: '${}'}\n", "rollout.max_down", "no variable ''", ""),
    ],
)
def test_a_use_that_cannot_be_right_is_a_fault(more, key, message, hint):
    found = faults(minimal(more=VARS + more), variables={"needed": "x"})[-1]

    assert found.key == key
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("vars: {a-b: 1}\n", "not a name"),
        ("vars: {a: [1]}\n", "one value"),
        ("vars: 3\n", "expected names"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_a_fault(block, message):
    assert message in fault(minimal(more=block)).message


@pytest.mark.parametrize(
    ("block", "hint"),
    [("vars: {site: HQ}\n", "'site'"), ("", "declare it"), ("vars:\n", "declare")],
)
def test_a_given_value_that_nobody_declared_is_a_fault(block, hint):
    found = fault(minimal(more=block), variables={"sit": "x"})

    assert found.message == "--var sit: the playbook declares no such variable"
    assert hint in found.hint


def test_the_environment_is_out_of_reach(monkeypatch):
    monkeypatch.setenv("HOME", "/root")

    assert "no variable 'HOME'" in faults(minimal(more="description: ${HOME}\n"))[0].message


def test_a_value_given_as_nothing_is_no_value():
    text = minimal("organization: ${o}", more="vars: {o: 1}\n")

    assert "no value here" in fault(text, variables={"o": ""}).message


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("a ${row.site}", "${row.site} is a value of each single device", "update, replace and"),
        ("${device.name}", "${device.name} is a value of each single device", "create only"),
        ("${dev.name}", "no variable 'dev.name' is declared", "did you mean ${device.name}?"),
        ("${rows.site}", "no variable 'rows.site' is declared", "did you mean ${row.site}?"),
        ("${env.HOME}", "no variable 'env.HOME' is declared", "a dotted name is ${device.field}"),
        ("${device}", "no variable 'device' is declared", "declare it"),
    ],
)
def test_a_reference_outside_of_what_a_step_writes_is_a_fault(text, message, hint):
    found = fault(minimal(more=f"description: {text}\n"))

    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize("place", ["where: {name: '${row.a}'}", "include: '${device.id}'"])
def test_devices_are_not_chosen_by_references(place):
    assert "is a value of each single device" in fault(minimal(place)).message


def test_keys_are_never_replaced():
    text = minimal(more=VARS + '"${site}": 1\n')

    assert "no key of a playbook" in fault(text, variables={"needed": "1"}).message
