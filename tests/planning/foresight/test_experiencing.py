"""A forecast draws from what was measured where that is enough, else from documented defaults."""

import random
from itertools import pairwise
from statistics import median

import pytest

from orchestrator.model.operations import Operation
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.foresight.experiencing import DEFAULTS, ENOUGH, Experience, Outcomes
from orchestrator.planning.foresight.learning import learn
from orchestrator.planning.foresight.presuming import PERCENT, PRESUMED
from orchestrator.planning.foresight.rehearsing import Rehearsal
from tests.support.campaigns import START, Setting, operation_step

FACTORY, RECONF, SYNC = Operation.FACTORY, Operation.RECONF, Operation.SYNC


def outcomes(proven, failed=0, *, seconds=100.0, runs=1):
    return Outcomes((seconds,) * proven, ((Verdict.UNCONFIRMED, 1500.0),) * failed, runs=runs)


def known(all_types, **by_type):
    """Experience of factory resets: of all types together, and of some."""
    by_kind = {(FACTORY, None): all_types}
    by_kind |= {(FACTORY, kind): told for kind, told in by_type.items()}
    return Experience(("night-1",), by_kind)


# --- what is believed ---------------------------------------------------------------------------


def test_a_type_that_was_measured_often_enough_stands_for_itself():
    own, everybody = outcomes(ENOUGH, seconds=50.0), outcomes(100)

    assert known(everybody, router=own).of(FACTORY, "router") is own
    assert known(everybody, router=own).of(FACTORY, "gateway") is everybody
    assert known(everybody, router=own).of(FACTORY, None) is everybody


def test_a_type_that_was_hardly_measured_is_taken_to_be_like_the_others():
    own, everybody = outcomes(ENOUGH - 1, seconds=50.0), outcomes(100)

    assert known(everybody, router=own).of(FACTORY, "router") is everybody


def test_failures_count_as_measured_and_skipped_devices_do_not():
    tried = outcomes(ENOUGH - 5, 5)
    skipped = Outcomes((100.0,) * (ENOUGH - 1), skipped=500)

    assert known(tried).of(FACTORY, None) is tried
    assert known(skipped).of(FACTORY, None) is DEFAULTS[FACTORY]


def test_an_operation_that_was_hardly_or_never_measured_is_taken_from_the_defaults():
    experience = known(outcomes(ENOUGH - 1))

    assert experience.of(FACTORY, None) is DEFAULTS[FACTORY]
    assert experience.of(RECONF, "router") is DEFAULTS[RECONF]


def test_the_measured_seconds_of_all_types_are_given_by_operation():
    experience = Experience(
        by_kind={
            (FACTORY, None): Outcomes((10.0, 20.0)),
            (FACTORY, "router"): Outcomes((10.0,)),
            (SYNC, None): outcomes(0, 3),
        }
    )

    assert experience.measured() == {FACTORY: (10.0, 20.0)}
    assert (experience.tried(FACTORY), experience.tried(SYNC), experience.tried(RECONF)) == (
        2,
        3,
        0,
    )


# --- what people are told of it -----------------------------------------------------------------


def test_each_operation_has_a_sentence_on_what_its_figures_are_taken_from():
    experience = Experience(
        ("night-3", "night-2", "night-1"),
        {
            (FACTORY, None): outcomes(404, 8, runs=3),
            (FACTORY, "router"): outcomes(200, runs=1),
            (RECONF, None): outcomes(7, runs=2),
        },
    )

    assert experience.sources((FACTORY, RECONF, SYNC)) == (
        "factory: 412 device runs of 3 earlier runs (1.9% not proven)",
        "reconf: only 7 device runs measured; the documented defaults are used",
        "sync: nothing measured yet; the documented defaults are used",
    )


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (outcomes(20), "20 device runs of 1 earlier run (all proven)"),
        (outcomes(19, 1, runs=2), "20 device runs of 2 earlier runs (5.0% not proven)"),
        (outcomes(1999, 1), "2000 device runs of 1 earlier run (less than 0.1% not proven)"),
        (outcomes(999, 1), "1000 device runs of 1 earlier run (0.1% not proven)"),
        (outcomes(1), "only 1 device run measured; the documented defaults are used"),
    ],
)
def test_numbers_read_well_whatever_they_are(told, said):
    assert known(told).sources((FACTORY,)) == (f"factory: {said}",)


# --- the documented defaults --------------------------------------------------------------------


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_has_a_default_that_makes_sense(operation):
    told, presumed = DEFAULTS[operation], PRESUMED[operation]

    assert len(presumed.seconds) == len(PERCENT)
    assert all(one < other for one, other in pairwise(presumed.seconds))
    assert told.seconds == tuple(sorted(told.seconds))
    assert presumed.seconds[0] < told.seconds[0] < told.seconds[-1] < presumed.seconds[-1]
    assert 0.005 <= len(told.failures) / told.tried <= 0.03
    assert all(seconds >= told.seconds[-1] for _, seconds in told.failures)
    assert told.requests == told.tried == 1000


@pytest.mark.parametrize("operation", Operation)
def test_a_default_is_spelled_out_as_its_table_says(operation):
    seconds = DEFAULTS[operation].seconds

    for percent, limit in zip(PERCENT, PRESUMED[operation].seconds, strict=True):
        share = sum(each <= limit for each in seconds) / len(seconds)
        assert share == pytest.approx(percent / 100, abs=0.002)


def test_whatever_takes_a_device_out_of_service_takes_longer_than_what_does_not():
    gentle = max(DEFAULTS[each].seconds[500] for each in (SYNC, RECONF))
    disruptive = min(DEFAULTS[each].seconds[500] for each in Operation if each.is_disruptive)

    assert disruptive > 3 * gentle
    assert DEFAULTS[FACTORY].seconds[500] > DEFAULTS[Operation.REBOOT].seconds[500]


@pytest.mark.parametrize("operation", Operation)
def test_the_defaults_are_what_a_rehearsal_of_the_ordinary_fleet_measures(operation):
    setting = Setting(seed=42, devices=200, steps=(operation_step(operation),), max_down=60)
    rehearsal = Rehearsal(setting.plan(), setting.world(), START + 1.0, random.Random(42).random)
    rehearsal.to_the_end()

    told = learn(rehearsal.journal, rehearsal.plan).by_kind[operation, None]
    default = DEFAULTS[operation]

    assert told.tried >= 150
    assert median(told.seconds) == pytest.approx(median(default.seconds), rel=0.15)
    assert sum(told.seconds) / len(told.seconds) == pytest.approx(
        sum(default.seconds) / len(default.seconds), rel=0.2
    )
    assert len(told.failures) / told.tried < 0.05
    given_up_after = default.failures[0][1]
    # A device whose update frequency is known, because it was read in full, is given up sooner.
    assert all(0.4 * given_up_after < s < 1.02 * given_up_after for _, s in told.failures)
