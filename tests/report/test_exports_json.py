"""A run's report as JSON: one document, its keys stable, whatever the run was like."""

import json

import pytest

from orchestrator.model.events import RunStopped
from orchestrator.report.exports.as_json import DEVICE_KEYS, KEYS, as_json
from tests.support.histories import T0, run_started
from tests.support.reported import ENDED, HOSTILE, careful_report, hostile_report, reported


def document(report):
    return json.loads("".join(as_json(report)))


@pytest.mark.parametrize(
    "report",
    [careful_report(ENDED), reported(run_started()), hostile_report()],
    ids=["with everything", "without anything", "hostile"],
)
def test_every_document_has_every_key_in_order(report):
    told = document(report)

    assert list(told) == list(KEYS)
    assert all(list(device) == list(DEVICE_KEYS) for device in told["devices"])


def test_the_keys_are_the_ones_that_programs_rely_on():
    assert " ".join(KEYS) == (
        "version run state standing playbook controller started_by host started_at last_event_at"
        " finished_at seconds stopped interrupted paused total finished verdicts down peak_down"
        " max_down max_down_now requests retries pauses resumes interruptions forgiven rescued"
        " rescues_completed waves waves_in_all budget limits_changed windows next_opening_at asked"
        " orders notifications steps forecast audit devices"
    )
    assert " ".join(DEVICE_KEYS) == (
        "device serial_number name location wave verdict step step_title reason began_at ended_at"
        " seconds attempts record status_before status_change_before last_connection_before"
        " pending_before"
    )


def test_a_run_is_told_with_its_figures():
    told = document(careful_report(ENDED))

    assert (told["run"], told["state"], told["seconds"]) == ("night-1", "finished", 1700.0)
    assert told["finished_at"] == "2026-11-22T04:43:20.250000Z"
    assert (told["total"], told["verdicts"]["unconfirmed"]) == (20, 2)
    assert [wave["outcome"] for wave in told["waves"]] == ["pass", "inconclusive"]
    assert told["forecast"]["ratio_to_p50"] == 1.7
    assert told["audit"] == {"head": "f" * 64, "events": 63, "keyed": False, "sound": True}


def test_each_device_is_one_object_on_a_line_of_its_own():
    text = "".join(as_json(careful_report()))
    fifth = document(careful_report())["devices"][4]

    assert sum(line.startswith('    {"device":') for line in text.splitlines()) == 20
    assert fifth == {
        "device": 5,
        "serial_number": "ZN5",
        "name": "branch 5",
        "location": None,
        "wave": 2,
        "verdict": "unconfirmed",
        "step": 0,
        "step_title": "step 1 (factory)",
        "reason": "no return within 20m",
        "began_at": "2026-11-22T04:27:42.250000Z",
        "ended_at": "2026-11-22T04:30:20.250000Z",
        "seconds": 158.0,
        "attempts": 2,
        "record": 5,
        "status_before": "Up",
        "status_change_before": None,
        "last_connection_before": "2026-11-22T04:14:00.250000Z",
        "pending_before": "wifi_ssid",
    }


def test_a_run_without_devices_is_a_document_too():
    assert document(reported(run_started(devices=0)))["devices"] == []


def test_a_run_that_goes_on_is_not_taken_for_an_interrupted_one():
    assert document(careful_report(driven=True))["state"] == "waiting_for_approval"
    assert document(careful_report(driven=False))["state"] == "interrupted"


def test_what_was_not_checked_is_not_called_sound():
    assert document(reported(run_started(), sound=None))["audit"]["sound"] is None


def test_what_stopped_a_run_is_named():
    told = document(careful_report(RunStopped(T0 + 1_600, "denied", "ben denied wave 3"), ENDED))

    assert told["stopped"] == {"cause": "denied", "detail": "ben denied wave 3"}
    assert told["forecast"]["ratio_to_p50"] is None


def test_hostile_names_are_names_and_the_text_steers_no_terminal():
    text = "".join(as_json(hostile_report()))

    assert "\x1b" not in text
    assert json.loads(text)["devices"][0]["name"] == HOSTILE
