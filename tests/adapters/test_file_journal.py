"""The journal in a file: what is on the disk, who may write to it, what is found when in doubt."""

import asyncio
import re
import resource
import stat
import threading
from contextlib import contextmanager
from errno import EDQUOT, EIO, ENOSPC, EROFS

import anyio
import anyio.lowlevel
import orjson
import pytest

from orchestrator.adapters.runs.file_journal import FileJournal
from orchestrator.adapters.runs.journal_lines import Finding
from orchestrator.adapters.runs.journal_reading import (
    read_lines,
    read_records,
    verify,
    why,
)
from orchestrator.model.errors import JournalError
from orchestrator.model.events import RunContinued, RunInterrupted
from tests.support.histories import EVERY_KIND, T0, accepted, intended, run_started

KEY = b"kept elsewhere"
RUN = "night-1"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


async def _written(path, key=None):
    """Write lines 1, 2-3, 4-5, 6 as four batches."""
    with FileJournal.create(path, RUN, key) as journal:
        await journal.append([run_started()])
        await journal.append([intended(1), intended(2)])
        await journal.append([accepted(1), accepted(2)])
        await journal.append([RunContinued(T0)])
        return journal.head


def _edit(path, change):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(change(lines)))


@contextmanager
def _file_size_limit(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_line_holds_seq_moment_event_run_and_facts(path):
    await _written(path)
    first, second, third, *_ = map(orjson.loads, path.read_bytes().splitlines())

    assert list(first)[:6] == ["seq", "at", "event", "run", "v", "chain_kind"]
    assert (first["v"], first["chain_kind"]) == (1, "sha256")
    assert list(second)[:7] == ["seq", "at", "event", "run", "device", "step", "attempt"]
    assert second["at"] == "2026-11-22T04:15:00.250000Z"
    assert "chain" not in second
    assert list(third)[-1] == "chain"
    assert re.fullmatch("[0-9a-f]{64}", third["chain"])


async def test_only_the_owner_can_read_the_file(path):
    await _written(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_journal_is_never_begun_over_another(path):
    await _written(path)

    with pytest.raises(JournalError, match="exists already"):
        FileJournal.create(path, RUN)


async def test_a_journal_in_no_folder_cannot_be_created(tmp_path):
    with pytest.raises(JournalError, match="cannot be created: no such file or directory"):
        FileJournal.create(tmp_path / "nowhere" / "journal.jsonl", RUN)


async def test_a_journal_that_is_not_there_cannot_be_opened(path):
    with pytest.raises(JournalError, match="cannot be opened: no such file"):
        FileJournal.open(path, RUN)


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "keyed"])
async def test_an_opened_journal_goes_on_where_it_stood(path, key):
    head = await _written(path, key)
    with FileJournal.open(path, RUN, key) as journal:
        assert (journal.head, journal.seq, journal.torn) == (head, 6, None)
        await journal.append([RunInterrupted(T0, "Ctrl-C")])

        assert len(list(journal.read())) == 7
    assert verify(path, key).is_sound


async def test_an_empty_file_is_continued_like_a_new_journal(path):
    FileJournal.create(path, RUN).close()
    with FileJournal.open(path, RUN) as journal:
        assert list(journal.read()) == []
        await journal.append([run_started()])

    assert verify(path).events == 1


async def test_the_journal_of_another_run_is_not_continued(path):
    await _written(path)

    with pytest.raises(JournalError, match=r"journal\.jsonl:1: .*belongs to run 'night-1'"):
        FileJournal.open(path, "night-2")


async def test_appends_that_wait_together_are_written_together_as_one_batch(path):
    with FileJournal.create(path, RUN) as journal:
        await journal.append([run_started()])
        syncs = []
        write = journal._write_down
        journal._write_down = lambda data: syncs.append(data.count(b"\n")) or write(data)
        async with anyio.create_task_group() as group:
            for device in range(50):
                group.start_soon(journal.append, [intended(device)])

    found = verify(path)
    assert sum(syncs) == 50
    assert len(syncs) <= 3
    assert (found.events, found.batches) == (51, 1 + len(syncs))


