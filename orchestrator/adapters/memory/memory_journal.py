"""The journal port in memory: the file's twin in lines, chain and promises, but it dies with us."""

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from anyio import lowlevel

from orchestrator.adapters.runs.journal_lines import GENESIS, Chain, Replay, encode
from orchestrator.model.errors import JournalError
from orchestrator.model.events import Event


class MemoryJournal:
    """Keeps a run's lines in a list; `room` batches fit before it refuses as a full disk does."""

    def __init__(
        self,
        events: Iterable[Event] = (),
        *,
        run_id: str = "in-memory",
        key: bytes | None = None,
        room: int | None = None,
    ) -> None:
        self._run_id = run_id
        self._chain = Chain(key)
        self._room = room
        self._refusal: str | None = None
        self._lines: list[bytes] = []
        self._head = GENESIS
        earlier = tuple(events)
        if earlier:
            self._take(earlier)

    @property
    def head(self) -> str:
        """Give the chain value of the last batch."""
        return self._head

    @property
    def seq(self) -> int:
        """Count the events."""
        return len(self._lines)

    @property
    def chain_kind(self) -> str:
        """Name the chain as RunStarted does."""
        return self._chain.kind

    async def append(self, events: Sequence[Event]) -> None:
        # A disk lets others run meanwhile; so does its twin.
        await lowlevel.checkpoint()
        if self._refusal is not None:
            raise JournalError(self._refusal)
        if not events:
            return
        if self._room is not None:
            if self._room == 0:
                self._refusal = "the journal in memory cannot be written: the disk is full"
                raise JournalError(self._refusal)
            self._room -= 1
        self._take(events)

    def _take(self, events: Sequence[Event]) -> None:
        try:
            data, self._head = encode(
                events, run=self._run_id, after_seq=self.seq, head=self._head, chain=self._chain
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise JournalError(f"an event cannot be written down: {error}") from error
        self._lines += data.splitlines(keepends=True)

    def read(self) -> Iterator[Event]:
        """Give every event in order, decoded from its line as the file's twin does."""
        for batch in Replay("journal in memory", self._chain).over((b"".join(self._lines),)):
            yield from batch.events

    def close(self) -> None:
        """Take no more events."""
        self._refusal = self._refusal or "the journal in memory is closed"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
