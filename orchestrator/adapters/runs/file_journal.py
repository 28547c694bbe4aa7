"""The journal of a run in one file: durable when append returns, and chained (design 7)."""

import os
from asyncio import AbstractEventLoop, CancelledError, Future, get_running_loop
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Self

from anyio import CancelScope, current_effective_deadline

from orchestrator.adapters.machine.durable_folders import sync_folder
from orchestrator.adapters.runs.journal_lines import (
    GENESIS,
    Chain,
    Depth,
    Finding,
    JournalFaultError,
    Replay,
    closed,
    unnumbered,
)
from orchestrator.adapters.runs.journal_reading import TornTail, batches_of, read_events, why
from orchestrator.adapters.runs.own_thread import OwnThread
from orchestrator.model.errors import JournalError
from orchestrator.model.events import Event

_sync = getattr(os, "fdatasync", os.fsync)


@dataclass(slots=True, eq=False)
class _Waiting:
    """One append that waits for its turn on the disk."""

    lines: list[bytes]
    waker: "Future[None]"
    taken: bool = False
    settled: bool = False
    failure: JournalError | None = None

    def settle(self, reason: str | None) -> None:
        """Say how it ended, also to whoever was cancelled a moment ago and does not know it yet."""
        self.settled = True
        self.failure = None if reason is None else JournalError(reason)
        if not self.waker.done():
            self.waker.set_result(None)


@dataclass(slots=True)
class _Committed:
    """Where the file ends for everybody who relies on it."""

    seq: int = 0
    head: str = GENESIS
    end: int = 0


