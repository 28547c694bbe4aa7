"""What the document on operations promises its users, kept (api.md 3.1)."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from orchestrator.adapters.memory.memory_messenger import MemoryMessenger
from orchestrator.model import events
from orchestrator.model.answers import Accepted, Lost, Refusal, Refused
from orchestrator.model.operations import Operation
from orchestrator.model.policies import Allowance
from orchestrator.model.steps import EscalateStep
from orchestrator.simulator.faults import Faults, Rates
from tests.promises.carrying import PLAYBOOKS, carried_out, fleet, shipped, written
from tests.promises.conftest import SECRET
from tests.support.api_access import controller_at
from tests.support.fake_api import FakeApi, answer
from tests.support.playbooks import fault, minimal
from tests.support.stories import Story, step
from tests.support.worlds import FIRST, START, record

LISTED = (FIRST, FIRST + 1, FIRST + 2)
MINUTE = 60.0

a_campaign = pytest.mark.looptime
"""In virtual time, against the simulated world."""


def operating(operation: str, more: str = ""):
    """A playbook that does one thing to all devices of an organization but the fourth."""
    return written(
        f"""
        devices: {{organization: 123, exclude: [{FIRST + 3}]}}
        steps:
          - operation: {operation}
        rollout: {{max_down: 10}}
        {more}
        """
    )


# --- the five operations -------------------------------------------------------------------------


async def one_put_each(operation: str) -> None:
    carried = await carried_out(operating(operation), fleet(4))

    assert carried.asked == {("PUT", device, operation): 1 for device in LISTED}
    assert carried.ended == dict.fromkeys(LISTED, "succeeded")


@a_campaign
@pytest.mark.promise("OP-1")
async def test_a_step_reboot_is_exactly_one_put_to_each_selected_device():
    await one_put_each("reboot")


@a_campaign
@pytest.mark.promise("OP-2")
async def test_a_step_factory_is_exactly_one_put_to_each_selected_device():
    await one_put_each("factory")


@pytest.mark.promise("OP-2")
@pytest.mark.promise("OP-3")
@pytest.mark.parametrize("operation", ["factory", "device_factory"])
def test_nothing_is_wiped_before_somebody_confirmed_it(operation, cli, controller):
    Path("wipe.yaml").write_text(minimal("all: true", f"- operation: {operation}"))

    ended = cli("run", "wipe.yaml")

    assert ended.code == 2
    assert "--yes" in ended.err
    assert controller.world.ledger.methods.keys() == {"GET"}


@a_campaign
@pytest.mark.promise("OP-3")
async def test_a_step_device_factory_is_exactly_one_put_to_each_selected_device():
    await one_put_each("device_factory")


@a_campaign
@pytest.mark.promise("OP-4")
async def test_a_step_sync_is_exactly_one_put_to_each_selected_device():
    await one_put_each("sync")


@a_campaign
@pytest.mark.promise("OP-4")
async def test_being_up_alone_does_not_prove_a_sync_while_something_is_pending():
    world = fleet(2, odd={FIRST: "ignores"})  # makes contact, stays Up, and applies nothing
    carried = await carried_out(operating("sync"), world)

    assert carried.ended == {FIRST: "unconfirmed", FIRST + 1: "succeeded"}
    assert world.population.device(FIRST, carried.clock.now()).is_up(carried.clock.now())


@a_campaign
@pytest.mark.promise("OP-5")
async def test_a_step_reconf_is_exactly_one_put_to_each_selected_device():
    await one_put_each("reconf")


@a_campaign
@pytest.mark.promise("OP-6")
async def test_an_answer_200_is_accepted_and_success_comes_with_the_proof_while_others_go_on():
    carried = await carried_out(operating("reboot"), fleet(3, odd={FIRST: "slow"}))

    [accepted] = carried.of(events.OperationAccepted, device=FIRST)
    [succeeded] = carried.of(events.StepSucceeded, device=FIRST)
    [applied] = carried.ledger.of_device(FIRST)
    meanwhile = {
        each.device
        for each in carried.of(events.OperationIntended)
        if accepted.at < each.at < succeeded.at
    }
    assert (accepted.status, accepted.at < applied.returned_at) == (200, True)
    assert succeeded.at > applied.returned_at
    assert meanwhile == set(LISTED) - {FIRST}


@pytest.mark.promise("OP-7")
@pytest.mark.parametrize("word", ["restart", "Reboot", "factory_reset", "reboot; factory", "7"])
def test_any_word_but_the_five_codes_is_a_fault_of_the_playbook(word):
    found = fault(minimal(steps=f'- operation: "{word}"'))

    assert (found.line, found.key) == (5, "steps[0].operation")
    assert "is not an operation: reboot, factory, device_factory, sync, reconf" in found.message


@pytest.mark.promise("OP-7")
def test_a_wrong_code_ends_the_command_before_any_request(cli, controller):
    Path("wrong.yaml").write_text(minimal("all: true", "- operation: restart"))

    ended = cli("run", "wrong.yaml", "--yes")

    assert ended.code == 2
    assert "wrong.yaml:5" in ended.err
    assert not controller.world.ledger.arrivals


# --- a maintenance window ------------------------------------------------------------------------


@a_campaign
@pytest.mark.promise("OP-8")
async def test_devices_that_are_down_can_be_chosen_and_rebooted():
    world = fleet(12, down=0.5)
    source = written(
        """
        devices: {organization: 123, status: down}
        steps: [{operation: reboot, attempts: 1}]
        guard: {status: down}
        rollout: {max_down: 12}
        """
    )
    down = {
        d for d in range(FIRST, FIRST + 12) if not world.population.device(d, START).is_up(START)
    }

    carried = await carried_out(source, world)

    assert 0 < len(down) < 12
    assert {device for _, device, _ in carried.asked} == down == set(carried.ended)


@a_campaign
@pytest.mark.promise("OP-8")
async def test_nothing_starts_before_the_window_or_after_it_and_what_waits_may_finish():
    """The window is open from an hour after the world's beginning, 2027-01-15 08:00, for 20 minutes."""
    source = written(
        """
        devices: {organization: 123}
        steps: [{operation: reboot}]
        window: {opens: 2027-01-15T09:00, lasts: 20m, timezone: UTC, cutoff: 0s}
        """
    )
    carried = await carried_out(source, fleet(12, "slow"))
    opens, closes = START + 60 * MINUTE, START + 80 * MINUTE

    asked = [each.at for each in carried.ledger.operation_arrivals]
    finished = [each.at for each in carried.of(events.StepSucceeded)]
    assert opens <= min(asked) < max(asked) < closes < max(finished)
    assert Counter(carried.ended.values()) == {
        "succeeded": len(asked),
        "deferred": 12 - len(asked),
    }


