"""`runs`: a history that is pleasant with hundreds of runs, whatever is asked of it."""

import json
from pathlib import Path

import pytest
from msgspec import structs

from orchestrator.adapters.runs.run_folder import RunsFolder, new_id
from orchestrator.cli import history, screen
from orchestrator.model.events import RunFinished, RunStopped
from tests.support.histories import T0
from tests.support.recorded_runs import ENDING, STORY, record

RUNS = Path("logs/runs")
DAY = 86_400.0
FINE = (*STORY[:7], RunFinished(T0 + 90, {"succeeded": 1}))


def leave(run_id, *, days_ago=0, playbook="redeploy", events=(*STORY, *ENDING)):
    """Leave a run behind that began so many days before 2026-11-22 04:15."""
    at = -days_ago * DAY
    moved = [structs.replace(each, at=each.at + at) for each in events]
    moved[0] = structs.replace(moved[0], playbook=playbook)
    return record(RUNS, moved, run_id=run_id)


def named(cli, *options):
    """Give the runs that are listed, in their order."""
    ended = cli("runs", "--json", *options)
    assert ended.code == 0
    return [row["run"] for row in json.loads(ended.out)]


@pytest.fixture
def several():
    leave("b-old", days_ago=20, playbook="reboot-night")
    leave("a-new", days_ago=0, events=FINE)
    leave("c-mid", days_ago=3, playbook="Reboot-day", events=STORY)
    stopped = RunStopped(T0 + 80, "person", "ana cancelled it")
    leave("d-stop", days_ago=9, events=(*STORY, stopped, *ENDING))


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        ((), ["a-new", "c-mid", "d-stop", "b-old"]),
        (("--playbook", "redeploy"), ["a-new", "d-stop"]),
        (("--playbook", "reboot*"), ["c-mid", "b-old"]),
        (("--playbook", "REBOOT-?ay"), ["c-mid"]),
        (("--playbook", "reboot"), []),
        (("--verdict", "unconfirmed"), ["c-mid", "d-stop", "b-old"]),
        (("--verdict", "failed, skipped"), ["d-stop", "b-old"]),
        (("--verdict", "not-started"), []),
        (("--state", "finished"), ["a-new", "b-old"]),
        (("--state", "Interrupted,stopped"), ["c-mid", "d-stop"]),
        (("--since", "2026-11-19"), ["a-new", "c-mid"]),
        (("--since", "2026-11-20"), ["a-new"]),
        (("--until", "2026-11-13"), ["d-stop", "b-old"]),
        (("--until", "2026-11-12"), ["b-old"]),
        (("--until", "2026-11-13T04:00"), ["b-old"]),
        (("--since", "2026-11-13", "--until", "2026-11-13"), ["d-stop"]),
        (("--limit", "2"), ["a-new", "c-mid"]),
        (("--state", "finished", "--playbook", "r*", "--limit", "1"), ["a-new"]),
    ],
    ids=" ".join,
)
def test_runs_are_found_by_what_is_asked_of_them(cli, several, options, runs):
    assert named(cli, *options) == runs


def test_how_long_ago_is_reckoned_from_now(cli, several, monkeypatch):
    class Then:
        def __init__(self, _speed=1.0):
            pass

        def now(self):
            return T0 + 3600

    monkeypatch.setattr(history, "SystemClock", Then)

    assert named(cli, "--since", "4d") == ["a-new", "c-mid"]
    assert named(cli, "--until", "4d") == ["d-stop", "b-old"]
    assert named(cli, "--since", "30m") == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--since yesterday", "--since takes a day such as 2026-11-22 or how long ago such as 30d"),
        ("--until 2026-13-01", "--until takes a day such as 2026-11-22 or how long ago such as"),
        ("--since 2026-11-20 --until 2026-11-18", "--since 2026-11-20 is not before --until"),
        ("--verdict faild", "--verdict takes succeeded, already_ok, failed"),
        ("--verdict ,", "--verdict takes succeeded, already_ok, failed"),
        ("--state runing", "this is 'runing'; did you mean 'running'?"),
        ("--limit 0", "--limit must be at least 1, this is '0'"),
        ("--limit many", "--limit takes a whole number, this is 'many'"),
    ],
)
def test_what_cannot_be_asked_is_answered_in_one_sentence(cli, options, sentence):
    ended = cli("runs", *options.split())

    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err.splitlines()[0]


