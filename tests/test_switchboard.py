"""Orders find whoever drives a run, also when somebody begins or stops driving it just then."""

import threading
import time
from functools import partial

import anyio
import pytest
import structlog
from msgspec import structs

from orchestrator import switchboard
from orchestrator.adapters.people.order_box import OrderBox
from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.runs.journal_reading import read_records
from orchestrator.adapters.runs.run_folder import RunFolder
from orchestrator.model.errors import JournalError, RunError
from orchestrator.model.orders import OrderRefusedError, Pause, Person
from orchestrator.settings import load
from orchestrator.switchboard import explain, give_order
from tests.support.recorded_runs import STORY, plan_of, record

PAUSE = Pause(Person("alice", "ops-1", "too many calls"))


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return load({"runs_dir": str(tmp_path / "runs")})


@pytest.fixture
def folder(settings):
    plan = plan_of(1001, 1002, 1003)
    begun = structs.replace(STORY[0], plan_digest=plan_file.digest(plan))
    return record(settings.runs_dir, [begun, *STORY[1:]], plan=plan)


def kinds(folder):
    return [type(each.event).__name__ for each in read_records(folder.journal_path)][len(STORY) :]


async def answering(folder, told, *, refused=False):
    box = OrderBox(folder.path)
    taken = []
    for _ in range(500):
        taken += box.take()
        if taken:
            break
        await anyio.sleep(0.01)
    taken[0].answer(told, refused=refused)


async def test_whoever_drives_the_run_is_asked_and_nothing_recorded_beside_it(settings, folder):
    with folder.locked(now=0.0):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answering, folder, "the run is paused")
            told = await give_order(settings, "night-1", PAUSE)

    assert told == "the run is paused"
    assert kinds(folder) == []


async def test_a_refusal_of_whoever_drives_it_is_an_error(settings, folder):
    with folder.locked(now=0.0):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(answering, folder, "it is paused already", refused=True))
            with pytest.raises(OrderRefusedError, match="it is paused already"):
                await give_order(settings, "night-1", PAUSE)


async def test_somebody_who_begins_to_drive_it_this_moment_is_asked(settings, folder, monkeypatch):
    real, looks = RunFolder.holder, []

    def holder(self):
        looks.append(real(self))
        return None if len(looks) == 1 else looks[-1]

    monkeypatch.setattr(RunFolder, "holder", holder)
    with folder.locked(now=0.0):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answering, folder, "the run is paused")
            told = await give_order(settings, "night-1", PAUSE)

    assert told == "the run is paused"
    assert kinds(folder) == []


async def test_when_whoever_drives_it_ends_first_the_order_is_recorded_here(settings, folder):
    ended = threading.Event()

    def drive():
        with folder.locked(now=0.0):
            begun.set()
            time.sleep(0.3)
        ended.set()

    begun = threading.Event()
    thread = threading.Thread(target=drive)
    thread.start()
    begun.wait(5)
    told = await give_order(settings, "night-1", PAUSE)
    thread.join()

    assert ended.is_set()
    assert "this holds when it is resumed" in told
    assert kinds(folder) == ["RunResumed", "PauseOrdered", "RunInterrupted"]
    assert list((folder.path / "orders").iterdir()) == []


def test_an_order_to_a_run_with_an_audit_key_is_chained_with_it(settings):
    key = b"kept-elsewhere"
    plan = plan_of(1001, 1002, 1003)
    begun = structs.replace(STORY[0], plan_digest=plan_file.digest(plan), chain="hmac-sha256")
    folder = record(settings.runs_dir, [begun, *STORY[1:]], plan=plan, key=key)

    with pytest.raises(JournalError):
        anyio.run(give_order, settings, "night-1", PAUSE)
    keyed = load({"runs_dir": str(settings.runs_dir), "audit_key": key.decode()})
    anyio.run(give_order, keyed, "night-1", PAUSE)

    assert len(list(read_records(folder.journal_path, key))) == len(STORY) + 3


async def test_a_report_that_cannot_be_saved_does_not_undo_the_order(settings, folder):
    folder.report_path.mkdir()

    with structlog.testing.capture_logs() as logged:
        told = await give_order(settings, "night-1", PAUSE)
    structlog.reset_defaults()

    assert "the run is paused" in told
    assert [line["event"] for line in logged] == ["report.not_saved"]
    assert "PauseOrdered" in kinds(folder)


async def test_a_driven_run_that_does_not_answer_is_explained_from_its_journal(
    settings, folder, monkeypatch
):
    monkeypatch.setattr(switchboard, "ANSWER_SECONDS", 0.2)
    with folder.locked(now=0.0):
        told = await explain(settings, "night-1", "1003")

    assert told.startswith("device 1003 (ZN1003): ")
    assert "nobody drives" not in told


async def test_whoever_drives_a_run_is_asked_itself(settings, folder):
    async def drive():
        box = OrderBox(folder.path)
        while not (taken := box.take()):  # noqa: ASYNC110 - as a process looks into its box
            await anyio.sleep(0.01)
        assert taken[0].order.device == 1003
        taken[0].answer("it waits for its group", refused=False)

    with folder.locked(now=0.0):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drive)
            told = await explain(settings, "night-1", "1003")

    assert told == "device 1003 (ZN1003): it waits for its group"


async def test_a_run_without_a_journal_explains_nothing(settings, folder):
    folder.journal_path.unlink()

    with pytest.raises(RunError, match="never began"):
        await explain(settings, "night-1", "1003")