@a_campaign
@pytest.mark.promise("OP-13")
async def test_one_after_the_other_means_that_the_one_before_is_back_or_given_up():
    world = fleet(6, odd={FIRST + 2: "late"})  # boots for hours
    carried = await carried_out(shipped("maintenance-reboot", max_down=1), world)

    ended = {each.device: each.at for each in carried.of(events.DeviceFinished)}
    asked = [(each.device, each.at) for each in carried.ledger.operation_arrivals]
    assert Counter(carried.ended.values()) == {"succeeded": 5, "unconfirmed": 1}
    assert len(asked) == 6
    assert all(ended[before] <= at for (before, _), (_, at) in pairwise(asked))


@a_campaign
@pytest.mark.promise("OP-19")
async def test_requests_keep_the_written_delay_and_batches_the_written_pause():
    source = written(
        """
        devices: {organization: 123}
        steps: [{operation: sync}]
        requests: {delay: 3s}
        rollout: {waves: [2, 100%], between_waves: {soak: 5m}}
        """
    )
    carried = await carried_out(source, fleet(6))

    gaps = carried.ledger.operation_gaps()
    assert len(gaps) == 5
    assert min(gaps) >= 3 - 1e-6
    assert gaps[1] >= 5 * MINUTE  # between the second device and the third


# --- redeployment and provisioning ----------------------------------------------------------------


@a_campaign
@pytest.mark.promise("OP-9")
async def test_before_a_move_each_device_is_reset_then_back_then_configured():
    carried = await carried_out(shipped("redeploy", below="9", max_down=4), fleet(8, "slow"))

    for device in range(FIRST, FIRST + 8):
        reset, configured = carried.ledger.of_device(device)
        assert (reset.operation, configured.operation) == ("factory", "reconf")
        assert reset.returned_at < configured.arrived_at
    assert carried.verdicts == {"succeeded": 8}


@a_campaign
@pytest.mark.promise("OP-14")
async def test_who_is_not_proven_back_from_a_reset_never_gets_the_configuration():
    world = fleet(6, odd={FIRST: "never_back", FIRST + 4: "never_back"})
    carried = await carried_out(shipped("redeploy", below="9"), world)

    lost = {device for device, verdict in carried.ended.items() if verdict == "unconfirmed"}
    assert lost == {FIRST, FIRST + 4}
    for device in carried.ended:
        assert carried.done_to(device) == ["factory"] + ["reconf"] * (device not in lost)