async def test_one_bad_event_does_not_spoil_the_batches_that_wait_beside_it(path):
    failures = []

    async def append(event):
        try:
            await journal.append([event])
        except JournalError as error:
            failures.append(str(error))

    with FileJournal.create(path, RUN) as journal:
        await journal.append([run_started()])
        async with anyio.create_task_group() as group:
            group.start_soon(append, RunContinued(T0))
            group.start_soon(append, RunInterrupted(T0, {"not", "json"}))
            group.start_soon(append, RunContinued(T0 + 1))

    assert len(failures) == 1
    assert verify(path).events == 3


class _HeldDisk:
    """Lets nothing through to a journal's disk for as long as this lasts."""

    def __init__(self, journal):
        self._journal = journal
        self._write = journal._write_down
        self._arrived = threading.Event()
        self._let_go = threading.Event()

    def __enter__(self):
        self._journal._write_down = self._write_later
        return self

    def __exit__(self, *_):
        self._journal._write_down = self._write
        self._let_go.set()

    def _write_later(self, data):
        self._arrived.set()
        assert self._let_go.wait(30)
        return self._write(data)

    async def arrival(self):
        """Wait until something waits there."""
        assert await anyio.to_thread.run_sync(self._arrived.wait, 30)


async def test_a_cancelled_caller_that_was_not_written_yet_leaves_no_line(path):
    with FileJournal.create(path, RUN) as journal:
        await journal.append([run_started()])
        async with anyio.create_task_group() as group:
            with _HeldDisk(journal) as disk:
                group.start_soon(journal.append, [RunContinued(T0)])
                await disk.arrival()
                async with anyio.create_task_group() as cancelled:
                    cancelled.start_soon(journal.append, [RunContinued(T0 + 1)])
                    await anyio.wait_all_tasks_blocked()
                    cancelled.cancel_scope.cancel()
                group.start_soon(journal.append, [RunInterrupted(T0, "Ctrl-C")])
                await anyio.wait_all_tasks_blocked()

        assert list(journal.read())[1:] == [RunContinued(T0), RunInterrupted(T0, "Ctrl-C")]
        assert journal.seq == 3
    assert verify(path).is_sound


async def test_a_caller_cancelled_while_the_disk_writes_learns_what_came_of_it(path):
    learnt = []

    async def append():
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            await journal.append([RunContinued(T0)])
            learnt.append(journal.seq)
            await anyio.lowlevel.checkpoint()
            learnt.append("went on")

    scopes = []
    with FileJournal.create(path, RUN) as journal:
        await journal.append([run_started()])
        async with anyio.create_task_group() as group:
            with _HeldDisk(journal) as disk:
                group.start_soon(append)
                group.start_soon(append)
                await disk.arrival()
                for scope in scopes:
                    scope.cancel()
                await anyio.wait_all_tasks_blocked()
                assert learnt == []

    assert learnt == [3, 3]
    assert all(scope.cancelled_caught for scope in scopes)


async def test_a_task_cancelled_while_the_disk_writes_ends_once_that_is_over(path):
    with FileJournal.create(path, RUN) as journal:
        await journal.append([run_started()])
        with _HeldDisk(journal) as disk:
            task = asyncio.ensure_future(journal.append([RunContinued(T0)]))
            await disk.arrival()
            task.cancel()
            await anyio.wait_all_tasks_blocked()
            assert not task.done()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert journal.seq == 2


async def test_a_write_that_stops_half_way_is_taken_back_and_nothing_more_is_taken(path):
    with FileJournal.create(path, RUN) as journal:
        await journal.append([run_started()])
        before = path.read_bytes()
        with _file_size_limit(len(before) + 100), pytest.raises(JournalError) as failure:
            await journal.append([intended(1)])

        assert str(failure.value) == f"{path} cannot be written: file too large"
        assert path.read_bytes() == before
        with pytest.raises(JournalError, match="file too large"):
            await journal.append([RunContinued(T0)])
        assert path.read_bytes() == before


async def test_everybody_who_waits_is_told_when_no_thread_can_be_had(path):
    def refuse(work):
        raise RuntimeError("can't start new thread")

    with FileJournal.create(path, RUN) as journal:
        journal._disk.run = refuse
        for _ in range(2):
            with pytest.raises(JournalError, match="cannot be written: can't start new thread"):
                await journal.append([run_started()])

    assert path.read_bytes() == b""


