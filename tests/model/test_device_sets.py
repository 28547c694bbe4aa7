"""A set of a million devices is one row each, and says of each what was said when it was made."""

import tracemalloc
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model import device_sets
from orchestrator.model.device_sets import HELD, DeviceRows, DeviceSet
from orchestrator.model.devices import DeviceId
from orchestrator.model.planned_devices import device_of, lasting_part, row_of
from orchestrator.model.plans import PlannedDevice

THREE = (
    PlannedDevice(DeviceId(30), "SN30", "c", ("north",), "UTC", ("2.4", None, [1, {"a": 2}]), "NE"),
    PlannedDevice(DeviceId(10), "SN10", None, location="HQ", begins_at=2, unproven=True),
    PlannedDevice(DeviceId(2**48 + 5), None, "x", is_new=True, exhausted="twice", uses=(2, 0)),
)


def many(count):
    return (PlannedDevice(DeviceId(each), f"SN{each}", f"branch-{each}") for each in range(count))


@pytest.fixture(params=[HELD, 0], ids=["held", "made anew"])
def three(request, monkeypatch):
    monkeypatch.setattr(device_sets, "HELD", request.param)
    return DeviceSet(iter(THREE))


def test_a_set_gives_its_devices_as_they_were_put_in(three):
    assert list(three) == list(THREE)
    assert [three[0], three[-1]] == [THREE[0], THREE[2]]
    assert list(three.ids()) == [30, 10, 2**48 + 5]


def test_a_device_is_found_by_its_id_wherever_it_stands(three):
    assert [three.find(each.id) for each in THREE] == list(THREE)
    assert [three.place(each.id) for each in THREE] == [0, 1, 2]


@pytest.mark.parametrize("absent", [0, 11, 29, 31, 2**48, 2**60])
def test_nobody_is_found_by_an_id_that_no_device_has(three, absent):
    assert three.find(DeviceId(absent)) is None
    assert three[1:].place(DeviceId(absent)) is None


def test_a_slice_finds_only_its_own_devices_and_counts_from_its_own_beginning(three):
    part = three[1:]

    assert part == THREE[1:]
    assert part.find(DeviceId(30)) is None
    assert part.place(DeviceId(2**48 + 5)) == 1
    assert part[1:] == THREE[2:]


@pytest.mark.parametrize("part", [slice(None, None, -1), slice(0, 3, 2), slice(5, 9), slice(2, 0)])
def test_any_slice_is_the_slice_of_a_tuple(three, part):
    assert three[part] == THREE[part]


@pytest.mark.parametrize("place", [3, -4])
def test_there_is_no_device_beyond_either_end(three, place):
    with pytest.raises(IndexError, match="the set has 3 devices"):
        three[place]


def test_a_set_is_equal_to_any_sequence_of_equal_devices(three):
    assert three == list(THREE)
    assert three == DeviceSet(THREE)
    assert hash(three[:2]) == hash(DeviceSet([three[0], three[1]]))
    assert three != THREE[:2]
    assert three != DeviceSet(reversed(THREE))
    assert three != 3


def test_of_two_devices_with_one_id_the_last_is_found(three):
    twins = DeviceSet([THREE[0], PlannedDevice(DeviceId(30), "SN31", None), THREE[1]])

    assert twins.place(DeviceId(30)) == 1


def test_devices_in_the_order_of_their_ids_are_found_without_a_list_of_places(monkeypatch):
    monkeypatch.setattr(device_sets, "HELD", 0)
    found = DeviceSet(many(100))[10:90]

    assert [found.place(DeviceId(each)) for each in (9, 10, 89, 90)] == [None, 0, 79, None]


@given(st.lists(st.integers(0, 300), unique=True), st.integers(0, 300))
def test_places_are_those_of_a_dictionary(ids, wanted):
    rows = DeviceRows()
    for each in ids:
        rows.add(PlannedDevice(DeviceId(each)))
    places = {each: place for place, each in enumerate(ids)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device_sets, "HELD", -1)
        found = DeviceSet(rows).place(DeviceId(wanted))

    assert found == places.get(wanted)


def test_a_large_set_takes_its_rows_and_few_bytes_more_a_device():
    count = 4 * HELD
    rows = sum(len(row_of(each)) for each in many(count))
    tracemalloc.start()
    try:
        found = DeviceSet(many(count))
        found.find(DeviceId(7))
        list(found.ids())[-1]
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert taken < rows * 9 / 8 + 20 * count
    assert len(found) == count


def test_a_row_says_nothing_of_what_is_not_known_and_has_its_parts_in_the_order_of_their_names():
    assert row_of(PlannedDevice(DeviceId(7))) == b'{"id":7}'
    assert row_of(THREE[1]) == (
        b'{"begins_at":2,"id":10,"location":"HQ","serial_number":"SN10","unproven":true}'
    )


@pytest.mark.parametrize("device", THREE, ids=lambda device: str(device.id))
def test_a_device_is_what_its_row_says(device):
    assert device_of(row_of(device)) == device


def test_values_that_only_look_alike_stay_what_they_are():
    kept = device_of(row_of(PlannedDevice(DeviceId(1), chosen_by=(1, True, 1.0, "1", None))))

    assert list(map(repr, kept.chosen_by)) == ["1", "True", "1.0", "'1'", "None"]


def test_what_is_counted_anew_is_no_part_of_what_lasts():
    told = PlannedDevice(DeviceId(7), 'says "uses":', "b", exhausted="twice", uses=(2,))
    plain = PlannedDevice(DeviceId(7), 'says "uses":', "b")

    assert lasting_part(row_of(told)) == row_of(plain) == lasting_part(row_of(plain))


@pytest.mark.parametrize(
    "row", [b"", b"{", b"[]", b'{"id":"7"}', b'{"name":"b"}', b'{"id":7,"groups":[3]}']
)
def test_what_is_no_row_of_a_device_is_refused(row):
    with pytest.raises(ValueError, match=r".+"):
        device_of(row)


def test_a_set_of_rows_is_the_set_of_their_devices():
    rows = DeviceRows()
    for each in THREE:
        rows.add_row(each.id, row_of(each))

    assert DeviceSet(rows) == THREE
    assert list(DeviceSet(rows).rows()) == [row_of(each) for each in THREE]
    assert rows.ids == array("q", [each.id for each in THREE])
    assert DeviceSet.of(found := DeviceSet(rows)) is found


def test_devices_that_differ_in_what_they_were_chosen_by_have_a_hash_all_the_same():
    assert hash(THREE[0]) == hash(device_of(row_of(THREE[0])))


def test_a_large_set_is_written_out_in_a_few_words():
    assert repr(DeviceSet(THREE[:1])) == f"DeviceSet([{THREE[0]!r}])"
    assert repr(DeviceSet(many(50_000))).endswith(
        "branch-2', groups=(), zone=None, chosen_by=(), kind"
        "=None, location=None, begins_at=0, unproven=False, is_new=False, exhausted=None, uses=()),"
        " and 49997 more])"
    )
