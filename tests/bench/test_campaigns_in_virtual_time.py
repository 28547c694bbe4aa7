"""Small campaigns of the bench, and what their counts must show whatever the machine does."""

import pytest

from tests.bench.makespan import SLACK, detections
from tests.bench.requests import polled_requests
from tests.bench.scale import exponent
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
