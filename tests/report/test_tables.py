"""A run for terminals, for programs and for spreadsheets."""

import csv
import io
import json

from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    DeviceFound,
    OperationAccepted,
    PauseOrdered,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunStopped,
    WaveStarted,
    WindowClosed,
)
from orchestrator.model.plans import PlannedDevice
from orchestrator.report.summary import Summary
from orchestrator.report.tables import (
    as_csv,
    as_json,
    as_text,
    device_name,
    device_rows,
    reasons,
    tell,
)
from tests.support.histories import (
    EVERY_KIND,
    MEXICO,
    T0,
    accepted,
    careful_story,
    finished,
    intended,
    planned,
    run_started,
    succeeded,
)
from tests.support.recorded_runs import careful_plan


def told(*events, **given):
    given = {"planned": planned(1, 2, 3), "titles": ("factory", "reconf"), "max_down": 2} | given
    summary = Summary(**given)
    for event in events:
        summary.after(event)
    return summary


CAMPAIGN = (
    run_started(),
    intended(1),
    accepted(1),
    succeeded(1, at=T0 + 100),
    finished(1, at=T0 + 100),
    intended(2, at=T0 + 101),
    finished(2, at=T0 + 200, verdict="unconfirmed", reason="no return within 20m"),
)


def test_text_tells_the_run_on_one_screen():
    assert as_text(told(*CAMPAIGN), run_id="night-1") == (
        "run night-1: running\n"
        "  redeploy for 3 devices of https://control.example.com/api/v1\n"
        "  started 2026-11-22 04:15:00Z by ana on noc-1\n"
        "\n"
        "         1  succeeded\n"
        "         1  unconfirmed\n"
        "         1  without a verdict yet\n"
        "\n"
        "  operation requests: 2 sent, 1 accepted, 0 refused, 0 without an answer\n"
        "  down through this run: 0 now, 1 at most of 2 allowed\n"
        "  step 1 (factory): median 1m40s, nine of ten within 1m40s, longest 1m40s\n"
        "\n"
        "  To look at:\n"
        "    device 2 (ZN2), step 1 (factory): unconfirmed, no return within 20m\n"
    )


def test_text_tells_how_a_run_ended_and_why_it_stopped_or_pauses():
    ended = told(*CAMPAIGN, RunStopped(T0, "person", "by ana"), RunFinished(T0 + 300, {}))
    paused = told(*CAMPAIGN, RunPaused(T0, "token", "the token is not accepted"))

    assert as_text(ended, run_id="x").startswith("run x: stopped (person)\n")
    assert ("  stopped by a person: by ana\n  ended 2026-11-22 04:20:00Z after 5m\n") in as_text(
        ended, run_id="x"
    )
    assert "  paused because of the token: the token is not accepted\n" in as_text(
        paused, run_id="x"
    )


def test_text_says_when_everything_was_skipped():
    skipped = [finished(each, verdict="skipped", reason="Down") for each in (1, 2, 3)]

    text = as_text(told(run_started(), *skipped, RunFinished(T0 + 300, {})), run_id="x")

    assert text.splitlines()[3:5] == [
        "  nothing was done: all 3 devices were skipped",
        "  ended 2026-11-22 04:20:00Z after 5m",
    ]


def test_text_tells_how_the_campaign_was_led():
    text = as_text(Summary.of(careful_plan(), careful_story()), run_id="night-1")
    _, _, led = text.partition("came through it\n\n")

    assert text.startswith(
        "run night-1: waiting for approval (wave 3)\n"
        "  redeploy for 20 devices of https://control.example.com/api/v1\n"
        "  started 2026-11-22 04:15:00Z by ana on noc-1\n"
        "  waiting for approval of wave 3 by another person than the one who started the run:"
        " wave 2: 3 of 5 succeeded; 1 may be missing. May wave 3 begin?\n"
    )
    assert "  rescue step 1 (sync): median 59s" in text
    assert "  went on after a step without success: 1 device\n" in text
    assert "  rescue: 1 device, 1 came through it\n" in text
    assert led == (
        "  waves: 2 begun of 3\n"
        "      1       2 devices  2 succeeded; passed: 2 of 2 succeeded\n"
        "      2       6 devices  3 succeeded, 2 unconfirmed, 1 skipped;"
        " inconclusive: 3 of 5 succeeded; 1 may be missing\n"
        "  budget spent: 0 of 2 failed, 2 of 2 unconfirmed, 2 of 2 in any trouble (25%)\n"
        "  limits changed: max_down 2 (plan 5), delay 1s (plan 200ms)\n"
        "  window:\n"
        "    opened 2026-11-21 22:16 in America/Mexico_City (2026-11-22 04:16:00Z),"
        " open until 2026-11-22 02:16 in America/Mexico_City (2026-11-22 08:16:00Z)\n"
        "  who did what:\n"
        "    2026-11-22 04:26:00Z  alice on noc-2 lowered max_down from 5 to 2:"
        " the night shift is thin\n"
        "    2026-11-22 04:26:01Z  alice on noc-2 raised delay from 200ms to 1s"
        " (no reason was given)\n"
        "    2026-11-22 04:26:20Z  alice on noc-2 paused the run; nothing new is started,"
        " chains once begun are finished: smoke in the data centre\n"
        "    2026-11-22 04:27:40Z  ben on noc-1 took the pause back; the run goes on:"
        " false alarm\n"
        "  notifications: 1 sent, 1 failed, last to noc-mail: connection refused\n"
        "\n"
        "  To look at:\n"
        "    device 5 (ZN5), step 1 (factory): unconfirmed, no return within 20m\n"
        "    device 6 (ZN6), step 2 (reconf): unconfirmed, no return within 20m\n"
    )


