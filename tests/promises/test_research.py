"""What has to hold beside the promises of the two documents, because of what is known of APIs,
of HTTP clients and of devices (api.md 3.3).
"""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.model import events
from orchestrator.model.answers import Accepted, Lost, Refusal
from orchestrator.model.commands import PrepareDevice, SendChange
from orchestrator.model.devices import DeviceId, Status, as_pending, as_status, device_from_record
from orchestrator.model.operations import Action, Operation
from orchestrator.model.readings import DeviceFilter
from orchestrator.model.windows import Window
from orchestrator.runtime.listing import Listing
from orchestrator.simulator.faults import Faults, Rates
from tests.promises.carrying import carried_out, fleet, shipped, written
from tests.support import histories
from tests.support.api_access import controller_at
from tests.support.campaigns import REDEPLOY, Campaign, Setting, broken_promises
from tests.support.fake_api import FakeApi, accept, answer, hang_up, reset
from tests.support.playbooks import faults, minimal
from tests.support.recorded_runs import record
from tests.support.stories import T0, Story, record_step, step
from tests.support.worlds import FIRST

a_campaign = pytest.mark.looptime
"""In virtual time, against the simulated world."""


# --- one request on the wire ---------------------------------------------------------------------


@pytest.mark.promise("RS-1")
@pytest.mark.parametrize("loses", [hang_up, reset], ids=["hangs up", "resets"])
@pytest.mark.parametrize("kept_alive", [False, True], ids=["fresh", "kept alive"])
async def test_an_operation_whose_answer_is_lost_was_one_put_on_the_wire(loses, kept_alive):
    before = [accept] * kept_alive
    async with FakeApi(*before, loses, accept) as api, controller_at(api.url) as controller:
        told = [
            await controller.start_operation(
                device, Operation.FACTORY, intended=controller.clock.steady()
            )
            for device in range(1, 2 + kept_alive)
        ]

        assert isinstance(told[-1], Lost)
        assert [request.method for request in api.requests] == ["PUT"] * len(told)


@pytest.mark.promise("RS-1")
@pytest.mark.parametrize("action", [Action.UPDATE, Action.REPLACE, Action.CREATE, Action.DELETE])
async def test_a_change_whose_answer_is_lost_was_one_request_too(action):
    wanted = {} if action is Action.DELETE else {"debug": True}
    address = None if action is Action.CREATE else DeviceId(7)
    change = SendChange(DeviceId(7), 0, 1, action, address, wanted, {})
    done = answer(200, {"id": 7})
    async with FakeApi(hang_up, done) as api, controller_at(api.url) as controller:
        told = await controller.send_change(change, {}, intended=controller.clock.steady())

        assert (type(told), len(api.requests)) == (Lost, 1)


@pytest.mark.promise("RS-1")
async def test_an_accepted_operation_was_one_put():
    async with FakeApi(accept) as api, controller_at(api.url) as controller:
        intended = controller.clock.steady()
        told = await controller.start_operation(7, Operation.REBOOT, intended=intended)

        assert (type(told), len(api.requests)) == (Accepted, 1)


# --- no answer -----------------------------------------------------------------------------------


@pytest.mark.promise("RS-2")
@pytest.mark.parametrize("operation", ["reboot", "factory", "device_factory"])
def test_without_an_answer_the_device_is_read_before_anything_is_repeated(operation):
    story = Story(step(operation)).settles().drops()
    reads = len(story.reads)
    story.until(60)

    assert story.operations == [(1, operation)]
    assert len(story.reads) > reads
    story.shows(last_connection=70, pending_settings=f"{operation}_requested").until(90)
    assert story.last(events.DoubtResolved).applied
    assert story.operations == [(1, operation)]


@pytest.mark.promise("RS-2")
@pytest.mark.parametrize("operation", ["sync", "reconf"])
def test_also_what_may_be_repeated_is_read_again_before_it_is(operation):
    story = Story(step(operation)).settles().later(1).drops()
    [before] = story.reads
    story.until(15)

    assert story.operations == [(1, operation)] * 2
    assert story.reads == [before, before]


@pytest.mark.promise("RS-2")
def test_a_change_without_an_answer_is_held_against_the_record_before_it_is_repeated():
    story = Story(record_step("update", debug=True)).settles()
    asked = sum(isinstance(each, PrepareDevice) for each in story.reads)
    story.later(1).shows(debug=True).drops().until(300)

    assert sum(isinstance(each, PrepareDevice) for each in story.reads) > asked
    assert (len(story.sent), story.verdict()) == (1, "succeeded")


