"""A forecast: many campaigns of the run's own brain, with ends that were seen before."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from orchestrator.model.operations import Operation
from orchestrator.model.plans import Plan, Wave
from orchestrator.model.policies import Approver, BetweenWaves, Budget, GroupLimit, Rollout
from orchestrator.model.steps import ApproveStep
from orchestrator.model.verdicts import Verdict
from orchestrator.model.windows import Window
from orchestrator.planning.foresight.experiencing import Experience, Outcomes
from orchestrator.planning.foresight.foreseeing import campaigns_for, foresee, spread
from orchestrator.planning.foresight.imagining import Campaign
from orchestrator.planning.foresight.supposing import parse_what_if, suppose
from tests.support.stories import T0, check, plan_of, sleep, step

REBOOT, FACTORY, RECONF, SYNC = map(step, ("reboot", "factory", "reconf", "sync"))
HOUR = 3600.0


def chances(seed: int):
    return random.Random(seed).random


def seen(*seconds: float, failures: tuple[tuple[Verdict, float], ...] = (), skipped: int = 0):
    """Every operation took one of these times in earlier runs, thirty times each."""
    outcomes = Outcomes(
        seconds=tuple(sorted(seconds * 30)),
        failures=failures,
        skipped=skipped,
        requests=30 * len(seconds),
    )
    return Experience(by_kind={(operation, None): outcomes for operation in Operation})


def imagined(plan: Plan, experience: Experience, **given: object) -> Campaign:
    return Campaign(plan, experience, chances(1), begins_at=T0, **given).to_the_end()


def foreseen(plan: Plan, experience: Experience | None = None, campaigns: int = 10):
    return foresee(plan, experience or seen(100.0), chances, begins_at=T0, campaigns=campaigns)


# --- one campaign ---------------------------------------------------------------------------------


def test_devices_that_go_one_after_the_other_take_as_long_as_all_of_them_together():
    campaign = imagined(plan_of(REBOOT, devices=5, max_down=1), seen(100.0))

    assert campaign.ends_at == pytest.approx(T0 + 500, abs=1)
    assert campaign.run.verdicts == {Verdict.SUCCEEDED: 5}
    assert (campaign.requests, campaign.peak_down) == (5, 1)


def test_more_places_make_it_shorter_and_more_devices_down():
    campaign = imagined(plan_of(REBOOT, devices=6, max_down=3), seen(100.0))

    assert campaign.ends_at == pytest.approx(T0 + 200, abs=1)
    assert campaign.peak_down == 3


def test_the_delay_between_requests_is_kept():
    campaign = imagined(plan_of(SYNC, devices=11, delay=2.0), seen(5.0))

    assert campaign.ends_at == pytest.approx(T0 + 20 + 5, abs=1)


def test_a_chain_of_steps_is_walked_to_its_end():
    plan = plan_of(check(), FACTORY, sleep(30), RECONF)

    campaign = imagined(plan, seen(100.0))

    assert campaign.ends_at == pytest.approx(T0 + 230, abs=1)
    assert campaign.requests == 2


def test_a_step_that_ends_badly_sends_the_device_into_its_rescue():
    plan = plan_of(RECONF, rescue=(SYNC,))
    refused = Outcomes(failures=((Verdict.FAILED, 50.0),) * 30, requests=30)
    by_kind = {**seen(100.0).by_kind, (Operation.RECONF, None): refused}

    campaign = imagined(plan, Experience(by_kind=by_kind))

    assert campaign.run.verdicts == {Verdict.FAILED: 1}
    assert campaign.ends_at == pytest.approx(T0 + 50 + 100, abs=1)
    assert campaign.requests == 2


def test_devices_of_one_type_take_as_long_as_those_of_their_type_did():
    plan = plan_of(REBOOT, devices=2, max_down=2)
    first, second = plan.devices
    plan = replace(
        plan,
        devices=(
            msgspec.structs.replace(first, kind="fast"),
            msgspec.structs.replace(second, kind="slow"),
        ),
    )
    by_kind = {
        (Operation.REBOOT, "fast"): Outcomes(seconds=(50.0,) * 30, requests=30),
        (Operation.REBOOT, "slow"): Outcomes(seconds=(500.0,) * 30, requests=30),
    }

    assert imagined(plan, Experience(by_kind=by_kind)).ends_at == pytest.approx(T0 + 500, abs=1)


def test_the_guard_skips_as_many_as_it_did_before():
    campaign = imagined(plan_of(SYNC, devices=400), seen(10.0, skipped=10))

    assert 60 < campaign.run.verdicts[Verdict.SKIPPED] < 140  # one of four
    assert campaign.requests == 400 - campaign.run.verdicts[Verdict.SKIPPED]


def test_a_budget_stops_an_imagined_run_as_it_would_the_real_one():
    lost = ((Verdict.FAILED, 60.0),) * 30
    plan = plan_of(REBOOT, devices=50, max_down=1, budget=Budget(failed=2))

    campaign = imagined(plan, seen(100.0, failures=lost))

    assert campaign.run.stopped.cause == "budget"
    assert campaign.run.verdicts[Verdict.FAILED] == 3
    assert campaign.run.verdicts.total() == 50


def test_groups_hold_devices_apart():
    plan = plan_of(
        REBOOT,
        devices=4,
        max_down=4,
        per=[GroupLimit(("location",), 1)],
        groups={1: ("a",), 2: ("a",), 3: ("a",), 4: ("b",)},
    )

    campaign = imagined(plan, seen(100.0))

    assert campaign.ends_at == pytest.approx(T0 + 300, abs=5)
    assert campaign.group_peaks == {"a": 1, "b": 1}


def test_waves_soak_and_people_answer_when_they_are_supposed_to():
    between = BetweenWaves(soak=60.0, succeeded=1, approval=Approver.ANYBODY)
    plan = plan_of(
        SYNC, devices=2, waves=[Wave(1, 1), Wave(1)], rollout=Rollout(between_waves=between)
    )

    at_once = imagined(plan, seen(100.0))
    later = imagined(plan, replace(seen(100.0), approval_seconds=HOUR))

    assert at_once.ends_at == pytest.approx(T0 + 260, abs=2)
    assert later.ends_at == pytest.approx(T0 + 260 + HOUR, abs=2)
    assert later.bound["approval"] == pytest.approx(HOUR, abs=2)


def test_a_device_that_its_window_kept_before_its_first_request_goes_on_in_the_next_one():
    now = datetime.fromtimestamp(T0, UTC)
    window = Window(f"{now.minute} * * * *", 1800.0, "UTC", cutoff=600.0)
    plan = plan_of(sleep(1500), REBOOT, devices=2, max_down=2, window=window)

    campaign = imagined(plan, seen(100.0))

    assert not campaign.is_cut_short
    assert campaign.run.verdicts == {Verdict.SUCCEEDED: 2}


def test_a_device_that_did_not_come_back_does_not_come_through_its_rescue():
    plan = plan_of(FACTORY, RECONF, rescue=(SYNC,))
    lost = Outcomes(failures=((Verdict.UNCONFIRMED, 900.0),) * 30, requests=30)
    by_kind = {**seen(100.0).by_kind, (Operation.FACTORY, None): lost}

    campaign = imagined(plan, Experience(by_kind=by_kind))

    assert campaign.run.verdicts == {Verdict.UNCONFIRMED: 1}
    assert campaign.ends_at == pytest.approx(T0 + 900 + 900, abs=1)  # twice 300 s and 5 minutes


def test_a_question_within_the_steps_is_answered_too():
    campaign = imagined(plan_of(ApproveStep("Go on?"), SYNC), seen(100.0))

    assert campaign.run.verdicts == {Verdict.SUCCEEDED: 1}


def test_steps_taken_together_hardly_change_the_end():
    plan = plan_of(FACTORY, RECONF, devices=600, max_down=60, delay=0.2)
    experience = seen(180.0, 200.0, 260.0, 330.0)

    exact, coarse = imagined(plan, experience), imagined(plan, experience, step=4.0)

    assert coarse.ends_at - T0 == pytest.approx(exact.ends_at - T0, rel=0.02)
    assert coarse.peak_down <= plan.limits.max_down
    assert coarse.requests == exact.requests == 1200


def test_the_same_chance_gives_the_same_campaign():
    plan = plan_of(FACTORY, RECONF, devices=30, max_down=4)
    experience = seen(100.0, 200.0, 300.0)

    assert imagined(plan, experience).ends_at == imagined(plan, experience).ends_at


# --- many -----------------------------------------------------------------------------------------


def test_half_and_nine_of_ten_are_what_so_many_campaigns_do_not_exceed():
    assert spread([5, 1, 4, 2, 3, 6, 9, 8, 7, 10]).p50 == 5
    assert spread([5, 1, 4, 2, 3, 6, 9, 8, 7, 10]).p90 == 9
    assert spread([3.0]).p90 == 3.0


def test_larger_sets_get_fewer_campaigns_and_never_too_few():
    assert campaigns_for(1) == 50
    assert campaigns_for(10_000) == 50
    assert campaigns_for(100_000) == 5
    assert campaigns_for(1_000_000) == 3
    assert campaigns_for(10_000, walks=50_000) == 5


def test_the_end_lies_where_the_durations_say_it_does():
    forecast = foreseen(plan_of(REBOOT, devices=10, max_down=1), seen(80.0, 120.0), campaigns=50)

    assert forecast.ends_at.p50 - T0 == pytest.approx(1000, rel=0.1)
    assert forecast.ends_at.p50 < forecast.ends_at.p90 <= forecast.ends_at.most
    assert forecast.verdicts["succeeded"].p50 == 10
    assert forecast.requests.p50 == 10


def test_the_limit_that_binds_is_named_with_what_raising_it_would_bring():
    forecast = foreseen(plan_of(REBOOT, devices=60, max_down=2))

    first = forecast.bindings[0]
    assert (first.limit, first.value) == ("max_down", 2)
    assert first.share > 0.9
    assert (forecast.gain.limit, forecast.gain.value, forecast.gain.raised) == ("max_down", 2, 3)
    saved = (forecast.gain.ends_at - T0) / (forecast.gain.instead - T0)
    assert saved == pytest.approx(1.5, rel=0.1)
    assert sum(each.share for each in forecast.bindings) == pytest.approx(1.0)


def test_nothing_is_said_of_raising_a_limit_where_only_the_devices_take_their_time():
    forecast = foreseen(plan_of(REBOOT, devices=3, max_down=3))

    assert forecast.bindings[0].limit == "devices"
    assert forecast.gain is None


def test_a_window_too_short_leaves_devices_for_the_next_night():
    now = datetime.fromtimestamp(T0, UTC)
    window = Window(f"{(now.minute + 10) % 60} * * * *", 1800.0, "UTC", cutoff=0.0)
    plan = plan_of(REBOOT, devices=60, max_down=1, window=window)

    forecast = foreseen(plan)

    start, end = forecast.opening
    assert start > T0
    assert end - start == 1800.0
    assert forecast.fits == 0.0
    assert 35 < forecast.left_at_cutoff.p50 < 50  # eighteen or so of a hundred seconds each
    assert forecast.ends_at.p50 > end
    assert "window" not in {each.limit for each in forecast.bindings}


def test_a_window_long_enough_is_kept_in_every_campaign():
    now = datetime.fromtimestamp(T0, UTC)
    window = Window(f"{(now.minute + 10) % 60} {(now.hour + 1) % 24} * * *", 4 * HOUR, "UTC", 0.0)

    forecast = foreseen(plan_of(REBOOT, devices=6, max_down=2, window=window))

    assert (forecast.fits, forecast.left_at_cutoff.p90) == (1.0, 0)


def test_without_a_window_nothing_is_said_of_one():
    forecast = foreseen(plan_of(REBOOT))

    assert (forecast.opening, forecast.fits, forecast.left_at_cutoff) == (None, None, None)


def test_waves_have_their_own_ends():
    plan = plan_of(SYNC, devices=4, waves=[Wave(1), Wave(3)])

    (first,) = foreseen(plan).waves  # the last one ends with the run

    assert first.number == 1
    assert first.reached == 1.0
    assert first.ends_at.p50 < foreseen(plan).ends_at.p50


def test_a_gate_that_cannot_tell_asks_a_person_and_that_is_said():
    between = BetweenWaves(succeeded=2)
    waves = [Wave(2, 2), Wave(2)]
    plan = plan_of(REBOOT, devices=4, waves=waves, rollout=Rollout(between_waves=between))
    unproven = replace(
        seen(100.0),
        by_kind={
            (Operation.REBOOT, None): Outcomes(
                seconds=(100.0,) * 20, failures=((Verdict.UNCONFIRMED, 900.0),) * 20, requests=40
            )
        },
    )

    assert 0.5 < foreseen(plan, unproven, 40).asked["wave 2"] < 1.0  # three of four
    assert foreseen(plan).asked == {}


def test_of_waves_that_a_person_approves_anyway_nothing_is_said():
    between = BetweenWaves(approval=Approver.ANYBODY)
    plan = plan_of(
        SYNC, devices=2, waves=[Wave(1), Wave(1)], rollout=Rollout(between_waves=between)
    )

    assert foreseen(plan).asked == {}


def test_a_window_that_opens_in_half_a_year_is_waited_for():
    soon = datetime.fromtimestamp(T0 + 180 * 86400, UTC).replace(second=0, microsecond=0)
    plan = plan_of(SYNC, window=Window(soon.replace(tzinfo=None), HOUR, "UTC", cutoff=0.0))

    forecast = foreseen(plan)

    assert forecast.cut_short == 0.0
    assert forecast.ends_at.p50 > forecast.opening[0] > T0 + 179 * 86400


@pytest.mark.parametrize("what_if", ["delay=2s", "per_second=0.5"])
def test_a_supposed_rhythm_changes_the_end(what_if):
    plan = plan_of(SYNC, devices=60, delay=0.5)
    supposed, experience = suppose(plan, seen(5.0), parse_what_if(what_if))

    usual, slower = foreseen(plan, seen(5.0)), foreseen(supposed, experience)

    assert slower.ends_at.p50 - T0 > 2 * (usual.ends_at.p50 - T0)


def test_what_is_said_of_raising_a_limit_comes_true():
    plan = plan_of(SYNC, devices=60, delay=4.0)

    gain = foreseen(plan).gain

    assert (gain.limit, gain.value, gain.raised) == ("delay", 4.0, 2.0)
    assert gain.instead - T0 < 0.7 * (gain.ends_at - T0)


def test_campaigns_that_a_budget_stops_are_counted_by_their_cause():
    plan = plan_of(REBOOT, devices=40, max_down=1, budget=Budget(unconfirmed=0))
    plan, experience = suppose(plan, seen(100.0), parse_what_if("failure=3%"))

    forecast = foreseen(plan, experience, campaigns=40)

    assert 0.4 < forecast.stopped["budget"] < 0.95  # 1 - 0.97 ** 40 is 0.7
    assert forecast.verdicts["not_started"].p90 > 0


def test_the_worst_location_is_named():
    plan = plan_of(REBOOT, devices=4, max_down=4)
    at = ("Harbour", "Harbour", "Harbour", "Hill")
    devices = tuple(
        msgspec.structs.replace(d, location=n) for d, n in zip(plan.devices, at, strict=True)
    )

    worst = foreseen(replace(plan, devices=devices)).worst_group

    assert (worst.name, worst.down.p50) == ("Harbour", 3)


def test_a_plan_for_nobody_is_over_at_once():
    forecast = foreseen(plan_of(REBOOT, devices=0))

    assert forecast.ends_at.p90 == T0
    assert forecast.bindings == ()


def test_what_is_taken_for_granted_is_said():
    rollout = Rollout(between_waves=BetweenWaves(approval=Approver.ANYBODY))
    plan = plan_of(check(), SYNC, devices=2, waves=[Wave(1), Wave(1)], rollout=rollout)

    assumed = " ".join(foreseen(plan).assumes)

    assert "people approve at once" in assumed
    assert "checks hold" in assumed
    assert "the guard lets every device pass" in assumed


def test_a_guard_that_skipped_devices_before_is_taken_to_do_so_again():
    assert "the guard skips as many" in " ".join(
        foreseen(plan_of(SYNC), seen(9.0, skipped=3)).assumes
    )


def test_durations_that_nobody_measured_make_a_wider_forecast():
    plan = plan_of(REBOOT, devices=40, max_down=1)

    presumed, measured = foreseen(plan, Experience(), 50), foreseen(plan, seen(100.0), 50)

    assert not presumed.is_measured
    assert measured.is_measured
    assert _width(presumed) > _width(measured)


def test_errors_of_earlier_forecasts_correct_the_next_one_as_far_as_they_agree():
    plan = plan_of(REBOOT, devices=40, max_down=1)

    corrected = foreseen(plan, replace(seen(100.0), errors=(1.35, 1.28, 1.3)), 50)

    assert corrected.corrected_by == 1.28
    assert corrected.ends_at.p50 - T0 == pytest.approx(1.28 * 4000, rel=0.08)


@pytest.mark.parametrize("errors", [(1.3, 1.3), (0.9, 1.2, 1.1), ()])
def test_errors_that_are_few_or_do_not_agree_are_chance(errors):
    plan = plan_of(REBOOT, devices=4, max_down=1)

    assert foreseen(plan, replace(seen(100.0), errors=errors)).corrected_by == 1.0


def test_requests_that_had_to_be_repeated_before_are_taken_to_be_so_again():
    outcomes = Outcomes(seconds=(10.0,) * 30, requests=45)
    experience = Experience(by_kind={(operation, None): outcomes for operation in Operation})

    assert foreseen(plan_of(SYNC, devices=20), experience).requests.p50 == 30


def _width(forecast) -> float:
    return (forecast.ends_at.p90 - T0) / (forecast.ends_at.p50 - T0)
