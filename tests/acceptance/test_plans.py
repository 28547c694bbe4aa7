"""A plan is a file: made, read by people, carried out exactly, and only once."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import orjson
import pytest

from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.plans.plan_file import read_stored, write_plan
from orchestrator.adapters.runs.journal_reading import read_records
from orchestrator.bootstrap import start_run
from orchestrator.model.errors import RunError
from orchestrator.model.events import DeviceFinished
from orchestrator.settings import load
from tests.acceptance.conftest import REBOOT, TOKEN, disagreements

NAMED = REBOOT.replace("is_active: true", "is_active: true, name: {matches: '*'}")
VERSION_2 = Path(__file__).parents[1] / "support" / "plan_version_2.json"


def patch(simulator, device, **fields):
    """Change a record as somebody else at the controller would."""
    request = urllib.request.Request(
        f"{simulator.address}/api/v1/inventory_device/{device}/",
        data=json.dumps(fields).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        method="PATCH",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


@pytest.fixture
def quiet(shared_simulator):
    """A simulator that must not be sent anything but reads."""
    yield shared_simulator
    assert set(shared_simulator.ledger()["requests"]["methods"]) <= {"GET"}


@pytest.fixture
def plan(cli):
    """Make a plan in a file, with no forecast, which takes a moment; more options can be given."""

    def make(simulator, *options, playbook="reboot.yaml", output="plan.json"):
        given = ("plan", playbook, "-o", output, "--seeds", "0", *options)
        ended = cli(*given, **simulator.environment)
        assert (ended.code, ended.err) == (0, "")
        return ended

    return make


def refused(ended, message):
    assert ended.code == 2
    assert ended.err.count("error:") == 1
    assert message in ended.err
    assert not list(Path().glob("logs/runs/*/journal.jsonl"))


def devices_of(path):
    return [device.id for device in read_stored(Path(path)).plan.devices]


def test_a_plan_is_kept_for_its_owner_only_and_says_how_and_until_when_to_carry_it_out(plan, quiet):
    ended = plan(quiet)

    assert stat.S_IMODE(Path("plan.json").stat().st_mode) == 0o600
    assert "The plan is in plan.json; to carry it out, once, until 20" in ended.out
    assert ended.out.endswith("Z:\n  orchestrator run plan.json\n")
    assert not Path("logs/runs").exists()


def test_exactly_the_planned_devices_are_touched_and_only_once(plan, simulator, cli):
    plan(simulator)
    wanted = devices_of("plan.json")

    ended = cli("run", "plan.json", "--id", "night-1", **simulator.environment)

    assert ended.code in (0, 1)
    assert "8 of" in ended.out
    assert disagreements(simulator, "night-1") == ()
    touched = {each["device"] for each in simulator.ledger()["operations"]}
    assert touched <= set(wanted)
    assert len(touched) >= 6
    kept = read_stored(Path("logs/runs/night-1/plan.json"))
    assert kept == read_stored(Path("plan.json"))
    assert cli("audit", "verify", "night-1").code == 0

    again = cli("run", "plan.json", **simulator.environment)

    assert again.code == 2
    assert "the plan plan.json was carried out already by run night-1 (" in again.err
    assert "make a new plan" in again.err
    assert [entry.name for entry in Path("logs/runs").iterdir()] == ["night-1"]


def test_a_copy_of_a_plan_and_other_folders_do_not_make_it_new(plan, simulator, cli, tmp_path):
    plan(simulator)
    Path("copy.json").write_bytes(Path("plan.json").read_bytes())
    assert cli("run", "plan.json", "--id", "night-1", **simulator.environment).code in (0, 1)

    elsewhere = cli("run", "copy.json", "--runs-dir", "other")
    forgotten = cli("run", "copy.json", "--locks-dir", str(tmp_path / "fresh"))

    for ended in (elsewhere, forgotten):
        assert ended.code == 2
        assert "carried out already by run night-1" in ended.err


def test_the_same_plan_made_twice_can_be_carried_out_twice(plan, simulator, cli):
    plan(simulator)
    plan(simulator, output="plan-2.json")

    for name in ("plan", "plan-2"):
        ended = cli("run", f"{name}.json", "--id", name, **simulator.environment)
        assert ended.code in (0, 1)


def test_a_destructive_plan_is_confirmed_as_its_playbook_would_be(plan, quiet, cli):
    plan(quiet, playbook="redeploy.yaml")

    ended = cli("run", "plan.json", **quiet.environment)

    refused(ended, "confirm with --yes")
    assert "factory" in ended.out


def test_a_plan_with_a_forecast_is_carried_out_with_it(simulator, cli):
    made = cli("plan", "reboot.yaml", "-o", "plan.json", "--seeds", "3", **simulator.environment)

    assert made.code == 0
    forecast = read_stored(Path("plan.json")).plan.forecast
    assert (forecast.campaigns, forecast.devices) == (3, 8)
    assert cli("run", "plan.json", "--id", "night-1").code in (0, 1)
    assert read_stored(Path("logs/runs/night-1/plan.json")).plan.forecast == forecast


def test_a_playbook_run_directly_has_a_forecast_too(simulator, cli):
    assert cli("run", "reboot.yaml", "--id", "night-1", **simulator.environment).code in (0, 1)

    kept = read_stored(Path("logs/runs/night-1/plan.json")).plan
    assert (kept.forecast.campaigns, kept.forecast.devices) == (50, 8)


def test_a_device_that_changed_since_the_plan_is_skipped_with_what_was_and_is(plan, simulator, cli):
    Path("named.yaml").write_text(NAMED)
    plan(simulator, playbook="named.yaml")
    other, *_ = devices_of("plan.json")
    patch(simulator, other, name="somebody-else")

    cli("run", "plan.json", "--id", "night-1", **simulator.environment)

    events = [each.event for each in read_records(Path("logs/runs/night-1/journal.jsonl"))]
    [end] = [e for e in events if isinstance(e, DeviceFinished) and e.device == other]
    assert end.verdict == "skipped"
    assert end.reason.startswith("changed since the plan: name was ")
    assert end.reason.endswith(", is somebody-else")
    assert other not in {each["device"] for each in simulator.ledger()["operations"]}
    assert disagreements(simulator, "night-1") == ()


def test_a_plan_edited_by_hand(plan, quiet, cli):
    plan(quiet)
    document = orjson.loads(Path("plan.json").read_bytes())
    document["plan"]["limits"]["max_down"] = 8
    Path("plan.json").write_bytes(orjson.dumps(document))

    refused(
        cli("run", "plan.json", **quiet.environment),
        "the plan plan.json was changed after it was made; make a new one",
    )


def test_a_plan_of_a_newer_and_of_an_older_version(plan, quiet, cli):
    plan(quiet)
    document = orjson.loads(Path("plan.json").read_bytes())
    Path("plan.json").write_bytes(orjson.dumps({**document, "v": 5}))
    Path("old.json").write_bytes(VERSION_2.read_bytes())

    refused(cli("run", "plan.json", **quiet.environment), "newer version of this program")
    refused(cli("run", "old.json", **quiet.environment), "older version of this program")


def test_a_plan_for_another_controller(plan, quiet, cli):
    plan(quiet)
    other = "http://127.0.0.1:9/api/v1"

    ended = cli("run", "plan.json", "--base-url", other, **quiet.environment)

    refused(ended, "the plan plan.json was made against " + quiet.environment[_URL])
    assert f"the settings say {other}" in ended.err


_URL = "ORCHESTRATOR_BASE_URL"


def test_a_plan_whose_playbook_has_changed_names_the_line(plan, quiet, cli):
    plan(quiet)
    Path("reboot.yaml").write_text(REBOOT.replace("max_down: 4", "max_down: 5"))

    ended = cli("run", "plan.json", **quiet.environment)

    refused(ended, "the playbook of the plan plan.json has changed since the plan was made")
    line = "reboot.yaml, line 10 was `rollout: {max_down: 4}`, is `rollout: {max_down: 5}`"
    assert line in ended.err


def test_a_plan_whose_playbook_is_none_any_more_names_the_line_all_the_same(plan, quiet, cli):
    plan(quiet)
    Path("reboot.yaml").write_text(REBOOT.replace("limit: 8", "limit: [8"))

    refused(cli("run", "plan.json", **quiet.environment), "line 6 was `  limit: 8`, is `  limit:")


def test_a_plan_whose_playbook_names_a_file_that_has_changed(plan, quiet, cli):
    Path("keep.csv").write_text("1001\n")
    Path("reboot.yaml").write_text(REBOOT.replace("limit: 8", "exclude: '@keep.csv'\n  limit: 8"))
    plan(quiet)
    Path("keep.csv").write_text("1001\n1002\n")

    refused(cli("run", "plan.json", **quiet.environment), "keep.csv, line 2 is new: `1002`")
    Path("keep.csv").unlink()
    refused(cli("run", "plan.json", **quiet.environment), "'keep.csv', beside the playbook, does")


def test_a_plan_whose_playbook_is_gone(plan, quiet, cli):
    plan(quiet)
    Path("reboot.yaml").unlink()

    refused(
        cli("run", "plan.json", **quiet.environment),
        "the playbook reboot.yaml of the plan plan.json is gone; put it back or make a new plan",
    )


def test_a_plan_that_has_expired(plan, quiet, cli):
    plan(quiet, "--expires", "1s")
    time.sleep(max(0.0, read_stored(Path("plan.json")).plan.expires_at - SystemClock().now()))

    ended = cli("run", "plan.json", **quiet.environment)

    refused(ended, "the plan plan.json expired at 20")
    assert " ago; make a new one" in ended.err
    shown = cli("plan", "plan.json")
    assert shown.code == 0
    assert "It cannot be carried out: the plan plan.json expired at" in shown.out


def test_the_lifetime_of_a_plan_is_a_setting(plan, quiet, cli, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_PLAN_LIFETIME", "2h")
    plan(quiet)

    kept = read_stored(Path("plan.json")).plan
    assert kept.expires_at == pytest.approx(kept.made_at + 7200)


def test_what_is_no_plan_and_what_is_not_there(quiet, cli):
    Path("package.json").write_text('{"name": "x"}')

    refused(cli("run", "package.json", **quiet.environment), "is not a plan of this program")
    refused(cli("run", "gone.json", **quiet.environment), "there is no plan gone.json")


@pytest.mark.parametrize(
    "damage",
    [
        (lambda content: content["limits"].pop("waves"), "its part `limits` does not hold what"),
        (lambda content: content.pop("warnings"), "its part `warnings` is missing"),
        (lambda content: content.update(openings=[]), "its part `openings` does not hold what"),
        (lambda content: content.update(forecast=[]), "its part `forecast` does not hold what"),
        (lambda content: content.update(devices=[3]), "its part `devices` does not hold what"),
        (lambda content: content["source"].update(variables=3), "its part `source` does not hold"),
    ],
)
def test_a_damaged_plan_is_refused_with_the_part_that_is_wrong(
    plan, quiet, cli, monkeypatch, damage
):
    change, part = damage
    plan(quiet)
    document = orjson.loads(Path("plan.json").read_bytes())
    change(document["plan"])
    Path("plan.json").write_bytes(orjson.dumps(document))
    monkeypatch.setitem(plan_file._DIGESTS, plan_file.VERSION, lambda _: document["digest"])

    ended = cli("run", "plan.json", **quiet.environment)

    refused(ended, f"the plan plan.json is damaged: {part}")
    assert ended.err.endswith("; make a new plan\n")
    assert "Error" not in ended.err


@pytest.mark.parametrize("content", [[], 3, None])
def test_a_plan_without_its_parts_is_refused(quiet, cli, content):
    Path("plan.json").write_bytes(orjson.dumps({"v": 3, "digest": "0", "plan": content}))

    ended = cli("run", "plan.json", **quiet.environment)

    refused(ended, "its `plan` is not an object with the parts of a plan; make a new plan")


@pytest.mark.parametrize("content", ["", "[]", "{}", None])
def test_what_is_named_as_a_plan_and_is_none_is_held_against_its_name(quiet, cli, content):
    path = Path("odd.json")
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)

    for words in (("run",), ("plan",), ("plan", "--against")):
        ended = cli(*words, "odd.json", **quiet.environment)

        refused(ended, "a name that ends in .json means one; a playbook is named *.yaml")
        assert "odd.json" in ended.err


def test_a_plan_takes_no_variables(plan, quiet, cli):
    plan(quiet)

    refused(cli("run", "plan.json", "--var", "a=b", **quiet.environment), "--var is for a playbook")


def settings_for(simulator, monkeypatch):
    for name, value in simulator.environment.items():
        monkeypatch.setenv(name, value)
    return load()


def test_a_plan_that_expires_while_somebody_thinks_about_it_is_not_begun(plan, quiet, monkeypatch):
    plan(quiet)
    stale = replace(read_stored(Path("plan.json")).plan, expires_at=1_000_000_000.0)
    settings = settings_for(quiet, monkeypatch)

    with pytest.raises(RunError, match="the plan expired at 2001-09-09 01:46:40Z"):
        anyio.run(partial(start_run, settings, stale, run_id="night-1", once=True))

    assert not Path("logs/runs").exists()


def test_a_plan_carried_out_without_a_name_for_its_run_is_used_up_as_well(
    plan, simulator, cli, monkeypatch
):
    plan(simulator)
    settings = settings_for(simulator, monkeypatch)
    kept = read_stored(Path("plan.json")).plan

    outcome = anyio.run(partial(start_run, settings, kept, once=True))

    assert outcome.finished
    assert f"already by run {outcome.run_id} (" in cli("run", "plan.json").err


def program(simulator, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *arguments],
        env={**os.environ, **simulator.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_of_two_processes_at_once_one_carries_the_plan_out(plan, simulator, cli):
    plan(simulator)

    both = [program(simulator, "run", "plan.json", "--id", name) for name in ("one", "two")]
    ends = [(*process.communicate(timeout=50), process.returncode) for process in both]

    lost = [err for _, err, code in ends if code == 2]
    won = [name for name, (_, _, code) in zip(("one", "two"), ends, strict=True) if code != 2]
    assert len(lost) == len(won) == 1, ends
    assert lost[0].startswith("error: the plan ")
    assert f"by run {won[0]} (" in lost[0]
    assert lost[0].count("\n") == 1
    assert [entry.name for entry in Path("logs/runs").iterdir()] == won
    assert disagreements(simulator, won[0]) == ()


KILLED = """
import os, signal, sys
from orchestrator.adapters.runs.file_journal import FileJournal
from orchestrator.cli import main