async def test_everybody_who_waits_is_told_when_the_write_fails(path):
    failures = []

    async def append(event):
        try:
            await journal.append([event])
        except JournalError as error:
            failures.append(str(error))

    with FileJournal.create(path, RUN) as journal:
        await journal.append([run_started()])
        with _file_size_limit(path.stat().st_size):
            async with anyio.create_task_group() as group:
                for device in range(10):
                    group.start_soon(append, intended(device))

    assert len(failures) == 10


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (ENOSPC, "the disk is full"),
        (EDQUOT, "the disk is full"),
        (EIO, "the disk reports an error"),
        (EROFS, "the file system is read-only"),
    ],
)
def test_what_a_disk_has_against_us_is_said_in_words(number, words):
    assert why(OSError(number, "cryptic")) == words


async def test_a_writer_whose_file_was_continued_by_another_is_refused(path):
    await _written(path)
    with FileJournal.open(path, RUN) as older, FileJournal.open(path, RUN) as newer:
        await newer.append([RunContinued(T0)])
        with pytest.raises(JournalError, match="changed by somebody else"):
            await older.append([RunInterrupted(T0, "late")])
        await newer.append([RunContinued(T0)])

    assert verify(path).events == 8


@pytest.mark.parametrize("replacement", [None, b""], ids=["removed", "replaced"])
async def test_a_journal_that_vanishes_under_its_writer_is_not_written_to(path, replacement):
    await _written(path)
    with FileJournal.open(path, RUN) as journal:
        path.unlink()
        if replacement is not None:
            path.write_bytes(replacement)
        with pytest.raises(JournalError, match="removed or replaced"):
            await journal.append([RunContinued(T0)])


async def test_a_journal_can_be_read_while_it_is_written(path):
    with FileJournal.create(path, RUN) as journal:
        await journal.append([run_started()])
        with path.open("ab") as unfinished:
            unfinished.write(b'{"seq":2,"at":"2026')

        assert [record.seq for record in read_records(path)] == [1]


async def test_records_name_their_place_and_run(path):
    await _written(path)
    records = list(read_records(path))

    assert [record.seq for record in records] == [1, 2, 3, 4, 5, 6]
    assert {record.run for record in records} == {RUN}


async def test_lines_are_exported_byte_by_byte(path):
    await _written(path)

    assert b"".join(read_lines(path)) == path.read_bytes()


async def test_a_keyed_journal_can_be_looked_at_without_the_key_when_it_is_believed(path):
    await _written(path, KEY)

    assert len(list(read_records(path, believed=True))) == 6


async def test_a_folder_is_no_journal(tmp_path):
    with pytest.raises(JournalError, match="cannot be read: is a directory"):
        verify(tmp_path)


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "keyed"])
async def test_an_untouched_journal_is_sound(path, key):
    head = await _written(path, key)
    found = verify(path, key, head)

    assert found.is_sound
    assert (found.events, found.batches, found.head) == (6, 4, head)
    assert (found.keyed, found.since_expected, found.torn) == (key is not None, 0, None)


def _with_device_3(lines):
    return [*lines[:2], lines[2].replace(b'"device":2', b'"device":3'), *lines[3:]]


def _with_junk(lines):
    return [*lines[:3], b"not json\n", *lines[4:]]


EDITS = {
    "a changed fact": (_with_device_3, 2, "lines 2 to 3 do not match"),
    "a missing line": (lambda lines: lines[:1] + lines[2:], 2, "seq 3 stands where 2 belongs"),
    "a missing batch": (lambda lines: lines[:3] + lines[5:], 4, "seq 6 stands where 4 belongs"),
    "swapped lines": (
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        2,
        "seq 3 stands where 2 belongs",
    ),
    "an added line": (
        lambda lines: [*lines[:3], lines[1], *lines[3:]],
        4,
        "seq 2 stands where 4 belongs",
    ),
    "junk": (_with_junk, 4, "not a JSON object"),
    "a list instead of an object": (
        lambda lines: [*lines[:3], b"[1]\n", *lines[4:]],
        4,
        "not a JSON object",
    ),
    "a line of another run": (
        lambda lines: [*lines[:3], lines[3].replace(b"night-1", b"night-2"), *lines[4:]],
        4,
        "belongs to run 'night-2'",
    ),
    "an unknown event": (
        lambda lines: [*lines[:3], lines[3].replace(b"OperationAc", b"OperationEx"), *lines[4:]],
        4,
        "not an event this version knows",
    ),
    "no first line": (lambda lines: lines[1:], 1, "RunStarted is missing"),
    "a changed hash in the last line": (
        lambda lines: [*lines[:5], lines[5][:-10] + b'xyz"}\n'],
        6,
        "the hash at the end of the line was changed",
    ),
    "a changed single line": (
        lambda lines: [*lines[:5], lines[5].replace(b"04:15", b"04:16")],
        6,
        "it does not match the hash chain",
    ),
    "an unknown chain": (
        lambda lines: [lines[0].replace(b'"sha256"', b'"md5"'), *lines[1:]],
        1,
        "unknown kind of chain",
    ),
}


