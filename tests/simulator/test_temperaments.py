"""Temperaments are drawn by shares."""

import pytest

from orchestrator.simulator.temperaments import FAST, NAT, NORMAL_MIX, TEMPERAMENTS, drawn


def test_the_normal_mix_adds_up_to_one_and_names_only_known_temperaments() -> None:
    assert sum(NORMAL_MIX.values()) == pytest.approx(1.0)
    assert set(NORMAL_MIX) < set(TEMPERAMENTS)


@pytest.mark.parametrize("name", ["new_id", "new_id_only", "upgrade_fails", "lost_in_upgrade"])
def test_what_a_fleet_has_to_ask_for_is_not_in_the_normal_mix(name) -> None:
    assert name in TEMPERAMENTS
    assert name not in NORMAL_MIX


@pytest.mark.parametrize(("chance", "expected"), [(0.0, NAT), (0.29, NAT), (0.3, FAST)])
def test_shares_decide_and_what_they_leave_over_is_fast(chance, expected) -> None:
    assert drawn({"nat": 0.3}, chance) is expected


def test_an_unknown_temperament_is_an_error() -> None:
    with pytest.raises(KeyError):
        drawn({"angry": 1.0}, 0.5)
