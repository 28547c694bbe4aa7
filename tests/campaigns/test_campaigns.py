"""A few hundred drawn campaigns keep every promise; `make check-campaigns` runs thousands.

A failing seed is repeated, and its story told, by the command in the message.
"""

from functools import cache
from itertools import count

import pytest
from msgspec import structs

from orchestrator.model import events
from orchestrator.model.operations import Operation
from orchestrator.model.orders import OrderRefusedError
from tests.campaigns.__main__ import main
from tests.campaigns.changing import KINDS, changing
from tests.campaigns.drawing import draw
from tests.campaigns.driving import live
from tests.campaigns.history import chained_steps
from tests.campaigns.invariants import broken
from tests.campaigns.running import judged, repeat_with
from tests.support.campaigns import operation_step

SEEDS = 200
BLOCK = 10


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_drawn_campaigns_keep_every_promise(first):
    failing = [outcome for seed in range(first, first + BLOCK) if (outcome := judged(seed)).broken]

    assert not failing, "\n".join(
        f"{repeat_with(each.seed)}: {'; '.join(each.broken[:3])}" for each in failing
    )


@pytest.mark.parametrize("seed", [0, 30, 254, 316])
def test_the_same_seed_gives_the_same_journal(seed):
    assert live(draw(seed)).journal == live(draw(seed)).journal


# --- the judge itself: what is done to a good campaign must be found -------------------------------


def tampered(seed, change):
    """What the judge says of a campaign whose journal was changed afterwards."""
    life = live(draw(seed))
    assert broken(life) == []
    life.journal[:] = change(list(life.journal))
    life.chronicle.batches[:] = [len(life.journal)]
    return broken(life)


def without(kind):
    return lambda journal: [event for event in journal if not isinstance(event, kind)]


def test_a_step_that_was_never_proven_is_found():
    found = tampered(3, without(events.StepSucceeded))

    assert any("only steps [] did" in sentence for sentence in found)


def test_a_request_that_is_intended_again_is_found():
    def again(journal):
        asked = next(n for n, e in enumerate(journal) if isinstance(e, events.OperationAccepted))
        return [*journal[: asked + 1], *journal[asked - 1 : asked + 1], *journal[asked + 1 :]]

    assert any("is asked for again" in sentence for sentence in tampered(3, again))


def test_a_verdict_that_is_missing_is_found():
    found = tampered(3, without(events.DeviceFinished))

    assert any("has 0 verdicts" in sentence for sentence in found)


def test_an_error_in_a_campaign_is_a_broken_promise(monkeypatch):
    def fail(drawn):
        raise OrderRefusedError("no")

    monkeypatch.setattr("tests.campaigns.running.live", fail)

    assert "OrderRefusedError" in judged(1).broken[0]


# --- the judge of changes of records -----------------------------------------------------------------


@cache
def changed(kind):
    """The first campaign of a kind that keeps every promise and in which several devices succeed."""
    for seed in count(3000):
        drawing = changing(seed)
        if drawing is None or drawing.kind != kind:
            continue
        life = live(draw(seed))
        if list(life.verdicts.values()).count("succeeded") > 2 and not broken(life):
            return seed
    raise AssertionError


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_changes_the_same_records(kind):
    seed = changed(kind)

    assert live(draw(seed)).journal == live(draw(seed)).journal


def test_the_seeds_that_change_no_record_are_most():
    assert 0.5 < sum(changing(seed) is None for seed in range(500)) / 500 < 0.7


def test_a_record_that_does_not_show_what_was_written_is_found():
    life = live(draw(changed("replace")))
    for device in life.world.population._devices.values():
        device.fields = {**device.fields, "description": "?", "debug": "?", "location_name": "?"}

    assert any("wrote" in sentence for sentence in broken(life))


def test_a_password_that_nobody_keeps_is_found():
    life = live(draw(changed("rotate")))
    for place in life.chronicle.vault.kept:
        life.chronicle.vault.kept[place] = "another"

    assert any("a password that nobody keeps" in sentence for sentence in broken(life))


def test_a_secret_value_in_the_journal_is_found():
    life = live(draw(changed("rotate")))
    value = next(iter(life.chronicle.vault.kept.values()))
    place, event = next(
        (n, e) for n, e in enumerate(life.journal) if isinstance(e, events.OperationIntended)
    )
    life.journal[place] = structs.replace(event, after={"note": value})

    assert any("a secret value is told" in sentence for sentence in broken(life))


def test_a_change_that_was_not_intended_is_found():
    life = live(draw(changed("update")))
    life.world.ledger.changes[:] = [
        each._replace(wrote={**each.wrote, "serial_number": "X"}) for each in life.ledger.changes
    ]
    life.journal[:] = [e for e in life.journal if not isinstance(e, events.OperationIntended)]
    life.chronicle.batches[:] = [len(life.journal)]

    assert any("was not intended" in sentence for sentence in broken(life))


def test_a_second_record_of_a_new_device_is_found():
    life = live(draw(changed("onboard")))
    new = {device.serial_number for device in life.plan.devices if device.is_new}
    population = life.world.population
    twin = next(d for d in population._devices.values() if d.fields["serial_number"] in new)
    population._devices[9999] = twin

    assert any("has 2 records" in sentence for sentence in broken(life))


def test_a_snapshot_that_was_not_saved_is_found():
    life = live(draw(saved()))
    life.chronicle.snapshots.clear()

    assert any("before anything was saved" in sentence for sentence in broken(life))


def saved():
    """A campaign that saved what it changed."""
    return next(seed for kind in KINDS if live(draw(seed := changed(kind))).chronicle.snapshots)


# --- what chains are ----------------------------------------------------------------------------------


def test_a_chain_is_what_brings_a_device_back():
    factory, reconf, sync, reboot = (
        operation_step(each)
        for each in (Operation.FACTORY, Operation.RECONF, Operation.SYNC, Operation.REBOOT)
    )

    assert chained_steps((factory, reconf)) == {1}
    assert chained_steps((factory, sync, reconf, reboot)) == {1, 2}
    assert chained_steps((reboot, factory, reboot, sync)) == {2, 3}
    assert chained_steps((factory, factory, reconf)) == {2}
    assert chained_steps((factory, reboot)) == frozenset()


# --- the program ------------------------------------------------------------------------------------


def test_it_says_what_was_covered(capsys):
    assert main(["2", "--processes", "1"]) == 0

    said = capsys.readouterr().out
    assert "with waves" in said
    assert "2 of 2 seeds hold every promise" in said


def test_it_tells_the_story_of_a_seed(capsys):
    assert main(["--seed", "1"]) == 0

    said = capsys.readouterr().out
    assert "rollout" in said
    assert "started drawn" in said
    assert "every promise holds" in said


def test_it_names_the_command_that_repeats_a_failure(capsys, monkeypatch):
    monkeypatch.setattr("tests.campaigns.running.broken", lambda life: ["no"])

    assert main(["2", "--processes", "1"]) == 1
    assert "make check-campaigns SEED=0" in capsys.readouterr().out
