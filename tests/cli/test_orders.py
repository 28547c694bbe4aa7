"""Orders by hand: who gives them, what they are told, and what is refused before anything is done."""

import socket
import time
from pathlib import Path

import pytest
import structlog
from msgspec import structs

from orchestrator.adapters.machine.os_user import user_name
from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.runs.journal_reading import read_records
from orchestrator.adapters.runs.run_folder import RunFolder
from orchestrator.model.events import ApprovalAsked
from tests.support import histories
from tests.support.recorded_runs import ENDING, STORY, plan_of, record

RUNS = Path("logs/runs")
ORDERS = [
    ("pause",),
    ("continue",),
    ("cancel",),
    ("cancel", "--abandon", "--yes"),
    ("approve",),
    ("approve", "wave", "2", "--deny"),
    ("limit", "max_down=1"),
]


@pytest.fixture
def cli(cli):
    """The same, for tests that call several commands which open the log."""

    def call(*arguments):
        if structlog.is_configured():
            structlog.get_config()["logger_factory"]._file._stream.close()
        return cli(*arguments)

    return call


def left(*more, run_id="night-1", story=STORY) -> RunFolder:
    """Leave a run behind as a killed process would."""
    plan = plan_of(1001, 1002, 1003)
    begun = structs.replace(story[0], plan_digest=plan_file.digest(plan), started_by="alice")
    return record(RUNS, [begun, *story[1:], *more], run_id=run_id, plan=plan)


def kinds(folder):
    """Name what was recorded after the story."""
    return [type(each.event).__name__ for each in read_records(folder.journal_path)][len(STORY) :]


def event(folder, kind):
    [found] = [e.event for e in read_records(folder.journal_path) if type(e.event).__name__ == kind]
    return found


def given(cli, words, run="night-1"):
    return cli(words[0], run, *words[1:])


def test_a_pause_is_recorded_with_who_where_and_why(cli):
    folder = left()

    ended = cli("pause", "night-1", "--why", "the  phone\nrings")

    paused = event(folder, "PauseOrdered")
    assert ended.code == 0
    assert (paused.by, paused.host, paused.why) == (
        user_name(),
        socket.gethostname(),
        "the phone rings",
    )
    assert kinds(folder) == ["RunResumed", "PauseOrdered", "RunInterrupted"]


def test_a_person_is_told_what_was_done_what_it_means_and_how_to_take_it_back(cli):
    left()

    ended = cli("pause", "night")

    assert " ".join(ended.out.split()) == (
        "night-1: the run is paused; nothing new is started, waits go on, and devices in the middle"
        " of their chain are finished; nobody drives the run now, so this holds when it is resumed."
        " To take it back: orchestrator continue night-1"
    )
    assert ended.err == ""


def test_the_words_to_take_it_back_lead_to_the_same_run(cli):
    left()
    RUNS.rename("else where")

    out = cli("pause", "last", "--runs-dir", "else where").out

    assert "orchestrator continue night-1 --runs-dir 'else where'\n" in out


def test_a_paused_run_can_be_continued_and_not_paused_twice(cli):
    folder = left()
    cli("pause", "night-1")

    again = cli("pause", "night-1")
    back = cli("continue", "night-1", "--why", "all is well")

    assert again.code == 2
    assert f"error: the run is paused already, by {user_name()} since " in again.err
    assert back.code == 0
    assert event(folder, "ContinueOrdered").why == "all is well"


@pytest.mark.parametrize("words", ORDERS, ids=" ".join)
def test_a_finished_run_takes_no_orders(cli, words):
    folder = left(*ENDING)

    ended = given(cli, words)

    assert ended.code == 2
    assert ended.err == f"error: run night-1 is finished; there is nothing to {words[0]}\n"
    assert ended.out == ""
    assert kinds(folder) == [type(each).__name__ for each in ENDING]


@pytest.mark.parametrize("words", ORDERS, ids=" ".join)
def test_a_run_that_never_began_takes_no_orders(cli, words):
    record(RUNS, [])

    ended = given(cli, words)

    assert ended.code == 2
    assert "never began" in ended.err


@pytest.mark.parametrize("words", ORDERS, ids=" ".join)
def test_a_run_that_is_not_there_is_answered_with_the_nearest(cli, words):
    left()

    ended = given(cli, words, run="nihgt-1")

    assert ended.code == 2
    assert "did you mean night-1?" in ended.err