def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

FileJournal.{method} = killed
main(sys.argv[1:])
"""


@pytest.mark.parametrize("method", ["create", "append"])
def test_killed_between_its_mark_and_its_journal_it_can_be_carried_out_still(
    plan, simulator, cli, method
):
    plan(simulator)
    died = subprocess.run(
        [sys.executable, "-c", KILLED.format(method=method), "run", "plan.json", "--id", "night-1"],
        env={**os.environ, **simulator.environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    assert list(Path("locks").glob("*.plan"))

    ended = cli("run", "plan.json", "--id", "night-2", **simulator.environment)

    assert ended.code in (0, 1)
    assert disagreements(simulator, "night-2") == ()
    again = cli("run", "plan.json", "--id", "night-3", **simulator.environment)
    assert "carried out already by run night-2" in again.err


def test_killed_after_its_first_event_it_is_resumed_and_not_carried_out_again(plan, simulator, cli):
    plan(simulator)
    with program(simulator, "run", "plan.json", "--id", "night-1") as process:
        journal = Path("logs/runs/night-1/journal.jsonl")
        deadline = time.monotonic() + 20
        while not (journal.exists() and "OperationAccepted" in journal.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        process.communicate()

    again = cli("run", "plan.json", **simulator.environment)
    against = cli("plan", "--against", "plan.json")

    assert again.code == 2
    assert "the plan plan.json was taken by run night-1 (" in again.err
    assert "which is not over; go on with `orchestrator resume night-1`" in again.err
    assert "go on with `orchestrator resume night-1`" in against.out
    assert cli("resume", "night-1").code in (0, 1)
    assert disagreements(simulator, "night-1") == ()


def test_a_plan_in_a_file_is_shown_without_a_controller(plan, quiet, cli):
    plan(quiet)

    told = cli("plan", "plan.json", "--base-url", "http://127.0.0.1:9/api/v1")
    as_json = json.loads(cli("plan", "plan.json", "--json").out)

    assert told.code == 0
    assert "Touched (8), in this order:" in told.out
    assert "It cannot be carried out: the plan plan.json was made against" in told.out
    stored = read_stored(Path("plan.json"))
    assert (as_json["file"], as_json["digest"]) == ("plan.json", stored.digest)
    assert [each["device"] for each in as_json["devices"]] == devices_of("plan.json")


def test_nothing_has_changed_right_after_a_plan_was_made(plan, quiet, cli):
    plan(quiet)

    ended = cli("plan", "--against", "plan.json", "--exit-code", **quiet.environment)

    assert ended.code == 0
    assert "Nothing has changed since plan.json was made at" in ended.out
    assert ended.out.endswith("  orchestrator run plan.json\n")


def test_what_has_changed_since_a_plan_is_shown(plan, simulator, cli):
    Path("named.yaml").write_text(NAMED)
    plan(simulator, playbook="named.yaml")
    first, second, *_ = devices_of("plan.json")
    patch(simulator, first, is_active=False)
    patch(simulator, second, name="somebody-else")
    Path("named.yaml").write_text(NAMED.replace("max_down: 4", "max_down: 3"))
    options = ("plan", "--against", "plan.json", "--exit-code")

    ended = cli(*options, **simulator.environment)
    told = json.loads(cli(*options, "--json").out)

    assert ended.code == 2
    assert "In (1):\n" in ended.out
    assert "Out (1):\n" in ended.out
    assert "is_active is false, not true" in ended.out
    assert "Changed (1):\n" in ended.out
    assert "is somebody-else\n" in ended.out
    assert "  max_down was 4, is 3\n" in ended.out
    assert "named.yaml, line 10 was `rollout: {max_down: 4}`" in ended.out
    assert "As they were: 6 devices" in ended.out
    assert "It cannot be carried out: the playbook of the plan plan.json has changed" in ended.out
    assert told["any"] is True
    assert len(told["in"]) == 1
    assert [(each["device"], each["reason"]) for each in told["out"]] == [
        (first, "is_active is false, not true")
    ]
    [changed] = told["changed"]
    assert changed["device"] == second
    assert changed["values"][0]["name"] == "name"
    assert changed["values"][0]["is"] == "somebody-else"
    assert told["limits"] == [{"name": "max_down", "was": "4", "is": "3"}]
    assert told["playbook"][0]["line"] == 10
    assert told["unchanged"] == 6


def test_a_device_that_the_filters_hide_is_read_to_say_why_it_is_out(plan, simulator, cli):
    plan(simulator)
    first, *_ = devices_of("plan.json")
    patch(simulator, first, organization_id=124)

    ended = cli("plan", "--against", "plan.json", **simulator.environment)

    assert ended.code == 0
    assert "Out (1):" in ended.out
    assert "organization_id is 124" in ended.out


def test_another_playbook_is_compared_and_kept_anew(plan, quiet, cli):
    plan(quiet)
    Path("fewer.yaml").write_text(REBOOT.replace("limit: 8", "limit: 7"))

    ended = cli(
        *("plan", "fewer.yaml", "--against", "plan.json", "-o", "new.json", "--seeds", "0"),
        **quiet.environment,
    )

    assert ended.code == 0
    assert "it is beyond the limit of 7 devices" in ended.out
    assert ended.out.endswith("  orchestrator run new.json\n")
    assert devices_of("new.json") == devices_of("plan.json")[:7]


def test_a_plan_that_goes_on_after_a_run_has_its_playbook_from_there(plan, simulator, cli):
    plan(simulator)
    later = replace(read_stored(Path("plan.json")).plan, goes_on_after="night-0")
    write_plan(later, Path("later.json"))
    Path("reboot.yaml").unlink()

    against = cli("plan", "--against", "later.json", **simulator.environment)
    ended = cli("run", "later.json", "--id", "night-1", **simulator.environment)

    assert against.code == 2
    assert "make it again with `orchestrator retry night-0`" in against.err
    assert ended.code in (0, 1)
    assert disagreements(simulator, "night-1") == ()


def test_nobody_is_left_of_a_plan(plan, quiet, cli):
    plan(quiet)
    Path("none.yaml").write_text(REBOOT.replace("organization: 123", "organization: 999"))

    ended = cli("plan", "none.yaml", "--against", "plan.json", **quiet.environment)

    assert ended.code == 0
    assert "Out (8):" in ended.out


NOTHING = REBOOT.replace("organization: 123", "organization: 999")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (REBOOT, 2),
        (NOTHING, 0),
        (NOTHING.replace("limit: 8", "limit: 8\n  expect: {at_least: 1}"), 1),
        (NOTHING.replace("limit: 8", "limit: 8\n  expect: {at_least: 0}"), 0),
        (f"{REBOOT}guard: {{software_version: {{below: '0.1'}}}}\n", 0),
        (REBOOT.replace("operation: reboot", "operation: rebot"), 1),
    ],
    ids=["all", "nobody", "expected", "not expected", "all guarded", "wrong"],
)
def test_the_exit_code_tells_whether_there_is_something_to_do(quiet, cli, text, code):
    Path("some.yaml").write_text(text)

    ended = cli("plan", "some.yaml", "--exit-code", "--seeds", "0", **quiet.environment)

    assert ended.code == code, ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--exit-code", "--nope"),
        ("--exit-code",),
        ("reboot.yaml", "--exit-code", "--page-size", "0"),
        ("reboot.yaml", "--exit-code", "--seeds", "-1"),
        ("--against", "gone.json", "--exit-code"),
        ("gone.yaml", "--exit-code"),
    ],
)
def test_with_exit_code_no_mistake_is_taken_for_something_to_do(cli, arguments):
    ended = cli("plan", *arguments)

    assert ended.code == 1
    assert ended.err
    without = [each for each in arguments if each != "--exit-code"]
    assert cli("plan", *without).code == 2


def test_other_ends_keep_their_code_with_exit_code(quiet, cli):
    told = {**quiet.environment, "ORCHESTRATOR_TOKEN": "wrong"}

    assert cli("plan", "reboot.yaml", "--exit-code", **told).code == 5
    assert cli("plan", "--help", "--exit-code").code == 0


def test_an_empty_choice_is_kept_and_carried_out_as_nothing(plan, quiet, cli):
    Path("none.yaml").write_text(NOTHING)
    plan(quiet, "--exit-code", playbook="none.yaml")

    ended = cli("run", "plan.json", "--id", "night-1", **quiet.environment)

    assert ended.code == 0


def test_what_if_stands_beside_the_plan(quiet, cli):
    asked = ("plan", "reboot.yaml", "--seeds", "3")
    columns = ("--what-if", "max_down=8", "--what-if", "failure=3%")

    ended = cli(*asked, *columns, **quiet.environment)
    told = json.loads(cli(*asked, *columns, "--json").out)

    assert ended.code == 0
    assert "max_down=8" in ended.out
    assert "failure=3%" in ended.out
    assert [each["what_if"] for each in told["what_if"]] == ["max_down=8", "failure=3%"]
    assert (
        told["what_if"][0]["forecast"]["peak_down"]["most"] > told["forecast"]["peak_down"]["most"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a PLAYBOOK, or a plan with --against"),
        (("--against", "p.json", "--var", "a=b"), "--var goes with a PLAYBOOK"),
        (("reboot.yaml", "--expires", "1h"), "--expires is for a plan that is kept"),
        (("reboot.yaml", "-o", "p.json", "--expires", "1x"), "--expires: '1x' is not a duration"),
        (("reboot.yaml", "-o", "p.json", "--expires", "31d"), "--expires takes more than 0s"),
        (("reboot.yaml", "--seeds", "-1"), "--seeds must be at least 0"),
        (("reboot.yaml", "--seeds", "0", "--what-if", "max_down=2"), "--seeds 0 leaves them out"),
        (("--against", "p.json", "--what-if", "max_down=2"), "ask for them one by one"),
        (("--against", "p.json", "--seeds", "3"), "--seeds is for a forecast"),
        (("reboot.yaml", "--what-if", "max_dwn=2"), "did you mean max_down?"),
        (("reboot.yaml", "--what-if", "delay=1s", "--what-if", "delay=1s"), "given twice"),
        (("reboot.yaml", "--what-if", "max_down_per=2"), "no max_down_per at all"),
        (("reboot.yaml", "-o", "plan.yaml"), "a plan is kept in a file named *.json"),
        (("reboot.yaml", "-o", "no/plan.json"), "there is no folder no"),
        (("reboot.yaml", "-o", "package.json"), "is there and is no plan; name another file"),
        (("p.json", "-o", "q.json"), "-o goes with a playbook, and p.json is a plan"),
        (
            ("p.json", "--exit-code", "--against", "q.json"),
            "to compare say `plan --against p.json`",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_in_one_sentence(quiet, cli, arguments, message):
    Path("package.json").write_text("{}")

    ended = cli("plan", *arguments, **quiet.environment)

    assert ended.code == (1 if "--exit-code" in arguments else 2)
    assert ended.err.count("error:") == 1
    assert message in ended.err
    assert ended.out == ""
    assert not Path("p.json").exists()
