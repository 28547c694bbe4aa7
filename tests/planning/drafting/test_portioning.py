"""Waves make up the set, whatever was written, or are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.amounts import Share
from orchestrator.model.errors import SelectionError
from orchestrator.model.plans import Wave
from orchestrator.planning.drafting.portioning import judged, portions, spread
from tests.support.playbooks import record

COUNTS = st.integers(1, 60)
SHARES = st.integers(1, 150).map(lambda percent: Share.of_percent(str(percent)))
SETS = st.integers(0, 400)


def percent(text):
    return Share.of_percent(text)


@pytest.mark.parametrize(
    ("waves", "devices", "sizes"),
    [
        ([], 200, ()),
        ([1, 10], 0, ()),
        ([1, 10, percent("25"), percent("100")], 500, (1, 10, 125, 364)),
        ([1, 10, 50], 200, (1, 10, 50, 50, 50, 39)),
        ([7], 21, (7, 7, 7)),
        ([1, 10], 1, (1,)),
        ([1, 10, percent("100")], 5, (1, 4)),
        ([percent("1"), percent("100")], 20, (1, 19)),
        ([percent("33.4")] * 3, 100, (33, 33, 34)),
        ([percent("50"), percent("50")], 7, (3, 4)),
        ([500, percent("25")], 300, (300,)),
        ([percent("1"), percent("1")], 2, (1, 1)),
    ],
)
def test_sizes_are_whole_numbers_that_make_up_the_set(waves, devices, sizes):
    assert portions(waves, devices) == sizes


def test_waves_that_leave_devices_over_are_refused_with_the_remedy():
    with pytest.raises(SelectionError) as raised:
        portions([1, 10, percent("25")], 500)

    assert str(raised.value) == (
        "the waves cover 136 of 500 devices; end with 100% for all the rest, or with a count,"
        " which repeats"
    )


@given(st.lists(COUNTS | SHARES, max_size=5), COUNTS | st.just(percent("100")), SETS)
def test_waves_that_end_with_a_count_or_with_everything_are_the_whole_set(waves, last, devices):
    sizes = portions([*waves, last], devices)

    assert sum(sizes) == devices
    assert all(size >= 1 for size in sizes)


@given(st.lists(COUNTS | SHARES, min_size=1, max_size=5), SETS)
def test_no_wave_but_the_last_is_larger_than_written(waves, devices):
    try:
        sizes = portions(waves, devices)
    except SelectionError:
        return
    written = [w if isinstance(w, int) else max(1, w.floored(devices)) for w in waves]
    written += [written[-1]] * len(sizes)

    assert list(sizes[:-1]) == written[: max(0, len(sizes) - 1)]
    assert sum(sizes) == devices


@given(st.lists(SHARES, min_size=1, max_size=5), st.integers(1, 400))
def test_shares_are_refused_only_if_they_leave_something_of_the_set(waves, devices):
    together = sum(wave.fraction for wave in waves)
    taken = sum(max(1, wave.floored(devices)) for wave in waves)
    try:
        portions(waves, devices)
    except SelectionError:
        assert together < 1
        assert taken < devices
    else:
        assert together >= 1 or taken >= devices


def test_ten_thousand_waves_are_reckoned_at_once():
    assert portions([1, 10], 100_001) == (1, *[10] * 10_000)


@pytest.mark.parametrize(
    ("succeeded", "waves"),
    [
        (None, (Wave(1, 0), Wave(10, 0), Wave(189, 0))),
        (percent("95"), (Wave(1, 1), Wave(10, 10), Wave(189, 180))),
        (5, (Wave(1, 1), Wave(10, 5), Wave(189, 5))),
    ],
)
def test_how_many_must_succeed_is_rounded_up_and_never_more_than_the_wave(succeeded, waves):
    assert judged((1, 10, 189), succeeded) == waves


@given(st.integers(1, 10_000), st.integers(0, 100).map(lambda n: percent(str(n))) | COUNTS)
def test_a_wave_never_has_to_do_better_than_succeed(size, succeeded):
    (wave,) = judged((size,), succeeded)

    assert 0 <= wave.must_succeed <= wave.devices == size


def mixed(*kinds):
    return [
        record(id=number, type_short_name=kind, software_version="1")
        for number, kind in enumerate(kinds, start=1)
    ]


def test_the_first_of_each_kind_comes_first_and_the_others_keep_their_order():
    devices = mixed("A", "A", "B", "A", None, "B", None)

    ordered = spread(devices, ("type_short_name", "software_version"), 4)

    assert [device.id for device in ordered] == [1, 3, 5, 2, 4, 6, 7]


def test_a_first_wave_too_small_for_one_of_each_kind_is_refused_with_the_numbers():
    with pytest.raises(SelectionError) as raised:
        spread(mixed("A", "B", "C"), ("type_short_name", "software_version"), 1)

    assert str(raised.value) == (
        "the first wave, of 1 device, cannot hold one of each of the 3 kinds by type_short_name,"
        " software_version; let it have 3 devices or more, or spread by fewer fields"
    )


@given(st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=40), st.integers(1, 40))
def test_spreading_loses_nobody_and_puts_every_kind_into_the_first_wave(kinds, first):
    devices = mixed(*kinds)
    try:
        ordered = spread(devices, ("type_short_name",), first)
    except SelectionError:
        assert len(set(kinds)) > first
        return

    assert sorted(device.id for device in ordered) == [device.id for device in devices]
    assert {d.fields["type_short_name"] for d in ordered[:first]} == set(kinds)