def test_text_shows_the_last_of_many_waves_and_orders():
    waves = [WaveStarted(T0, number, 5) for number in range(1, 31)]
    pauses = [PauseOrdered(T0, f"person {number}", "h", "x") for number in range(30)]
    text = as_text(told(run_started(), *waves, *pauses), run_id="x")

    assert "  waves: 30 begun\n    18 before these\n     19       5 devices  0 of 5" in text
    assert "    18 before these; see orchestrator audit show\n" in text
    assert "person 17 " not in text
    assert "person 18 on h paused the run" in text


def test_json_tells_how_the_campaign_was_led():
    told_json = as_json(Summary.of(careful_plan(), careful_story()), run_id="night-1")

    assert json.loads(json.dumps(told_json)) == told_json
    assert (told_json["state"], told_json["standing"]) == (
        "waiting_for_approval",
        "waiting for approval (wave 3)",
    )
    assert told_json["waves"][1] == {
        "wave": 2,
        "devices": 6,
        "must_succeed": 5,
        "began_at": "2026-11-22T04:24:20.250000Z",
        "finished_at": "2026-11-22T04:32:01.250000Z",
        "soaks_until": None,
        "verdicts": {"succeeded": 3, "unconfirmed": 2, "skipped": 1},
        "outcome": "inconclusive",
        "detail": "3 of 5 succeeded; 1 may be missing",
    }
    assert told_json["waves_in_all"] == 3
    assert told_json["budget"][-1] == {"name": "failure_rate", "spent": 2, "allowed": 2}
    assert told_json["limits_changed"]["max_down"] == {"planned": 5, "now": 2}
    assert (told_json["max_down"], told_json["max_down_now"]) == (5, 2)
    assert told_json["windows"] == [
        {
            "zone": MEXICO,
            "opened_at": "2026-11-22T04:16:00.250000Z",
            "until": "2026-11-22T08:16:00.250000Z",
            "closed_at": None,
        }
    ]
    assert told_json["asked"] == [
        {
            "what": "wave 3",
            "question": "wave 2: 3 of 5 succeeded; 1 may be missing. May wave 3 begin?",
            "by": "another",
        }
    ]
    assert [order["order"] for order in told_json["orders"]] == [
        "LimitOrdered",
        "LimitOrdered",
        "PauseOrdered",
        "ContinueOrdered",
    ]
    assert told_json["orders"][1]["why"] is None
    assert told_json["notifications"]["last_failure"] == "noc-mail: connection refused"
    assert (told_json["forgiven"], told_json["rescued"], told_json["rescues_completed"]) == (
        1,
        1,
        1,
    )


def test_json_names_the_person_who_paused_and_the_next_opening():
    pause = PauseOrdered(T0, "alice", "noc-2", "smoke")
    closed = WindowClosed(T0, MEXICO, T0 + 60)
    told_json = as_json(told(run_started(), closed, pause), run_id="x")

    assert told_json["state"] == "paused"
    assert told_json["paused"]["cause"] == "person"
    assert told_json["paused"]["detail"].startswith("alice on noc-2 paused the run")
    assert told_json["next_opening_at"] == "2026-11-22T04:16:00.250000Z"


def test_text_of_a_run_that_never_began_is_short():
    assert as_text(Summary(), run_id="x").startswith("run x: new\n")


def test_text_does_not_name_a_thousand_failures():
    ends = [finished(device, verdict="failed", reason="404") for device in range(1000)]
    text = as_text(told(run_started(devices=1000), *ends), run_id="x")

    assert text.count("404") == 20
    assert text.endswith("    and 980 more\n")


def test_text_cannot_steer_the_terminal():
    text = as_text(told(run_started(), finished(1, verdict="failed", reason="\x1b[2J")), run_id="x")

    assert "\x1b" not in text


