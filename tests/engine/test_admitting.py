"""Who may start next: queues, places among the devices down, and what is made ready ahead."""

from collections.abc import Iterable

from orchestrator.engine.rollout.admitting import CENSUS, FRESH_AHEAD, Admissions
from orchestrator.engine.walking.progressing import Course, DeviceRun
from orchestrator.model.devices import DeviceId, device_from_record
from orchestrator.model.plans import Limits, PlannedDevice
from orchestrator.model.policies import GroupLimit
from orchestrator.model.steps import Step
from tests.support.stories import check, step

CHAIN = (step("factory"), step("reconf"))
BY_LOCATION = GroupLimit(("location",), 1)


def admissions(*steps: Step, max_down: int = 2, in_flight: int = 20, **more: object) -> Admissions:
    limits = Limits(10, max_down, in_flight, 0.2, 20.0, more.pop("per", ()))
    return Admissions(limits, steps or CHAIN, [], **more)


def planned(device: int, *groups: str) -> PlannedDevice:
    return PlannedDevice(DeviceId(device), None, None, groups)


def run(device: int, at: int = 0, *steps: Step, groups: tuple[str, ...] = ()) -> DeviceRun:
    return DeviceRun(planned(device, *groups), Course(steps or CHAIN), step=at)


def filled(admitting: Admissions, fresh: Iterable[PlannedDevice]) -> Admissions:
    members = admitting.fresh.members
    begin = len(members)
    members.extend(fresh)
    admitting.fresh.fill(range(begin, len(members)))
    return admitting


def drawn(from_: Admissions, may_begin: bool = True) -> list[int]:
    found = []
    while (each := from_.draw(may_begin)) is not None:
        found.append(each.id)
        if isinstance(each, PlannedDevice):
            from_.begin(run(each.id, groups=each.groups))
    return found


def some(*devices: int) -> list[PlannedDevice]:
    return [planned(device) for device in devices]


def down(device: int, location: str) -> object:
    record = {"id": device, "status": "Down", "is_active": True, "location": location}
    return device_from_record(record)


# --- places ---------------------------------------------------------------------------------------


def test_no_more_devices_begin_than_may_be_down():
    assert drawn(filled(admissions(), some(1, 2, 3))) == [1, 2]


def test_gentle_steps_go_first_then_those_in_their_chain_then_new_devices():
    waiting = filled(admissions(max_down=5), some(3))
    waiting.queue(run(1))
    waiting.queue(run(2, 1))

    assert drawn(waiting) == [2, 1, 3]


def test_while_nobody_may_begin_those_who_have_begun_go_on():
    waiting = filled(admissions(max_down=5), some(3))
    waiting.queue(run(1))

    assert drawn(waiting, may_begin=False) == [1]
    assert drawn(waiting) == [3]


def test_a_device_in_its_chain_that_finds_no_place_keeps_new_ones_waiting():
    waiting = filled(admissions(max_down=1), some(2))
    waiting.down = 1
    waiting.queue(run(1))

    assert waiting.draw(may_begin=True) is None

    waiting.down = 0
    assert waiting.draw(may_begin=True).id == 1


def test_a_place_is_taken_before_the_guard_is_read_and_given_back_once():
    waiting = admissions(max_down=1)
    waiting.queue(run(1))
    device = waiting.draw(may_begin=True)
    assert waiting.free_places == 0

    waiting.release(device)
    waiting.release(device)

    assert waiting.free_places == 1


def test_gentle_chains_never_wait_for_a_place():
    waiting = filled(admissions(step("sync"), max_down=1), some(1, 2, 3, 4, 5))

    assert drawn(waiting) == [1, 2, 3, 4, 5]


def test_devices_whose_disruptive_step_is_still_ahead_begin_only_while_places_are_left():
    waiting = filled(admissions(check(), step("reboot"), max_down=2), some(1, 2, 3))
    assert drawn(waiting) == [1, 2]

    waiting.ended(run(1))

    assert drawn(waiting) == [3]


def test_records_are_made_ready_for_some_seconds_of_sending_and_never_without_bound():
    waiting = admissions(in_flight=5)

    assert waiting.ahead(gap=10.0) == 10
    assert waiting.ahead(gap=0.2) == FRESH_AHEAD / 0.2
    assert waiting.ahead(gap=0.0) == 1000


