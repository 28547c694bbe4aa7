"""A run for terminals, for programs and for spreadsheets."""

import csv
import io
import json

from orchestrator.model.events import RunFinished, RunInterrupted, RunPaused, RunStopped
from orchestrator.report.summary import Summary
from orchestrator.report.tables import as_csv, as_json, as_text, device_rows, reasons, tell
from tests.support.histories import (
    EVERY_KIND,
    T0,
    accepted,
    finished,
    intended,
    planned,
    run_started,
    succeeded,
)


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

    assert "  stopped: by ana\n  ended 2026-11-22 04:20:00Z after 5m\n" in as_text(
        ended, run_id="x"
    )
    assert "  pauses: the token is not accepted\n" in as_text(paused, run_id="x")


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
    assert rows[10]["seq"] == "11"
    assert (rows[10]["device"], rows[10]["serial_number"]) == ("1001", "ZN1001")
    assert (rows[10]["operation"], rows[10]["attempt"]) == ("factory", "1")
    assert rows[3]["reason"] == "the token is not accepted"
    assert rows[16]["reason"] == "nothing pending, no contact"
    assert rows[0]["device"] == ""


def test_csv_text_never_begins_a_formula():
    (_, line) = as_csv(told(), [(1, RunInterrupted(T0, "=cmd|' /C calc'!A0"))])

    assert ",'=cmd|" in line