@pytest.mark.promise("RS-2")
def test_what_nobody_can_tell_is_in_doubt_in_the_audit_log_and_never_repeated():
    story = Story(step("reboot")).shows(update_frequency=None).settles().drops()
    story.shows(last_connection=100).until(400).shows(last_connection=390).until(3 * 3600)

    assert story.events(events.OperationLost)
    assert (story.operations, story.verdict()) == ([(1, "reboot")], "in_doubt")


@a_campaign
@pytest.mark.promise("RS-2")
async def test_a_reset_whose_answer_is_lost_was_applied_once_and_is_known_to_be():
    world = fleet(4, faults=Faults(operations=Rates(reset_after=1.0)))
    source = written("devices: {organization: 123}\nsteps: [{operation: factory}]")
    carried = await carried_out(source, world)

    assert carried.asked == {("PUT", FIRST + n, "factory"): 1 for n in range(4)}
    assert carried.verdicts == {"succeeded": 4}


# --- is it back? ---------------------------------------------------------------------------------


def rebooted() -> Story:
    return Story(step("reboot")).settles().accepts()


@pytest.mark.promise("RS-3")
def test_a_device_that_still_looks_up_is_not_back():
    story = rebooted().until(300)

    assert story.verdict() is None
    assert story.until(3 * 3600).verdict() == "unconfirmed"


@pytest.mark.promise("RS-3")
def test_the_contact_that_takes_the_command_is_not_the_return():
    story = rebooted().until(20).shows(last_connection=20).until(600)

    assert story.verdict() is None


@pytest.mark.promise("RS-3")
def test_a_second_contact_right_behind_it_is_not_the_return_either():
    story = rebooted().until(20).shows(last_connection=20).until(30).shows(last_connection=21)

    assert story.until(600).verdict() is None


@pytest.mark.promise("RS-3")
def test_an_outage_that_fell_between_two_readings_is_seen_all_the_same():
    story = rebooted().until(20).shows(last_connection=20).until(50)
    story.shows(status_change=48, last_connection=48).until(120)

    assert story.verdict() == "succeeded"


@pytest.mark.promise("RS-3")
def test_a_device_that_is_never_shown_down_is_back_with_a_contact_long_enough_after_the_delivery():
    story = rebooted().until(20).shows(last_connection=20).until(90)
    assert story.verdict() is None
    story.shows(last_connection=90).until(150)

    assert story.verdict() == "succeeded"


@a_campaign
@pytest.mark.promise("RS-3")
@pytest.mark.parametrize("temperament", ["fast", "slow", "nat", "double_contact", "flapping"])
async def test_nobody_is_believed_to_be_back_before_the_world_has_it_back(temperament):
    carried = await carried_out(shipped("maintenance-reboot"), fleet(5, temperament))

    assert carried.verdicts == {"succeeded": 5}
    for event in carried.of(events.StepSucceeded):
        [applied] = carried.ledger.of_device(event.device)
        assert applied.returned_at <= event.at


# --- who is chosen -------------------------------------------------------------------------------


@pytest.mark.promise("RS-4")
@pytest.mark.parametrize(
    ("devices", "line", "told"),
    [
        ("{organisation: 123}", 2, "organisation"),
        ("{organization: 123, stauts: up}", 2, "stauts"),
        ("{}", 2, "all: true"),
        ("{where: {}}", 2, "conditions"),
    ],
)
def test_a_misspelt_or_empty_selection_is_a_fault_and_never_everybody(devices, line, told):
    found = faults(f"playbook: x\ndevices: {devices}\nsteps: [{{operation: reboot}}]\n")

    assert found
    assert found[0].line == line
    assert told in found[0].message + found[0].hint


@pytest.mark.promise("RS-4")
def test_everybody_is_chosen_by_that_word_only():
    assert faults(minimal("all: true")) == []


@pytest.mark.promise("RS-5")
@pytest.mark.parametrize("operation", ["reboot", "factory", "sync"])
def test_a_plan_is_made_of_gets_alone_and_contacts_no_device(operation, cli, controller):
    steps = f"- done_if: {{status: down}}\n  refresh: true\n- operation: {operation}"
    Path("look.yaml").write_text(minimal("all: true", steps))

    ended = cli("plan", "look.yaml", "-o", "plan.json")

    assert ended.code == 0
    assert controller.world.ledger.methods.keys() == {"GET"}
    assert controller.world.ledger.refreshes == 0