def test_withdrawing_takes_back_whoever_waits_and_frees_every_place():
    waiting = admissions(max_down=3)
    waiting.queue(run(1, 1))
    waiting.queue(run(2))
    waiting.queue(run(3))
    waiting.cleared.append(waiting.draw(may_begin=True))
    waiting.cleared.append(waiting.draw(may_begin=True))

    assert sorted(device.id for device in waiting.withdraw()) == [1, 2, 3]
    assert waiting.free_places == 3
    assert waiting.draw(may_begin=True) is None


def test_withdrawing_leaves_those_not_begun_where_they_are():
    waiting = filled(admissions(max_down=3), some(1, 2))
    assert list(waiting.withdraw()) == []

    assert drawn(waiting) == [1, 2]


# --- groups ---------------------------------------------------------------------------------------


def test_a_full_group_holds_up_its_own_devices_and_nobody_elses():
    waiting = filled(
        admissions(max_down=5, per=(BY_LOCATION,)),
        [planned(1, "north"), planned(2, "north"), planned(3, "south")],
    )

    assert drawn(waiting) == [1, 3]
    assert waiting.blocked_groups == [(0, "north")]


def test_a_place_in_a_group_is_held_until_the_device_gives_it_back():
    waiting = filled(
        admissions(max_down=5, per=(BY_LOCATION,)), [planned(1, "north"), planned(2, "north")]
    )
    first = run(1, groups=("north",))
    assert drawn(waiting) == [1]
    first.holds_slot = True
    waiting.slot_taken(first)
    waiting.release(first)
    assert drawn(waiting) == []

    first.holds_slot = False
    waiting.slot_given_back(first)

    assert drawn(waiting) == [2]


def test_a_device_that_has_begun_waits_for_room_in_its_group_before_a_disruptive_step():
    waiting = admissions(check(), step("reboot"), max_down=5, per=(BY_LOCATION,))
    waiting.groups.count([down(77, "north")])
    steps = (check(), step("reboot"))
    waiting.queue(run(1, 1, *steps, groups=("north",)))
    assert waiting.draw(may_begin=True) is None
    assert waiting.waits_for_group

    waiting.free(waiting.groups.count([]))

    assert waiting.draw(may_begin=True).id == 1
    assert not waiting.waits_for_group


def test_nobody_in_a_group_begins_before_the_first_census():
    known: list[bool] = []
    waiting = filled(
        admissions(per=(BY_LOCATION,), knows_census=lambda: bool(known)), [planned(1, "north")]
    )
    assert drawn(waiting) == []
    assert (waiting.fresh.blockers, waiting.blocked_groups) == ({CENSUS}, [])

    known.append(True)
    waiting.census_taken()

    assert drawn(waiting) == [1]


def test_devices_of_a_closed_window_wait_for_it_before_they_wait_for_their_group():
    closed = {"America/Lima"}
    waiting = filled(
        admissions(
            max_down=5,
            per=(BY_LOCATION,),
            is_closed=lambda device: next(iter(closed), None) if device.id < 3 else None,
        ),
        [planned(1, "north"), planned(2, "north"), planned(3, "south")],
    )
    assert drawn(waiting) == [3]

    closed.clear()
    waiting.fresh.free("America/Lima")

    assert drawn(waiting) == [1]
    assert waiting.fresh.aside((0, "north")) == 1


def test_dismissing_a_group_takes_out_the_begun_and_those_not_begun():
    waiting = admissions(max_down=5, per=(BY_LOCATION,))
    waiting.groups.count([down(77, "north")])
    waiting.queue(run(1, groups=("north",)))
    filled(waiting, [planned(2, "north"), planned(3, "south")])
    assert drawn(waiting) == [3]

    assert [device.id for device in waiting.dismiss((0, "north"))] == [1, 2]
    assert waiting.blocked_groups == []


def test_a_pause_right_after_a_group_was_freed_loses_nobody():
    """The one that was just woken is withdrawn with all others; the group must wake again later."""
    waiting = admissions(max_down=5, per=(BY_LOCATION,))
    waiting.groups.count([down(77, "north")])
    waiting.queue(run(1, groups=("north",)))
    assert waiting.draw(may_begin=True) is None
    waiting.free(waiting.groups.count([]))
    (withdrawn,) = waiting.withdraw()

    waiting.groups.count([down(77, "north")])
    waiting.queue(withdrawn)
    assert waiting.draw(may_begin=True) is None
    waiting.free(waiting.groups.count([]))

    assert waiting.draw(may_begin=True) is withdrawn
