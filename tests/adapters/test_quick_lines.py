"""Lines hold the facts; the quick way back says the same as the slow way, whatever is in the bytes."""

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from orchestrator.adapters.runs.journal_lines import (
    GENESIS,
    Chain,
    Depth,
    JournalFaultError,
    Replay,
    encode,
)
from orchestrator.adapters.runs.lines_read import events_of, read
from orchestrator.model import events, moments
from orchestrator.model.events import EVENTS, as_facts
from tests.model.test_events import built
from tests.support.histories import EVERY_KIND, T0, intended, run_started

CHAIN = Chain()
RUN = "night-1"
FIRST, HEAD = encode([run_started()], run=RUN, after_seq=0, head=GENESIS, chain=CHAIN)


def lines_of(*told):
    payload, _ = encode(told, run=RUN, after_seq=1, head=HEAD, chain=CHAIN)
    return unchained(payload)


def unchained(data):
    return data[:-77] + b"}\n"


def chained(payload):
    """Close a batch as somebody does who can reckon the hash."""
    return payload[:-2] + b',"chain":"' + CHAIN.after(HEAD, payload).encode() + b'"}\n'


def told_of(data, *, slowly, block=1 << 20, depth=Depth.EVENTS):
    """Give what a reader learns of these bytes after the first line: its events, or the fault."""
    replay = Replay("journal", CHAIN, depth)
    if slowly:
        replay._read = lambda data: None
    whole = FIRST + data
    found, fault = [], None
    try:
        for batch in replay.over(whole[at : at + block] for at in range(0, len(whole), block)):
            found += [(record.seq, record.run, record.event) for record in batch.records]
    except JournalFaultError as error:
        fault = (error.line, error.what, error.finding)
    return found, fault, replay.seq, replay.head, replay.end, replay.torn_lines, replay.torn_bytes


LOST = events.OperationLost(T0, 1, 0, 1, "reset")
BATCH = lines_of(*EVERY_KIND[1:9])
PIECES = [
    *(b"", b"\n", b" ", b"\r", b"\t", b"\0", b'"', b"\\", b",", b":", b"{", b"}", b"[", b"]"),
    *(b"null", b"true", b"1.0", b"-0", b"01", b"1e999", b"NaN", b"\\ud83d", b"\xff", b"\xc3\xa9"),
    *(b'"seq":2,', b'"event":"RunContinued",', b'"run":"night-2",', b'"chain":"x",', b'"why":1,'),
    *(
        b"}\n{",
        b'}\n{"',
        b"}{",
        b"[1]\n",
        b"{}\n",
        b"2026-11-22T04:15:00Z",
        b"2026-11-22t04:15:00.1234567z",
        b"2026-11-22 04:15:00+05:30",
        b"2026-11-22T04:15:00",
        b"2026-W01-1T00:00:00Z",
    ),
    *(b'"at":null,', b'"status_change_at":null,', b'"pending":"none",', b'"device":"7",'),
]


@st.composite
def mutated(draw):
    data = bytearray(draw(st.sampled_from([BATCH, *(lines_of(each) for each in EVERY_KIND[1:])])))
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(data)))
        end = begin + draw(st.integers(0, 12))
        data[begin:end] = draw(st.sampled_from(PIECES) | st.binary(max_size=3))
    return bytes(data)


@settings(max_examples=400, deadline=None)
@given(mutated())
@example(BATCH.replace(b"}\n", b"\n}", 1))
@example(BATCH.replace(b"}\n", b"}", 1).replace(b'"run"', b'\n"run"', 1))
@example(BATCH.replace(b'"run":"night-1"', b'"run":"night-1","run":"night-2"', 1))
@example(BATCH[:-1])
def test_whatever_somebody_who_knows_the_hash_writes_both_ways_say_the_same(payload):
    data = chained(payload)

    told = told_of(data, slowly=True)
    assert told_of(data, slowly=False) == told
    assert told_of(data, slowly=False, depth=Depth.CHECKED)[1:] == told[1:]


@settings(max_examples=200, deadline=None)
@given(mutated(), st.integers(1, 3000))
def test_whatever_is_changed_afterwards_both_ways_say_the_same_however_it_is_read(data, block):
    following, _ = encode(
        EVERY_KIND[1:3],
        run=RUN,
        after_seq=1 + BATCH.count(b"\n"),
        head=CHAIN.after(HEAD, BATCH),
        chain=CHAIN,
    )
    data = data[:-2] + chained(BATCH)[-77:] + following

    told = told_of(data, slowly=True)
    assert told_of(data, slowly=False, block=block) == told
    assert told_of(data, slowly=False, block=block, depth=Depth.CHECKED)[1:] == told[1:]


def test_what_was_not_changed_is_read_the_quick_way():
    assert events_of(read(BATCH, RUN, 1)) == list(EVERY_KIND[1:9])
    assert events_of(read(chained(BATCH), RUN, 1)) == list(EVERY_KIND[1:9])
    assert read(BATCH, RUN, 2) is None
    assert read(BATCH, "night-2", 1) is None


@pytest.mark.parametrize("name", [name for name in EVENTS if name != "RunStarted"])
def test_every_event_is_written_as_its_facts_and_read_back(name):
    @settings(max_examples=25, deadline=None)
    @given(built(EVENTS[name]))
    def comes_back(event):
        members = {"seq": 2, "at": as_facts(event)["at"], "event": name, "run": RUN}
        data = lines_of(event)

        assert list(orjson.loads(data).items()) == list(
            orjson.loads(orjson.dumps(members | as_facts(event))).items()
        )
        assert events_of(read(data, RUN, 1)) == [event]

    comes_back()


ODD = {
    "a moment that is whole": (events.RunContinued(1_795_320_900), {}),
    "no device": (
        events.StepSucceeded(T0, None, 0, "Up"),
        {"step": 0, "evidence": "Up"},
    ),
    "an enumerated status": (
        events.OperationLost(T0, 1, 0, 1, events.Status.UP),
        {"device": 1, "step": 0, "attempt": 1, "reason": "Up"},
    ),
    "numbers as words": (events.RunPaused(T0, 1, 2.5), {"cause": 1, "detail": 2.5}),
    "a list": (
        structs.replace(LOST, reason=["a", None, 1]),
        {"device": 1, "step": 0, "attempt": 1, "reason": ["a", None, 1]},
    ),
    "no number": (
        events.LimitOrdered(T0, "a", "b", "delay", float("nan"), 1.0),
        {"by": "a", "host": "b", "limit": "delay", "value": None, "before": 1.0, "why": ""},
    ),
    "half a pair": (
        events.RunInterrupted(T0, "half \ud83d of a pair"),
        {"reason": "half ? of a pair", "cause": "person"},
    ),
}


@pytest.mark.parametrize(("event", "facts"), ODD.values(), ids=ODD)
def test_the_odd_is_written_as_it_stands(event, facts):
    head = {
        "seq": 2,
        "at": moments.as_text(event.at),
        "event": type(event).__name__,
        "run": RUN,
    }

    assert lines_of(event) == orjson.dumps(head | facts) + b"\n"


@pytest.mark.parametrize(
    "value", [{1, 2}, b"bytes", object(), {"a": {1}}, {"a": {1: 2}}, {"a": 1 << 64}]
)
def test_what_has_no_place_in_a_journal_is_refused(value):
    with pytest.raises(TypeError):
        lines_of(structs.replace(intended(1), after=value))
