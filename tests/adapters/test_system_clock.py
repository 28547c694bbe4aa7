"""The clock goes forward, at its speed, and tells real age apart from scaled time."""

import time

import pytest

from orchestrator.adapters.machine.system_clock import SystemClock


def test_it_starts_at_the_wall_clock_and_never_runs_backwards():
    clock = SystemClock()
    readings = [clock.now() for _ in range(200)]

    assert abs(readings[0] - time.time()) < 5  # noqa: TID251 - compared with the machine
    assert readings == sorted(readings)


def test_a_fast_clock_hurries_but_its_steady_time_does_not():
    clock = SystemClock(speed=1000.0)
    now, steady = clock.now(), clock.steady()
    while clock.steady() - steady < 0.005:
        pass
    scaled, real = clock.now() - now, clock.steady() - steady

    assert scaled >= 4.9
    assert real < 1.0


async def test_sleep_is_counted_in_the_clocks_own_seconds():
    clock = SystemClock(speed=1000.0)
    before = clock.now()
    await clock.sleep(10.0)

    assert clock.now() - before >= 9.9


async def test_a_sleep_below_zero_ends_at_once():
    await SystemClock().sleep(-3.0)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_clock_that_stands_still_is_refused(speed):
    with pytest.raises(ValueError, match="speed"):
        SystemClock(speed)
