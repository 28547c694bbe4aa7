"""`drift` shows what is not as it should be, and writes the playbook that remedies it."""

import json
from functools import partial
from pathlib import Path

import pytest

from orchestrator.model.snapshots import Snapshot
from orchestrator.playbook.loading import load_playbook
from tests.support.changed import done
from tests.support.changed_runs import leave_run
from tests.support.histories import T0
from tests.support.served import served

WANTED = """\
wanted: branch
devices: {all: true}
fields:
  description: standard
"""


@pytest.fixture(scope="module")
def world():
    with served() as found:
        found.change(1001, description="standard")
        found.change(1002, description="other")
        found.change(1003, description="standard", debug=True)
        yield found


@pytest.fixture
def here(monkeypatch, cli, world):
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)

    def write(text=WANTED, name="branch.yaml"):
        Path(name).write_text(text)

    write()
    return write


def test_deviations_are_shown_with_what_is_and_should_be(cli, here, world):
    before = world.changes
    ended = cli("drift", "branch.yaml")

    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    serial = world.record(1002)["serial_number"]
    assert lines[1].split() == ["1002", serial, "description", "other", "standard"]
    assert lines[3:] == ["1 of 3 devices deviates from branch.", "        1  description"]
    assert world.changes == before


def test_nothing_that_deviates_is_said_in_a_sentence(cli, here):
    here(WANTED.replace("description: standard", "id: present"))
    ended = cli("drift", "branch.yaml", "--exit-code")

    assert (ended.code, ended.out) == (0, "None of 3 devices deviates from branch.\n")


def test_detail_fields_are_read_one_by_one(cli, here):
    here(WANTED.replace("description: standard", "debug: false"))
    told = json.loads(cli("drift", "branch.yaml", "--json").out)

    assert (told["checked"], told["drifting"], told["fields"]) == (3, 1, {"debug": 1})
    assert told["devices"][0]["deviations"] == [
        {"field": "debug", "is": "true", "should_be": "false", "remedy": "write"}
    ]


def test_with_exit_code_2_says_that_something_deviates(cli, here):
    assert cli("drift", "branch.yaml", "--exit-code").code == 2


@pytest.mark.parametrize(("options", "code"), [("", 2), ("--exit-code", 1)])
def test_an_error_is_never_taken_for_drift(cli, here, options, code):
    here(WANTED.replace("description", "descripton"))
    ended = cli("drift", "branch.yaml", *options.split())

    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("branch.yaml:4:3: 'descripton' is no documented field")


@pytest.mark.parametrize(("options", "code"), [("", 2), ("--exit-code", 1)])
def test_nor_is_a_wrong_command_line(cli, here, options, code):
    assert cli("drift", "branch.yaml", "--jsn", *options.split()).code == code


def test_the_remedy_is_a_playbook_with_its_table_beside_it(cli, here):
    ended = cli("drift", "branch.yaml", "-o", "fix.yaml")

    assert ended.code == 0
    assert "orchestrator plan fix.yaml" in ended.err
    playbook, source = load_playbook("fix.yaml")
    assert dict(playbook.table.rows) == {"1002": {"id": "1002", "description": "standard"}}
    assert source.text.startswith(
        "# What it does   Remedies what deviates from branch: writes desc"
    )
    assert Path("fix.jsonl").stat().st_mode & 0o777 == 0o600


def test_what_no_playbook_remedies_is_said_and_nothing_written(cli, here):
    here(WANTED.replace("description: standard", "software_version: {at_least: '99'}"))
    ended = cli("drift", "branch.yaml", "-o", "fix.yaml")

    assert ended.code == 0
    assert "firmware-rollout.yaml upgrades" in " ".join(ended.err.split())
    assert "so fix.yaml was not written" in ended.err
    assert not Path("fix.yaml").exists()


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("fix.json", "--output takes the name of a playbook, *.yaml"),
        ("branch.yaml", "--output would replace branch.yaml"),
        ("no/such/fix.yaml", "cannot be written: no such file or directory"),
    ],
)
def test_where_the_remedy_cannot_go_is_said_in_one_sentence(cli, here, output, sentence):
    ended = cli("drift", "branch.yaml", "-o", output)

    assert ended.code == 2
    assert sentence in ended.err
    assert Path("branch.yaml").read_text() == WANTED


def test_a_table_of_what_is_wanted_is_never_replaced(cli, here):
    table = '{"serial_number": "SN1", "about": "x"}\n'
    Path("fix.jsonl").write_text(table)
    here('wanted: s\ndevices: {with: "@fix.jsonl"}\nfields:\n  description: "${row.about}"\n')
    ended = cli("drift", "branch.yaml", "-o", "fix.yaml")

    assert (ended.code, ended.out) == (2, "")
    assert "--output would replace fix.jsonl, which says what is wanted" in ended.err
    assert Path("fix.jsonl").read_text() == table


def test_rows_without_a_device_are_named(cli, here, world):
    serial = world.record(1001)["serial_number"]
    Path("sites.csv").write_text(f"serial_number,about\n{serial},standard\nSN-GONE,x\n")
    here('wanted: sites\ndevices: {with: "@sites.csv"}\nfields:\n  description: "${row.about}"\n')
    ended = cli("drift", "branch.yaml")

    assert ended.out.splitlines() == [
        "None of 1 device deviates from sites.",
        "1 row without a device: SN-GONE",
    ]


def test_a_run_means_the_records_as_they_were_before_it(cli, here, world):
    leave = partial(leave_run, world)
    shot = Snapshot(1001, 0, T0, {**world.record(1001), "description": "before"}, None)
    gone = Snapshot(9, 0, T0, {"id": 9, "serial_number": "SN9"}, None)
    leave(*done(1001, description=("before", "standard")), snapshots=[shot, gone])
    told = json.loads(cli("drift", "night-1", "--json").out)

    assert told["wanted"] == "run night-1"
    assert [(each["device"], each["gone"]) for each in told["devices"]] == [
        (1001, None),
        (9, "the controller no longer has this device"),
    ]
    assert told["devices"][0]["deviations"][0]["should_be"] == "before"


def test_the_snapshots_of_a_run_mean_the_same(cli, here, world):
    shot = Snapshot(1001, 0, T0, {**world.record(1001), "description": "before"}, None)
    leave_run(world, *done(1001, description=("before", "standard")), snapshots=[shot])
    [path] = Path().rglob("snapshots.jsonl")
    told = json.loads(cli("drift", str(path), "--json").out)

    assert told["wanted"] == "run night-1"
    assert told["devices"][0]["deviations"][0]["should_be"] == "before"


def test_a_run_without_snapshots_is_nothing_to_compare_with(cli, here, world):
    leave_run(world, *done(1001, description=("a", "b")))
    ended = cli("drift", "night-1")

    assert ended.code == 2
    assert "run night-1 kept no snapshots, so there is nothing to compare with" in ended.err


def test_what_is_neither_a_file_nor_a_run_says_so(cli, here):
    assert "the wanted state does not exist" in cli("drift", "gone.yaml").err


def test_a_devices_that_is_gone_is_shown(cli, here, world):
    gone = Snapshot(9, 0, T0, {"id": 9, "serial_number": "SN9"}, None)
    leave_run(world, *done(9, description=("a", "b")), snapshots=[gone])

    assert "the controller no longer has this device" in cli("drift", "night-1").out
