"""Reading a journal file: its events for whoever shows them, its chain for whoever doubts it."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from orchestrator.adapters.runs.journal_lines import (
    GENESIS,
    Batch,
    Chain,
    Depth,
    Finding,
    JournalFaultError,
    Record,
    Replay,
)
from orchestrator.model.errors import JournalError
from orchestrator.model.events import Event

_LONGEST_FIRST_LINE = 1_000_000
_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class TornTail:
    """What follows the last committed batch: an append that a crash interrupted."""

    lines: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Verification:
    """What a whole journal looks like when it is held against its chain."""

    finding: Finding
    events: int
    """Committed events that can be believed."""
    batches: int
    head: str
    keyed: bool
    """True when the chain was checked with an audit key."""
    line: int | None = None
    """Where the first fault is."""
    detail: str = ""
    """The first fault in one sentence; empty when there is none."""
    since_expected: int | None = None
    """Events that follow the expected head; None when none was given or it was not found."""
    torn: TornTail | None = None

    @property
    def is_sound(self) -> bool:
        """True when every committed line is as it was written; a torn tail does not spoil that."""
        return self.finding is Finding.SOUND


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a journal can be held against its chain with the key that is there."""

    key: bytes | None
    believed: bool
    note: str
    """What a reader should know of it; empty when all is checked as it should be."""


def trust_in(path: Path, key: bytes | None) -> Trust:
    """Say how a journal can be checked by whoever only looks; raises JournalError when unreadable."""
    keyed = _first_line(path).get("chain_kind") == "hmac-sha256"
    if keyed and key is None:
        return Trust(None, believed=True, note="not checked: chained with an audit key")
    if not keyed and key is not None:
        return Trust(None, believed=False, note="checked without the audit key: chained without it")
    return Trust(key, believed=False, note="")


def run_of(path: Path) -> str | None:
    """Give the run that a journal's first line names; None when there is no such line."""
    run = _first_line(path).get("run")
    return run if isinstance(run, str) and run else None


def check_run(path: Path, run_id: str) -> None:
    """Raise JournalError when the journal is that of another run, as in a copied folder."""
    found = run_of(path)
    if found not in (None, run_id):
        what = f"the journal belongs to run {found!r}, not to {run_id!r}"
        raise JournalFaultError(str(path), 1, what, Finding.CHANGED)


def _first_line(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            members = orjson.loads(file.readline(_LONGEST_FIRST_LINE))
    except orjson.JSONDecodeError:
        return {}
    except OSError as error:
        raise JournalError(f"{path} cannot be read: {why(error)}") from error
    return members if isinstance(members, dict) else {}


def read_events(path: Path, key: bytes | None, until: int) -> Iterator[Event]:
    """Give the events of a journal's first `until` bytes; raises JournalError as `read_records`."""
    for batch in batches_of(path, Replay(str(path), Chain(key)), until=until):
        yield from batch.events


def read_records(
    path: Path, key: bytes | None = None, *, believed: bool = False, until: int | None = None
) -> Iterator[Record]:
    """Give every durable event of a journal in order, also while somebody else is appending to it.

    Lines of an append that is not finished are left out. With `believed` the chain is not checked,
    so no key is needed. Raises JournalError at the first line that cannot be believed.
    """
    replay = Replay(str(path), None if believed else Chain(key))
    for batch in batches_of(path, replay, until=until):
        yield from batch.records


def read_lines(path: Path, key: bytes | None = None) -> Iterator[bytes]:
    """Give every durable line byte by byte as it was written, its chain checked first."""
    for batch in batches_of(path, Replay(str(path), Chain(key), Depth.CHAIN)):
        yield from batch.data.splitlines(keepends=True)


def verify(path: Path, key: bytes | None = None, expected_head: str | None = None) -> Verification:
    """Hold a whole journal against its chain, and against a head that was kept elsewhere.

    A fault in the journal is returned; raises JournalError when the file cannot be read.
    """
    replay = Replay(str(path), Chain(key), Depth.CHECKED)
    found_at = 0 if expected_head == GENESIS else None
    fault: JournalFaultError | None = None
    try:
        for batch in batches_of(path, replay):
            if batch.head == expected_head:
                found_at = replay.seq
    except JournalFaultError as error:
        fault = error
    finding = fault.finding if fault else Finding.SOUND
    detail = str(fault) if fault else ""
    if fault is None and expected_head is not None and found_at is None:
        finding = Finding.CUT
        detail = (
            f"{path}: the expected head {expected_head[:12]}… is not in the chain:"
            " the tail was cut off or the file was replaced"
        )
    return Verification(
        finding=finding,
        events=replay.seq,
        batches=replay.batches,
        head=replay.head,
        keyed=key is not None,
        line=fault.line if fault else None,
        detail=detail,
        since_expected=None if found_at is None else replay.seq - found_at,
        torn=TornTail(replay.torn_lines, replay.torn_bytes) if replay.torn_bytes else None,
    )


def batches_of(path: Path, replay: Replay, *, until: int | None = None) -> Iterator[Batch]:
    """Run a replay over a file, its first `until` bytes only if given; raises JournalError."""
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise JournalError(f"{path} is not a file")
            yield from replay.over(_blocks_of(file, until))
    except OSError as error:
        raise JournalError(f"{path} cannot be read: {why(error)}") from error


def _blocks_of(file: BinaryIO, until: int | None) -> Iterator[bytes]:
    left = until
    while block := file.read(_BLOCK if left is None else min(left, _BLOCK)):
        yield block
        left = None if left is None else left - len(block)


def why(error: OSError) -> str:
    """Say in words what the system has against a file."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if error.errno == errno.EIO:
        return "the disk reports an error"
    if error.errno == errno.EROFS:
        return "the file system is read-only"
    return (error.strerror or str(error)).lower()
