"""What every journal promises, the one in a file and the one in memory alike."""

import anyio
import pytest

from orchestrator.adapters.memory.memory_journal import MemoryJournal
from orchestrator.adapters.runs.file_journal import FileJournal
from orchestrator.adapters.runs.journal_lines import GENESIS
from orchestrator.model.errors import JournalError
from orchestrator.model.events import RunContinued, RunInterrupted
from tests.support.histories import EVERY_KIND, T0, accepted, intended, run_started

KEY = b"kept elsewhere"


@pytest.fixture(params=["file", "memory", "file with a key", "memory with a key"])
def journal(request, tmp_path):
    key = KEY if "key" in request.param else None
    if request.param.startswith("file"):
        made = FileJournal.create(tmp_path / "journal.jsonl", "night-1", key)
    else:
        made = MemoryJournal(run_id="night-1", key=key)
    with made:
        yield made


def _opening(journal):
    return run_started(chain=journal.chain_kind)


async def test_events_of_every_kind_come_back_as_they_were_in_order(journal):
    story = [_opening(journal), *EVERY_KIND[1:]]
    for event in story:
        await journal.append([event])

    assert list(journal.read()) == story


async def test_a_batch_comes_back_like_events_appended_one_by_one(journal):
    story = [_opening(journal), *EVERY_KIND[1:]]
    await journal.append(story[:1])
    await journal.append(story[1:])

    assert list(journal.read()) == story
    assert journal.seq == len(story)


async def test_an_empty_journal_has_nothing_to_read_and_the_first_head(journal):
    assert list(journal.read()) == []
    assert journal.head == GENESIS


async def test_the_head_changes_with_every_batch(journal):
    heads = [journal.head]
    for event in (_opening(journal), RunContinued(T0), RunContinued(T0)):
        await journal.append([event])
        heads.append(journal.head)

    assert len(set(heads)) == 4


async def test_appending_nothing_changes_nothing(journal):
    await journal.append([_opening(journal)])
    head = journal.head
    await journal.append([])

    assert journal.head == head
    assert journal.seq == 1


async def test_an_append_after_closing_is_refused(journal):
    await journal.append([_opening(journal)])
    journal.close()

    with pytest.raises(JournalError, match="is closed"):
        await journal.append([RunContinued(T0)])


async def test_an_event_that_cannot_be_written_down_leaves_no_trace(journal):
    await journal.append([_opening(journal)])
    head = journal.head
    with pytest.raises(JournalError, match="cannot be written down"):
        await journal.append([RunContinued(T0), RunInterrupted(T0, reason={1, 2})])

    assert journal.head == head
    await journal.append([RunContinued(T0)])
    assert len(list(journal.read())) == 2


async def test_half_a_surrogate_pair_in_a_reason_does_not_end_the_run(journal):
    await journal.append([_opening(journal)])
    await journal.append([RunInterrupted(T0, "half \ud83d of a pair")])

    assert list(journal.read())[-1] == RunInterrupted(T0, "half ? of a pair")


async def test_batches_appended_side_by_side_stay_whole(journal):
    await journal.append([_opening(journal)])
    async with anyio.create_task_group() as group:
        for device in range(20):
            group.start_soon(journal.append, [intended(device), accepted(device)])

    events = list(journal.read())[1:]
    assert sorted(event.device for event in events[::2]) == list(range(20))
    assert [event.device for event in events[::2]] == [event.device for event in events[1::2]]


async def test_an_append_that_is_cancelled_before_its_turn_leaves_no_trace(journal):
    await journal.append([_opening(journal)])
    with anyio.CancelScope() as scope:
        scope.cancel()
        await journal.append([RunContinued(T0)])

    await journal.append([RunInterrupted(T0, "Ctrl-C")])
    assert [type(event).__name__ for event in journal.read()] == ["RunStarted", "RunInterrupted"]


async def test_the_journal_itself_names_how_it_is_chained(journal):
    await journal.append([run_started(chain="something else")])

    assert next(iter(journal.read())).chain == journal.chain_kind


async def test_a_journal_in_memory_can_be_as_full_as_a_disk():
    journal = MemoryJournal([run_started()], room=1)
    await journal.append([RunContinued(T0)])
    for _ in range(2):
        with pytest.raises(JournalError, match="disk is full"):
            await journal.append([RunContinued(T0)])

    assert len(list(journal.read())) == 2
