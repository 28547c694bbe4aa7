"""Which list pages are read for the devices that wait, and who is read alone."""

from orchestrator.engine.choosing.placing import (
    CHEAP,
    COUNTING_PAYS,
    FORGOTTEN,
    PAGE_PAYS,
    Place,
    Round,
    Whereabouts,
)
from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.plans import PlannedDevice

PAGES = 10
ROWS = 100
ENOUGH = int(PAGE_PAYS)


def fleet(devices=PAGES * ROWS):
    return DeviceSet(PlannedDevice(number, f"SN{number}", None) for number in range(devices))


def learnt(devices=PAGES * ROWS):
    where = Whereabouts(fleet(devices))
    for device in range(devices):
        where.saw(device, Place(0, device // ROWS * ROWS))
    where.read_through(0.0)
    return where


def test_nothing_is_listed_while_nobody_knows_how_long_the_listing_is():
    assert Whereabouts(fleet()).round_for(range(500), None, 0.0) == Round()


def test_more_unknown_devices_than_pages_are_found_by_reading_every_page():
    assert Whereabouts(fleet()).round_for(range(PAGES + 1), PAGES, 0.0) == Round(everything=True)


def test_a_cheap_listing_is_read_through_once_to_learn_where_devices_stand():
    devices = CHEAP * 20
    where = Whereabouts(fleet(devices))

    assert where.round_for(range(COUNTING_PAYS - 1), 20, 0.0) == Round()
    assert where.round_for(range(COUNTING_PAYS), 20, 0.0).everything
    where.read_through(0.0)
    assert where.round_for(range(COUNTING_PAYS), 20, 0.0) == Round()


def test_who_left_the_listing_is_not_looked_for_on_every_page_again_and_again():
    where = learnt()
    due = [*range(PAGES + 1)]
    where.missed(due, Round(everything=True))

    assert where.round_for(due, PAGES, FORGOTTEN - 1) == Round()
    assert where.round_for(due, PAGES, FORGOTTEN).everything


def test_a_listing_far_longer_than_the_plan_is_not_read_through_for_a_few_devices():
    assert Whereabouts(fleet(100)).round_for(range(COUNTING_PAYS), 2000, 0.0) == Round()


def test_devices_that_stand_together_are_read_by_their_page():
    where = learnt()

    asked = where.round_for([*range(200, 200 + ENOUGH), 703], PAGES, 0.0)

    assert asked == Round((Place(0, 200),))


def test_a_page_of_which_a_few_are_wanted_again_and_again_is_read():
    where = learnt()

    rounds = [where.round_for([300 + turn], PAGES, float(turn)) for turn in range(2 * ENOUGH)]

    assert rounds[0] == Round()
    assert rounds[-1] == Round((Place(0, 300),))


def test_what_was_wanted_long_ago_does_not_count():
    where = learnt()
    where.round_for(range(ENOUGH - 1), PAGES, 0.0)

    assert where.round_for([0], PAGES, 20 * FORGOTTEN) == Round()


def test_a_device_that_left_its_page_is_looked_for_anew():
    where = learnt()
    due = [*range(200, 210)]
    asked = where.round_for(due, PAGES, 0.0)

    where.missed([205], asked)
    where.missed([900], asked)  # its page was not read, so nothing was missed

    assert [where.round_for([each] * ENOUGH, PAGES, 0.0).pages for each in (205, 900)] == [
        (),
        (Place(0, 900),),
    ]


def test_devices_of_several_listings_are_told_apart():
    where = Whereabouts(fleet())
    for device in range(ENOUGH):
        where.saw(device, Place(1, 500))

    assert where.round_for(range(ENOUGH), PAGES, 0.0) == Round((Place(1, 500),))


def test_a_device_that_is_none_of_the_plan_is_neither_remembered_nor_missed():
    where = Whereabouts(fleet(3))
    where.saw(77, Place(0, 0))
    where.missed([77], Round(everything=True))

    assert where.round_for([77], 5, 0.0) == Round()