@a_campaign
@pytest.mark.promise("OP-17")
async def test_hundreds_of_devices_are_provisioned_with_a_bound_on_how_many_at_once():
    carried = await carried_out(shipped("provision", limit=300, max_down=40), fleet(300))

    assert carried.verdicts == {"succeeded": 300}
    assert {tuple(carried.done_to(device)) for device in carried.ended} == {
        ("device_factory", "reconf")
    }
    assert 1 < carried.ledger.peak_out_of_service() <= 40


# --- configuration: after central changes, with new settings, against drift -----------------------


@a_campaign
@pytest.mark.promise("OP-10")
async def test_a_sync_over_a_filtered_set_ends_with_a_result_for_each_device():
    source = written(
        """
        devices: {organization: 123, type: 15, status: up}
        steps: [{operation: sync}]
        rollout: {max_down: 30}
        """
    )
    population = fleet(30).population
    types = {d: population.device(d, START).fields["type"] for d in range(FIRST, FIRST + 30)}
    [lagging, *others] = [device for device, each in types.items() if each == 15]

    carried = await carried_out(source, fleet(30, odd={lagging: "ignores"}))

    assert 1 < len(others) < 29
    assert {device for _, device, _ in carried.asked} == {lagging, *others}
    assert carried.ended == {lagging: "unconfirmed", **dict.fromkeys(others, "succeeded")}


@a_campaign
@pytest.mark.promise("OP-11")
async def test_new_settings_are_written_first_and_then_applied_over_a_filtered_set():
    source = written(
        f"""
        devices: {{organization: 123, exclude: [{FIRST}]}}
        steps:
          - update: {{update_frequency: 120}}
          - operation: reconf
        """
    )
    carried = await carried_out(source, fleet(4))

    for device in range(FIRST + 1, FIRST + 4):
        [written_then] = carried.ledger.changes_of(device)
        [applied] = carried.ledger.of_device(device)
        assert (written_then.method, written_then.wrote) == ("PATCH", {"update_frequency": 120})
        assert (applied.operation, written_then.at < applied.arrived_at) == ("reconf", True)
    assert carried.done_to(FIRST) == []
    assert carried.verdicts == {"succeeded": 3}


@a_campaign
@pytest.mark.promise("OP-15")
async def test_those_with_pending_settings_are_found_here_and_synced_and_nobody_else():
    world = fleet(40, pending=0.3)
    lagging = {
        device
        for device in range(FIRST, FIRST + 40)
        if record(world, 0.0, device)["pending_settings"] != "none"
    }
    carried = await carried_out(shipped("drift-sync"), world)

    assert 0 < len(lagging) < 40
    assert carried.asked == {("PUT", device, "sync"): 1 for device in lagging}
    assert carried.verdicts == {"succeeded": len(lagging)}


# --- remediation ---------------------------------------------------------------------------------


@pytest.mark.promise("OP-12")
def test_monitoring_starts_a_run_with_a_list_and_gets_an_exit_code_and_a_result_to_read(night, cli):
    told = [json.loads(line) for line in night.ended.out.splitlines()]
    shown = cli("show", "night-1", "--devices", "--json", "--runs-dir", night.runs)
    rows = [json.loads(line) for line in shown.out.splitlines()]

    assert night.ended.code == 0
    assert (told[-1]["event"], told[-1]["verdicts"]) == ("RunFinished", {"succeeded": 3})
    assert [(row["device"], row["verdict"]) for row in rows] == [
        (1003, "succeeded"),
        (1006, "succeeded"),
        (1008, "succeeded"),
    ]


@a_campaign
@pytest.mark.promise("OP-16")
async def test_what_a_reboot_does_not_bring_back_is_handed_to_a_person_and_is_no_success():
    people = MemoryMessenger(["noc"])
    world = fleet(20, down=0.3)
    carried = await carried_out(shipped("remediate"), world, messenger=people)

    lost = {device for device, verdict in carried.ended.items() if verdict == "unconfirmed"}
    handed = {each.device for each in carried.of(events.StepSucceeded) if each.step == 2}
    assert lost
    assert all(carried.asked["PUT", device, "reboot"] == 1 for device in carried.ended)
    assert len([each for each in people.sent if "does not bring it back" in each.body]) == len(lost)
    assert handed == lost


@pytest.mark.promise("OP-16")
def test_a_device_that_was_rebooted_often_enough_today_is_not_rebooted_but_handed_to_a_person():
    story = Story(
        step("reboot"),
        rescue=(EscalateStep("look at it"),),
        allowances=(Allowance(Operation.REBOOT, 2, 86_400.0),),
        exhausted={1: "rebooted 2 times since 08:10Z"},
    ).settles()

    [told] = story.notices
    assert (story.operations, story.verdict()) == ([], "failed")
    assert told.text == "look at it"
    assert "rebooted 2 times since 08:10Z" in told.history[0]


