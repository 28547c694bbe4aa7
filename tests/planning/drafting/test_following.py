"""A plan that goes on after a run takes up whom the run left, each at the step at which it stopped."""

from dataclasses import replace

import msgspec
import pytest

from orchestrator.model.errors import SelectionError
from orchestrator.model.events import (
    DeviceFound,
    DoubtResolved,
    OperationAccepted,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    RescueStarted,
    StepFailed,
    StepForgiven,
)
from orchestrator.model.plans import LeftOut, PlannedDevice, Wave
from orchestrator.model.policies import Budget
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.drafting.following import (
    Now,
    Stop,
    chosen,
    follow,
    records_of,
    stops,
)
from orchestrator.planning.drafting.freezing import freeze
from orchestrator.playbook.reading import read_playbook
from tests.support.histories import T0, finished, intended, succeeded
from tests.support.playbooks import NOW, minimal, record, source

STEPS = """
- operation: factory
  continue_on: [unconfirmed]
- operation: reconf
- check: {status: up}
"""
RESCUE = "rescue:\n  - operation: sync\n"
ALL = tuple(Verdict)


def fleet(count, **fields):
    return [record(id=i, serial_number=f"SN{i}", **fields) for i in range(1, count + 1)]


def planned(count=3, steps=STEPS, more="", devices="organization: 123"):
    text = source(minimal(devices, steps, more))
    return freeze(read_playbook(text), text, fleet(count), controller="https://c/api", now=NOW)


def failed(device, step, verdict="failed"):
    return StepFailed(T0, device, step, verdict, "why")


def left(*events, plan=None):
    return stops(plan or planned(), events)


def followed(plan, ends, records=None, verdicts=ALL, **given):
    records = fleet(len(plan.devices)) if records is None else records
    now = Now({each.id: each for each in records}, NOW, NOW)
    return follow(plan, "night-1", ends, verdicts, now, **given)


def ends(*steps, verdict=Verdict.FAILED, **given):
    return {number: Stop(verdict, step, **given) for number, step in enumerate(steps, start=1)}


def test_a_device_stopped_at_the_step_that_ended_its_walk():
    found = left(
        intended(1),
        succeeded(1),
        failed(1, 1),
        finished(1, verdict="failed", step=1),
        finished(2, verdict="not_started", step=0),
    )

    assert found == {1: Stop(Verdict.FAILED, 1), 2: Stop(Verdict.NOT_STARTED, 0)}


def test_a_rescue_does_not_move_where_a_device_stopped():
    found = left(
        succeeded(1),
        failed(1, 1),
        RescueStarted(T0, 1, 3, "failed"),
        failed(1, 3),
        finished(1, verdict="failed", step=3),
        plan=planned(more=RESCUE),
    )

    assert found == {1: Stop(Verdict.FAILED, 1)}


def test_what_a_rescue_is_forgiven_does_not_move_it_either():
    found = left(
        failed(1, 1),
        RescueStarted(T0, 1, 3, "failed"),
        failed(1, 3),
        StepForgiven(T0, 1, 3, "failed", "why"),
        finished(1, verdict="failed", step=4),
        plan=planned(more=RESCUE + "  - operation: sync\n"),
    )

    assert found == {1: Stop(Verdict.FAILED, 1)}


def forgiven(device, step):
    return (
        failed(device, step, "unconfirmed"),
        StepForgiven(T0, device, step, "unconfirmed", "why"),
    )


def test_a_device_that_was_forgiven_a_step_begins_at_that_step():
    found = left(*forgiven(1, 0), succeeded(1, step=1), finished(1, verdict="unconfirmed", step=2))

    assert found == {1: Stop(Verdict.UNCONFIRMED, 0)}


def test_of_several_forgiven_steps_the_first_is_gone_back_to():
    found = left(*forgiven(1, 0), *forgiven(1, 1), finished(1, verdict="unconfirmed", step=2))

    assert found == {1: Stop(Verdict.UNCONFIRMED, 0)}


def test_what_ended_the_walk_for_good_comes_before_what_was_forgiven():
    found = left(*forgiven(1, 0), failed(1, 2), finished(1, verdict="unconfirmed", step=2))

    assert found == {1: Stop(Verdict.UNCONFIRMED, 2)}


