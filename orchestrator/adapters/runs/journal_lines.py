"""How events become lines of a journal and lines events again; no file is touched here.

A batch is what one write made durable, be it one append or several that waited together: its last
line closes it with `"chain"`, the hash over the previous chain value and the batch's bytes without
that member. What is not closed never happened.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Any

import orjson
from msgspec import Struct

from orchestrator.adapters.runs.lines_read import events_of, read
from orchestrator.model.errors import JournalError
from orchestrator.model.events import Event, RunStarted, as_facts, from_facts

FORMAT = 1
"""The version of this format, written into a journal's first line as `v`."""

GENESIS = "0" * 64
"""The chain value before the first batch."""

_MEMBER = b',"chain":"'
_CLOSING = len(_MEMBER) + 64 + len(b'"}\n')
_END = re.compile(_MEMBER + rb'[0-9a-f]{64}"}\n')


class Finding(StrEnum):
    """What was found when a journal was held against its chain."""

    SOUND = "sound"
    """Every committed line is as it was written."""
    CHANGED = "changed"
    """Lines were edited, removed, added or reordered, or cannot be read."""
    CUT = "cut"
    """The head kept elsewhere is not in the file: its tail is missing, or it was replaced."""
    OTHER_KEY = "other_key"
    """It was chained with another audit key than the one given."""
    KEY_MISSING = "key_missing"
    """It was chained with an audit key and none was given."""
    UNKEYED = "unkeyed"
    """An audit key was given, but everybody who can edit the file could have written this chain."""
    NEWER = "newer"
    """A newer version wrote it."""


class JournalFaultError(JournalError):
    """A journal cannot be believed; `finding` says in which way and `line` where it begins."""

    is_resumable = False

    def __init__(self, place: str, line: int, what: str, finding: Finding) -> None:
        self.line = line
        self.what = what
        self.finding = finding
        super().__init__(f"{place}:{line}: {what}")


@dataclass(frozen=True, slots=True)
class Chain:
    """The rule by which each batch is tied to the one before it."""

    key: bytes | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """Name the rule as a journal's first line does."""
        return "sha256" if self.key is None else "hmac-sha256"

    @property
    def key_check(self) -> str | None:
        """Give what tells this key from another one without telling the key."""
        if self.key is None:
            return None
        return hmac.digest(self.key, b"orchestrator journal key check", "sha256").hex()[:16]

    def after(self, head: str, payload: bytes) -> str:
        """Give the chain value of a batch that follows `head`."""
        if self.key is None:
            return hashlib.sha256(head.encode() + payload).hexdigest()
        return hmac.digest(self.key, head.encode() + payload, "sha256").hex()


class Record(Struct, frozen=True, gc=False):
    """One durable event and its place in the journal."""

    seq: int
    run: str
    event: Event


class Batch(Struct, frozen=True):
    """What was made durable at once."""

    data: bytes
    events: Sequence[Event]
    head: str
    run: str
    seq: int
    """Of its first line."""

    @property
    def records(self) -> Iterator[Record]:
        """Give its events with their places."""
        return (Record(seq, self.run, event) for seq, event in enumerate(self.events, self.seq))


class Depth(Enum):
    """How much of each line is read."""

    CHAIN = auto()
    """Nothing but what the chain needs."""
    CHECKED = auto()
    """All of it, so that everything odd is found, but no events are made."""
    EVENTS = auto()
    """Events are made."""


def encode(
    events: Sequence[Event], *, run: str, after_seq: int, head: str, chain: Chain
) -> tuple[bytes, str]:
    """Give the bytes of one batch and the new head; raises as `unnumbered` does."""
    return closed(unnumbered(events, run, chain), after_seq, head, chain)


def unnumbered(events: Sequence[Event], run: str, chain: Chain) -> list[bytes]:
    """Give lines that only lack the beginning, their seq: it is known when their turn has come.

    The first line of a journal names the format, the chain and, if there is a key, its check.
    Raises TypeError or ValueError when an event has values that JSON cannot hold.
    """
    return [_dumps(_members(event, run, chain))[1:] for event in events]


