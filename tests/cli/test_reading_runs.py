"""`runs`, `show` and `audit`: what can be read of a run, while it goes on and afterwards."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from orchestrator.adapters.runs.file_journal import FileJournal
from orchestrator.model.events import PauseOrdered, RunFinished, RunInterrupted, RunStopped
from tests.support import histories
from tests.support.recorded_runs import ENDING, STORY, careful_plan, record

RUNS = Path("logs/runs")


def test_without_any_run_the_list_says_so(cli):
    ended = cli("runs")

    assert (ended.code, ended.out) == (0, "")
    assert "no runs in logs/runs yet" in ended.err


def test_runs_are_listed_with_state_and_verdicts(cli):
    record(RUNS, [*STORY, *ENDING], run_id="night-1")
    record(RUNS, [*STORY], run_id="night-2")

    out = cli("runs").out

    at = "redeploy  2026-11-22 04:15Z"
    assert f"night-1  {at}  1m30s  finished     3: 1 succeeded, 1 unconfirmed, 1 skipped\n" in out
    assert f"night-2  {at}         interrupted  3: 1 succeeded, 1 unconfirmed, 1 without a" in out


def test_a_damaged_run_stands_in_the_list(cli):
    folder = record(RUNS, STORY)
    folder.journal_path.write_text("{}\n" + folder.journal_path.read_text())

    [row] = json.loads(cli("runs", "--json").out)

    assert row["state"] == "damaged"
    assert "journal.jsonl:1" in row["damage"]


def test_runs_as_json_is_one_array(cli):
    record(RUNS, [*STORY, *ENDING])

    [row] = json.loads(cli("runs", "--json").out)

    assert row["run"] == "night-1"
    assert row["playbook"] == "redeploy"
    assert row["started_at"] == "2026-11-22T04:15:00.250000Z"
    assert (row["state"], row["devices"]) == ("finished", 3)
    assert row["verdicts"]["unconfirmed"] == 1


def test_the_folder_for_runs_can_be_named(cli):
    record(Path("elsewhere"), STORY)

    assert "night-1" in cli("runs", "--runs-dir", "elsewhere").out


def test_show_tells_the_state_the_problems_and_how_to_go_on(cli):
    record(RUNS, [*STORY, RunInterrupted(histories.T0 + 70, "Ctrl-C")])

    ended = cli("show", "night")

    assert ended.code == 0
    assert "run night-1: interrupted" in ended.out
    assert "device 1002 (ZN1002), step 1 (factory): unconfirmed, no return within" in ended.out
    assert "To go on:  orchestrator resume night-1\n" in ended.out
    assert "logs/runs/night-1/journal.jsonl" in ended.out


def test_show_repeats_the_options_that_find_the_run(cli):
    record(Path("else where"), STORY)

    out = cli("show", "last", "--runs-dir", "else where").out

    assert "To go on:  orchestrator resume night-1 --runs-dir 'else where'\n" in out


def test_show_says_why_a_run_was_interrupted(cli):
    why = "the controller could not be used for 30m"
    record(RUNS, [*STORY, RunInterrupted(histories.T0 + 70, why, "controller")])

    assert f"The run was interrupted: {why}\n" in cli("show", "night-1").out
    assert json.loads(cli("show", "night-1", "--json").out)["interrupted"] == why


def careful_run(*more):
    record(RUNS, [*histories.careful_story(), *more], plan=careful_plan())


def test_show_says_what_is_asked_and_how_to_answer(cli):
    careful_run()

    out = cli("show", "night-1", "--runs-dir", "logs/runs").out

    assert "waiting for approval of wave 3 by another person than" in out
    assert "To agree:  orchestrator approve night-1 --runs-dir logs/runs\n" in out
    assert "To refuse: orchestrator approve night-1 --deny --runs-dir logs/runs\n" in out
    assert "To go on:  orchestrator resume night-1 --runs-dir logs/runs\n" in out


def test_show_says_who_paused_a_run_and_how_to_take_it_back(cli):
    careful_run(PauseOrdered(histories.T0 + 1500, "alice", "noc-2", "smoke"))

    out = cli("show", "night-1").out

    assert "  paused by alice on noc-2: smoke\n" in out
    assert "To take the pause back:  orchestrator continue night-1\n" in out


def test_runs_are_listed_with_what_stopped_them(cli):
    careful_run(
        RunStopped(histories.T0 + 1500, "denied", "ben denied wave 3"),
        RunFinished(histories.T0 + 1500, {}),
    )

    assert "  25m   stopped (denied)  20: 5 succeeded" in cli("runs").out
    [row] = json.loads(cli("runs", "--json").out)
    assert (row["state"], row["standing"]) == ("stopped", "stopped (denied)")


def test_steps_of_the_rescue_are_read_aloud_as_such(cli):
    careful_run()

    out = cli("audit", "show", "night-1", "--device", "5").out

    assert "device 5 (ZN5), rescue step 1 (sync): the playbook's rescue begins" in out
    assert "device 5 (ZN5), rescue step 1 (sync), attempt 1: sync is about to be" in out


def test_a_run_that_never_began_is_not_to_be_resumed(cli):
    record(RUNS, [])

    ended = cli("show", "night-1")

    assert ended.code == 0
    assert "never began" in ended.out
    assert "resume night-1" not in ended.out


def edited(**given):
    folder = record(RUNS, STORY, **given)
    text = folder.journal_path.read_text()
    folder.journal_path.write_text(text.replace("unconfirmed", "succeeded"))


def test_an_edited_journal_is_not_shown(cli):
    edited()

    ended = cli("show", "night-1")

    assert (ended.code, ended.out) == (2, "")
    assert f"journal.jsonl:{len(STORY)}: it does not match the hash chain" in ended.err


def test_an_edited_journal_is_listed_as_damaged(cli):
    edited()

    [row] = json.loads(cli("runs", "--json").out)

    assert row["state"] == "damaged"
    assert "hash chain" in row["damage"]


@pytest.mark.parametrize("command", [("show", "night-1"), ("runs",)], ids=" ".join)
def test_without_its_key_a_journal_is_read_and_said_not_to_be_checked(cli, command):
    record(RUNS, STORY, key=b"open-sesame-open")

    ended = cli(*command)

    assert ended.code == 0
    assert ended.err.count("not checked: chained with an audit key") == 1


def test_with_its_key_an_edited_journal_is_found(cli, monkeypatch):
    edited(key=b"open-sesame-open")
    monkeypatch.setenv("ORCHESTRATOR_AUDIT_KEY", "open-sesame-open")

    assert cli("show", "night-1").code == 2
    assert json.loads(cli("runs", "--json").out)[0]["state"] == "damaged"


def test_a_journal_without_a_key_is_still_checked_when_a_key_is_set(cli, monkeypatch):
    record(RUNS, STORY)
    monkeypatch.setenv("ORCHESTRATOR_AUDIT_KEY", "open-sesame-open")

    ended = cli("show", "night-1")

    assert ended.code == 0
    assert "checked without the audit key" in ended.err
    edited(run_id="night-2")
    assert cli("show", "night-2").code == 2


@pytest.mark.parametrize("command", [("show",), ("audit", "verify")], ids=" ".join)
def test_a_copied_run_is_told_from_a_run(cli, command):
    folder = record(RUNS, STORY, run_id="kk")
    shutil.copytree(folder.path, RUNS / "tt")

    ended = cli(*command, "tt")

    assert (ended.code, ended.out) == (2, "")
    assert "the journal belongs to run 'kk', not to 'tt'" in ended.err


def test_a_finished_run_is_not_to_be_resumed(cli):
    record(RUNS, [*STORY, *ENDING])

    assert "resume" not in cli("show", "night-1").out


def test_show_as_json_is_one_object(cli):
    record(RUNS, [*STORY, *ENDING])

    told = json.loads(cli("show", "night-1", "--json").out)

    assert (told["run"], told["state"], told["devices"]) == ("night-1", "finished", 3)
    assert told["verdicts"]["succeeded"] == 1


def test_every_device_as_json_is_one_object_a_line(cli):
    record(RUNS, STORY)

    lines = cli("show", "night-1", "--devices", "--json").out.splitlines()

    assert [json.loads(line) for line in lines] == [
        {
            "device": 1001,
            "record": 1001,
            "serial_number": "ZN1001",
            "verdict": "succeeded",
            "step": 1,
            "reason": "",
        },
        {
            "device": 1002,
            "record": 1002,
            "serial_number": "ZN1002",
            "verdict": "unconfirmed",
            "step": 0,
            "reason": "no return within 20m",
        },
        {
            "device": 1003,
            "record": 1003,
            "serial_number": "ZN1003",
            "verdict": None,
            "step": None,
            "reason": "",
        },
    ]


def test_every_device_is_a_row_for_people(cli):
    record(RUNS, STORY)

    lines = cli("show", "night-1", "--devices").out.splitlines()

    assert lines[0].split() == ["DEVICE", "SERIAL", "NUMBER", "VERDICT", "WHERE", "REASON"]
    assert "ZN1002         unconfirmed  step 1 (factory)" in lines[2]


@pytest.mark.parametrize(
    "command",
    [("show",), ("resume",), ("audit", "show"), ("audit", "verify")],
    ids=" ".join,
)
def test_a_run_that_does_not_exist_is_answered_with_the_nearest(cli, command):
    record(RUNS, STORY)

    ended = cli(*command, "nigth-1")

    assert (ended.code, ended.out) == (2, "")
    assert "there is no run 'nigth-1' in logs/runs; did you mean night-1?" in ended.err


def test_the_audit_log_is_read_aloud(cli):
    record(RUNS, STORY)

    lines = cli("audit", "show", "night-1").out.splitlines()

    assert len(lines) == len(STORY)
    assert lines[2] == (
        "     3  2026-11-22 04:15:01Z  device 1001 (ZN1001), step 1 (factory), attempt 1:"
        " the controller accepted the request (200); proof is awaited"
    )


def test_the_audit_log_of_one_device(cli):
    record(RUNS, STORY)

    lines = cli("audit", "show", "night-1", "--device", "1002", "--json").out.splitlines()

    told = [json.loads(line) for line in lines]
    assert [each["event"] for each in told] == [
        "OperationIntended",
        "OperationAccepted",
        "DeviceFinished",
    ]
    assert {each["device"] for each in told} == {1002}
    assert told[0]["seq"] == 4
    by_name = cli("audit", "show", "night-1", "--device", "branch 1002", "--json").out
    assert by_name.splitlines() == lines


def test_the_audit_log_of_a_device_that_nobody_knows_is_refused(cli):
    record(RUNS, STORY)

    ended = cli("audit", "show", "night-1", "--device", "branch 1009")

    assert (ended.code, ended.out) == (2, "")
    assert "no device of the plan is called 'branch 1009'" in ended.err


def test_a_device_that_was_never_touched_is_said_so(cli):
    record(RUNS, STORY)

    assert "does not mention device 77" in cli("audit", "show", "night-1", "--device", "77").err


def test_a_sound_journal_is_verified(cli):
    folder = record(RUNS, STORY)
    head = FileJournal.open(folder.journal_path, "night-1")
    head.close()

    ended = cli("audit", "verify", "night-1", "--head", head.head)

    assert ended.code == 0
    assert f"sound: {len(STORY)} events in {len(STORY)} commits" in ended.out
    assert "0 events follow it" in ended.out
    assert f"head: {head.head}" in ended.out


def test_an_edited_journal_is_found(cli):
    folder = record(RUNS, STORY)
    text = folder.journal_path.read_text()
    folder.journal_path.write_text(text.replace("unconfirmed", "succeeded"))

    ended = cli("audit", "verify", "night-1")

    assert ended.code == 1
    assert f"journal.jsonl:{len(STORY)}" in ended.err
    assert ended.out == ""


def test_a_cut_tail_is_found_against_the_head_that_was_kept(cli):
    folder = record(RUNS, STORY)
    lines = folder.journal_path.read_text().splitlines(keepends=True)
    head = json.loads(lines[-1])["chain"]
    folder.journal_path.write_text("".join(lines[:-1]))

    assert cli("audit", "verify", "night-1").code == 0
    ended = cli("audit", "verify", "night-1", "--head", head)
    assert ended.code == 1
    assert "cut off" in ended.err


def test_an_unfinished_append_is_no_edit(cli):
    folder = record(RUNS, STORY)
    with folder.journal_path.open("a") as file:
        file.write('{"seq":9,')

    ended = cli("audit", "verify", "night-1")

    assert ended.code == 0
    assert "9 bytes of an unfinished append" in ended.out


def test_a_journal_with_a_key_needs_the_key(cli, monkeypatch):
    record(RUNS, STORY, key=b"open-sesame-open")

    assert cli("audit", "verify", "night-1").code == 2
    monkeypatch.setenv("ORCHESTRATOR_AUDIT_KEY", "open-sesame-open")
    ended = cli("audit", "verify", "night-1")
    assert ended.code == 0
    assert "an HMAC with the audit key" in ended.out


def test_a_head_that_cannot_be_one_is_bad_usage(cli):
    record(RUNS, STORY)

    assert cli("audit", "verify", "night-1", "--head", "abc").code == 2


def test_an_export_as_jsonl_is_what_was_recorded_byte_by_byte(cli):
    folder = record(RUNS, STORY)

    ended = cli("audit", "export", "night-1", "--format", "jsonl", "-o", "audit.jsonl")

    assert ended.code == 0
    assert Path("audit.jsonl").read_bytes() == folder.journal_path.read_bytes()
    assert sorted(each.name for each in Path().iterdir()) == ["audit.jsonl", "logs"]


def test_an_export_as_csv_has_a_head_line_and_a_row_an_event(cli):
    record(RUNS, STORY)

    out = cli("audit", "export", "night-1", "--format", "csv").out

    lines = out.splitlines()
    assert len(lines) == len(STORY) + 1
    assert lines[0].startswith("seq,at,event,device,serial_number")


def test_an_export_of_an_edited_journal_leaves_no_file(cli):
    folder = record(RUNS, STORY)
    text = folder.journal_path.read_text()
    folder.journal_path.write_text(text.replace("unconfirmed", "succeeded"))

    ended = cli("audit", "export", "night-1", "--format", "jsonl", "-o", "audit.jsonl")

    assert ended.code == 2
    assert not Path("audit.jsonl").exists()


def test_an_export_to_where_nothing_can_be_written_is_one_message(cli):
    record(RUNS, STORY)

    ended = cli("audit", "export", "night-1", "--format", "csv", "-o", "no/such/folder/a.csv")

    assert ended.code == 2
    assert "no/such/folder/a.csv cannot be written" in ended.err


@pytest.mark.parametrize("output", ["", "/", ".", "logs", "new/", "/dev/null"])
def test_an_export_to_what_is_no_file_is_bad_usage(cli, output):
    record(RUNS, STORY)

    ended = cli("audit", "export", "night-1", "--format", "csv", "--output", output)

    assert ended.code == 2
    assert f"--output takes the name of a file, this is {output!r}" in ended.err


def test_an_export_below_a_file_is_one_message(cli):
    record(RUNS, STORY)
    Path("file").touch()

    ended = cli("audit", "export", "night-1", "--format", "csv", "-o", "file/a.csv")

    assert ended.code == 2
    assert "file/a.csv cannot be written: not a directory" in ended.err


def test_an_export_is_for_its_owner_only_as_the_journal_is(cli):
    record(RUNS, STORY)
    Path("a.csv").touch(mode=0o644)

    cli("audit", "export", "night-1", "--format", "csv", "-o", "a.csv")

    assert Path("a.csv").stat().st_mode & 0o777 == 0o600


def test_an_unknown_format_is_answered_with_the_known_ones(cli):
    record(RUNS, STORY)

    ended = cli("audit", "export", "night-1", "--format", "xml")

    assert ended.code == 2
    assert "csv" in ended.err


@pytest.mark.parametrize("command", ["show", "resume", "why", "pause", "approve"])
def test_a_run_of_another_user_is_no_bug_of_ours(cli, monkeypatch, command):
    record(RUNS, STORY)
    owner = RUNS.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    stat = Path.stat

    def closed(path, **given):
        if path.parent.name == "night-1":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, **given)

    monkeypatch.setattr(Path, "stat", closed)
    monkeypatch.setattr(Path, "read_bytes", closed)

    ended = cli(command, "night-1", *(["1001"] if command == "why" else []))

    assert ended.code == 2
    assert ended.err.startswith("error: run night-1 belongs to ")
    assert ended.err.endswith(" or through sudo\n")