class FileJournal:
    """The journal port over one file; appends that wait together are one batch, written and synced.

    After a failed write it takes nothing more: what is in the file is what was acknowledged.
    """

    def __init__(self, path: Path, descriptor: int, run_id: str, chain: Chain) -> None:
        self._path = path
        self._descriptor = descriptor
        self._run_id = run_id
        self._chain = chain
        self._committed = _Committed()
        self._queue: list[_Waiting] = []
        self._is_under_way = False
        self._disk = OwnThread("journal")
        self._refusal: str | None = None
        self.torn: TornTail | None = None
        """What was cut off when the journal was opened; None when nothing was."""

    @classmethod
    def create(cls, path: Path, run_id: str, key: bytes | None = None) -> Self:
        """Begin a new journal, for its owner's eyes only; raises JournalError if there is one."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            sync_folder(path.parent)
        except FileExistsError as error:
            raise JournalError(f"{path} exists already; a journal is never begun twice") from error
        except OSError as error:
            raise JournalError(f"{path} cannot be created: {why(error)}") from error
        return cls(path, descriptor, run_id, Chain(key))

    @classmethod
    def open(cls, path: Path, run_id: str, key: bytes | None = None) -> Self:
        """Go on with a journal whose chain is sound; a torn tail is cut off and told in `torn`.

        A journal without any committed event is continued like a new one. Raises JournalError when
        it cannot be believed, belongs to another run or cannot be opened.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise JournalError(f"{path} cannot be opened: {why(error)}") from error
        journal = cls(path, descriptor, run_id, Chain(key))
        try:
            journal._take_up()
        except BaseException:
            journal.close()
            raise
        return journal

    def _take_up(self) -> None:
        replay = Replay(str(self._path), self._chain, Depth.CHAIN)
        for _ in batches_of(self._path, replay):
            pass
        if replay.run not in (None, self._run_id):
            what = f"the journal belongs to run {replay.run!r}, not to {self._run_id!r}"
            raise JournalFaultError(str(self._path), 1, what, Finding.CHANGED)
        self._committed = _Committed(replay.seq, replay.head, replay.end)
        if replay.torn_bytes:
            self.torn = TornTail(replay.torn_lines, replay.torn_bytes)
            try:
                os.ftruncate(self._descriptor, replay.end)
                os.fsync(self._descriptor)
            except OSError as error:
                what = f"{self._path}: the torn tail cannot be cut off: {why(error)}"
                raise JournalError(what) from error

    @property
    def head(self) -> str:
        """Give the chain value of the last durable batch."""
        return self._committed.head

    @property
    def seq(self) -> int:
        """Count the durable events."""
        return self._committed.seq

    @property
    def chain_kind(self) -> str:
        """Name the chain as RunStarted does."""
        return self._chain.kind

    async def append(self, events: Sequence[Event]) -> None:
        if self._refusal is not None:
            raise JournalError(self._refusal)
        if not events:
            return
        try:
            lines = unnumbered(events, self._run_id, self._chain)
        except (TypeError, ValueError, OverflowError) as error:
            what = f"{self._path}: an event cannot be written down: {error}"
            raise JournalError(what) from error
        loop = get_running_loop()
        mine = _Waiting(lines, loop.create_future())
        self._queue.append(mine)
        if not self._is_under_way:
            self._go_on_soon(loop)
        try:
            await mine.waker
        except CancelledError:
            if not mine.taken:
                raise
            # It is on its way to the disk: cancellation must not leave the outcome open.
            if not mine.settled:
                mine.waker = loop.create_future()
                with CancelScope(shield=True):
                    await mine.waker
            if current_effective_deadline() > -inf:
                raise  # of a task; that of a scope comes again with the next wait
        if mine.failure is not None:
            raise mine.failure

    def _go_on_soon(self, loop: AbstractEventLoop) -> None:
        """Commit what waits once everybody who can run now has had the time to join."""
        self._is_under_way = True
        loop.call_soon(self._commit)

    def _commit(self) -> None:
        """Hand to the disk what waits as one batch; who was cancelled meanwhile leaves no line."""
        taken = [each for each in self._queue if not each.waker.done()]
        self._queue = []
        if not taken:
            self._is_under_way = False
            return
        for each in taken:
            each.taken = True
        if self._refusal is not None:
            self._settle(taken, self._refusal)
            return
        try:
            self._hand_over(taken)
        except (MemoryError, RuntimeError) as error:  # as when no thread can be had
            self._refusal = f"{self._path} cannot be written: {error}"
            self._settle(taken, self._refusal)

    def _hand_over(self, taken: list[_Waiting]) -> None:
        before = self._committed
        lines = [line for each in taken for line in each.lines]
        data, head = closed(lines, before.seq, before.head, self._chain)
        after = _Committed(before.seq + len(lines), head, before.end + len(data))
        # Only what waits for the disk is left to a thread: two threads of Python hinder each other.
        written = self._disk.run(partial(self._write_down, data))
        written.add_done_callback(partial(self._written, taken, after))

    def _written(
        self, taken: list[_Waiting], after: _Committed, written: "Future[str | None]"
    ) -> None:
        """Tell everybody of a batch what the disk said."""
        error = written.exception()
        reason = written.result() if error is None else f"{self._path} cannot be written: {error}"
        if reason is None:
            self._committed = after
        else:
            self._refusal = self._refusal or reason
        self._settle(taken, reason)

    def _settle(self, taken: list[_Waiting], reason: str | None) -> None:
        for each in taken:
            each.settle(reason)
        self._is_under_way = False
        if self._queue:
            self._go_on_soon(get_running_loop())

    def _write_down(self, data: bytes) -> str | None:
        """Write and sync; give the reason why nothing more is taken if that did not succeed."""
        try:
            self._check_alone()
            _write(self._descriptor, data, self._committed.end)
            _sync(self._descriptor)
        except OSError as error:
            return self._taken_back(f"{self._path} cannot be written: {why(error)}")
        except JournalError as error:
            return str(error)
        return None

    def _check_alone(self) -> None:
        """Refuse to write after somebody else did: only the newest writer may go on."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            found = None
        mine = os.fstat(self._descriptor)
        if found is None or (found.st_dev, found.st_ino) != (mine.st_dev, mine.st_ino):
            raise JournalError(f"{self._path} was removed or replaced while the run was under way")
        if mine.st_size != self._committed.end:
            raise JournalError(
                f"{self._path} was changed by somebody else while the run was under way:"
                f" it has {mine.st_size} bytes where {self._committed.end} were written"
            )

    def _taken_back(self, reason: str) -> str:
        """Cut off what was not acknowledged."""
        try:
            os.ftruncate(self._descriptor, self._committed.end)
            os.fsync(self._descriptor)
        except OSError as error:
            # Harmless: the next opening cuts a torn batch off, and takes a whole one as in doubt.
            return f"{reason}; nor can the unfinished lines be taken back: {why(error)}"
        return reason

    def read(self) -> Iterator[Event]:
        """Give every durable event in order; raises JournalError at the first beyond belief."""
        if self._committed.end:
            yield from read_events(self._path, self._chain.key, self._committed.end)

    def close(self) -> None:
        """Take no more events and let go of the file; what was appended is durable already."""
        self._disk.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._refusal = self._refusal or f"{self._path} is closed"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _write(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