def test_an_edited_journal_takes_no_orders(cli):
    folder = left()
    text = folder.journal_path.read_text()
    folder.journal_path.write_text(text.replace("unconfirmed", "succeeded"))

    ended = cli("pause", "night-1")

    assert ended.code == 2
    assert "does not match the hash chain" in ended.err


def test_a_plan_that_was_exchanged_takes_no_orders(cli):
    folder = left()
    plan_file.write_plan(plan_of(1001, 1002), folder.plan_path)

    ended = cli("pause", "night-1")

    assert ended.code == 2
    assert "not the one its journal was begun with" in ended.err


def test_a_cancelled_run_in_which_nothing_is_under_way_is_finished(cli):
    folder = left()

    ended = cli("cancel", "night-1", "--why", "wrong branch")

    assert ended.code == 0
    assert "so the run is finished" in " ".join(ended.out.split())
    assert "This cannot be taken back" in ended.out
    assert kinds(folder)[-1] == "RunFinished"
    assert event(folder, "RunStopped").cause == "person"
    assert folder.report_path.exists()
    assert "finished" in cli("show", "night-1").out


def test_a_cancelled_run_names_the_devices_that_are_left(cli):
    folder = left(histories.intended(1003), histories.accepted(1003))

    ended = cli("cancel", "night-1")

    assert ended.code == 0
    assert "1 device has no verdict yet: resume it to finish them" in " ".join(ended.out.split())
    assert kinds(folder)[-1] == "RunInterrupted"


def test_to_abandon_devices_is_never_done_unasked(cli):
    folder = left()

    ended = cli("cancel", "night-1", "--abandon")

    assert ended.code == 2
    assert "without their configuration" in ended.err
    assert "confirm with --yes" in ended.err
    assert kinds(folder) == []


@pytest.mark.parametrize(
    ("typed", "code", "recorded"), [("night-1\n", 0, True), ("yes\n", 4, False), ("", 4, False)]
)
def test_on_a_terminal_the_runs_name_confirms_it(cli, monkeypatch, typed, code, recorded):
    folder = left()

    class Terminal:
        def isatty(self):
            return True

        def readline(self):
            return typed

    monkeypatch.setattr("sys.stdin", Terminal())
    ended = cli("cancel", "night-1", "--abandon")

    assert ended.code == code
    assert "type night-1 to abandon them: " in ended.err
    assert ("CancelOrdered" in kinds(folder)) is recorded


ASKED = ApprovalAsked(histories.T0 + 60, "wave 2", "go on?")


def test_what_a_run_asks_can_be_approved_by_its_name_or_without(cli):
    one, two = left(ASKED), left(ASKED, run_id="night-2")

    assert cli("approve", "night-1").code == 0
    ended = cli("approve", "night-2", "wave", "2", "--why", "looks good")

    assert "night-2: wave 2 is approved;" in ended.out
    assert event(one, "ApprovalGiven").what == "wave 2"
    assert event(two, "ApprovalGiven").why == "looks good"


def test_what_a_run_asks_can_be_denied(cli):
    folder = left(ASKED)

    ended = cli("approve", "night-1", "--deny")

    assert ended.code == 0
    assert "wave 2 is denied, which stops the run" in " ".join(ended.out.split())
    assert event(folder, "ApprovalDenied").by == user_name()
    assert event(folder, "RunStopped").cause == "denied"


def test_whoever_started_a_run_cannot_approve_what_another_has_to(cli, monkeypatch):
    folder = left(structs.replace(ASKED, by="another"))
    monkeypatch.setattr("orchestrator.adapters.machine.os_user.user_name", lambda: "alice")

    ended = cli("approve", "night-1")

    assert ended.code == 2
    assert "another person than alice, who started the run" in ended.err
    assert kinds(folder) == ["ApprovalAsked"]


def test_what_nobody_asked_cannot_be_approved(cli):
    left(ASKED)

    ended = cli("approve", "night-1", "wave", "3")

    assert ended.code == 2
    assert "does not ask about 'wave 3' now; it asks about wave 2" in ended.err


