"""Who may start next: queues, places among the devices down, and what is made ready ahead."""

from orchestrator.engine.admitting import FRESH_AHEAD, Admissions
from orchestrator.engine.progressing import DeviceRun
from orchestrator.model.devices import DeviceId
from orchestrator.model.plans import Limits, PlannedDevice
from orchestrator.model.steps import Step
from tests.support.stories import check, step

CHAIN = (step("factory"), step("reconf"))


def admissions(*steps: Step, max_down: int = 2, in_flight: int = 20) -> Admissions:
    return Admissions(Limits(10, max_down, in_flight, 0.2, 20.0), steps or CHAIN)


def planned(device: int) -> PlannedDevice:
    return PlannedDevice(DeviceId(device), None, None)


def run(device: int, at: int = 0, *steps: Step) -> DeviceRun:
    return DeviceRun(planned(device), steps or CHAIN, step=at)


def drawn(from_: Admissions, fresh) -> list[int]:
    found = []
    while (each := from_.draw(fresh)) is not None:
        found.append(each.id)
        if isinstance(each, PlannedDevice):
            from_.begin(run(each.id))
    return found


def test_no_more_devices_begin_than_may_be_down():
    assert drawn(admissions(), iter([planned(1), planned(2), planned(3)])) == [1, 2]


def test_gentle_steps_go_first_then_those_in_their_chain_then_new_devices():
    waiting = admissions(max_down=5)
    waiting.queue(run(1))
    waiting.queue(run(2, 1))

    assert drawn(waiting, iter([planned(3)])) == [2, 1, 3]


def test_a_device_in_its_chain_that_finds_no_place_keeps_new_ones_waiting():
    waiting = admissions(max_down=1)
    waiting.down = 1
    waiting.queue(run(1))

    assert waiting.draw(iter([planned(2)])) is None

    waiting.down = 0
    assert waiting.draw(iter([planned(2)])).id == 1


def test_a_place_is_taken_before_the_guard_is_read_and_given_back_once():
    waiting = admissions(max_down=1)
    waiting.queue(run(1))
    device = waiting.draw(iter(()))
    assert waiting.free_places == 0

    waiting.release(device)
    waiting.release(device)

    assert waiting.free_places == 1


def test_gentle_chains_never_wait_for_a_place():
    waiting = admissions(step("sync"), max_down=1)

    assert drawn(waiting, iter([planned(n) for n in range(1, 6)])) == [1, 2, 3, 4, 5]


def test_devices_whose_disruptive_step_is_still_ahead_begin_only_while_places_are_left():
    waiting = admissions(check(), step("reboot"), max_down=2)
    assert drawn(waiting, iter([planned(1), planned(2), planned(3)])) == [1, 2]

    waiting.ended(run(1))

    assert drawn(waiting, iter([planned(3)])) == [3]


def test_records_are_made_ready_for_some_seconds_of_sending_and_never_without_bound():
    waiting = admissions(in_flight=5)

    assert waiting.ahead(gap=10.0) == 10
    assert waiting.ahead(gap=0.2) == FRESH_AHEAD / 0.2
    assert waiting.ahead(gap=0.0) == 1000


def test_draining_empties_every_queue_and_frees_every_place():
    waiting = admissions(max_down=3)
    waiting.queue(run(1, 1))
    waiting.queue(run(2))
    waiting.queue(run(3))
    waiting.cleared.append(waiting.draw(iter(())))
    ready = waiting.draw(iter(()))
    waiting.cleared.append(ready)

    assert sorted(device.id for device in waiting.drain()) == [1, 2, 3]
    assert waiting.free_places == 3
    assert waiting.draw(iter(())) is None
