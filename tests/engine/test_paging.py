"""The ledger of a listing knows what is new, what repeats and what is missing."""

from orchestrator.engine.choosing.paging import PageLedger
from orchestrator.model.devices import device_from_record
from orchestrator.model.readings import Page


def page(*ids, count=None, unreadable=0):
    return Page(
        devices=tuple(device_from_record({"id": number}) for number in ids),
        count=count,
        has_next=False,
        rows=len(ids) + unreadable,
        asked_at=0.0,
        server_at=0.0,
        unreadable=("no id",) * unreadable,
    )


def reading(*pages):
    ledger = PageLedger()
    ledger.begin_listing()
    ledger.begin_reading()
    fresh = [[device.id for device in ledger.take(one)] for one in pages]
    return ledger, fresh


def test_a_device_is_new_only_once():
    ledger, fresh = reading(page(1, 2, count=3), page(2, 3, count=3))

    assert fresh == [[1, 2], [3]]
    assert (ledger.unique, ledger.duplicates, ledger.missing) == (3, 1, 0)
    assert not ledger.has_moved


def test_rows_that_never_came_are_missing():
    ledger, _ = reading(page(1, 2, count=5), page(4, count=5, unreadable=1))

    assert (ledger.missing, ledger.unreadable, ledger.complaint) == (1, 1, "no id")
    assert ledger.has_moved


def test_a_count_that_changes_means_that_the_set_moved():
    assert reading(page(1, count=2), page(2, 3, count=3))[0].has_moved


def test_more_devices_than_counted_mean_that_the_set_moved():
    assert reading(page(1, 2, 3, count=2))[0].has_moved


def test_without_a_count_only_repetition_tells():
    assert not reading(page(1, 2), page(3))[0].has_moved
    assert reading(page(1, 2), page(2))[0].has_moved


def test_a_second_reading_brings_only_what_the_first_missed_and_is_judged_alone():
    ledger, _ = reading(page(1, 2, count=3))
    ledger.begin_reading()
    fresh = ledger.take(page(1, 2, 3, count=3))

    assert [device.id for device in fresh] == [3]
    assert not ledger.has_moved
    assert ledger.duplicates == 0


def test_another_listing_may_bring_the_same_devices_without_having_moved():
    ledger, _ = reading(page(1, 2, count=2))
    ledger.begin_listing()
    ledger.begin_reading()
    fresh = ledger.take(page(2, 3, count=2))

    assert [device.id for device in fresh] == [3]
    assert (ledger.unique, ledger.duplicates) == (3, 1)
    assert not ledger.has_moved


def test_the_same_page_twice_is_noticed_within_one_reading_only():
    ledger, _ = reading()
    first, again = ledger.is_repeated(page(1, 2)), ledger.is_repeated(page(1, 2))
    empty = ledger.is_repeated(page()), ledger.is_repeated(page())
    ledger.begin_reading()

    assert (first, again) == (False, True)
    assert empty == (False, False)
    assert ledger.is_repeated(page(1, 2)) is False
