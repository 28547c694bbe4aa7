"""Tables in, tables out: the inventory listed, counted, exported, onboarded, updated and cleaned up."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.adapters.plans.plan_file import read_plan
from tests.acceptance.conftest import simulating

SITES = """\
serial_number;name;customer_id;type;organization_id;location_name;update_frequency
ZNNEW1;new-1;C1;router-a;123;Oslo;300
ZNNEW2;new-2;C2;Router-A;123;Oslo;
"""


@pytest.fixture
def quiet(shared_simulator):
    """A simulator that must not be sent anything but reads."""
    yield shared_simulator
    assert set(shared_simulator.ledger()["requests"]["methods"]) <= {"GET"}


def record_of(cli, name, **environment):
    ended = cli("devices", "show", name, "--json", **environment)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def methods(simulator):
    return simulator.ledger()["requests"]["methods"]


def test_onboarding_creates_waits_and_configures_and_twice_creates_nothing_twice(simulator, cli):
    # DV-11, DV-18
    Path("sites.csv").write_bytes(b"\xef\xbb\xbf" + SITES.encode())
    arguments = ("devices", "import", "sites.csv", "--wait", "2h", "--yes", "--plain")

    first = cli(*arguments, **simulator.environment)
    created = methods(simulator)["POST"]
    again = cli(*arguments, **simulator.environment)

    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert "2  succeeded" in first.out
    assert "2  already ok" in again.out
    assert (created, methods(simulator)["POST"]) == (2, 2)
    assert record_of(cli, "ZNNEW1")["update_frequency"] == 300
    assert record_of(cli, "new-2")["location_name"] == "Oslo"


def exported(cli, simulator, *arguments):
    ended = cli("devices", "export", *arguments, **simulator.environment)
    assert ended.code == 0, ended.err
    return list(csv.DictReader(io.StringIO(ended.out)))


def rows_of(records, **changed):
    """Give such a file as people export, edit and import."""
    file = io.StringIO()
    kept = ("serial_number", "name", "customer_id", "type", "organization_id", "location_name")
    writer = csv.DictWriter(file, (*kept, "description"), extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**each, **changed} for each in records)
    return file.getvalue()


def test_a_device_that_is_there_gets_every_cell_of_its_row(simulator, cli):
    records = exported(cli, simulator, "--organization", "123", "--status", "up")[:2]
    Path("sites.csv").write_text(rows_of(records, location_name="Oslo", description="moved"))
    order = ("devices", "import", "sites.csv", "--no-wait", "--yes", "--plain")

    first = cli(*order, **simulator.environment)
    again = cli(*order, **simulator.environment)

    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert "2  succeeded" in first.out
    assert "2  already ok" in again.out
    assert "POST" not in methods(simulator)
    found = record_of(cli, records[0]["serial_number"])
    assert (found["location_name"], found["description"]) == ("Oslo", "moved")


@pytest.mark.parametrize("gap", [False, True], ids=["full", "with gaps"])
@pytest.mark.parametrize("both", [False, True], ids=["its organization unnamed", "named"])
def test_a_row_that_names_another_organization_is_left_out_with_a_warning(
    gap, both, simulator, cli
):
    ours = exported(cli, simulator, "--organization", "123", "--status", "up")
    theirs = exported(cli, simulator, "--organization", "456", "--status", "up")
    wrong, right, more = theirs[0], ours[0], theirs[1]
    records = [{**wrong, "organization_id": "123"}, right, *([more] if both else [])]
    text = rows_of(records, description="moved")
    Path("sites.csv").write_text(text.replace(right["location_name"], "") if gap else text)

    ended = cli(
        *("devices", "import", "sites.csv", "--no-wait", "--yes", "--plain"),
        **simulator.environment,
    )

    assert ended.code == 0, ended.err
    device = wrong["id"]
    said = f"(line 2) is left out: its row names organization 123, and device {device} is in 456"
    assert said in " ".join(ended.err.split())
    assert record_of(cli, device)["description"] != "moved"
    assert record_of(cli, device)["organization_id"] == 456
    assert record_of(cli, right["id"])["description"] == "moved"
    assert "POST" not in methods(simulator)


def test_a_kept_import_leaves_out_what_it_warned_of(quiet, cli):
    records = exported(cli, quiet, "--organization", "456")[:1]
    records += exported(cli, quiet, "--organization", "123")[:1]
    Path("sites.csv").write_text(rows_of(records, organization_id="123"))

    ended = cli("devices", "import", "sites.csv", "-o", "plan.json", **quiet.environment)

    assert ended.code == 0, ended.err
    assert f"exclude: [{records[0]['id']}]" in Path("plan.yaml").read_text()
    assert "its row names organization 123" in " ".join(ended.out.split())
    assert [each.id for each in read_plan(Path("plan.json")).devices] == [int(records[1]["id"])]


def test_the_same_fields_for_several_devices_and_each_only_once(simulator, cli):
    # DV-13, DV-14, DV-20
    words = ("1001", "1002", "description=was ${device.location_name}", "debug=true")
    arguments = ("devices", "update", *words, "--yes", "--plain")

    first = cli(*arguments, **simulator.environment)
    again = cli(*arguments, **simulator.environment)

    assert "2  succeeded" in first.out
    assert "2  already ok" in again.out
    assert methods(simulator)["PATCH"] == 2
    record = record_of(cli, "1001")
    assert record["debug"] is True
    assert record["description"] == f"was {record['location_name']}"


@pytest.mark.parametrize("form", ["csv", "jsonl", "yaml"])
def test_what_was_exported_changes_nothing_when_it_is_taken_back(form, quiet, cli):
    # DV-12, as far as it is an exchange with other systems
    file = f"fleet.{form}"
    filters = ("--organization", "123", "--where", "id: {below: 1010}")
    exported = cli("devices", "export", *filters, "-o", file, **quiet.environment)
    text = Path(file).read_text()

    ended = cli("devices", "update", "--from", file, "--yes", "--plain", **quiet.environment)

    assert exported.code == ended.code == 0
    assert "nothing had to be done" in ended.out
    assert "password" not in text + ended.out
    assert "cpe-1001" not in text


def test_an_export_that_fails_leaves_the_old_file_as_it_was(cli):
    Path("fleet.csv").write_text("old")

    ended = cli(
        *("devices", "export", "-o", "fleet.csv"),
        ORCHESTRATOR_BASE_URL="http://127.0.0.1:9/api/v1",
        ORCHESTRATOR_TOKEN="t",
        ORCHESTRATOR_READ_ATTEMPTS="1",
    )

    assert ended.code == 5
    assert Path("fleet.csv").read_text() == "old"
    assert [path.name for path in Path().glob("*fleet*")] == ["fleet.csv"]


def test_columns_that_only_the_whole_record_has_are_read_one_by_one(quiet, cli):
    ended = cli(
        *("devices", "export", "--where", "id: {below: 1004}"),
        *("--columns", "id,update_frequency,debug"),
        **quiet.environment,
    )

    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [row["id"] for row in rows] == ["1001", "1002", "1003"]
    assert all(row["update_frequency"].isdigit() for row in rows)


def test_the_playbooks_own_selection_is_exported_in_its_order(quiet, cli):
    ended = cli("devices", "export", "reboot.yaml", "--columns", "id", **quiet.environment)

    listed = cli("devices", "list", "reboot.yaml", "--json", **quiet.environment)
    expected = [json.loads(line)["id"] for line in listed.out.splitlines()]
    assert [int(line) for line in ended.out.split()[1:]] == expected


def test_the_fleet_in_numbers(quiet, cli):
    # DV-1, DV-19
    ended = cli("devices", "summary", **quiet.environment)
    told = json.loads(cli("devices", "summary", "--json", **quiet.environment).out)

    assert ended.out.startswith("60 devices: ")
    assert "ORGANIZATION" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80
    assert sum(each["devices"] for each in told["by"]["type"]) == 60
    assert quiet.ledger()["requests"]["methods"].keys() == {"GET"}


def test_one_record_whole_with_what_this_controller_offers(quiet, cli):
    # DV-8, DV-9, DV-10
    ended = cli(
        "devices", "show", "1001", "--settings", "--variables", "--log", **quiet.environment
    )

    groups = [line for line in ended.out.splitlines() if line and not line.startswith(" ")]
    assert groups[:3] == ["identity", "state", "contacts"]
    assert groups[-3:] == ["settings", "variables", "log"]
    assert "cpe-1001" not in ended.out


def test_a_name_that_two_devices_have_shows_neither(simulator, cli):
    named = cli("devices", "update", "1001", "1002", "name=twin", "--yes", **simulator.environment)

    ended = cli("devices", "show", "twin", **simulator.environment)

    assert named.code == 0, named.err
    assert (ended.code, ended.out) == (2, "")
    assert "2 devices are called 'twin'; name one by its id: 1001 (" in ended.err
    assert record_of(cli, "1002")["serial_number"] in ended.err


def test_flags_read_alike_in_a_list_and_in_an_export(quiet, cli):
    listed = cli("devices", "list", "--csv", **quiet.environment)
    found = exported(cli, quiet, "--columns", "id,is_active")

    flags = {each["id"]: each["is_active"] for each in found}
    assert set(flags.values()) <= {"true", "false"}
    rows = list(csv.DictReader(io.StringIO(listed.out)))
    assert rows
    assert all(row["is_active"] == flags[row["id"]] for row in rows)


@pytest.mark.parametrize("chosen", [(), ("reboot.yaml",)], ids=["filters", "playbook"])
def test_a_column_that_no_record_has_is_warned_of(chosen, quiet, cli):
    ended = cli(
        *("devices", "export", *chosen, "--columns", "serial_number,nosuch"), **quiet.environment
    )

    assert ended.code == 0
    assert ended.out.startswith("serial_number,nosuch")
    assert "warning: no record has a field nosuch" in ended.err


def test_a_refresh_contacts_the_device_once(simulator, cli):
    ended = cli("devices", "show", "1001", "--refresh", **simulator.environment)

    assert ended.code == 0


def test_a_kept_import_is_carried_out_later_with_its_playbook_beside_it(simulator, cli):
    Path("sites.csv").write_text(SITES)

    kept = cli("devices", "import", "sites.csv", "-o", "plan.json", **simulator.environment)
    made = Path("plan.yaml").read_text()
    methods_before = set(methods(simulator))
    ended = cli("run", "plan.json", "--yes", "--plain", **simulator.environment)

    assert kept.code == 0
    assert "orchestrator run plan.json" in kept.out
    assert made.startswith("# Made by `orchestrator devices import`.")
    assert methods_before == {"GET"}
    assert ended.code == 0, ended.err
    assert "2  succeeded" in ended.out


def test_devices_that_are_up_are_not_deleted_and_nothing_is_sent(quiet, cli):
    ended = cli("devices", "delete", "1001", "1002", "--yes", "2", **quiet.environment)

    assert ended.code == 2
    assert ended.err.count("is Up, and only devices that are Down are deleted") == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import", "nothere.csv"), "there is no file nothere.csv"),
        (("import", "folder.csv"), "folder.csv is a folder"),
        (("import", "sites.txt"), "name it *.csv, *.jsonl or *.yaml"),
        (("import", "empty.csv"), "empty.csv is empty"),
        (("import", "head.csv"), "head.csv:1:1: this table has no row"),
        (("import", "latin.csv"), "latin.csv: it is not UTF-8 text, line 2 has the byte 0xe9"),
        (("import", "twice.csv"), "twice.csv:3:1: serial_number 'A' stands twice"),
        (("import", "keyless.csv"), "hint: name the column that holds them serial_number"),
        (("import", "keyless.csv"), "keyless.csv:1:1: there are no columns customer_id, type, org"),
        (("import", "twice.csv"), "needs serial_number, name, customer_id, type and organization"),
        (("import", "head.csv", "--wait", "1h", "--no-wait"), "exclude each other"),
        (("import", "head.csv", "--wait", "soon"), "--wait: 'soon' is not a duration"),
        (("import", "head.csv", "--dry-run", "--id", "a"), "only makes a plan"),
        (("update", "--from", "nothere.csv"), "there is no file nothere.csv"),
        (("update", "--from", "head.csv", "a=1"), "give nothing beside it"),
        (("update", "--from", "twice.csv", "--key", "nmae"), "did you mean 'name'?"),
        (("update", "1001", "password=hush"), "password is not taken"),
        (("update", "1001", "a=1", "a=2"), "a is given twice"),
        (("update", "1001"), "say what to write"),
        (("update", "debug=true"), "name devices, or give filters"),
        (("delete",), "name devices, or give filters"),
        (("delete", "--where", "is_active=true"), "only devices that are Down and inactive"),
        (("delete", "1001", "--organization", "1"), "not both"),
        (("summary", "--by", "statsu"), "did you mean 'status'?"),
        (("export", "--columns", "id,password"), "password is secret"),
        (("export", "--format", "xls"), "'xls' is not one of"),
        (("export", "-o", "e.xlsx"), "the name 'e.xlsx' says no form; name it *.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_told_before_any_request(arguments, sentence, cli):
    Path("folder.csv").mkdir()
    Path("sites.txt").write_text("x")
    Path("empty.csv").touch()
    Path("head.csv").write_text("serial_number,name\n")
    Path("latin.csv").write_bytes(b"serial_number,name\nA,caf\xe9\n")
    Path("twice.csv").write_text("serial_number,name\nA,x\nA,y\n")
    Path("keyless.csv").write_text("name\nx\n")

    ended = cli(
        *("devices", *arguments),
        ORCHESTRATOR_BASE_URL="http://127.0.0.1:9/api/v1",
        ORCHESTRATOR_TOKEN="t",
    )

    assert ended.code == 2
    assert sentence in ended.err
    assert "hush" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import", "types.csv"), "types.csv:2:7: there is no type 'ruter-a'"),
        (("update", "1001", "is_activ=true"), "did you mean 'is_active'?"),
        (("update", "1001", "status=Up"), "status is not written"),
        (("update", "nobody", "debug=true"), "there is no device with the id, serial number or"),
        (("delete", "--where", "location_name: Nowhere"), "chose 0 of 60"),
        (("update", "1001", "debug=true"), "confirm with --yes"),
        (("show", "nobody"), "there is no device with the id, serial number or name 'nobody'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_only_the_controller_can_tell_is_told_before_anything_is_sent(
    arguments, sentence, quiet, cli
):
    Path("types.csv").write_text(
        "serial_number,name,type,customer_id,organization_id\nB,new,ruter-a,C,1\n"
    )

    ended = cli("devices", *arguments, **quiet.environment)

    assert ended.code == 2
    assert sentence in ended.err
    assert not Path("logs/runs").exists()


def test_clean_up_deactivates_deletes_and_says_how_many(cli):
    # DV-17
    with simulating("--devices", "400") as simulator:
        listed = cli("devices", "list", "--status", "down", "--json", **simulator.environment)
        device = next(
            record["id"]
            for line in listed.out.splitlines()
            if (record := json.loads(line))["is_active"]
        )
        arguments = ("devices", "delete", str(device), "--plain")

        active = cli(*arguments, "--yes", "1")
        miscounted = cli(*arguments, "--deactivate-first", "--yes", "2")
        unasked = cli(*arguments, "--deactivate-first")
        before = set(methods(simulator))
        deleted = cli(*arguments, "--deactivate-first", "--yes", "1")

        assert "is active; --deactivate-first deactivates it before" in active.err
        assert "--yes 2, and this would delete 1 device; nothing was sent" in miscounted.err
        assert "confirm with --yes 1" in unasked.err
        assert (active.code, miscounted.code, unasked.code) == (2, 2, 2)
        assert before == {"GET"}
        assert deleted.code == 0, deleted.err
        assert methods(simulator)["DELETE"] == 1
        assert f"  {device}" in deleted.err
        assert cli("devices", "show", str(device)).code == 2


def test_a_summary_is_watched_until_somebody_has_seen_enough(shared_simulator, workplace):
    command = [sys.executable, "-m", "orchestrator", "devices", "summary", "--json"]
    with subprocess.Popen(
        [*command, "--by", "status", "--watch", "1"],
        env={**os.environ, **shared_simulator.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        pictures = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=20) == 0
        assert "Traceback" not in process.stderr.read()

    assert [each["devices"]["devices"] for each in pictures] == [60, 60]
    assert pictures[0]["at"] < pictures[1]["at"]