# --- how it is done ------------------------------------------------------------------------------


@a_campaign
@pytest.mark.promise("OP-18")
async def test_after_a_reboot_or_a_reset_a_device_gets_time_before_the_next_request_of_a_chain():
    """Also where requests were refused or lost and tried again; `sleep` makes the gap as long as written."""
    source = written(
        """
        devices: {organization: 123}
        steps:
          - operation: sync
          - operation: reboot
          - operation: factory
          - operation: reconf
          - sleep: 10m
          - operation: sync
        rollout: {max_down: 20}
        """
    )
    faults = Faults(operations=Rates(rate_500=0.1, rate_503=0.1, reset_before=0.1, reset_after=0.1))
    carried = await carried_out(source, fleet(20, "slow", faults=faults))

    assert carried.ledger.overlapping_operations() == ()
    gaps = {operation: [] for operation in Operation}
    for device in carried.ended:
        for before, after in pairwise(carried.ledger.of_device(device)):
            since = before.returned_at if before.operation.is_disruptive else before.done_at
            if before.operation is not after.operation:
                gaps[before.operation].append(after.arrived_at - since)
    assert min(gaps["reboot"]) >= 30
    assert min(gaps["factory"]) >= 30
    assert min(gaps["reconf"]) >= 10 * MINUTE


@pytest.mark.promise("OP-18")
@pytest.mark.parametrize("operation", ["reboot", "factory", "device_factory"])
def test_a_request_that_may_have_been_applied_is_tried_again_only_long_after_it(operation):
    story = Story(step(operation)).settles().drops()

    story.until(10 * MINUTE)

    assert story.operations == [(1, operation)]


CODES = {
    200: Accepted,
    400: Refusal.INVALID,
    401: Refusal.UNAUTHORISED,
    403: Refusal.FORBIDDEN,
    404: Refusal.GONE,
    409: Refusal.STATE,
    422: Refusal.STATE,
    429: Refusal.BUSY,
    500: Lost,
    502: Lost,
    503: Refusal.BUSY,
    504: Lost,
}


@pytest.mark.promise("OP-20")
@pytest.mark.parametrize("status", CODES)
async def test_every_answer_has_its_meaning_and_is_asked_for_once(status):
    content = {"id": 7, "operation": "reboot"} if status == 200 else "<html>not today</html>"
    async with FakeApi(answer(status, content)) as api, controller_at(api.url) as controller:
        intended = controller.clock.steady()
        told = await controller.start_operation(7, Operation.REBOOT, intended=intended)

        meant = told.refusal if isinstance(told, Refused) else type(told)
        assert (meant, len(api.requests)) == (CODES[status], 1)


@pytest.mark.promise("OP-20")
@pytest.mark.parametrize(("status", "refusal"), [(400, Refusal.INVALID), (404, Refusal.GONE)])
def test_what_would_fail_again_is_not_tried_again(status, refusal):
    story = Story(step("reboot", attempts=9)).settles().refuses(status, refusal).until(7200)

    assert story.operations == [(1, "reboot")]
    assert story.verdict() == "failed"


@a_campaign
@pytest.mark.promise("OP-20")
async def test_what_may_pass_is_tried_again_after_a_wait():
    faults = Faults(operations=Rates(rate_429=0.2, rate_503=0.2, reset_before=0.2))
    carried = await carried_out(operating("sync"), fleet(30, faults=faults))

    retries = carried.of(events.RetryScheduled)
    assert carried.verdicts == {"succeeded": 29}
    assert retries
    assert all(each.retry_at > each.at for each in retries)


@pytest.mark.promise("OP-20")
def test_a_request_that_is_answered_401_holds_everything_until_the_token_is_good_again():
    story = Story(step("reboot"), devices=3, max_down=3, delay=1.0).settles()
    story.is_usable, story.probe_detail = False, {"unauthorised": True, "detail": "401"}
    story.refuses(401, Refusal.UNAUTHORISED).until(100)
    assert story.operations == [(1, "reboot")]
    assert story.last(events.RunPaused).cause == "token"

    story.is_usable = True
    story.until(200)

    assert sorted(story.operations[1:]) == [(1, "reboot"), (2, "reboot"), (3, "reboot")]
    assert not story.events(events.DeviceFinished)


