"""What all leases promise, the locks on disk and their twin in memory alike."""

import pytest

from orchestrator.adapters.machine.device_leases import DeviceLeases
from orchestrator.adapters.memory.memory_leases import MemoryLeases, MemoryLeaseTable
from orchestrator.model.errors import RunError
from tests.support.histories import T0

HERE = "https://control.example.com/api/v1"
ELSEWHERE = "https://other.example.com/api/v1"


class Machine:
    """A machine on which runs begin; its clock is set by the test."""

    def __init__(self, kind, folder):
        self.time = T0
        self._kind = kind
        self._folder = folder
        self._table = MemoryLeaseTable(lambda: self.time)
        self._begun = []

    def begin(self, run_id, controller=HERE):
        if self._kind == "memory":
            begun = MemoryLeases(self._table, controller, run_id)
        else:
            begun = DeviceLeases.open(
                self._folder, controller, run_id, self.time, wall=lambda: self.time
            )
        self._begun.append(begun)
        return begun

    def end(self):
        for each in self._begun:
            each.close()


@pytest.fixture(params=["disk", "memory"])
def machine(request, tmp_path):
    made = Machine(request.param, tmp_path / "locks")
    yield made
    made.end()


def test_a_device_that_nobody_holds_is_taken(machine):
    assert machine.begin("night-1").hold(1001) is None


def test_the_second_is_told_who_holds_it(machine):
    first, second = machine.begin("night-1"), machine.begin("night-2")
    first.hold(1001)

    assert second.hold(1001).startswith("run night-1 (process ")
    assert second.hold(1002) is None
    assert first.hold(1002).startswith("run night-2 (process ")


def test_holding_twice_is_holding_once(machine):
    first, second = machine.begin("night-1"), machine.begin("night-2")

    assert [first.hold(1001), first.hold(1001)] == [None, None]
    first.release(1001)
    assert second.hold(1001) is None


def test_a_released_device_is_anybodys_and_its_neighbours_are_not(machine):
    first, second = machine.begin("night-1"), machine.begin("night-2")
    near = [1001, 1001 - 64, 1001 + 64, 1002]
    for device in near:
        first.hold(device)
    first.release(1001)

    assert second.hold(1001) is None
    assert [second.hold(device) is None for device in near[1:]] == [False, False, False]


def test_releasing_what_is_not_ours_changes_nothing(machine):
    first, second = machine.begin("night-1"), machine.begin("night-2")
    first.hold(1001)
    second.release(1001)
    second.release(1002)

    assert second.hold(1001) is not None


def test_what_an_ended_run_held_is_free(machine):
    first, second = machine.begin("night-1"), machine.begin("night-2")
    first.hold(1001)
    first.close()

    assert second.hold(1001) is None


def test_the_same_id_at_another_controller_is_another_device(machine):
    first, second = machine.begin("night-1"), machine.begin("night-2", ELSEWHERE)
    first.hold(1001)

    assert second.hold(1001) is None


def test_three_runs_are_told_apart(machine):
    runs = [machine.begin(f"night-{number}") for number in range(3)]
    for device, run in enumerate(runs):
        run.hold(device)

    told = [runs[(device + 1) % 3].hold(device) for device in range(3)]
    assert [each.split()[1] for each in told] == ["night-0", "night-1", "night-2"]


def test_ids_of_every_size_can_be_held(machine):
    first, second = machine.begin("night-1"), machine.begin("night-2")
    devices = [0, 1, 63, 64, 2**31, 2**40 + 5]

    assert [first.hold(device) for device in devices] == [None] * len(devices)
    assert all(second.hold(device) for device in devices)


def test_a_run_is_alone_until_another_begins_against_its_controller(machine):
    first = machine.begin("night-1")
    machine.begin("night-2", ELSEWHERE)
    before = first.is_alone
    second = machine.begin("night-3")

    assert (before, first.is_alone, second.is_alone) == (True, False, False)


def test_a_run_is_not_alone_for_two_minutes_after_another_ended(machine):
    first, second = machine.begin("night-1"), machine.begin("night-2")
    second.close()
    seen = []
    for machine.time in (T0, T0 + 119, T0 + 121):
        seen.append(first.is_alone)

    assert seen == [False, False, True]


def test_a_run_that_begins_after_another_ended_is_not_alone_at_once(machine):
    machine.begin("night-1").close()
    machine.time += 60
    second = machine.begin("night-2")
    before = second.is_alone
    machine.time += 61

    assert (before, second.is_alone) == (False, True)


def test_what_a_run_itself_did_before_it_was_resumed_is_no_other_run(machine):
    machine.begin("night-1").close()

    assert machine.begin("night-1").is_alone


def test_leases_that_were_given_up_hold_nothing_more(machine):
    first = machine.begin("night-1")
    first.close()
    first.close()
    first.release(1001)

    with pytest.raises(RunError, match="are given up; open them anew"):
        first.hold(1001)
    with pytest.raises(RunError, match="are given up; open them anew"):
        _ = first.is_alone