@pytest.mark.promise("RS-6")
def test_more_devices_than_expected_are_no_plan_and_nothing_is_sent(cli, controller):
    Path("few.yaml").write_text(minimal("{all: true, expect: {at_most: 2}}"))

    ended = cli("run", "few.yaml", "--yes")

    assert ended.code == 2
    assert "chose 3 of 3 listed devices, the playbook expects at most 2" in ended.err
    assert controller.world.ledger.methods.keys() == {"GET"}


@a_campaign
@pytest.mark.promise("RS-6")
async def test_a_campaign_stops_when_more_fail_than_it_may():
    source = written(
        """
        devices: {organization: 123}
        steps: [{operation: factory}]
        rollout: {max_down: 2, stop_when: {unconfirmed: 1}}
        """
    )
    carried = await carried_out(source, fleet(20, "never_back"))

    [stopped] = carried.of(events.RunStopped)
    assert stopped.cause == "budget"
    assert carried.verdicts == {"unconfirmed": 2, "not_started": 18}
    assert len(carried.asked) == 2


# --- interrupted ---------------------------------------------------------------------------------


@pytest.mark.promise("RS-7")
def test_after_a_crash_it_can_be_listed_what_was_accepted_and_not_proven(cli):
    told = [
        histories.run_started(devices=3),
        histories.intended(1001),
        histories.accepted(1001),
        histories.intended(1002),
        histories.accepted(1002),
        histories.succeeded(1002),
        histories.finished(1002, step=1),
    ]
    record(Path("logs/runs"), told)

    shown = cli("show", "night-1", "--devices", "--json").out.splitlines()
    rows = {row["device"]: row for row in map(json.loads, shown)}
    log = cli("audit", "show", "night-1").out

    assert {device: row["verdict"] for device, row in rows.items()} == {
        1001: None,
        1002: "succeeded",
        1003: None,
    }
    assert "accepted" in log
    assert cli("audit", "verify", "night-1").code == 0


@pytest.mark.promise("RS-7")
@pytest.mark.parametrize("sends_last", [False, True])
@pytest.mark.parametrize("length", [4, 9, 15, 22, 30])
def test_whoever_resumes_repeats_nothing_that_was_accepted(length, sends_last):
    setting = Setting(devices=4, max_down=4, steps=REDEPLOY)
    killed = Campaign(setting).kill_at(length, sends_last=sends_last)
    accepted = {(each.device, each.step): 1 for each in killed.of(events.OperationAccepted)}

    resumed = killed.resumed(later=30.0).finish()

    assert accepted or length < 9
    assert broken_promises(resumed) == []
    asked = Counter((each.device, each.operation) for each in resumed.ledger.operations)
    assert set(asked.values()) == {1}


@pytest.mark.promise("RS-7")
def test_an_accepted_operation_is_still_waited_for_after_a_crash():
    story = rebooted().until(10)
    story.crashes(later=20).shows(last_connection=35).until(60)
    story.shows(status_change=80, last_connection=80).until(200)

    assert (story.operations, story.verdict()) == ([(1, "reboot")], "succeeded")


# --- what the controller says --------------------------------------------------------------------


@pytest.mark.promise("RS-8")
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *((each, Status.UP) for each in ("Up", "up", True, 1, "1", "true", "True")),
        *((each, Status.DOWN) for each in ("Down", "down", False, 0, "0", "false", "False")),
        *((each, Status.UNKNOWN) for each in (None, "", "booting", 2, [], {"status": "Up"})),
    ],
)
def test_every_form_of_a_status_is_read_and_an_unknown_one_is_never_up(said, meant):
    assert as_status(said) is meant


@pytest.mark.promise("RS-8")
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *((each, ()) for each in ("none", "", None, False, [])),
        ("wifi_config,port_forwarding", ("wifi_config", "port_forwarding")),
        (["wifi"], ("wifi",)),
        (True, ("something",)),
        *((each, None) for each in (7, 1.5, {"wifi": 1})),
    ],
)
def test_every_form_of_pending_settings_is_read_and_an_unknown_one_is_never_clear(said, meant):
    assert as_pending(said) == meant


@pytest.mark.promise("RS-8")
@pytest.mark.parametrize("unclear", [{"status": "asleep"}, {"pending_settings": 7}])
def test_what_is_not_understood_keeps_a_device_from_being_touched(unclear):
    story = Story(step("reboot")).shows(**unclear).settles()

    assert (story.operations, story.verdict()) == ([], "skipped")
    assert device_from_record({"id": 1}).pending is None  # absent is not clear either


