"""A survey reads by the controller's clock how old a record is, and by ours when a window opens."""

from dataclasses import replace

import anyio
import pytest

from orchestrator.adapters.simulated.simulated_controller import SimulatedController
from orchestrator.model.errors import SelectionError
from orchestrator.model.operations import Operation
from orchestrator.model.policies import Allowance
from orchestrator.planning.drafting.allowing import Memory, Use
from orchestrator.planning.drafting.changing import Onlooker, changes
from orchestrator.playbook.reading import read_playbook
from orchestrator.runtime.surveying import survey
from tests.support.playbooks import minimal, source
from tests.support.recorded_runs import plan_of
from tests.support.virtual import LoopClock
from tests.support.worlds import START, world

pytestmark = pytest.mark.looptime

OPENS = "window: {opens: 2027-01-15T09:30, lasts: 4h, timezone: UTC}\n"
"""An hour and a half after the beginning of a simulated world."""


class Ahead:
    """A simulated controller whose world is so many seconds ahead of our clock."""

    def __init__(self, controller, clock, seconds):
        self._controller = controller
        self._clock = clock
        self._seconds = seconds

    async def list_devices(self, wanted, *, offset, limit):
        page = await self._controller.list_devices(wanted, offset=offset, limit=limit)
        return replace(page, server_at=page.server_at + self._seconds)


async def surveyed(ahead, *, wait=0.0, lifetime=86_400.0, onlooker=None):
    clock = LoopClock()
    await anyio.sleep(wait)
    text = source(minimal("all: true", "- operation: reboot", OPENS))
    controller = Ahead(SimulatedController(world(2), clock), clock, ahead)
    return await survey(
        read_playbook(text),
        text,
        controller,
        clock,
        base_url="https://control.test/api/v1",
        page_size=500,
        measured={},
        lifetime=lifetime,
        onlooker=onlooker,
    )


async def test_a_window_ahead_of_our_clock_is_no_matter_how_late_the_controller_thinks_it_is():
    plan = await surveyed(86_400.0)

    assert plan.created_at >= START + 86_400
    assert START <= plan.read_at < START + 60


async def test_a_window_that_our_clock_has_passed_never_opens_whatever_the_controller_thinks():
    with pytest.raises(SelectionError, match="never opens any more"):
        await surveyed(-86_400.0, wait=86_400.0)


async def again(was, text):
    """Survey with other words while the devices of a plan are watched."""
    clock = LoopClock()
    simulated = world(3)
    onlooker = Onlooker(was)
    now = await survey(
        read_playbook(text),
        text,
        SimulatedController(simulated, clock),
        clock,
        base_url="https://control.test/api/v1",
        page_size=2,
        measured={},
        lifetime=3_600.0,
        onlooker=onlooker,
    )
    return now, changes(was, now, onlooker)


@pytest.mark.parametrize(
    ("devices", "reason"),
    [
        ("{organization: 999, expect: {at_least: 0}}", "organization_id is 456, not 999"),
        ("{all: true, limit: 1, order_by: ['-id']}", "it is beyond the limit of 1 devices"),
        ("{include: [1003]}", "it is not named in include"),
        (
            "{where: {unique_identifier: {matches: 'no-*'}}, expect: {at_least: 0}}",
            "unique_identifier is ",
        ),
    ],
)
async def test_an_onlooker_learns_why_a_device_is_out_listed_or_not(devices, reason):
    was, _ = await again(plan_of(1001), source(minimal("all: true")))
    assert {1001, 1002, 1003} == {device.id for device in was.devices}
    assert was.expires_at == pytest.approx(was.made_at + 3_600.0)

    _, found = await again(was, source(minimal(devices)))

    assert found.departed[0].device.id == 1001
    assert found.departed[0].reason.startswith(reason)


async def test_an_onlooker_learns_that_a_record_is_gone():
    _, found = await again(plan_of(1001, 77), source(minimal("all: true")))

    assert [(each.device.id, each.reason) for each in found.departed] == [
        (77, "its record is gone")
    ]


async def test_only_so_many_missing_devices_are_read_one_by_one(monkeypatch):
    monkeypatch.setattr("orchestrator.runtime.surveying.MOST_LOOKED_UP", 1)

    _, found = await again(plan_of(77, 78), source(minimal("all: true")))

    assert [each.reason for each in found.departed] == [
        "its record is gone",
        "the controller does not list it for these filters any more",
    ]


async def planned(text, *, fleet=None, files=None, memory=None, page_size=500):
    clock = LoopClock()
    asked = source(text, files=files or {})
    simulated = fleet or world(3)
    plan = await survey(
        read_playbook(asked),
        asked,
        SimulatedController(simulated, clock),
        clock,
        base_url="https://control.test/api/v1",
        page_size=page_size,
        measured={},
        lifetime=3_600.0,
        memory=memory,
    )
    return plan, simulated


def updating(field):
    return f"- update: {{description: 'was ${{device.{field}}}'}}"


async def test_a_template_with_a_field_of_list_pages_asks_for_nothing_more():
    plan, simulated = await planned(minimal("all: true", updating("location_name")))

    assert len(plan.devices) == 3
    assert [each.method for each in simulated.ledger.arrivals] == ["GET"]


async def test_a_template_with_a_field_of_the_whole_record_has_some_read_in_full(monkeypatch):
    monkeypatch.setattr("orchestrator.runtime.surveying.SAMPLE", 2)

    _, simulated = await planned(minimal("all: true", updating("product_class")))

    assert len(simulated.ledger.arrivals) == 1 + 2


async def test_a_template_with_a_field_that_no_record_has_is_refused_before_anything_is_sent():
    with pytest.raises(SelectionError, match=r"\$\{device.shelf\}, and no chosen record has"):
        await planned(minimal("all: true", updating("shelf")))


async def test_a_playbook_that_only_creates_needs_no_device_to_be_there():
    files = {"sites.csv": "serial_number,type\nZN1,15\nZN2,15\n"}

    plan, _ = await planned(
        minimal('{organization: 999, with: "@sites.csv"}', "- create: row"), files=files
    )

    assert [(each.serial_number, each.is_new) for each in plan.devices] == [
        ("ZN1", True),
        ("ZN2", True),
    ]


async def test_where_outages_are_told_apart_devices_that_are_up_are_listed_and_not_read_in_full():
    devices = """
        status: down
        where: {unique_identifier: present}
        except_outages_of: location_name
        expect: {at_least: 0}
    """
    plan, simulated = await planned(minimal(devices, more="guard: {status: any}\n"))

    assert (plan.listed, plan.devices) == (3, ())
    assert len(simulated.ledger.arrivals) == 1
    assert plan.left_out[0].reason == "status is not Down"


async def test_what_earlier_runs_did_is_remembered_in_the_plan():
    uses = [Use(1001, "reboot", START - 60.0)]
    memory = Memory([Allowance(Operation.REBOOT, 1, 3600.0)], uses)

    plan, _ = await planned(minimal("all: true"), memory=memory)

    assert [device.id for device in plan.devices if device.exhausted] == [1001]
