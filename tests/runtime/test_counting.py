"""A census: every Down device where the run works, whatever a controller makes of the filters."""

import pytest

from orchestrator.model.devices import Status, device_from_record
from orchestrator.model.errors import UnauthorisedError, UnreachableError
from orchestrator.model.readings import DeviceFilter, Page
from orchestrator.model.selections import Selection
from orchestrator.runtime.counting import census_of
from tests.support.virtual import LoopClock
from tests.support.worlds import START

pytestmark = pytest.mark.looptime

OURS = Selection(organizations=(123, 456), types=(15,), status=Status.UP)


class Lists:
    """Answers every listing with rows of its own; `fails` after so many pages."""

    def __init__(self, rows, *, fails=None):
        self.rows = rows
        self.fails = fails
        self.asked = []

    async def list_devices(self, wanted, *, offset, limit):
        self.asked.append(wanted)
        if self.fails is not None and len(self.asked) > 1:
            raise self.fails
        rows = self.rows(wanted)
        devices = tuple(device_from_record(row) for row in rows[offset : offset + limit])
        more = offset + limit < len(rows)
        return Page(devices, len(rows), more, len(devices), START + len(self.asked), START)


def row(number, status="Down", organization=123):
    fields = {"id": number, "status": status, "organization_id": organization}
    return {name: value for name, value in fields.items() if value is not None}


async def census(controller, selection=OURS, page_size=2):
    return await census_of(selection, controller, LoopClock(), page_size=page_size)


async def test_it_asks_for_every_down_device_of_the_organizations_and_for_nothing_narrower():
    controller = Lists(lambda wanted: [row(wanted.organization, "Down", wanted.organization)])

    taken = await census(controller)

    assert controller.asked == [DeviceFilter(each, status=Status.DOWN) for each in (123, 456)]
    assert [device.id for device in taken.devices] == [123, 456]


async def test_it_reads_every_page_and_holds_from_when_the_first_was_asked_for():
    controller = Lists(
        lambda wanted: [row(n) for n in range(7)] if wanted.organization == 123 else []
    )

    taken = await census(controller)

    assert len(taken.devices) == 7
    assert taken.asked_at == START + 1


async def test_rows_are_checked_again_because_a_controller_may_ignore_filters():
    rows = [
        row(1),
        row(2, "Up"),
        row(3, "unheard of"),
        row(4, organization=789),
        row(5, organization=456),
    ]
    controller = Lists(lambda _: rows)

    taken = await census(controller)

    assert [device.id for device in taken.devices] == [1, 5]


async def test_a_device_that_does_not_say_where_it_belongs_counts():
    controller = Lists(lambda _: [row(1, organization=None), row(2, organization="123")])

    assert [device.id for device in (await census(controller)).devices] == [1, 2]


async def test_without_organizations_everybody_counts():
    controller = Lists(lambda _: [row(1, organization=789), row(2, "Up")])

    taken = await census(controller, Selection(everything=True))

    assert [device.id for device in taken.devices] == [1]
    assert controller.asked == [DeviceFilter(status=Status.DOWN)]


@pytest.mark.parametrize(
    ("error", "unreachable", "unauthorised"),
    [
        (UnreachableError("no connection"), True, False),
        (UnauthorisedError("the token is not accepted"), False, True),
    ],
    ids=["unreachable", "unauthorised"],
)
async def test_a_census_that_cannot_be_read_to_its_end_is_none(error, unreachable, unauthorised):
    taken = await census(Lists(lambda _: [row(n) for n in range(7)], fails=error))

    assert taken.devices is None
    assert taken.failure.reason == str(error)
    assert (taken.failure.unreachable, taken.failure.unauthorised) == (unreachable, unauthorised)
