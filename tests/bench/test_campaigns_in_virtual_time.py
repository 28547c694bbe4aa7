"""Small campaigns of the bench, and what their counts must show whatever the machine does."""

from types import SimpleNamespace

import pytest

from tests.bench import scale
from tests.bench.makespan import SLACK, detections
from tests.bench.requests import polled_requests
from tests.bench.scale import Sized, exponent
from tests.bench.virtual.fleets import STEPS
from tests.bench.virtual.redeploying import redeployed

DEVICES = 24


@pytest.fixture(scope="module")
def redeployment():
    return redeployed(DEVICES, DEVICES // 4)


def test_every_device_gets_each_operation_once(redeployment):
    requests = redeployment.campaign.requests

    assert (requests["factory"], requests["reconf"]) == (DEVICES, DEVICES)
    assert all(len(redeployment.operations_of(each.device)) == 2 for each in redeployment.walks)


def test_planning_only_lists(redeployment):
    assert set(redeployment.campaign.planned) == {"list page"}


def test_every_walk_is_measured_with_both_of_its_requests(redeployment):
    assert len(redeployment.walks) == DEVICES
    assert {each.requests for each in redeployment.walks} == {len(STEPS)}


def test_no_return_is_noticed_before_it_could_be_known(redeployment):
    assert all(each.late >= 0 for each in detections(redeployment))


def test_every_return_is_noticed_within_one_interval(redeployment):
    assert all(each.late <= each.interval + SLACK for each in detections(redeployment))


def test_the_careful_poller_asks_for_each_operation_once():
    requests = polled_requests(DEVICES)

    assert (requests["factory"], requests["reconf"]) == (DEVICES, DEVICES)
    assert requests["record"] / DEVICES > 8


def test_what_doubles_with_each_doubling_grows_with_exponent_one():
    assert exponent(3.0, 6.0, 2.0) == pytest.approx(1.0)
    assert exponent(1.0, 100.0, 10.0) == pytest.approx(2.0)


def sized(devices, *, singly=0.0):
    seconds = devices * 125e-6
    return Sized(devices, seconds, seconds, seconds, seconds, 100 + devices / 4000, 0, singly)


def measured(monkeypatch, *, slow=1.0, singly_at=None):
    asked = SimpleNamespace(quick=False)
    found = {size: sized(size, singly=float(size == singly_at)) for size in scale.SIZES}
    monkeypatch.setattr(scale, "in_a_process", lambda size, _: found[size])
    monkeypatch.setattr(scale, "WITHIN", scale.WITHIN / slow)
    return {figure.name: figure for figure in scale.measure(asked)}


def test_growth_is_told_from_ten_thousand_devices_to_the_largest_size(monkeypatch):
    figures = measured(monkeypatch)

    found = figures["growth of CPU time, 10,000 to 1,000,000 devices, one sync each"]
    assert found.ours == pytest.approx(1.0)
    assert found.is_met


def test_a_million_devices_for_which_no_time_is_left_are_reckoned_from_the_sizes_below(monkeypatch):
    figures = measured(monkeypatch, slow=2.0)

    left_out = "1,000,000 devices, one sync each, left out; as 100,000 tell"
    assert figures[f"{left_out}: all"].ours == pytest.approx(250.0)
    assert f"{left_out}: peak memory" not in figures  # it does not grow evenly, so nobody knows
    assert "growth of CPU time, 10,000 to 100,000 devices, one sync each" in figures


def test_sizes_that_were_read_in_different_ways_are_not_held_against_each_other(monkeypatch):
    figures = measured(monkeypatch, singly_at=1_000_000)

    assert not any(name.startswith("growth of") for name in figures)
    (found,) = (figures[name] for name in figures if name.startswith("no growth is told"))
    assert found.is_met is False
