"""Orders as files: whole or not at all, withdrawn if nobody takes them, and harmless whatever lies there."""

import os
import stat

import anyio
import orjson
import pytest
import structlog

from orchestrator.adapters.people import order_box
from orchestrator.adapters.people.order_box import GRACE, KEPT, OrderBox, deliver, place
from orchestrator.adapters.people.order_lines import LARGEST, Answer
from orchestrator.model.errors import RunError
from orchestrator.model.orders import (
    Approve,
    Cancel,
    ChangeLimit,
    OrderUnansweredError,
    Pause,
    Person,
)

NOW = 1_700_000_000.0
ALICE = Person("alice", "ops-1", "why not")
PAUSE = Pause(ALICE)


@pytest.fixture
def logged():
    with structlog.testing.capture_logs() as lines:
        yield lines
    structlog.reset_defaults()


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "night-1"
    folder.mkdir()
    return folder


@pytest.fixture
def box(run_folder):
    return OrderBox(run_folder, now=lambda: NOW)


def left(run_folder, wanted=PAUSE, **changes):
    """Leave an order as another program might: the same but for some facts."""
    place(run_folder, wanted, now=NOW, patience=10)
    [path] = (run_folder / "orders").glob("*.order")
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), **changes}))
    return path


def endings(run_folder):
    return sorted(path.suffix for path in (run_folder / "orders").iterdir())


def test_orders_are_for_their_owners_eyes_only(run_folder):
    place(run_folder, PAUSE, now=NOW, patience=10)

    [path] = (run_folder / "orders").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.stat().st_uid == run_folder.stat().st_uid


def test_nothing_is_left_of_an_order_once_its_answer_was_fetched(run_folder, box):
    slip = place(run_folder, PAUSE, now=NOW, patience=10)
    [placed] = box.take()
    placed.answer("done", refused=False)

    assert slip.answer() == Answer("done", refused=False)
    assert slip.answer() is None
    assert endings(run_folder) == []


def test_a_draft_is_not_an_order(run_folder, box):
    path = left(run_folder)
    path.rename(path.with_suffix(".order.1234.draft"))

    assert box.take() == []


def test_a_withdrawn_order_is_never_taken(run_folder, box):
    slip = place(run_folder, PAUSE, now=NOW, patience=10)

    assert slip.withdraw()
    assert box.take() == []
    assert not slip.withdraw()


def test_an_order_that_was_taken_cannot_be_withdrawn(run_folder, box):
    slip = place(run_folder, PAUSE, now=NOW, patience=10)
    box.take()

    assert not slip.withdraw()


@pytest.mark.parametrize(("waited", "taken"), [(9.9, 1), (10, 0), (3600, 0)])
def test_an_order_for_which_nobody_waits_any_more_is_set_aside(run_folder, logged, waited, taken):
    place(run_folder, PAUSE, now=NOW, patience=10)
    box = OrderBox(run_folder, now=lambda: NOW + waited)

    found = box.take()

    assert len(found) == taken
    assert endings(run_folder) == [".taken" if taken else ".aside"]
    assert [line["event"] for line in logged] == ["order.set_aside"] * (1 - taken)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"v": 2}, "it has version 2, this process reads version 1"),
        ({"run": "night-2"}, "it is for run 'night-2'"),
        ({"run": None}, "short text"),
        ({"order": "explode"}, "there is no order 'explode'"),
        ({"order": ["pause"]}, "short text"),
        ({"order": "limit"}, "'limit' does not take []"),
        ({"says": {"abandon": True}}, "'pause' does not take ['abandon']"),
        ({"says": []}, "who wants what"),
        ({"person": "alice"}, "who wants what"),
        ({"person": {"name": "alice", "host": "ops-1"}}, "it lacks 'why'"),
        ({"person": {"name": "a" * 2001, "host": "", "why": ""}}, "short text"),
        ({"expires_at": "soon"}, "soon"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_order_that_is_none_is_set_aside_and_answered(run_folder, box, logged, changes, reason):
    path = left(run_folder, **changes)

    assert box.take() == []
    assert reason in logged[0]["reason"]
    assert endings(run_folder) == [".answer", ".aside"]
    answer = orjson.loads(path.with_suffix(".answer").read_bytes())
    assert answer["refused"]
    assert reason in answer["told"]


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (Cancel(ALICE), {"abandon": 1}),
        (Cancel(ALICE), {"abandon": None}),
        (Approve(ALICE), {"what": 2, "granted": True}),
        (Approve(ALICE), {"what": "wave 2", "granted": "yes"}),
        (Approve(ALICE), {"what": "w" * 2001, "granted": True}),
        (ChangeLimit(ALICE, "max_down", 1), {"limit": "max_down", "value": True}),
        (ChangeLimit(ALICE, "max_down", 1), {"limit": "max_down", "value": "1"}),
        (ChangeLimit(ALICE, "max_down", 1), {"limit": None, "value": 1}),
    ],
    ids=str,
)
def test_a_value_of_the_wrong_kind_is_never_obeyed(run_folder, box, order, says):
    left(run_folder, order, says=says)

    assert box.take() == []


@pytest.mark.parametrize("text", [b"", b"pause", b"[]", b"\xff\xfe", b"{}", b"null"], ids=repr)
def test_what_is_not_an_order_at_all_is_set_aside(run_folder, box, text):
    left(run_folder).write_bytes(text)

    assert box.take() == []
    assert endings(run_folder) == [".answer", ".aside"]


