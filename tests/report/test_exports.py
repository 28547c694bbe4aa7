"""What all forms of a report share: walks of devices, waves, the audit log in a sentence."""

from dataclasses import replace

import pytest
from msgspec import structs

from orchestrator.model.events import Baseline, RunPaused, StepStarted
from orchestrator.report.exports.foresight import as_object, lateness
from orchestrator.report.exports.run_report import Audit, before
from orchestrator.report.exports.walks import Walks
from tests.support.histories import T0, finished, intended, planned, run_started, succeeded
from tests.support.recorded_runs import careful_plan
from tests.support.reported import ENDED, FORECAST, HEAD, careful_report, reported


def walked(*events):
    walks = Walks()
    for event in events:
        walks.after(event)
    return walks


def test_a_walk_begins_with_the_first_that_happens_and_ends_with_the_verdict():
    walk = walked(
        intended(1, at=T0 + 5),
        intended(1, at=T0 + 9, attempt=2),
        finished(1, at=T0 + 65),
    ).of(1)

    assert (walk.began_at, walk.ended_at, walk.seconds, walk.attempts) == (T0 + 5, T0 + 65, 60, 2)


def test_a_walk_may_begin_with_a_step_that_sends_nothing():
    walk = walked(StepStarted(T0 + 1, 1, 0, T0 + 90)).of(1)

    assert (walk.began_at, walk.attempts, walk.seconds) == (T0 + 1, 0, None)


def test_a_device_that_the_guard_skipped_never_began():
    walk = walked(finished(1, verdict="skipped")).of(1)

    assert (walk.began_at, walk.seconds) == (None, None)


def test_only_the_first_verdict_ends_a_walk():
    assert walked(finished(1, at=T0 + 5), finished(1, at=T0 + 9)).of(1).ended_at == T0 + 5


def test_the_record_before_is_the_one_that_was_read_before_the_first_request():
    first, second = intended(1), intended(1, attempt=2)
    later = structs.replace(
        second, baseline=structs.replace(second.baseline, status="Down", pending=())
    )

    [device] = reported(run_started(), first, later, planned=planned(1)).devices()

    assert before(device) == {
        "status_before": "Up",
        "status_change_before": None,
        "last_connection_before": "2026-11-22T04:14:00.250000Z",
        "pending_before": "wifi_ssid",
    }


@pytest.mark.parametrize(
    "events",
    [(), (structs.replace(intended(1), baseline=Baseline(T0, "Unknown")),)],
    ids=["nothing was sent", "it had no record"],
)
def test_where_nothing_is_known_of_the_record_before_that_is_so(events):
    [device] = reported(run_started(), *events, planned=planned(1)).devices()

    assert set(before(device).values()) == {None}


def test_what_concerns_no_device_changes_no_walk():
    walks = walked(run_started(), RunPaused(T0, "token", "x"))

    assert walks.of(1).began_at is None


def test_every_device_of_the_plan_is_reported_with_its_wave():
    devices = list(careful_report().devices())

    assert [each.wave for each in devices] == [1] * 2 + [2] * 6 + [3] * 12
    assert (devices[4].title, devices[4].where) == ("device 5 (ZN5)", "step 1 (factory)")
    assert devices[4].seconds == 158
    assert (devices[8].verdict, devices[8].where, devices[8].attempts) == (None, "", 0)


def test_a_plan_of_one_wave_divides_nobody():
    plan = careful_plan()
    plan = replace(plan, limits=replace(plan.limits, waves=plan.limits.waves[:1]))

    assert {each.wave for each in reported(run_started(), plan=plan).devices()} == {None}


def test_without_a_plan_devices_have_their_ids():
    (device,) = reported(run_started(), intended(7), finished(7, verdict="failed")).devices()

    assert (device.title, device.name, device.serial_number) == ("device 7", None, None)
    assert (device.where, device.wave) == ("step 1", None)


def test_a_run_took_from_its_beginning_to_its_end():
    assert careful_report().seconds is None
    assert careful_report(ENDED).seconds == 1_700


def test_the_audit_log_is_told_with_how_it_was_checked():
    assert str(Audit(HEAD, 1, keyed=False, sound=True)) == (
        "1 event, every one as it was written, chained by SHA-256, without a key"
    )
    assert str(Audit(HEAD, 2_000, keyed=True, sound=True)) == (
        "2,000 events, every one as it was written, chained by an HMAC with the audit key"
    )
    assert "not checked" in str(Audit(HEAD, 2, keyed=True, sound=None))


def test_a_run_is_so_late_as_it_lasted_longer_than_foreseen():
    assert lateness(careful_report(ENDED).summary) == 1.7
    assert lateness(careful_report().summary) is None
    assert lateness(reported(run_started(), ENDED, planned=planned(1)).summary) is None


def test_a_forecast_that_lasts_no_time_makes_nobody_late():
    ends = replace(FORECAST.ends_at, p50=T0)
    plan = replace(careful_plan(), forecast=replace(FORECAST, ends_at=ends))

    assert lateness(reported(run_started(), ENDED, plan=plan).summary) is None


def test_the_forecast_stands_beside_what_came_of_it():
    told = as_object(careful_report(ENDED).summary)

    assert told["campaigns"] == 50
    assert told["ratio_to_p50"] == 1.7
    assert told["figures"]["lasts"] == {
        "p50": 1000.0,
        "p90": 1500.0,
        "most": 2000.0,
        "outcome": 1700.0,
        "held": False,
    }
    assert told["figures"]["end"]["p90"] == "2026-11-22T04:40:00.250000Z"
    assert told["figures"]["unconfirmed"]["outcome"] == 2
    assert told["disturbed_by"] == ["a person paused it", "a person changed a limit"]


def test_before_the_end_a_forecast_has_no_outcome_of_its_end():
    told = as_object(careful_report().summary)

    assert told["figures"]["end"]["outcome"] is None
    assert told["ratio_to_p50"] is None


def test_what_no_imagined_campaign_came_to_is_unknown():
    ends = replace(FORECAST.ends_at, most=float("inf"))
    plan = replace(careful_plan(), forecast=replace(FORECAST, ends_at=ends))

    told = as_object(reported(run_started(), plan=plan).summary)

    assert told["figures"]["end"]["most"] is None


def test_without_a_forecast_there_is_none():
    assert as_object(reported(run_started(), succeeded(1)).summary) is None
