"""A chain runs from a destructive operation to the last step that restores the device."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.walking.chaining import NO_CHAIN, chain_ends
from orchestrator.model.operations import Operation
from orchestrator.model.steps import (
    ApproveStep,
    CheckStep,
    NotifyStep,
    OperationStep,
    SleepStep,
    default_proof,
)

OTHERS = {
    "sleep": SleepStep(1.0),
    "check": CheckStep(()),
    "approve": ApproveStep("go on?"),
    "notify": NotifyStep("here"),
}


def steps(words):
    return [
        OTHERS[word]
        if word in OTHERS
        else OperationStep(Operation(word), default_proof(Operation(word)), 4)
        for word in words
    ]


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        ("", ()),
        ("reboot reconf", (-1, -1)),
        ("factory", (-1,)),
        ("factory check reboot", (-1, -1, -1)),
        ("factory reconf", (-1, 1)),
        ("device_factory sync", (-1, 1)),
        ("factory sleep reconf check", (-1, 2, 2, -1)),
        ("factory reconf sync", (-1, 1, -1)),
        ("factory sync reconf", (-1, 2, 2)),
        ("factory reconf check reconf", (-1, 3, 3, 3)),
        ("factory sync check sync notify", (-1, 3, 3, 3, -1)),
        ("factory reconf factory sync", (-1, 1, -1, 3)),
        ("factory device_factory reconf", (-1, -1, 2)),
        ("reconf factory approve reboot reconf", (-1, -1, 4, 4, 4)),
    ],
)
def test_a_step_inside_a_chain_knows_where_the_chain_ends(words, ends):
    assert chain_ends(steps(words.split())) == ends


@given(st.lists(st.sampled_from([*OTHERS, *map(str, Operation)]), max_size=12))
def test_what_is_inside_a_chain_follows_a_destruction_and_leads_to_a_restoration(words):
    sequence = steps(words)
    ends = chain_ends(sequence)

    assert len(ends) == len(words)
    for index, end in enumerate(ends):
        if end == NO_CHAIN:
            continue
        assert index <= end
        assert words[end] in ("reconf", "sync")
        assert words[index] not in ("factory", "device_factory")
        before = index - 1
        assert words[before] in ("factory", "device_factory") or ends[before] == end
