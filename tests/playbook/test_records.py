"""Steps that change records: what they write, and what is wrong with what cannot be written."""

import pytest

from orchestrator.model.operations import Action, Operation
from orchestrator.model.selections import Condition, Equals
from orchestrator.model.steps import Proof, RecordStep, Witness, default_proof
from orchestrator.model.values import Assignment, Origin, Reference, Secret, SecretKind, Template
from orchestrator.model.verdicts import Verdict
from orchestrator.playbook.faults import render_faults
from tests.support.playbooks import fault, faults, minimal, playbook

TABLE = "serial_number,site,location,password,room\nSN1,North,3,hunter2,12\nSN2,South,,,x\n"
GIVEN = {"files": {"sites.csv": TABLE}, "variables": {"where": "HQ ${row.site}"}}
WITH = 'with: "@sites.csv"'
VARS = "vars: {where: x, port: 7}\n"


def steps_of(steps):
    return playbook(minimal(WITH, steps, VARS), **GIVEN).steps


def wrong(steps, devices=WITH, more=""):
    return faults(minimal(devices, steps, VARS + more), **GIVEN)


def only(steps, devices=WITH, more=""):
    return fault(minimal(devices, steps, VARS + more), **GIVEN)


def written(value):
    return steps_of(f"- update: {{{value}}}")[0].assignments[0].value


SITE, NAME = Reference(Origin.ROW, "site"), Reference(Origin.DEVICE, "location_name")


def test_an_update_writes_plain_values_and_templates_and_asks_for_a_reboot():
    step, _ = steps_of(
        """
        - update: {description: "moved to ${row.site}, was ${device.location_name}", debug: false, reboot: true}
          proof: {contact: true, within: 10m, pending_settings: any, shows: {software_version: "2.5"},
            witnesses: [up_time, device_log]}
          attempts: 3
          continue_on: failed
        - sleep: 1s
        """
    )

    assert step == RecordStep(
        operation=Operation.REBOOT,
        proof=Proof(
            *(False, 600.0, 60.0, 30.0),
            conditions=(Condition("software_version", Equals(("2.5",))),),
            contact=True,
            witnesses=(Witness.UP_TIME, Witness.DEVICE_LOG),
        ),
        attempts=3,
        continue_on=(Verdict.FAILED,),
        assignments=(
            Assignment("description", Template(("moved to ", SITE, ", was ", NAME))),
            Assignment("debug", False),
        ),
        flag=Operation.REBOOT,
    )
    assert step.title == "update description, debug, reboot"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("location: '${row.location}'", Template((Reference(Origin.ROW, "location"),))),
        ("description: '${where}'", "HQ ${row.site}"),
        ("description: 'at ${where}, ${row.site}'", Template(("at HQ ${row.site}, ", SITE))),
        ("description: '$${row.site}'", "${row.site}"),
        ("description: '$${row.site} ${row.site}'", Template(("${row.site} ", SITE))),
        ("serial_number: 0123", "0123"),
        ("location: '${port}'", 7),
        ("floor: 12", 12),
        ("floor: '12'", "12"),
        ("floor: true", True),
        ("floor: null", None),
        ("description: null", None),
        ("description: ''", ""),
        ("latitude: 47.60", "47.60"),
        ("is_active: true", True),
        ("'discription': x", "x"),
    ],
)
def test_a_value_is_what_was_written_and_no_variable_brings_a_reference(text, value):
    assert written(text) == value
    assert type(written(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("{generate: 24}", Secret(SecretKind.GENERATE, length=24)),
        ("{generate: '${port}8'}", None),
        ("{command: true}", Secret(SecretKind.COMMAND)),
        ("{env: NEW_PASSWORD}", Secret(SecretKind.ENV, "NEW_PASSWORD")),
        ('"${row.password}"', Secret(SecretKind.ROW, "password")),
    ],
)
def test_a_secret_is_named_by_where_it_comes_from_and_the_device_has_to_be_seen(text, secret):
    if secret is None:
        assert (
            "this is not a number of characters from 8 to 128"
            in only(f"- update: {{password: {text}}}").message
        )
        return
    (step,) = steps_of(f"- update: {{password: {text}, wifi_token: {text}}}")

    assert step.secrets == (Assignment("password", secret), Assignment("wifi_token", secret))
    assert step.proof.contact


