"""One gate for the whole process: how many at once, how often, how far apart. In virtual time."""

import asyncio
import itertools

import anyio
import pytest

from orchestrator.adapters.controller.request_gate import LONGEST_HOLD, RequestGate
from orchestrator.model.policies import RequestLimits

pytestmark = pytest.mark.looptime


class LoopClock:
    """The event loop's virtual time, as if it were 2026."""

    def now(self):
        return 1_790_000_000.0 + asyncio.get_running_loop().time()

    async def sleep(self, seconds):
        await anyio.sleep(seconds)

    def steady(self):
        return asyncio.get_running_loop().time()


class World:
    """Requests that pass a gate, and what was seen of them."""

    def __init__(self, *, delay=0.0, in_flight=100, per_second=None):
        self.clock = LoopClock()
        self.gate = RequestGate(self.clock, RequestLimits(delay, in_flight, per_second))
        self.starts = []
        self.now = {"operation": 0, "read": 0}
        self.most = {"operation": 0, "read": 0, "all": 0}
        self.began_at = self.clock.now()

    async def request(self, kind, lasts=0.0, name=""):
        is_operation = kind == "operation"
        await self.gate.enter(is_operation=is_operation)
        try:
            if is_operation:
                self.gate.departed()
            self.starts.append((round(self.clock.now() - self.began_at, 4), name or kind))
            self.now[kind] += 1
            self.most[kind] = max(self.most[kind], self.now[kind])
            self.most["all"] = max(self.most["all"], sum(self.now.values()))
            await anyio.sleep(lasts)
        finally:
            self.now[kind] -= 1
            self.gate.leave(is_operation=is_operation)

    def times(self):
        return [moment for moment, _ in self.starts]


async def test_never_more_requests_at_once_than_allowed_and_half_of_them_reads():
    world = World(in_flight=6)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(world.request, "read", 1.0)
            group.start_soon(world.request, "operation", 1.0)

    assert world.most["all"] == 6
    assert world.most["read"] == 3
    assert len(world.starts) == 40
    assert world.gate.in_flight == 0


async def test_with_one_place_reads_and_operations_still_both_pass():
    world = World(in_flight=1)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(world.request, "read", 1.0)
            group.start_soon(world.request, "operation", 1.0)

    assert world.most["all"] == 1
    assert len(world.starts) == 6


async def test_operations_pass_before_reads_that_wait():
    world = World(in_flight=1)
    async with anyio.create_task_group() as group:
        group.start_soon(world.request, "read", 1.0, "first")
        await anyio.sleep(0.1)
        for number in range(3):
            group.start_soon(world.request, "read", 1.0, f"read {number}")
        await anyio.sleep(0.1)
        group.start_soon(world.request, "operation", 1.0, "operation")

    assert [name for _, name in world.starts] == [
        "first",
        "operation",
        "read 0",
        "read 1",
        "read 2",
    ]


async def test_a_rate_is_never_exceeded_within_any_second_nor_wasted():
    world = World(per_second=10)
    async with anyio.create_task_group() as group:
        for number in range(45):
            group.start_soon(world.request, "operation" if number % 3 else "read")

    times = world.times()
    spans = [later - earlier for earlier, later in zip(times, times[10:], strict=False)]
    assert min(spans) >= 0.9999
    assert times[-1] == pytest.approx(4.4, abs=0.1)
    assert min(b - a for a, b in itertools.pairwise(times)) > 0.09


async def test_an_idle_gate_saves_up_no_burst():
    world = World(per_second=10)
    await anyio.sleep(60)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(world.request, "read")

    assert [moment - 60 for moment in world.times()] == pytest.approx([0.0, 0.1, 0.2], abs=0.01)


async def test_a_rate_below_one_a_second_spaces_requests_out():
    world = World(per_second=0.5)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(world.request, "read")

    assert world.times() == pytest.approx([0.0, 2.0, 4.0], abs=0.01)


async def test_a_fractional_rate_is_floored_rather_than_exceeded():
    world = World(per_second=2.5)
    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(world.request, "read")

    times = world.times()
    assert min(b - a for a, b in zip(times, times[2:], strict=False)) >= 0.9999