@pytest.mark.parametrize(
    ("events", "unproven"),
    [
        ([failed(1, 0, "unconfirmed")], True),
        ([OperationLost(T0, 1, 0, 1, "no answer"), failed(1, 0, "in_doubt")], True),
        ([OperationRefused(T0, 1, 0, 1, 404, "gone", "gone"), failed(1, 0)], False),
        ([OperationUnsent(T0, 1, 0, 1, "refused"), failed(1, 0)], False),
        ([DoubtResolved(T0, 1, 0, 1, False, "nothing pending"), failed(1, 0)], False),
        ([DoubtResolved(T0, 1, 0, 1, True, "pending"), failed(1, 0, "unconfirmed")], True),
        ([succeeded(1), failed(1, 1)], False),
        ([*forgiven(1, 0), failed(1, 1)], True),
        ([*forgiven(1, 0), OperationRefused(T0, 1, 1, 1, 409, "state", "busy")], True),
        ([*forgiven(1, 0), succeeded(1, step=1), failed(1, 2)], False),
    ],
)
def test_a_reset_that_was_sent_and_never_proven_is_remembered(events, unproven):
    [stop] = left(intended(1), *events, finished(1, verdict="failed", step=0)).values()

    assert stop.unproven is unproven


@pytest.mark.parametrize(
    ("events", "unproven"),
    [([], True), ([intended(1), succeeded(1)], False), ([succeeded(1, step=1)], False)],
    ids=["never touched again", "reset again, and proven", "configured"],
)
def test_a_reset_of_the_run_before_is_not_forgotten_by_the_run_that_goes_on_after_it(
    events, unproven
):
    plan = planned()
    first, *others = plan.devices
    plan = replace(plan, devices=(msgspec.structs.replace(first, unproven=True), *others))

    [stop] = left(*events, finished(1, verdict="skipped", step=0), plan=plan).values()

    assert stop.unproven is unproven


def test_the_next_plan_knows_whose_reset_was_never_proven():
    plan = followed(planned(), ends(0, 1, unproven=True))

    assert [device.unproven for device in plan.devices] == [True, True]


def test_a_run_that_was_itself_a_retry_never_goes_back_behind_where_it_began():
    plan = planned()
    plan = replace(
        plan, devices=tuple(msgspec.structs.replace(each, begins_at=1) for each in plan.devices)
    )

    assert left(finished(1, verdict="not_started", step=0), plan=plan)[1].step == 1


def test_devices_are_chosen_by_verdict_in_the_order_of_the_run():
    found = {3: Stop(Verdict.FAILED, 0), 1: Stop(Verdict.FAILED, 1), 2: Stop(Verdict.DEFERRED, 0)}

    assert chosen(planned(), found, [Verdict.FAILED]) == [1, 3]
    assert chosen(planned(), found, [Verdict.SKIPPED]) == []


def test_each_device_begins_where_it_stopped_and_costs_only_what_is_left():
    before = planned()

    plan = followed(before, ends(0, 1, 2))

    assert [(each.id, each.begins_at) for each in plan.devices] == [(1, 0), (2, 1), (3, 2)]
    assert (plan.goes_on_after, plan.operation_requests) == ("night-1", 2 + 1 + 0)
    assert plan.source is before.source
    assert plan.attributes == ("organization_id",)
    assert plan.devices[0] == PlannedDevice(
        1, "SN1", "branch-1", chosen_by=(123,), kind="15", location="Seattle North"
    )
    assert (plan.made_at, plan.expires_at) == (NOW, NOW + 86_400)


def test_less_is_read_of_devices_that_have_less_before_them():
    assert (
        followed(planned(), ends(2, 2, 2)).reading_requests
        < followed(planned(), ends(1, 1, 1)).reading_requests
        < followed(planned(), ends(0, 0, 0)).reading_requests
    )


def test_whoever_is_not_taken_up_is_named_with_the_reason():
    records = [fleet(1)[0], record(id=2, serial_number="SN77")]
    found = {**ends(0, 0, 0), 4: Stop(Verdict.SUCCEEDED, 2)}

    plan = followed(planned(5), found, records, verdicts=[Verdict.FAILED])

    assert [each.id for each in plan.devices] == [1]
    assert set(plan.left_out) == {
        LeftOut("its record shows another serial number", 1, ("2: SN77, was SN2",)),
        LeftOut("the controller no longer has this device", 1, ("3",)),
        LeftOut("succeeded in run night-1", 1, ("4",)),
        LeftOut("has no verdict in run night-1", 1, ("5",)),
    }
    assert plan.listed == 5