def test_a_device_need_not_be_seen_when_the_playbook_says_so():
    (step,) = steps_of("- {update: {password: {generate: 9}}, proof: {contact: false}}")

    assert not step.proof.contact


def test_a_row_with_secrets_makes_the_device_be_seen_too():
    update, replace = steps_of("- update: row\n- replace: row")

    assert update == RecordStep(
        Action.UPDATE, update.proof, 4, action=Action.UPDATE, takes_row=True
    )
    assert (update.proof.contact, replace.proof.contact) == (True, True)
    assert (replace.operation, replace.title) == (Action.REPLACE, "replace row")


@pytest.mark.parametrize(
    ("steps", "action"),
    [("- deactivate: true", Action.DEACTIVATE), ("- delete: true", Action.DELETE)],
)
def test_a_record_can_be_switched_off_or_deleted(steps, action):
    (step,) = steps_of(steps)

    assert step == RecordStep(action, default_proof(action), 4, action=action)


def test_a_new_device_gets_the_serial_number_of_its_row():
    (step,) = steps_of("- create: {type: 15, name: '${row.site}'}")
    (whole,) = steps_of("- create: row")

    serial = Template((Reference(Origin.ROW, "serial_number"),))
    assert [each.field for each in step.assignments] == ["serial_number", "type", "name"]
    assert step.assignments[0].value == serial
    assert (step.operation, whole.takes_row, whole.assignments) == (Action.CREATE, True, ())


def test_an_update_of_firmware_is_an_upgrade_with_an_outage():
    (step,) = steps_of(
        "- update: {firmware_image: 7}\n  proof: {shows: {software_version: '2.5'}, stable_for: 1m,"
        " witnesses: up_time}"
    )

    assert (step.operation, step.action, step.flag) == (Action.UPGRADE, Action.UPGRADE, None)
    assert step.proof.stable_for == 60.0


ALL_WAYS = "write {generate: 24}, {command: true}, {env: NEW_PASSWORD}"