@pytest.mark.parametrize(("edit", "line", "words"), EDITS.values(), ids=EDITS)
async def test_an_edit_by_hand_is_found_and_named(path, edit, line, words):
    await _written(path)
    _edit(path, edit)
    found = verify(path)

    assert found.finding is Finding.CHANGED
    assert found.line == line
    assert words in found.detail
    assert found.detail.startswith(f"{path}:{line}: ")


async def test_a_journal_edited_by_hand_is_neither_continued_nor_read(path):
    await _written(path)
    _edit(path, _with_device_3)

    with pytest.raises(JournalError, match=r"journal\.jsonl:2: lines 2 to 3"):
        FileJournal.open(path, RUN)
    with pytest.raises(JournalError, match=r"journal\.jsonl:2: lines 2 to 3"):
        list(read_records(path))


async def test_events_before_the_first_fault_are_still_counted(path):
    await _written(path)
    _edit(path, _with_junk)

    assert verify(path).events == 3


async def test_a_journal_of_a_newer_version_is_not_guessed_at(path):
    await _written(path)
    _edit(path, lambda lines: [lines[0].replace(b'"v":1', b'"v":2'), *lines[1:]])

    assert verify(path).finding is Finding.NEWER
    with pytest.raises(JournalError, match=r":1: the journal has format 2"):
        FileJournal.open(path, RUN)


@pytest.mark.parametrize(
    ("written_with", "read_with", "finding"),
    [
        (KEY, b"another", Finding.OTHER_KEY),
        (KEY, None, Finding.KEY_MISSING),
        (None, KEY, Finding.UNKEYED),
    ],
)
async def test_a_wrong_key_is_told_from_tampering(path, written_with, read_with, finding):
    await _written(path, written_with)

    assert verify(path, read_with).finding is finding
    with pytest.raises(JournalError, match=r"journal\.jsonl:1: .*audit key|AUDIT_KEY"):
        FileJournal.open(path, RUN, read_with)


async def test_a_forger_without_the_key_cannot_make_a_believable_chain(path, tmp_path):
    await _written(path, KEY)
    forged = tmp_path / "forged.jsonl"
    await _written(forged, b"a key of the forger")
    check = orjson.loads(path.read_bytes().splitlines()[0])["key_check"]
    _edit(
        forged,
        lambda lines: (
            [re.sub(rb'"key_check":"\w+"', f'"key_check":"{check}"'.encode(), lines[0]), *lines[1:]]
        ),
    )

    assert verify(forged, KEY).finding is Finding.CHANGED


async def test_a_cut_tail_shows_against_the_head_that_was_kept(path):
    head = await _written(path)
    _edit(path, lambda lines: lines[:3])

    assert verify(path).is_sound
    found = verify(path, expected_head=head)
    assert found.finding is Finding.CUT
    assert head[:12] in found.detail


async def test_a_journal_that_went_on_after_the_head_was_kept_is_sound(path):
    head = await _written(path)
    with FileJournal.open(path, RUN) as journal:
        await journal.append(EVERY_KIND[1:3])
    found = verify(path, expected_head=head)

    assert found.is_sound
    assert found.since_expected == 2


async def test_the_key_stands_in_no_line_and_no_representation(path):
    await _written(path, KEY)
    with FileJournal.open(path, RUN, KEY) as journal:
        shown = repr(journal) + repr(journal._chain)

    assert KEY not in path.read_bytes()
    assert KEY.decode() not in shown