def row(device: int, **fields: object) -> dict[str, object]:
    return {"id": device, "status": "Up", "organization_id": 123, **fields}


async def listed(*acts) -> tuple[list[int], list[str], list[str]]:
    """List organization 123 two by two; give the ids, the targets asked for, and the warnings."""
    async with FakeApi(*acts) as api, controller_at(api.url) as controller:
        listing = Listing(controller, [DeviceFilter(organization=123)], page_size=2)
        found = [device.id async for page in listing for device in page.devices]
        return found, [each.target for each in api.requests], list(listing.summary.warnings)


def page(*devices: int, count: int, following: str | None) -> object:
    content = {"count": count, "next": following, "previous": None}
    return answer(200, {**content, "results": [row(device) for device in devices]})


@pytest.mark.promise("RS-9")
@pytest.mark.parametrize(
    "following",
    [
        "http://127.0.0.1:9/steal?limit=2&offset=2",
        "ftp://elsewhere/",
        "http://127.0.0.1:9/api/v1/inventory_device/?limit=2&offset=2",
        "?offset=2",
        7,
    ],
)
async def test_pages_are_asked_for_here_with_every_filter_wherever_a_link_leads(following):
    found, targets, warnings = await listed(
        page(1, 2, count=3, following=following), page(3, count=3, following=None)
    )

    assert (found, warnings) == ([1, 2, 3], [])
    assert [target.split("?")[0] for target in targets] == ["/api/v1/inventory_device/"] * 2
    assert all("organization=123" in target and "pending=true" in target for target in targets)


@pytest.mark.promise("RS-9")
async def test_a_page_that_comes_again_and_again_ends_the_listing_with_a_warning():
    found, targets, warnings = await listed(page(1, 2, count=9, following="?offset=2"))

    assert found == [1, 2]
    assert len(targets) < 30
    assert "7 of 9 devices never came" in warnings[0]


@pytest.mark.promise("RS-9")
async def test_a_bare_array_is_a_listing_too():
    arrays = [answer(200, [row(1), row(2)]), answer(200, [row(3)]), answer(200, [])]
    found, _, warnings = await listed(*arrays)

    assert (found, warnings) == ([1, 2, 3], [])


# --- not too late --------------------------------------------------------------------------------


@pytest.mark.promise("RS-10")
@pytest.mark.parametrize("operation", ["reboot", "factory", "sync", "reconf"])
def test_a_device_that_is_down_is_sent_nothing_that_would_fire_hours_later(operation):
    story = Story(step(operation)).shows(status="Down", status_change=-100).settles()

    assert (story.operations, story.verdict()) == ([], "skipped")


def within_twenty_minutes(operation: str) -> Story:
    """A story that began ten minutes ago in a window of twenty."""
    opened = datetime.fromtimestamp(T0 - 600, UTC).replace(tzinfo=None)
    return Story(step(operation), window=Window(opened, 1200.0, "UTC", 0.0)).settles()


@pytest.mark.promise("RS-10")
@pytest.mark.parametrize("operation", ["reboot", "factory", "sync", "reconf"])
@pytest.mark.parametrize("trouble", ["busy", "state", "token", "no connection", "no answer"])
def test_what_came_to_nothing_within_the_window_is_not_tried_again_after_its_end(
    operation, trouble
):
    story = within_twenty_minutes(operation).until(599.5)
    match trouble:
        case "busy":
            story.refuses(429, Refusal.BUSY, 30.0)
        case "state":
            story.refuses(422, Refusal.STATE)
        case "token":
            story.refuses(401, Refusal.UNAUTHORISED)
        case "no connection":
            story.cannot_connect()
        case "no answer":
            story.drops()
    story.until(4 * 3600)

    assert story.operations == [(1, operation)]
    assert story.verdict() == "deferred"


@a_campaign
@pytest.mark.promise("RS-10")
async def test_whoever_has_no_turn_before_the_end_of_the_window_gets_no_request():
    source = written(
        """
        devices: {organization: 123}
        steps: [{operation: reboot}]
        rollout: {max_down: 12}
        requests: {delay: 100s}
        window: {opens: 2027-01-15T09:00, lasts: 20m, timezone: UTC, cutoff: 0s}
        """
    )
    carried = await carried_out(source, fleet(20))
    closed = carried.of(events.WindowClosed)[-1].at
    asked = [each.at for each in carried.ledger.operation_arrivals]

    assert max(asked) < closed
    assert carried.verdicts == {"succeeded": len(asked), "deferred": 20 - len(asked)}