async def test_operations_keep_their_delay_and_reads_pass_meanwhile():
    world = World(delay=5.0)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(world.request, "operation")
        for _ in range(4):
            group.start_soon(world.request, "read")

    operations = [moment for moment, name in world.starts if name == "operation"]
    reads = [moment for moment, name in world.starts if name == "read"]
    assert operations == pytest.approx([0.0, 5.0, 10.0], abs=0.01)
    assert reads == pytest.approx([0.0] * 4, abs=0.01)


async def test_the_delay_counts_from_when_the_last_operation_left():
    world = World(delay=5.0)
    await world.gate.enter(is_operation=True)
    await anyio.sleep(3.0)
    own_wait = world.gate.departure_wait()
    world.gate.departed()
    other_wait = world.gate.departure_wait()
    await world.request("operation")

    assert own_wait == 0.0
    assert other_wait == pytest.approx(5.0, abs=0.01)
    assert world.times() == pytest.approx([8.0], abs=0.01)


async def test_a_hold_stops_everything_until_its_moment():
    world = World()
    world.gate.hold_until(world.clock.now() + 30)
    world.gate.hold_until(world.clock.now() + 10)
    async with anyio.create_task_group() as group:
        group.start_soon(world.request, "read")
        group.start_soon(world.request, "operation")

    assert world.times() == pytest.approx([30.0, 30.0], abs=0.01)


async def test_a_hold_that_is_prolonged_while_somebody_waits_is_obeyed():
    world = World()
    world.gate.hold_until(world.clock.now() + 10)
    async with anyio.create_task_group() as group:
        group.start_soon(world.request, "read")
        await anyio.sleep(5)
        world.gate.hold_until(world.clock.now() + 20)

    assert world.times() == pytest.approx([25.0], abs=0.01)


async def test_no_hold_lasts_longer_than_the_longest():
    world = World()
    world.gate.hold_until(world.clock.now() + 86400)
    await world.request("read")

    assert world.times() == pytest.approx([LONGEST_HOLD], abs=0.01)


async def test_whoever_is_cancelled_while_waiting_lets_the_next_one_pass():
    world = World(in_flight=1)
    async with anyio.create_task_group() as group:
        group.start_soon(world.request, "operation", 10.0, "holder")
        await anyio.sleep(1)
        with anyio.CancelScope() as impatient:
            group.start_soon(cancel_after, impatient, 2.0)
            group.start_soon(world.request, "read", 0.0, "patient read")
            await world.request("operation", 0.0, "impatient")
        group.start_soon(world.request, "operation", 0.0, "patient")

    assert [name for _, name in world.starts] == ["holder", "patient", "patient read"]
    assert world.gate.in_flight == 0


async def cancel_after(scope, seconds):
    await anyio.sleep(seconds)
    scope.cancel()


async def test_a_cancelled_sleeper_hands_its_turn_on():
    world = World(per_second=0.1)
    await world.request("read")
    async with anyio.create_task_group() as group:
        group.start_soon(world.request, "read", 0.0, "second in line")
        with anyio.move_on_after(3):
            await world.request("operation", 0.0, "gave up")

    assert world.starts[-1] == (pytest.approx(10.0, abs=0.01), "second in line")


async def test_random_comings_and_goings_lose_no_place():
    world = World(in_flight=5, per_second=50, delay=0.01)

    async def impatient(number):
        with anyio.move_on_after(0.05 * (number % 7)):
            await world.request("operation" if number % 2 else "read", 0.03)

    async with anyio.create_task_group() as group:
        for number in range(200):
            group.start_soon(impatient, number)
            await anyio.sleep(0.01)

    assert world.gate.in_flight == 0
    assert world.most["all"] <= 5
    assert not world.gate._waiting_reads
    assert not world.gate._waiting_operations
    times = world.times()
    assert all(b - a >= 0.9999 for a, b in zip(times, times[50:], strict=False))


def test_impossible_limits_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        RequestGate(LoopClock(), RequestLimits(0.0, 0, None))
    with pytest.raises(ValueError, match="above zero"):
        RequestGate(LoopClock(), RequestLimits(0.0, 1, 0.0))