@pytest.mark.parametrize(
    ("value", "field", "message", "hint"),
    [
        ("password: hunter2", "password", "password is a secret, and no secret stands", ALL_WAYS),
        ("password: '${where}'", "password", "password is a secret, and no", ALL_WAYS),
        ("api_token: 12", "api_token", "api_token is a secret, and no secret stands", ALL_WAYS),
        ("username: [a]", "username", "username is a secret, and no secret stands", ALL_WAYS),
        ("password: 'a${row.password}'", "password", "no secret is put together", ALL_WAYS),
        ("password: '${device.name}'", "password", "no secret is put together", ALL_WAYS),
        (
            "password: '${row.site}'",
            "password",
            "${row.site} would be kept for anybody",
            "password",
        ),
        ("password: {generate: 7}", "password.generate", "from 8 to 128", ""),
        ("password: {command: 'echo hunter2'}", "password.command", "this is not true", ""),
        ("password: {env: 'hunter-2'}", "password.env", "not the name of an environment", ""),
        ("password: {generat: 9}", "password.generat", "no key of a secret", "'generate'"),
        ("password: {value: hunter2}", "password.value", "no key of a secret", "does not stand"),
        ("password: {generate: 9, env: A}", "password", "comes from one place, this names", "one"),
        ("password: {command: false}", "password", "command: false names nobody", ALL_WAYS),
        ("password: {}", "password", "nothing is said under a secret", "generate, command"),
        ("password: {file: new.sealed}", "password.file", "this is not a sealed table", ""),
        ("password: {file: '@sites.csv'}", "password.file", "'sites.csv' is no sealed", "seal`"),
        ("password: {file: '@no.sealed'}", "password.file", "'no.sealed' is not kept", ""),
        ("password: {file: '@../a'}", "password.file", "leaves the playbook's folder", "folder"),
        (
            "name: '${row.password}'",
            "name",
            "${row.password} is a secret, and anybody may",
            "alone",
        ),
        ("name: '${device.password}'", "name", "password is a secret: no record shows it", ""),
        ("name: '${row.sit}'", "name", "sites.csv has no column 'sit'", "did you mean 'site'?"),
        ("name: '${row.}'", "name", "${row.} names nothing", ""),
        ("name: '${device.locaton}'", "name", "'locaton' is no documented", "'location'"),
        ("type: 'a${row.location}'", "type", "type is no text, so nothing can be put", "one ref"),
        (
            "type: '${row.room}'",
            "type",
            "room in line 3 of sites.csv is no type: 'x' is not",
            "cell",
        ),
        ("is_active: maybe", "is_active", "'maybe' is not true or false", "true or false"),
        ("is_active: null", "is_active", "is_active cannot be null", "leave it out"),
        ("latitude: 91", "latitude", "'91' is not between -90 and 90 degrees", ""),
        ("update_frequency: 0", "update_frequency", "below the least possible, 1", ""),
        ("serial_number: ''", "serial_number", "it must not be empty", ""),
        ("name: [a]", "name", "expected one value for name, found a list", ""),
        ("description: ", "description", "there is no value here", "write null to empty the field"),
        ("discription: x", "discription", "'discription' is no documented", "'description'"),
        ("status: up", "status", "status is not written: the controller or", "remove it"),
        ("uuid: x", "uuid", "uuid is not written", "remove it"),
        ("row: true", "row", "row is no field", "`update: row`"),
        ("reboot: false", "reboot", "reboot: false asks for nothing", "remove it"),
        ("reboot: yes", "reboot", "'yes' is not true or false", "write true"),
        (
            "reconf: true",
            "reconf",
            "reconf is an operation, and no record",
            "`- operation: reconf`",
        ),
        ("device_factory: true", "device_factory", "no record has a flag", "device_factory`"),
        ("{reboot: true, sync: true}", "sync", "sets one flag, this sets reboot and sync", "two"),
    ],
)
def test_what_cannot_be_written_is_a_fault_that_never_shows_a_secret(value, field, message, hint):
    value = value if value.startswith("{") else f"{{{value}}}"
    found = only(f"- update: {value}")

    assert found.key == f"steps[0].update.{field}"
    assert message in found.message
    assert hint in found.hint
    assert "hunter" not in render_faults([found])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{}", "no field is written, so nothing would be changed"),
        ("", "this says nothing that could be written"),
        ("rows", "'rows' says nothing that could be written"),
        ("[a]", "expected the fields that are written, found a list"),
        ("'${row.site}'", "${row.site} is a value of each single device, and there is none here"),
    ],
)
@pytest.mark.parametrize("kind", ["update", "replace", "create"])
def test_a_step_that_writes_nothing_is_a_fault(kind, value, message):
    assert only(f"- {kind}: {value}").message == message


@pytest.mark.parametrize(
    ("steps", "key", "message", "hint"),
    [
        ("- deactivate: false", "deactivate", "deactivate: false does nothing", "remove the step"),
        ("- delete: yes", "delete", "'yes' is not true or false", "write true"),
        ("- replace: {reboot: true}", "replace.reboot", "only update sets one", "- operation: reb"),
        (
            "- {update: {debug: true}, name: x}",
            "name",
            "no key of an update step",
            "under `update`",
        ),
        ("- {update: row, deactivate: true}", "", "this is update and deactivate", "two steps"),
        (
            *("- create: {serial_number: X}", "create.serial_number"),
            *("serial_number is the table's key, so each new device has its own", "remove it"),
        ),
        (
            *("- replace: {firmware_image: 7}", "replace.firmware_image"),
            *(
                "firmware_image is scheduled by an update alone, and this is a replace",
                "- update: {",
            ),
        ),
        (
            *("- update: {firmware_image: 7}", "update.firmware_image"),
            *(
                "that an image is scheduled does not say that the device runs it",
                "shows: {software",
            ),
        ),
        (
            "- {update: {firmware_image: 7, reboot: true}, proof: {shows: {software_version: 2.5}}}",
            "update.reboot",
            "goes out of service by itself, reboot would do so twice",
            "two steps",
        ),
        (
            *("- {update: {debug: true}, proof: {settle: 3s}}", "proof.settle"),
            *("settle is about the return from an outage, and update causes none", "remove it"),
        ),
        (
            *("- {deactivate: true, proof: {witnesses: up_time}}", "proof.witnesses"),
            *("witnesses are about a reboot, and deactivate causes none", "remove it"),
        ),
        (
            *("- {operation: sync, proof: {contact: true}}", "proof.contact"),
            *("contact is about changes of records, and an operation is never proven", "remove it"),
        ),
        (
            *("- {delete: true, proof: {contact: true}}", "proof.contact"),
            *("a deleted record shows nothing more: that it is gone is the proof", "remove it"),
        ),
    ],
)
def test_a_step_on_records_that_cannot_be_meant_is_a_fault(steps, key, message, hint):
    found = only(steps)

    assert found.key == f"steps[0].{key}".removesuffix(".")
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize("step", ["update: row", "replace: row", "update: {name: '${row.site}'}"])
def test_without_a_table_there_is_no_row(step):
    found = only(f"- {step}", "type: 1")

    assert found.message == "there is no row: the playbook has no table"
    assert found.hint == 'name it under `devices`, as `with: "@sites.csv"`'


