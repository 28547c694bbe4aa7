"""What the journal holds of an event is enough to have the same event again."""

import json
import types
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model import events
from orchestrator.model.devices import device_from_record
from orchestrator.model.events import EVENTS, Baseline, as_facts, baseline_of, from_facts

MOMENTS = st.integers(0, 4_000_000_000_000_000).map(lambda micros: round(micros / 1e6, 6))


def values_for(name, kind):
    """Give a strategy for one field by its type."""
    options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if name == "at" or name.endswith("_at"):
        plain = MOMENTS
    elif Baseline in options:
        plain = built(Baseline)
    elif name == "pending":
        plain = st.lists(st.text(max_size=5), max_size=3).map(tuple)
    elif name == "verdicts":
        plain = st.dictionaries(st.text(max_size=5), st.integers(0, 9))
    elif name in ("before", "after") and float not in options:
        facts = st.none() | st.text(max_size=5) | st.integers(0, 9) | st.booleans()
        plain = st.dictionaries(st.text(max_size=5), facts)
    else:
        plain = {
            str: st.text(max_size=10),
            int: st.integers(0, 10**9),
            float: st.floats(0, 1e9),
            bool: st.booleans(),
        }[options[0]]
    return st.none() | plain if types.NoneType in options else plain


def built(kind):
    hints = typing.get_type_hints(kind)
    return st.builds(
        kind, **{name: values_for(name, hints[name]) for name in kind.__struct_fields__}
    )


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_comes_back_from_the_journal_as_it_was(name):
    @settings(max_examples=15, deadline=None)
    @given(built(EVENTS[name]))
    def comes_back(event):
        facts = json.loads(json.dumps(as_facts(event)))

        assert from_facts(name, facts) == event
        assert None not in facts.values()

    comes_back()


def test_moments_stand_in_the_journal_as_text_and_nothing_stands_for_none():
    event = events.OperationAccepted(1_767_225_600.5, 7, 0, 1, 200, 1_767_225_600.0)

    assert as_facts(event) == {
        "at": "2026-01-01T00:00:00.500000Z",
        "device": 7,
        "step": 0,
        "attempt": 1,
        "status": 200,
        "server_at": "2026-01-01T00:00:00.000000Z",
    }
    assert "status" not in as_facts(events.OperationLost(0.0, 7, 0, 1, "reset"))


def test_every_kind_of_event_is_known_by_its_name():
    kinds = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and kind.__module__ == events.__name__ and kind is not Baseline
    }

    assert set(EVENTS.values()) == kinds


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("OperationImagined", {"at": "2026-01-01T00:00:00Z"}),
        ("RunContinued", {}),
        ("RunContinued", {"at": "yesterday"}),
        ("OperationAccepted", {"at": "2026-01-01T00:00:00Z", "device": 7}),
    ],
)
def test_what_is_no_event_is_refused(name, facts):
    with pytest.raises(ValueError, match=r".+"):
        from_facts(name, facts)


def test_a_baseline_keeps_of_a_record_what_proofs_need():
    record = {
        "id": 7,
        "status": "Up",
        "serial_number": "SN7",
        "pending_settings": "none",
        "last_connection": "2026-01-01T00:00:00Z",
        "software_version": 2,
        "password": "x",
    }

    assert baseline_of(device_from_record(record), read_at=5.0) == Baseline(
        read_at=5.0,
        status="Up",
        serial_number="SN7",
        pending=(),
        last_connection_at=1_767_225_600.0,
    )