def _huge(path):
    path.write_bytes(path.read_bytes() + b" " * LARGEST)


def _link(path):
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))


def _folder(path):
    path.unlink()
    path.mkdir()


def _pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_huge, "bytes"),
        (_link, "it is a link"),
        (_folder, "it is not a file"),
        (_pipe, "it is not a file"),
    ],
)
def test_a_trap_is_set_aside_and_the_next_order_taken(run_folder, box, logged, spoil, reason):
    spoil(left(run_folder))
    place(run_folder, Cancel(ALICE), now=NOW + 1, patience=10)

    taken = box.take()

    assert [placed.order for placed in taken] == [Cancel(ALICE)]
    assert reason in logged[0]["reason"]


def test_an_order_of_a_user_who_has_no_right_to_the_run_is_set_aside(run_folder):
    place(run_folder, PAUSE, now=NOW, patience=10)
    box = OrderBox(run_folder, now=lambda: NOW, trusted={os.geteuid() + 1})

    assert box.take() == []
    assert ".aside" in endings(run_folder)


def test_a_flood_does_not_hold_up_the_run(run_folder, box):
    for number in range(order_box.AT_ONCE + 1):
        place(run_folder, PAUSE, now=NOW + number, patience=1000)

    assert len(box.take()) == order_box.AT_ONCE
    assert len(box.take()) == 1


def test_a_box_that_was_taken_away_is_an_empty_one(run_folder, box):
    (run_folder / "orders").rmdir()

    assert box.take() == []


def test_an_answer_that_cannot_be_written_does_not_end_the_run(run_folder, box, logged):
    place(run_folder, PAUSE, now=NOW, patience=10)
    [placed] = box.take()
    for path in (run_folder / "orders").iterdir():
        path.unlink()
    (run_folder / "orders").rmdir()

    placed.answer("done", refused=False)

    assert [line["event"] for line in logged] == ["order.not_answered"]


def test_what_nobody_fetched_is_taken_away_by_the_next_process(run_folder, box):
    place(run_folder, PAUSE, now=NOW, patience=10)
    [placed] = box.take()
    placed.answer("done", refused=False)
    [answer] = (run_folder / "orders").iterdir()
    written = answer.stat().st_mtime

    OrderBox(run_folder, now=lambda: written + KEPT - 1)
    assert answer.exists()
    OrderBox(run_folder, now=lambda: written + KEPT + 1)
    assert not answer.exists()


def test_a_folder_that_takes_no_order_is_named(run_folder):
    (run_folder / "orders").write_text("a file")

    with pytest.raises(RunError, match=r"no order can be left in .*orders: not a directory"):
        place(run_folder, PAUSE, now=NOW, patience=10)


class TestDelivering:
    """With a driver at the other end, in virtual time."""

    pytestmark = pytest.mark.looptime

    async def test_the_answer_is_brought_back(self, run_folder):
        box = OrderBox(run_folder)

        async def drive():
            await anyio.sleep(1)
            [placed] = box.take()
            placed.answer(f"{placed.order.person.name} paused it", refused=False)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drive)
            answer = await deliver(run_folder, PAUSE, is_driven=lambda: True)

        assert answer == Answer("alice paused it", refused=False)
        assert endings(run_folder) == []

    async def test_an_order_that_nobody_takes_is_taken_back(self, run_folder, looptime):
        with pytest.raises(OrderUnansweredError, match=r"night-1 took no order for 10 seconds"):
            await deliver(run_folder, PAUSE, is_driven=lambda: True)

        assert looptime == pytest.approx(10, abs=0.2)
        assert endings(run_folder) == []

    async def test_when_the_driver_goes_the_order_is_taken_back_at_once(self, run_folder, looptime):
        async def drive():
            await anyio.sleep(1)
            driven.clear()

        driven = [True]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drive)
            answer = await deliver(run_folder, PAUSE, is_driven=lambda: bool(driven))

        assert answer is None
        assert looptime < 1.5
        assert endings(run_folder) == []

    async def test_a_driver_that_takes_an_order_and_goes_leaves_it_open(self, run_folder):
        box = OrderBox(run_folder)
        taken = []

        def is_driven():
            taken.extend(box.take())
            return False

        with pytest.raises(OrderUnansweredError, match="took the order and ended before"):
            await deliver(run_folder, PAUSE, is_driven=is_driven)
        assert len(taken) == 1

    async def test_a_last_word_of_a_driver_that_goes_is_heard(self, run_folder):
        box = OrderBox(run_folder)

        def is_driven():
            for placed in box.take():
                placed.answer("too late", refused=True)
            return False

        assert await deliver(run_folder, PAUSE, is_driven=is_driven) == Answer("too late", True)

    async def test_a_driver_that_takes_an_order_may_think_about_it(self, run_folder, looptime):
        box = OrderBox(run_folder)
        taken = []

        def is_driven():
            taken.extend(box.take())
            return True

        with pytest.raises(OrderUnansweredError, match="it may still count"):
            await deliver(run_folder, PAUSE, is_driven=is_driven)

        assert looptime == pytest.approx(10 + GRACE, abs=0.3)
        assert len(taken) == 1

    async def test_whoever_gives_up_waiting_takes_the_order_back(self, run_folder):
        with anyio.move_on_after(1):
            await deliver(run_folder, PAUSE, is_driven=lambda: True)

        assert endings(run_folder) == []