def test_a_record_that_tells_no_serial_number_is_not_taken_for_another_device():
    plan = followed(planned(1), ends(0), [record(id=1, serial_number=None)])

    assert [each.id for each in plan.devices] == [1]


def test_only_a_few_of_many_are_named():
    [out] = followed(planned(9), ends(*[0] * 9), []).left_out

    assert (out.count, out.examples) == (9, ("1", "2", "3", "4", "5"))


ROLLOUT = """
rollout:
  max_down: 50%
  waves: [1, 100%]
  stop_when: {failed: 3, unconfirmed: 1, failure_rate: 20%, after: 10}
"""


def test_limits_are_reckoned_anew_and_budgets_that_would_stop_nothing_are_lowered():
    plan = followed(planned(8, more=ROLLOUT), ends(0, 0))

    assert (plan.limits.devices, plan.limits.max_down) == (2, 1)
    assert plan.limits.waves == (Wave(1), Wave(1))
    assert (plan.limits.budget.failed, plan.limits.budget.unconfirmed) == (1, 1)
    assert plan.warnings.count(
        "stop_when.failed of 3 would stop nothing in a set of 2 devices: here it is 1"
    )
    assert not [each for each in plan.warnings if "stop_when.unconfirmed" in each]
    assert plan.playbook == read_playbook(plan.source)


def test_the_budget_of_a_single_device_is_none_at_all():
    budget = followed(planned(8, more=ROLLOUT), ends(0)).limits.budget

    assert (budget.failed, budget.unconfirmed) == (0, 0)


def test_without_a_budget_none_is_made():
    assert followed(planned(), ends(0)).limits.budget == Budget()


def test_a_first_wave_that_cannot_hold_one_of_each_kind_keeps_the_order():
    more = "rollout: {waves: [3, 25%, 100%], spread_by: id}\n"
    before = replace(planned(3, more=more), devices=planned(8).devices)

    plan = followed(before, ends(*[0] * 8))

    assert [each.id for each in plan.devices] == list(range(1, 9))
    assert any(each.startswith("the devices keep the order they had:") for each in plan.warnings)


def warned(plan, words):
    found = [each for each in plan.warnings if words in each]
    assert len(found) == 1, plan.warnings
    return found[0]


def test_devices_whose_reset_was_never_proven_are_named():
    plan = followed(planned(), ends(0, 1, unproven=True))

    assert warned(plan, "never proven").endswith("without configuration now: 1, 2")


def test_devices_between_their_reset_and_their_configuration_are_named():
    plan = followed(planned(), ends(0, 1, 2))

    assert warned(plan, "after a proven reset").endswith("brings the configuration back: 2")


def test_devices_that_nobody_asked_for_and_that_lost_their_configuration_are_named():
    found = {
        **ends(0),
        2: Stop(Verdict.SKIPPED, 1),
        3: Stop(Verdict.IN_DOUBT, 0, unproven=True),
        4: Stop(Verdict.SKIPPED, 0),
        5: Stop(Verdict.SUCCEEDED, 1),
    }

    assert warned(followed(planned(5), found, verdicts=[Verdict.FAILED]), "not among") == (
        "2 devices with the verdict in_doubt or skipped may be without configuration too, and not"
        " among those taken up: 2, 3"
    )


def test_what_is_in_doubt_may_still_come():
    plan = followed(planned(), ends(0, verdict=Verdict.IN_DOUBT))

    assert "may still be carried out, beside what this plan sends: 1" in warned(plan, "in doubt")


def test_nothing_is_feared_of_devices_that_were_never_begun():
    plan = followed(planned(1), ends(0, verdict=Verdict.NOT_STARTED))

    assert plan.warnings == planned(1).warnings


def test_each_device_is_held_against_the_guard_that_awaits_it_first():
    pending = [record(id=i, serial_number=f"SN{i}", pending_settings="lan") for i in (1, 2)]

    plan = followed(planned(2), ends(0, 1), pending)

    assert "the guard would skip 1 of 1 device as they are now" in warned(plan, "the guard would")


def test_a_device_without_its_configuration_is_held_against_the_guard_as_any_other():
    down = [record(id=1, serial_number="SN1", status="Down")]

    assert "1 Down (1)" in warned(followed(planned(1), ends(1), down), "guard would skip")