def closed(lines: Sequence[bytes], after_seq: int, head: str, chain: Chain) -> tuple[bytes, str]:
    """Number lines and close them as one batch; give its bytes and the new head."""
    payload = b"".join([b'{"seq":%d,%b\n' % each for each in enumerate(lines, after_seq + 1)])
    new_head = chain.after(head, payload)
    return payload[:-2] + _MEMBER + new_head.encode() + b'"}\n', new_head


def _members(event: Event, run: str, chain: Chain) -> dict[str, object]:
    facts = as_facts(event)
    members = {"at": facts["at"], "event": type(event).__name__, "run": run}
    if isinstance(event, RunStarted):
        # The journal knows best how it is chained, and `chain` is the name of the closing member.
        del facts["chain"]
        members |= {"v": FORMAT, "chain_kind": chain.kind}
        if chain.key_check is not None:
            members["key_check"] = chain.key_check
    members.update(facts)
    return members


def _dumps(members: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(members)
    except TypeError:
        # Half a surrogate pair in a name or reason from outside must not end a run.
        return orjson.dumps(_writable(members))


def _writable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_writable(key): _writable(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(member) for member in value]
    return value


def _lines_of(data: bytes) -> list[bytes]:
    """Part what a file holds at its line ends, and at nothing else that might pass for one."""
    *whole, rest = data.split(b"\n")
    return [*(line + b"\n" for line in whole), *([rest] if rest else [])]


class Replay:
    """Reads a journal batch by batch; afterwards it knows the head, the end and what was torn.

    `place` stands in messages. `chain=None` trusts the lines without holding them against a chain.
    """

    def __init__(self, place: str, chain: Chain | None, depth: Depth = Depth.EVENTS) -> None:
        self._place = place
        self._chain = chain
        self._depth = depth
        self._run: str | None = None
        self.head = GENESIS
        self.seq = 0
        self.batches = 0
        self.end = 0
        """Bytes up to the last line that is committed."""
        self.torn_lines = 0
        self.torn_bytes = 0
        """What follows it: a batch whose writing was interrupted and never acknowledged."""

    @property
    def run(self) -> str | None:
        """The run that the journal is about; None until a batch was read."""
        return self._run

    def over(self, blocks: Iterable[bytes]) -> Iterator[Batch]:
        """Give every committed batch in order; raises JournalFaultError at the first fault.

        Where a block begins and ends means nothing; together they are the journal.
        """
        gathered = bytearray()
        searched = 0
        for block in blocks:
            gathered += block
            ends = [found.end() for found in _END.finditer(gathered, searched)]
            if ends:
                yield from self._committed(bytes(memoryview(gathered)[: ends[-1]]), ends)
                del gathered[: ends[-1]]
            searched = max(0, len(gathered) - _CLOSING)
        torn = _lines_of(bytes(gathered))
        for place, line in enumerate(torn):
            # No crash leaves a whole line with a broken hash; cutting it would forget facts.
            if line.endswith(b"\n") and "chain" in (_loads(line) or ()):
                raise self._fault(place, "the hash at the end of the line was changed")
        self.torn_lines = len(torn)
        self.torn_bytes = len(gathered)

    def _committed(self, data: bytes, ends: list[int]) -> Iterator[Batch]:
        """Give the batches that end where told; lines are read many at a time where nothing is odd."""
        begin = 0
        if self.seq == 0:
            begin, *ends = ends
            self._read_header(data[: data.index(b"\n") + 1])
            yield self._batch(data[:begin], None)
        lines = None if self._depth is Depth.CHAIN or not ends else self._read(data[begin:])
        place = 0
        for end in ends:
            whole = data[begin:end]
            beyond = place + whole.count(b"\n")
            yield self._batch(whole, None if lines is None else lines[place:beyond])
            begin, place = end, beyond

    def _batch(self, data: bytes, lines: Sequence[Any] | None) -> Batch:
        """Hold a batch against the chain and read what is not read yet."""
        head = data[-67:-3].decode()
        if self._chain is not None:
            payload = data[:-_CLOSING] + b"}\n"
            if not hmac.compare_digest(self._chain.after(self.head, payload), head):
                raise self._why_broken(_lines_of(data))
        count = data.count(b"\n")
        events: Sequence[Event] = ()
        if self._depth is Depth.CHAIN:
            self._members_of(count - 1, data[data.rfind(b"\n", 0, -1) + 1 :])
        else:
            if lines is None:
                lines = self._read(data)
            if lines is None:
                events = self._explained(_lines_of(data))
            elif self._depth is Depth.EVENTS:
                events = events_of(lines)
        batch = Batch(data, events, head, self._run or "", self.seq + 1)
        self.head = head
        self.seq += count
        self.batches += 1
        self.end += len(data)
        return batch

    def _read(self, data: bytes) -> list[Any] | None:
        return read(data, self._run, self.seq)

    def _read_header(self, line: bytes) -> None:
        header = _loads(line)
        if header is None or header.get("event") != "RunStarted" or not header.get("run"):
            raise self._fault(0, "this is not the first line of a journal: RunStarted is missing")
        version = header.get("v")
        if not isinstance(version, int) or version > FORMAT:
            what = f"the journal has format {version!r}; this program reads up to {FORMAT}"
            raise self._fault(0, what, Finding.NEWER)
        self._run = str(header["run"])
        if self._chain is not None:
            self._compare_keys(self._chain, header)

    def _compare_keys(self, chain: Chain, header: dict[str, Any]) -> None:
        kind = header.get("chain_kind")
        if kind == chain.kind:
            if header.get("key_check") != chain.key_check:
                what = "the journal was chained with another audit key than the one that is set"
                raise self._fault(0, what, Finding.OTHER_KEY)
        elif kind == "hmac-sha256":
            what = (
                "the journal was chained with an audit key; set ORCHESTRATOR_AUDIT_KEY to the same"
            )
            raise self._fault(0, what, Finding.KEY_MISSING)
        elif kind == "sha256":
            what = (
                "an audit key is set, but this journal is chained without one, so anybody who can"
                " edit it could have written it; unset ORCHESTRATOR_AUDIT_KEY to use it even so"
            )
            raise self._fault(0, what, Finding.UNKEYED)
        else:
            raise self._fault(0, f"the journal names an unknown kind of chain, {kind!r}")

    def _explained(self, lines: list[bytes]) -> list[Event]:
        """Read line by line, and say of the first that is none of a journal what is wrong with it."""
        events = []
        for place, line in enumerate(lines):
            members = self._members_of(place, line)
            name = members.pop("event", None)
            for each in ("seq", "run", "chain"):
                members.pop(each, None)
            if name == "RunStarted":
                members["chain"] = members.pop("chain_kind", "sha256")
            try:
                events.append(from_facts(name, members))
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                raise self._fault(place, f"the line is not an event: {error}") from error
        return events

    def _members_of(self, place: int, line: bytes) -> dict[str, Any]:
        members = _loads(line)
        if members is None:
            raise self._fault(place, "the line is not a JSON object")
        expected = self.seq + place + 1
        if members.get("seq") != expected:
            what = (
                f"seq {members.get('seq')!r} stands where {expected} belongs:"
                " lines are missing, added or moved"
            )
            raise self._fault(place, what)
        if members.get("run") != self._run:
            what = f"the line belongs to run {members.get('run')!r}, the journal to {self._run!r}"
            raise self._fault(place, what)
        return members

    def _why_broken(self, lines: list[bytes]) -> JournalFaultError:
        """Name the very line where it can be seen, else the batch: a hash covers all of it."""
        try:
            self._explained(lines)
        except JournalFaultError as fault:
            return fault
        where = (
            f"lines {self.seq + 1} to {self.seq + len(lines)} do" if len(lines) > 1 else "it does"
        )
        return self._fault(
            0, f"{where} not match the hash chain: something was changed after it was written"
        )

    def _fault(
        self, place: int, what: str, finding: Finding = Finding.CHANGED
    ) -> JournalFaultError:
        return JournalFaultError(self._place, self.seq + place + 1, what, finding)


def _loads(line: bytes) -> dict[str, Any] | None:
    try:
        members = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return members if isinstance(members, dict) else None
