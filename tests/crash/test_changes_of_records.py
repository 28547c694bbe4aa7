"""kill -9 between any two batches of a campaign that changes records: nobody ends worse for it.

A drawn campaign without other trouble is recorded once for each kind, then killed wherever its
journal can be cut, before or right after what was intended leaves, and gone on with by another
process. `CUTS=all pytest tests/crash` tries every cut.
"""

import os
from dataclasses import replace
from functools import cache
from itertools import count

import pytest

from orchestrator.model import events
from orchestrator.model.verdicts import Verdict
from orchestrator.simulator.faults import Faults
from tests.campaigns.changing import KINDS, changing
from tests.campaigns.drawing import Drawn, Interruption, draw
from tests.campaigns.driving import Life, live
from tests.campaigns.invariants import broken

CUTS = 4
"""Cuts of each campaign that are tried, spread over its journal."""
FEWEST, MOST = 2, 10
"""Devices that have to succeed in a campaign for it to be worth cutting, and that it may have."""


@cache
def undisturbed(kind: str) -> Life:
    """Give the first drawn campaign of a kind in which enough devices succeed when nothing happens."""
    for seed in count(2000):
        drawing = changing(seed)
        if drawing is None or drawing.kind != kind:
            continue
        drawn = calm(draw(seed))
        if len(drawn.plan_made.devices) > MOST:
            continue
        life = live(drawn)
        enough = list(life.verdicts.values()).count("succeeded") >= FEWEST
        if enough and not life.chronicle.vault.refused:
            return life
    raise AssertionError


def calm(drawn: Drawn) -> Drawn:
    return replace(
        drawn,
        faults=Faults(),
        storms=(),
        absences=(),
        interruptions=(),
        acts=(),
        holdings=(),
    )


def cuts_of(life: Life) -> list[int]:
    cuts = life.chronicle.batches[:-1]
    if os.environ.get("CUTS") == "all":
        return cuts
    intended = [c for c in cuts if isinstance(life.journal[c - 1], events.OperationIntended)]
    few = max(1, len(intended) // CUTS)
    return sorted({*intended[::few], *cuts[:: max(1, len(cuts) // CUTS)]})


def is_worse(before: str, after: str) -> bool:
    """An attempt may be used up, or contacts be missed that would have told; nothing else."""
    if after == before or Verdict(after).is_success:
        return False
    return after not in ("in_doubt", "failed", "unconfirmed") or before == "skipped"


@pytest.mark.timeout(0 if os.environ.get("CUTS") else 60)
@pytest.mark.parametrize("kind", KINDS)
def test_gone_on_with_from_any_prefix_every_promise_is_kept(kind):
    whole = undisturbed(kind)
    wrong = {}
    for cut in cuts_of(whole):
        for how in ("unsent", "sent"):
            drawn = replace(whole.drawn, interruptions=(Interruption(cut, how, 0.0),))
            again = live(drawn)
            worse = {
                device: (before, again.verdicts[device])
                for device, before in whole.verdicts.items()
                if is_worse(before, again.verdicts[device])
            }
            found = [*broken(again), *([f"other verdicts: {worse}"] if worse else [])]
            if found:
                wrong[cut, how] = found

    assert wrong == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_killed_again_and_again_still_comes_to_its_end(kind):
    whole = undisturbed(kind)
    often = tuple(
        Interruption(length, ("sent", "unsent")[length % 2], 0.0)
        for length in range(5, 5 * len(whole.journal), 9)
    )

    assert broken(live(replace(whole.drawn, interruptions=often[:50]))) == []