def test_devices_that_the_playbook_would_not_choose_any_more_are_named():
    moved = [record(id=1, serial_number="SN1", organization_id=7)]

    assert "organization_id" in warned(followed(planned(1), ends(0), moved), "would not choose")
    assert not [
        each for each in followed(planned(1), ends(2), moved).warnings if "would not choose" in each
    ]


WINDOW = "window: {{opens: 2026-09-22T01:00, lasts: {lasts}, timezone: UTC}}\n"


def test_what_is_left_of_a_walk_has_to_fit_into_the_window():
    before = planned(2, more=WINDOW.format(lasts="2h"))
    short = planned(2, more=WINDOW.format(lasts="2h")).source.text.replace("2h", "11m")
    narrow = replace(before, playbook=read_playbook(replace(before.source, text=short)))

    with pytest.raises(SelectionError, match=r"run night-1 cannot be gone on with .* 11m; "):
        followed(narrow, ends(0, 0))
    assert followed(narrow, ends(0, 2)).openings["UTC"]


def test_a_window_that_never_opens_again_is_said_to_be_so():
    before = planned(1, more=WINDOW.format(lasts="2h"))
    now = Now({each.id: each for each in fleet(1)}, NOW, NOW + 86_400 * 9)

    with pytest.raises(SelectionError, match=r"never opens any more.*devices\.include"):
        follow(before, "night-1", ends(0), ALL, now)


def test_nobody_to_take_up_is_a_plan_without_devices_whatever_the_window():
    before = planned(1, more=WINDOW.format(lasts="2h"))
    late = Now({}, NOW, NOW + 86_400 * 9)

    plan = follow(before, "night-1", {1: Stop(Verdict.SUCCEEDED, 2)}, [Verdict.FAILED], late)

    assert (plan.devices, plan.operation_requests) == ((), 0)
    assert plan.left_out == (LeftOut("succeeded in run night-1", 1, ("1",)),)


def test_devices_that_are_only_to_be_configured_are_not_feared_for_as_if_they_were_to_be_reset():
    plan = followed(planned(), ends(1, 1))

    feared = [each for each in plan.warnings if "max_down" in each or "no window" in each]
    assert feared == []


# --- devices that the run before was to create -----------------------------------------------------

SITES = "serial_number,name,location_name\nSN7,seven,South\nSN8,eight,South\n"
ONBOARD = "- create: row\n- update: {debug: true}"


def onboarding():
    text = source(minimal('with: "@sites.csv"', ONBOARD), files={"sites.csv": SITES})
    return freeze(read_playbook(text), text, [], controller="https://c/api", now=NOW)


def test_the_record_that_was_made_for_a_device_is_remembered():
    plan = onboarding()
    seven = plan.devices[0].id
    made = OperationAccepted(T0, seven, 0, 1, 201, T0, record=77)

    found = left(intended(seven), made, finished(seven, verdict="failed", step=1), plan=plan)

    assert found == {seven: Stop(Verdict.FAILED, 1, record=77)}
    assert records_of(plan, found, [seven]) == [77]


def test_a_device_that_has_a_record_by_now_is_taken_up_by_that():
    plan = onboarding()
    seven, eight = (device.id for device in plan.devices)
    stops = {seven: Stop(Verdict.FAILED, 1, record=77), eight: Stop(Verdict.FAILED, 0)}
    assert records_of(plan, stops, [seven, eight]) == [77]

    again = followed(plan, stops, [record(id=77, serial_number="SN7")])

    assert [(d.id, d.serial_number, d.begins_at, d.is_new) for d in again.devices] == [
        (77, "SN7", 1, False),
        (eight, "SN8", 0, True),
    ]
    assert again.devices[1].location == "South"
    assert list(again.records) == [77]


def test_a_new_device_that_is_not_taken_up_is_named_by_its_serial_number():
    plan = onboarding()
    seven, eight = (device.id for device in plan.devices)
    stops = {seven: Stop(Verdict.ALREADY_OK, 1), eight: Stop(Verdict.FAILED, 0)}

    again = followed(plan, stops, [], verdicts=[Verdict.FAILED])

    assert again.left_out == (LeftOut("was already ok in run night-1", 1, ("SN7",)),)


def test_a_device_that_was_found_under_another_record_is_taken_up_by_that():
    plan = planned(1)
    found = left(
        DeviceFound(T0, 1, 0, 55, "silent"), finished(1, verdict="unconfirmed", step=0), plan=plan
    )

    again = followed(plan, found, [record(id=55, serial_number="SN1")])

    assert [device.id for device in again.devices] == [55]