def test_only_the_newest_are_shown_and_the_others_counted(cli):
    for number in range(33):
        leave(f"night-{number}", days_ago=number, events=FINE)

    ended = cli("runs")

    assert [line.split()[0] for line in ended.out.splitlines()[1:]] == [
        f"night-{number}" for number in range(30)
    ]
    assert ended.err == "3 more, older ones; see them with --limit 33\n"
    assert cli("runs", "--limit", "33").err == ""
    assert cli("runs", "--state", "finished", "--limit", "2").err.startswith("31 more")
    assert len(named(cli)) == 33


def test_only_what_is_asked_for_is_counted_among_the_others(cli, several):
    ended = cli("runs", "--state", "finished", "--limit", "1")

    assert ended.err == "1 more, older ones; see them with --limit 2\n"


def test_that_nothing_is_as_asked_is_said(cli, several):
    ended = cli("runs", "--playbook", "x*")

    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "None of the 4 runs in logs/runs is so.\n"


def test_a_damaged_run_can_be_asked_for(cli, several):
    folder = leave("broken")
    folder.journal_path.write_text("{}\n" + folder.journal_path.read_text())

    assert named(cli, "--state", "damaged") == ["broken"]
    assert "broken" not in named(cli, "--verdict", "unconfirmed")


def test_a_run_that_goes_on_says_for_how_long_by_its_own_clock(cli):
    folder = leave("night-1", events=STORY)

    with folder.locked(now=T0):
        [row] = json.loads(cli("runs", "--json").out)
        assert " 1m1s so far  running  " in cli("runs").out
    assert (row["state"], row["ended_at"]) == ("running", None)


def test_a_kept_outcome_says_what_the_journal_says(cli, several):
    first = cli("runs", "--json").out

    assert (RUNS / "a-new" / "outcome.json").exists()
    assert not (RUNS / "c-mid" / "outcome.json").exists()
    assert cli("runs", "--json").out == first


def shown(columns):
    wanted = history.Wanted()
    settings = type("Settings", (), {"runs_dir": RUNS, "audit_key_bytes": None})
    rows = history.History(settings, wanted, None).rows()
    return list(history.lines(rows, columns))


def own_name(playbook, at):
    return new_id(playbook, now=at, suffix="3f")


def test_where_there_is_room_all_stands_in_columns(cli):
    leave("night-1")

    [head, (line, colour), *more] = shown(100)

    assert head == ("RUN      PLAYBOOK  STARTED            TOOK   STATE     DEVICES", "bold")
    assert line.startswith("night-1  redeploy  2026-11-22 04:15Z  1m30s  finished  3: 1 succeeded")
    assert (colour, more) == ("yellow", [])


def test_what_the_names_of_the_runs_tell_is_left_out_before_anything_else(cli):
    leave(own_name("redeploy-routers", T0), playbook="redeploy-routers")

    head, *told = shown(100)

    assert head[0].split() == ["RUN", "TOOK", "STATE", "DEVICES"]
    assert told[0][0].startswith("2026-11-22-0415-redeploy-routers-3f  1m30s  finished  3: 1 ")


@pytest.mark.parametrize("columns", [40, 80, 100, 120])
def test_nothing_is_wider_than_the_screen(cli, monkeypatch, columns):
    monkeypatch.setattr(screen, "width", lambda: columns)
    leave("night-1")
    leave("a-rather-long-name", playbook="redeploy-all-of-it")
    leave("x", events=STORY, playbook="x")

    assert max(len(line) for line, _ in shown(columns)) <= columns


def test_in_few_columns_each_run_has_a_line_for_its_state_and_others_below(cli, monkeypatch):
    monkeypatch.setattr(screen, "width", lambda: 60)
    leave("night-1", events=FINE)

    assert shown(60) == [
        ("RUN      STATE", "bold"),
        ("night-1  finished", None),
        ("    2026-11-22 04:15Z  1m30s  redeploy  3: 1 succeeded, 2", None),
        ("    without a verdict", None),
    ]


def test_in_few_columns_names_that_tell_it_all_leave_room(cli, monkeypatch):
    monkeypatch.setattr(screen, "width", lambda: 60)
    leave(own_name("redeploy-routers", T0), playbook="redeploy-routers", events=FINE)

    assert [line for line, _ in shown(60)[1:]] == [
        "2026-11-22-0415-redeploy-routers-3f  finished",
        "    1m30s  3: 1 succeeded, 2 without a verdict",
    ]


def test_many_finished_runs_are_not_read_again(cli, several, monkeypatch):
    cli("runs")
    read = []
    monkeypatch.setattr(
        "orchestrator.adapters.runs.kept_outcome.read_records",
        lambda path, *_, **__: read.append(path.parent.name) or iter(()),
    )

    cli("runs")

    assert read == ["c-mid"]
    assert len(RunsFolder(RUNS).listed()) == 4