def test_json_tells_the_same_to_programs():
    told_json = as_json(told(*CAMPAIGN), run_id="night-1", driven=False)

    assert json.loads(json.dumps(told_json)) == told_json
    assert told_json["state"] == "interrupted"
    assert told_json["started_at"] == "2026-11-22T04:15:00.250000Z"
    assert told_json["finished_at"] is None
    assert told_json["verdicts"]["unconfirmed"] == 1
    assert (told_json["devices"], told_json["finished"]) == (3, 2)
    assert (told_json["down"], told_json["peak_down"], told_json["max_down"]) == (0, 1, 2)
    assert told_json["requests"] == {
        "sent": 2,
        "accepted": 1,
        "refused": 0,
        "unsent": 0,
        "lost": 0,
        "unanswered": 1,
    }
    assert told_json["steps"][0]["median_seconds"] == 100
    assert told_json["failed_devices"] == [
        {
            "device": 2,
            "serial_number": "ZN2",
            "verdict": "unconfirmed",
            "step": 0,
            "reason": "no return within 20m",
        }
    ]


def test_json_names_why_a_run_stopped_or_pauses():
    summary = told(*CAMPAIGN, RunStopped(T0, "person", "ana"), RunPaused(T0, "token", "401"))
    told_json = as_json(summary, run_id="x")

    assert told_json["stopped"] == {"cause": "person", "detail": "ana"}
    assert told_json["paused"] == {"cause": "token", "detail": "401"}


def test_json_of_a_run_that_never_began_has_nulls():
    told_json = as_json(Summary(), run_id="x")

    assert told_json["state"] == "new"
    assert told_json["started_at"] is told_json["last_event_at"] is told_json["playbook"] is None


def test_each_device_is_one_object():
    rows = list(device_rows(told(*CAMPAIGN)))

    assert rows[1] == {
        "device": 2,
        "record": 2,
        "serial_number": "ZN2",
        "verdict": "unconfirmed",
        "step": 0,
        "reason": "no return within 20m",
    }
    assert rows[2]["verdict"] is None


def test_troubles_are_grouped_with_the_commonest_first():
    ends = [finished(d, verdict="failed", reason="404" if d < 2 else "403") for d in range(5)]

    assert reasons(told(run_started(), *ends)) == [("failed", "403", 3), ("failed", "404", 2)]


def test_sentences_use_the_names_of_the_plan():
    assert tell(told(), intended(2)) == (
        "device 2 (ZN2), step 1 (factory), attempt 1: factory is about to be requested"
    )
    assert tell(told(), intended(9)).startswith("device 9, step 1")


def test_csv_has_a_head_and_one_line_an_event():
    text = "".join(as_csv(told(planned=planned(1001)), enumerate(EVERY_KIND, 1)))
    rows = list(csv.DictReader(io.StringIO(text)))

    assert [row["event"] for row in rows] == [type(event).__name__ for event in EVERY_KIND]
    by_event = {row["event"]: row for row in rows}
    assert rows[10]["seq"] == "11"
    intent = by_event["OperationIntended"]
    assert (intent["device"], intent["serial_number"]) == ("1001", "ZN1001")
    assert (intent["operation"], intent["attempt"]) == ("factory", "1")
    assert by_event["RunPaused"]["reason"] == "the token is not accepted"
    assert by_event["DoubtResolved"]["reason"] == "nothing pending, no contact"
    assert by_event["PauseOrdered"]["reason"] == "smoke in the data centre"
    assert by_event["ApprovalAsked"]["reason"] == "May wave 3 begin?"
    assert rows[0]["device"] == ""


def test_csv_text_never_begins_a_formula():
    (_, line) = as_csv(told(), [(1, RunInterrupted(T0, "=cmd|' /C calc'!A0"))])

    assert ",'=cmd|" in line


def test_devices_already_ok_are_counted_beside_the_others_and_nobody_has_to_look():
    ends = [finished(1), finished(2, verdict="already_ok"), finished(3, verdict="already_ok")]
    summary = told(run_started(), *ends, RunFinished(T0 + 90, {}))

    text = as_text(summary, run_id="night-1")

    assert "         1  succeeded\n         2  already ok\n" in text
    assert not summary.has_trouble


def test_a_run_that_had_nothing_to_do_says_so():
    ends = [finished(each, verdict="already_ok") for each in (1, 2, 3)]

    text = as_text(told(run_started(), *ends, RunFinished(T0 + 90, {})), run_id="night-1")

    assert "  nothing had to be done: all 3 devices were already ok\n" in text


def test_a_device_is_named_by_the_record_it_has_now():
    new = PlannedDevice(DeviceId(2**48), "SN9", None, is_new=True)
    summary = told(run_started(), planned={2**48: new, **planned(1)})

    before = device_name(summary, 2**48)
    summary.after(OperationAccepted(T0, 2**48, 0, 1, 201, T0, record=4321))
    summary.after(DeviceFound(T0, 1, 0, 77, "its id stayed silent"))

    assert before == "new device (SN9)"
    assert device_name(summary, 2**48) == "device 4321 (SN9)"
    assert device_name(summary, 1) == "device 1, now 77 (ZN1)"
    assert [row["record"] for row in device_rows(summary)] == [4321, 77]
