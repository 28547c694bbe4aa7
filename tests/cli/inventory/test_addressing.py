"""A device is found by its id, its serial number or its name, and never mistaken for another."""

import anyio
import pytest

from orchestrator.cli.inventory import addressing
from orchestrator.model.errors import RefusedError, RunError, UnauthorisedError
from orchestrator.model.readings import Page, Reading
from tests.support.playbooks import record

BRANCH = record(id=1001, serial_number="ZN1", name="branch")
TWIN_A = record(id=1002, serial_number="ZN2", name="twin")
TWIN_B = record(id=1003, serial_number="ZN3", name="Twin")
NUMBER = record(id=1004, serial_number="77", name="1001")
FLEET = (BRANCH, TWIN_A, TWIN_B, NUMBER)


class Inventory:
    """A controller that has these four devices, and counts how it was asked."""

    def __init__(self):
        self.pages = 0

    async def list_devices(self, wanted, *, offset, limit):
        self.pages += 1
        rows = FLEET[offset : offset + limit]
        return Page(rows, len(FLEET), offset + len(rows) < len(FLEET), len(rows), 0.0, 0.0)

    async def read_device(self, device, *, update_status=False):
        return Reading(device, next((d for d in FLEET if d.id == device), None), 0.0, 0.0)


class Desk:
    """What some controllers offer beside it."""

    def __init__(self, trouble=None, is_there=True):
        self.trouble = trouble
        self.is_there = is_there

    async def find_by_serial(self, serial_number):
        return self._reading("serial_number", serial_number)

    def _reading(self, field, value):
        if self.trouble is not None:
            raise self.trouble
        if not self.is_there:
            return None
        found = next((d for d in FLEET if getattr(d, field) == value), None)
        return Reading(found.id if found else 0, found, 0.0, 0.0)


def find(*names, offers=None):
    inventory = Inventory()

    async def ask():
        return await addressing.find(inventory, offers, names, page_size=3)

    return [device.id for device in anyio.run(ask)], inventory.pages


def complaint(*names, **how):
    with pytest.raises(RunError) as raised:
        find(*names, **how)
    return str(raised.value)


def test_an_id_is_read_at_once():
    assert find("1002") == ([1002], 0)


def test_a_number_that_is_no_id_may_be_a_serial_number():
    assert find("77")[0] == [1004]


def test_an_id_goes_before_a_name_that_reads_like_it():
    assert find("1001")[0] == [1001]


def test_where_the_controller_can_be_asked_for_a_serial_number_no_page_is_read():
    assert find("ZN1", offers=Desk()) == ([1001], 0)


@pytest.mark.parametrize("name", ["ZN1", "zn1", "branch", " Branch "])
def test_elsewhere_the_pages_tell(name):
    assert find(name, offers=Desk(is_there=False)) == ([1001], 2)


def test_several_names_are_found_with_one_reading_of_the_pages():
    assert find("ZN3", "branch", "1002", "ZN1") == ([1003, 1001, 1002], 2)


@pytest.mark.parametrize("offers", [None, Desk()], ids=["pages", "asked"])
def test_a_name_that_several_have_is_answered_with_their_ids_and_serial_numbers(offers):
    assert complaint("twin", offers=offers) == (
        "2 devices are called 'twin'; name one by its id: 1002 (ZN2), 1003 (ZN3)"
    )


def test_a_name_that_nobody_has_is_an_error():
    assert complaint("nobody") == "there is no device with the id, serial number or name 'nobody'"


def test_an_answer_that_the_controller_cannot_give_is_looked_for_in_the_pages():
    assert find("branch", offers=Desk(RefusedError("it broke", status=500))) == ([1001], 2)


def test_a_token_that_is_not_accepted_ends_the_search():
    with pytest.raises(UnauthorisedError):
        find("branch", offers=Desk(UnauthorisedError("no")))
