"""Records come back as they were added, packed or not, and in the order that was asked for."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model import device_records
from orchestrator.model.device_records import DeviceRecords
from orchestrator.model.devices import DeviceId
from tests.support.playbooks import record


def named(identity, **fields):
    return record(id=identity, name=f"branch-{identity}", **fields)


COUNT = 100


@pytest.fixture(params=[COUNT, 40, 0], ids=["as they are", "packed when many", "packed"])
def records(request):
    return DeviceRecords(map(named, range(1, COUNT + 1)), held=request.param)


def test_records_come_back_as_they_were_added(records):
    assert list(records.values()) == [named(each) for each in range(1, COUNT + 1)]
    assert list(records) == list(range(1, COUNT + 1))
    assert len(records) == COUNT


def test_a_record_is_found_by_the_id_of_its_device(records):
    assert [records[DeviceId(each)].name for each in (70, 1, 100)] == [
        "branch-70",
        "branch-1",
        "branch-100",
    ]
    assert records.get(DeviceId(101)) is None
    assert DeviceId(0) not in records
    assert "1" not in records
    with pytest.raises(KeyError):
        records[DeviceId(101)]


def test_a_record_that_comes_again_stands_behind_the_others(records):
    records.add(named(7, status="Down"))

    assert list(records)[-2:] == [100, 7]
    assert records[DeviceId(7)].fields["status"] == "Down"
    assert len(records) == COUNT


def test_a_record_that_was_removed_is_gone(records):
    assert records.remove(DeviceId(7)) == named(7)

    assert records.remove(DeviceId(7)) is None
    assert DeviceId(7) not in records
    assert [each.id for each in records.in_sequence()] == [*range(1, 7), *range(8, COUNT + 1)]


def test_a_sequence_of_records_is_sliced_as_any_other(records):
    sequence = records.in_sequence()

    assert (sequence[0], sequence[-1]) == (named(1), named(COUNT))
    assert [each.id for each in sequence[90:]] == list(range(91, COUNT + 1))
    assert [each.id for each in sequence[10:20:5][::-1]] == [16, 11]
    with pytest.raises(IndexError):
        sequence[COUNT]


def test_records_are_put_in_any_order(records, monkeypatch):
    monkeypatch.setattr(device_records, "_PART", 7)
    records.remove(DeviceId(1))
    there = list(records)

    places = [(place * 37) % len(there) for place in range(60)]
    made = records.arranged(places)

    assert list(made) == [there[place] for place in places]
    assert list(made.values()) == [named(there[place]) for place in places]
    assert made[DeviceId(there[37])] == named(there[37])


def test_records_that_stand_in_order_already_are_the_same_ones(records):
    assert records.arranged(range(COUNT)) is records
    assert records.arranged(range(COUNT - 1)) is not records


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=120))
def test_records_are_those_of_a_dictionary(steps):
    records, plain = DeviceRecords(held=5), {}
    for is_added, identity in steps:
        if is_added:
            plain.pop(identity, None)
            plain[identity] = named(identity)
            records.add(named(identity))
        else:
            assert records.remove(DeviceId(identity)) == plain.pop(identity, None)

    assert list(records.items()) == list(plain.items())


def test_ids_far_apart_are_found_too():
    ids = [each << shift for each in range(1, 900) for shift in (0, 20, 40)]
    records = DeviceRecords(map(named, dict.fromkeys(ids)), held=0)

    assert all(records[DeviceId(each)].id == each for each in ids[::50])


def test_many_records_take_a_small_part_of_what_they_take_as_they_are():
    def taken(held):
        tracemalloc.start()
        try:
            kept = DeviceRecords(map(named, range(20_000)), held=held)
            return tracemalloc.get_traced_memory()[0] / len(kept)
        finally:
            tracemalloc.stop()

    assert taken(0) < 150
    assert taken(0) < taken(20_000) / 8