def test_a_column_that_nobody_may_write_is_a_fault_of_the_whole_row_only():
    given = {"files": {"a.csv": "serial_number,software_version\nSN1,2.5\n"}}
    devices = 'with: "@a.csv"'

    found = fault(minimal(devices, "- update: row"), **given)

    assert found.message.startswith("update: row would write the column software_version of a.csv")
    assert faults(minimal(devices, "- update: {name: '${row.software_version}'}"), **given) == []


def test_a_table_of_keys_alone_has_nothing_to_write():
    found = fault(minimal('with: "@a.csv"', "- update: row"), files={"a.csv": "serial_number\nS\n"})

    assert found.message == "a.csv has no column but its key, so nothing would be written"


@pytest.mark.parametrize(
    ("devices", "steps", "key", "message"),
    [
        ("type: 1", "- create: {type: 1}", "steps[0].create", "there is no table whose rows could"),
        (
            '{with: "@i.csv", key: id}',
            "- create: {type: 1}",
            "steps[0].create",
            "and the table by id",
        ),
        (WITH, "- sleep: 1\n- create: row", "steps[1].create", "no step can come before it"),
        ("status: down", "- delete: true\n- sleep: 1", "steps[0].delete", "so no step can follow"),
        ("status: up", "- delete: true", "devices.status", "devices that are Up would be deleted"),
        (
            *("where: {status: up}", "- deactivate: true\n- delete: true", "devices.where.status"),
            "devices that are Up would be deleted, and somebody may be using them",
        ),
        ("where: {is_active: true}", "- delete: true", "devices.where.is_active", "be skipped"),
        ("status: down", "- update: {password: {env: A}}", "devices.status", "would be skipped"),
        ("{all: true, with: '@sites.csv'}", "- sleep: 1", "devices.all", "with means only some"),
        (
            *("{status: up, except_outages_of: type}", "- sleep: 1", "devices.except_outages_of"),
            "an outage is of devices that are Down, and only those that are Up are chosen",
        ),
    ],
)
def test_a_change_of_records_that_contradicts_its_playbook_is_a_fault(devices, steps, key, message):
    files = {**GIVEN["files"], "i.csv": "id\n1\n"}
    found = fault(minimal(devices, steps), files=files)

    assert found.key == key
    assert message in found.message


@pytest.mark.parametrize(
    ("devices", "steps", "more"),
    [
        ("status: up", "- delete: true", "guard: {status: any}\n"),
        ("where: {is_active: true, status: down}", "- deactivate: true\n- delete: true", ""),
        ("status: down", "- update: {description: x}", ""),
        ("{status: down, except_outages_of: [type, location_name]}", "- sleep: 1", ""),
        (WITH, "- sleep: 1", "rescue: [{update: {debug: true, sync: true}}, {deactivate: true}]\n"),
    ],
)
def test_what_is_meant_can_be_said(devices, steps, more):
    assert faults(minimal(devices, steps, more), files=GIVEN["files"]) == []
