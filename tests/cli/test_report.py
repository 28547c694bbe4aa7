"""`report`: a run as a page, as a table, for machines; live, without its plan, damaged."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from orchestrator.adapters.runs.run_folder import RunFolder
from orchestrator.model.devices import DeviceId
from orchestrator.model.plans import PlannedDevice
from tests.support import histories
from tests.support.recorded_runs import ENDING, STORY, plan_of, record
from tests.support.reported import HOSTILE, record_with

RUNS = Path("logs/runs")
PLAN = plan_of(1001, 1002, 1003)
PAGE = RUNS / "night-1/report.html"
FORMATS = ("html", "json", "csv", "md", "junit")


def night(*events, **given):
    return record_with(RUNS, given.pop("plan", PLAN), events or (*STORY, *ENDING), **given)


def test_without_more_words_it_is_a_page_beside_the_journal(cli):
    night()

    ended = cli("report", "last")

    assert (ended.code, ended.out, ended.err) == (0, f"{PAGE}\n", "")
    assert PAGE.read_text().startswith("<!doctype html>")
    assert PAGE.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in PAGE.parent.iterdir()) == [
        "journal.jsonl",
        "plan.json",
        "report.html",
    ]


def test_the_page_says_how_the_audit_log_was_checked(cli):
    night()

    page = cli("report", "last", "-o", "-").out

    assert "10 events, every one as it was written, chained by SHA-256, without a key" in page
    assert not PAGE.exists()


def test_json_goes_to_stdout_and_is_nothing_but_json(cli):
    folder = night()

    told = json.loads(cli("report", "night", "--format", "json").out)

    assert (told["run"], told["state"], told["verdicts"]["succeeded"]) == ("night-1", "finished", 1)
    assert told["audit"]["sound"] is True
    assert told["audit"]["events"] == 10
    assert told["audit"]["head"] in folder.journal_path.read_text()
    assert [device["serial_number"] for device in told["devices"]] == ["ZN1001", "ZN1002", "ZN1003"]


def test_csv_goes_to_stdout_with_a_row_a_device(cli):
    night()

    rows = list(csv.DictReader(cli("report", "last", "--format", "csv").out.splitlines()))

    assert [row["verdict"] for row in rows] == ["succeeded", "unconfirmed", "skipped"]
    assert rows[1]["step"] == "step 1 (factory)"


def test_markdown_goes_to_stdout(cli):
    night()

    out = cli("report", "last", "--format", "md").out

    assert out.startswith("## Run night-1: finished\n")
    assert "| device 1002 (ZN1002) | step 1 (factory) | unconfirmed |" in out


def test_junit_goes_to_stdout(cli):
    night()

    root = ET.fromstring(cli("report", "last", "--format", "junit").out)

    assert (root.get("tests"), root.get("failures")) == ("3", "1")


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_can_be_written_to_a_file(cli, form):
    night()

    ended = cli("report", "last", "--format", form, "-o", "told")

    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "The report of run night-1 is in told.\n"
    told = cli("report", "last", "--format", form, "-o", "-").out
    assert Path("told").read_bytes().decode() == told
    assert Path("told").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_the_name_of_a_file_is_bad_usage(cli):
    night()

    ended = cli("report", "last", "-o", "logs")

    assert ended.code == 2
    assert "--output takes the name of a file, this is 'logs'" in ended.err


@pytest.mark.parametrize("name", ["journal.jsonl", "plan.json"])
@pytest.mark.parametrize("command", ["report", "audit export"])
def test_what_the_run_lives_on_is_never_written_over(cli, command, name):
    path = night().path / name
    before = path.read_bytes()
    Path("link").symlink_to(path)

    for output in (path, "link"):
        ended = cli(*command.split(), "last", "--format", "csv", "-o", output)
        assert ended.code == 2
        assert f"--output would replace {path}, which the run needs" in ended.err

    assert path.read_bytes() == before


def test_where_the_page_cannot_be_written_another_place_is_asked_for(cli):
    night()
    PAGE.mkdir()

    ended = cli("report", "last")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"error: {PAGE} cannot be written: is a directory; name another place with --output\n"
    )
    assert PAGE.is_dir()
    assert not list(PAGE.parent.glob(".*"))


def test_an_unknown_form_is_answered_with_the_known_ones(cli):
    night()

    ended = cli("report", "last", "--format", "pdf")

    assert ended.code == 2
    assert "'pdf' is not one of 'html', 'json', 'csv', 'md', 'junit'" in ended.err


@pytest.mark.parametrize("form", FORMATS)
def test_a_run_that_somebody_drives_is_read_and_said_to_go_on(cli, form):
    folder = night(*STORY)
    before = folder.journal_path.read_bytes()

    with RunFolder(folder.path).locked(now=histories.T0):
        ended = cli("report", "last", "--format", form, "-o", "told")

    assert ended.code == 0
    assert "Run night-1 is still going on: this is how it stands now.\n" in ended.err
    assert folder.journal_path.read_bytes() == before


def test_a_run_that_somebody_drives_is_running(cli):
    folder = night(*STORY)

    with RunFolder(folder.path).locked(now=histories.T0):
        driven = json.loads(cli("report", "last", "--format", "json").out)

    left = json.loads(cli("report", "last", "--format", "json").out)
    assert (driven["state"], left["state"]) == ("running", "interrupted")
    assert (left["seconds"], left["devices"][2]["verdict"]) == (None, None)


def test_an_append_under_way_is_left_out_and_only_a_crash_is_told_of(cli):
    folder = night(*STORY)
    with folder.journal_path.open("a") as file:
        file.write('{"seq":9,')

    crashed = cli("report", "last", "-o", "-")
    with RunFolder(folder.path).locked(now=histories.T0):
        going_on = cli("report", "last", "-o", "-")

    assert (crashed.code, going_on.code) == (0, 0)
    assert "9 bytes of an unfinished append follow" in crashed.out
    assert "unfinished append" not in going_on.out


@pytest.mark.parametrize("form", FORMATS)
def test_without_a_plan_there_are_only_ids_and_it_is_said(cli, form):
    folder = night()
    folder.plan_path.unlink()

    ended = cli("report", "last", "--format", form, "-o", "-")

    assert ended.code == 0
    assert "1002" in ended.out
    assert "ZN1002" not in ended.out
    assert ended.err == (
        "Devices have only their ids here and steps their numbers: there is no plan"
        " logs/runs/night-1/plan.json.\n"
    )


def test_a_plan_that_was_exchanged_gives_no_names(cli):
    record(RUNS, [*STORY, *ENDING])

    ended = cli("report", "last", "--format", "csv")

    assert "ZN1002" not in ended.out
    assert "the plan of run night-1 is not the one its journal was begun with" in ended.err


@pytest.mark.parametrize("form", FORMATS)
def test_a_damaged_journal_is_one_sentence_and_nothing_is_written(cli, form):
    folder = night()
    text = folder.journal_path.read_text()
    folder.journal_path.write_text(text.replace("unconfirmed", "succeeded"))

    ended = cli("report", "last", "--format", form)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.count("\n") == 1
    assert "journal.jsonl:8: it does not match the hash chain" in ended.err
    assert ended.err.endswith("; see `orchestrator audit verify night-1`\n")
    assert not PAGE.exists()
    assert cli("audit", "verify", "night-1").code == ended.code


def test_a_journal_chained_with_another_key_ends_as_its_verification_does(cli, monkeypatch):
    night(key=b"open-sesame-open")
    monkeypatch.setenv("ORCHESTRATOR_AUDIT_KEY", "another-key-entirely")

    ended = cli("report", "last")

    assert ended.code == cli("audit", "verify", "last").code == 2
    assert "another audit key" in ended.err


def test_without_its_key_a_journal_is_reported_and_not_called_sound(cli, monkeypatch):
    night(key=b"open-sesame-open")

    unchecked = cli("report", "last", "--format", "json")
    monkeypatch.setenv("ORCHESTRATOR_AUDIT_KEY", "open-sesame-open")
    checked = cli("report", "last", "--format", "json")

    assert "not checked: chained with an audit key" in unchecked.err
    assert json.loads(unchecked.out)["audit"]["sound"] is None
    assert json.loads(checked.out)["audit"] | {"head": ""} == {
        "head": "",
        "events": 10,
        "keyed": True,
        "sound": True,
    }
    assert checked.err == ""


def test_a_page_of_a_journal_that_was_not_checked_does_not_say_that_it_was(cli, monkeypatch):
    night(key=b"open-sesame-open")

    unchecked = cli("report", "last", "-o", "-").out
    monkeypatch.setenv("ORCHESTRATOR_AUDIT_KEY", "open-sesame-open")
    checked = cli("report", "last", "-o", "-").out

    told = "10 events, every one as it was written, chained by an HMAC with the audit key"
    assert told in checked
    assert "10 events" not in unchecked


def test_a_run_that_never_began_has_nothing_to_report(cli):
    record(RUNS, [])

    ended = cli("report", "last")

    assert ended.code == 2
    assert "run night-1 never began, so there is nothing to report" in ended.err


def test_a_run_that_does_not_exist_is_answered_with_the_nearest(cli):
    night()

    ended = cli("report", "nigth-1")

    assert ended.code == 2
    assert "there is no run 'nigth-1' in logs/runs; did you mean night-1?" in ended.err


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names_do_no_harm_in_any_form(cli, form):
    devices = tuple(PlannedDevice(DeviceId(n), HOSTILE, HOSTILE) for n in (1001, 1002, 1003))
    hostile = histories.finished(1003, verdict="failed", reason=HOSTILE)
    folder = record_with(RUNS, replace(PLAN, devices=devices), [*STORY, hostile, ENDING[-1]])

    ended = cli("report", folder.run_id, "--format", form, "-o", "-")

    assert ended.code == 0
    assert "\x1b" not in ended.out
    assert form not in ("html", "junit", "md") or "<script>alert" not in ended.out


def test_names_of_every_script_reach_a_reader_whatever_the_terminal_speaks(cli):
    name = "\N{GREEK SMALL LETTER ALPHA}\N{CJK UNIFIED IDEOGRAPH-4E2D}"
    night(plan=replace(PLAN, devices=(msgspec.structs.replace(PLAN.devices[0], name=name),)))

    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "report", "last", "--format", "csv"],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    )

    assert name.encode() in done.stdout