def test_limits_are_lowered_one_after_the_other(cli):
    folder = left()

    ended = cli("limit", "night-1", "max_down=1", "delay=1s500ms", "in_flight=3")

    recorded = [
        (each.event.limit, each.event.value, each.event.before)
        for each in read_records(folder.journal_path)
        if type(each.event).__name__ == "LimitOrdered"
    ]
    assert ended.code == 0
    assert "night-1: max_down is 1 now; it was 2;" in ended.out
    assert recorded == [("max_down", 1, 2), ("delay", 1.5, 0.2), ("in_flight", 3, 20)]


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (["max_down=3"], "max_down 3 is above the plan's 2; a run never goes beyond its plan"),
        (["max_down=0"], "max_down is a whole number from 1 on, not 0; to start nothing at all"),
        (["delay=10ms"], "delay 10ms is shorter than the plan's 200ms"),
        (["max_dwon=1"], "there is no limit 'max_dwon'"),
        (["max_down_per.location=1"], "there is no limit 'max_down_per.location'"),
        (["max_down=2"], "max_down is 2 already"),
        (["max_down=1", "max_down"], "a limit is written name=value, as in max_down=5"),
        (["max_down=1", "=5"], "a limit is written name=value"),
        (["max_down=1", "max_down=2"], "the limit max_down is given twice"),
        (["max_down=1", "in_flight=few"], "in_flight takes a whole number, not 'few'"),
        (["max_down=1", "in_flight=-1"], "in_flight takes a whole number, not '-1'"),
        (["max_down=1", "in_flight=1e2"], "in_flight takes a whole number, not '1e2'"),
        (["max_down=1", "delay=soon"], "'soon' is not a duration such as 200ms"),
        ([], "missing argument"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_and_nothing_changed(cli, limits, sentence):
    folder = left()

    ended = cli("limit", "night-1", *limits)

    assert ended.code == 2
    assert sentence in ended.err
    assert kinds(folder) == []


def test_a_reason_is_a_sentence_and_not_a_book(cli):
    folder = left()

    ended = cli("pause", "night-1", "--why", "x" * 501)

    assert ended.code == 2
    assert "--why takes up to 500 characters, this has 501" in ended.err
    assert kinds(folder) == []


def test_a_process_that_takes_no_orders_is_named_and_the_order_taken_back(cli, monkeypatch):
    folder = left()
    monkeypatch.setattr("orchestrator.adapters.people.order_box.PATIENCE", 0.3)

    with folder.locked(now=time.monotonic()):
        ended = cli("pause", "night-1")

    assert ended.code == 4
    assert "the process that drives run night-1 took no order for 0.3 seconds" in ended.err
    assert list((folder.path / "orders").iterdir()) == []
    assert kinds(folder) == []


@pytest.mark.parametrize("name", ["1003", "ZN1003", "zn1003", "Branch 1003"])
def test_why_a_device_waits_is_told_by_its_id_serial_number_or_name(cli, name):
    left()

    ended = cli("why", "night-1", name)

    assert ended.code == 0
    assert ended.out.startswith("device 1003 (ZN1003): ")
    assert " ".join(ended.out.split()).endswith("; nobody drives the run now.")


def test_why_names_the_pause_that_holds_a_device(cli):
    left()
    cli("pause", "night-1", "--why", "the phone rings")

    assert f"{user_name()} paused the run" in " ".join(cli("why", "night-1", "1003").out.split())


def test_why_tells_how_a_device_ended(cli):
    left(*ENDING)

    told = cli("why", "night-1", "1002").out

    assert told == "device 1002 (ZN1002): it ended unconfirmed: no return within 20m.\n"


def test_why_of_a_device_that_the_run_is_not_about(cli):
    left()

    ended = cli("why", "night-1", "4711")

    assert ended.code == 2
    assert "no device of the plan is called '4711'" in ended.err


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("May it", "May it."),
        ("May it?", "May it?"),
        ("Stop!", "Stop!"),
        ("5.", "5."),
        ("a:", "a:."),
    ],
)
def test_a_sentence_ends_once(cli, monkeypatch, told, shown):
    async def answer(*_):
        return told

    left()
    monkeypatch.setattr("orchestrator.switchboard.give_order", answer)
    monkeypatch.setattr("orchestrator.switchboard.explain", answer)

    assert cli("pause", "night-1").out.splitlines()[0] == f"night-1: {shown}"
    assert cli("why", "night-1", "1001").out == f"{shown}\n"