@a_campaign
@pytest.mark.promise("OP-20")
async def test_a_refused_token_holds_the_whole_run_and_fails_no_device():
    world = fleet(10, faults=Faults(revoked=((5.0, 7 * 86_400.0),)))
    carried = await carried_out(operating("reboot", "requests: {delay: 2s}"), world)

    answered = [each.status for each in carried.ledger.operation_arrivals]
    assert carried.of(events.RunPaused)[0].cause == "token"
    assert answered.count(401) <= 1
    assert len(answered) < 9
    assert carried.run.finished_at is None  # it can be resumed
    assert "failed" not in carried.ended.values()


@pytest.mark.promise("OP-21")
def test_every_request_stands_in_the_audit_log_before_and_after_with_who_what_and_when(night):
    requests = [each for each in night.journal if each["event"].startswith("Operation")]
    intended = {
        (each["device"], each["step"], each["attempt"]): each
        for each in requests
        if each["event"] == "OperationIntended"
    }
    answered = [each for each in requests if each["event"] != "OperationIntended"]

    assert len(intended) == len(answered) == 6
    for each in answered:
        before = intended[each["device"], each["step"], each["attempt"]]
        assert before["operation"] == ("factory", "reconf")[each["step"]]
        assert (before["run"], before["seq"] < each["seq"]) == ("night-1", True)
        assert (before["at"] <= each["at"], each["status"]) == (True, 200)


@pytest.mark.promise("OP-21")
def test_no_token_and_no_user_name_stands_in_anything_that_a_run_leaves_behind(night):
    left = [path for path in night.folder.rglob("*") if path.is_file()]
    texts = [path.read_text(errors="replace") for path in left]
    texts += [night.ended.out, night.ended.err]

    assert {"journal.jsonl", "plan.json", "snapshots.jsonl"} <= {path.name for path in left}
    assert not any(SECRET in text or "cpe-100" in text for text in texts)


@pytest.mark.promise("OP-22")
@pytest.mark.parametrize("operation", ["factory", "device_factory", "reboot"])
@pytest.mark.parametrize(
    "state",
    [{"status": "Down"}, {"status": "asleep"}, {"is_active": False}, {"pending_settings": "wifi"}],
    ids=["down", "unknown", "inactive", "pending"],
)
def test_a_device_is_read_right_before_and_left_alone_when_its_state_is_not_right(operation, state):
    story = Story(step(operation)).shows(**state).settles()

    assert story.reads
    assert (story.operations, story.verdict()) == ([], "skipped")


@pytest.mark.promise("OP-23")
def test_what_a_device_was_is_saved_before_a_reset_and_before_its_configuration(night):
    text = (night.runs / "night-1/snapshots.jsonl").read_text()
    saved = [json.loads(line) for line in text.splitlines()]
    asked = [each for each in night.journal if each["event"] == "OperationIntended"]

    assert sorted((each["device"], each["step"]) for each in saved) == sorted(
        (each["device"], each["step"]) for each in asked
    )
    assert {(each["operation"], each["snapshot"]) for each in asked} == {
        ("factory", "full"),
        ("reconf", "record"),
    }
    assert all(each["record"]["serial_number"].startswith("ZN") for each in saved)


@a_campaign
@pytest.mark.promise("OP-23")
async def test_a_playbook_can_say_what_is_to_be_done_where_a_step_failed():
    source = operating("reconf", "rescue: [{operation: reboot}]")
    carried = await carried_out(source, fleet(2, odd={FIRST: "ignores"}))

    assert carried.done_to(FIRST) == ["reconf", "reboot"]
    assert carried.done_to(FIRST + 1) == ["reconf"]
    assert carried.ended[FIRST] == "unconfirmed"


@pytest.mark.promise("OP-23")
@pytest.mark.parametrize("path", sorted(PLAYBOOKS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_playbook_says_how_it_is_undone(path):
    assert "\n# To undo it " in path.read_text()


@pytest.mark.promise("OP-24")
def test_a_422_is_read_again_waited_for_and_tried_again_only_so_often():
    story = Story(step("reboot", attempts=2)).settles().refuses(422, Refusal.STATE)
    assert story.until(200).operations == [(1, "reboot")]

    story.shows(last_connection=200).until(230)
    assert story.operations == [(1, "reboot")] * 2
    story.refuses(422, Refusal.STATE).until(7200)

    assert story.operations == [(1, "reboot")] * 2
    assert (story.verdict(), story.reason()) == (
        "failed",
        "the controller answered 422 (tried 2 times)",
    )


@pytest.mark.promise("OP-24")
def test_the_wait_after_a_422_has_an_end_also_when_nothing_changes():
    story = Story(step("reboot", attempts=2)).settles().refuses(422, Refusal.STATE).until(600)

    assert story.operations == [(1, "reboot")] * 2
