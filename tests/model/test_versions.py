"""Versions compare as vendors mean them."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.versions import version_key

ORDERED = [
    ["2.4.1", "2.4.9", "2.4.10", "2.5", "2.5.0", "2.5.3", "2.10", "3.0"],
    ["17.9.3", "17.9.4", "17.9.4a", "17.9.5"],
    ["9.3(9)", "9.3(10)", "9.3(10)a"],
    ["15.2(7)E7", "15.2(7)E8", "15.2(8)E1"],
    ["21.4R2-S5.4", "21.4R3-S4.4", "21.4R3-S5.4"],
    ["2.5-dev1", "2.5-alpha2", "2.5-beta1", "2.5-rc1", "2.5-rc2", "2.5", "2.5.1-rc1", "2.5.1"],
    ["V1.2", "v1.3"],
]


@pytest.mark.parametrize("versions", ORDERED, ids=lambda versions: versions[0])
def test_versions_have_their_natural_order(versions):
    shuffled = random.Random(7).sample(versions, len(versions))

    assert sorted(shuffled, key=version_key) == versions
    assert len({version_key(v) for v in versions}) == len(versions)


@pytest.mark.parametrize(("one", "other"), [("v2.5", "2.5"), ("2.05", "2.5"), (" 2.5 ", "2-5")])
def test_how_a_version_is_dressed_makes_no_difference(one, other):
    assert version_key(one) == version_key(other)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_two_texts_can_be_compared(one, other):
    first, second = version_key(one), version_key(other)

    assert (first < second) + (first == second) + (first > second) == 1
