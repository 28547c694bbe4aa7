"""A destructive run needs the number of its devices typed, or --yes."""

import io
from dataclasses import replace

import pytest

from orchestrator.cli.confirming import confirm
from orchestrator.cli.exit_codes import DeclinedError, NeedsYesError
from orchestrator.model.operations import Action
from orchestrator.model.steps import RecordStep, default_proof
from tests.support.recorded_runs import REDEPLOY, plan_of

REBOOT = REDEPLOY.replace("factory", "reboot")


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch):
    def type_(text: str) -> None:
        monkeypatch.setattr("sys.stdin", Keyboard(text))

    return type_


def test_the_question_repeats_the_number_of_devices(typed, capsys):
    typed("3\n")

    confirm(plan_of(1, 2, 3), yes=False)

    assert capsys.readouterr().err == "type 3 to factory-reset 3 devices: "


def test_a_single_device_is_asked_for_in_the_singular(typed, capsys):
    typed("1\n")

    confirm(plan_of(1), yes=False)

    assert "type 1 to factory-reset 1 device: " in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["4\n", "yes\n", "\n", "", "33\n", "3 devices\n"])
def test_anything_else_sends_nothing(typed, answer):
    typed(answer)

    with pytest.raises(DeclinedError, match="nothing was sent"):
        confirm(plan_of(1, 2, 3), yes=False)


def test_without_a_terminal_and_without_yes_it_is_refused(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("3\n"))

    with pytest.raises(NeedsYesError, match="--yes"):
        confirm(plan_of(1, 2, 3), yes=False)


def deleting(*devices, also_wipes=False):
    """Give a plan that deletes these, after a reset if it also wipes."""
    plan = plan_of(*devices)
    gone = RecordStep(Action.DELETE, default_proof(Action.DELETE), 4, action=Action.DELETE)
    steps = (*plan.playbook.steps, gone) if also_wipes else (gone,)
    return replace(plan, playbook=replace(plan.playbook, steps=steps))


def test_a_deletion_is_named_and_confirmed_by_the_number_of_devices(typed, capsys):
    typed("3\n")

    confirm(deleting(1, 2, 3), yes=False)

    assert capsys.readouterr().err == (
        "This deletes 3 records; nothing brings them back.\ntype 3 to delete 3 records: "
    )


def test_a_run_that_wipes_and_deletes_says_both(typed, capsys):
    typed("1\n")

    confirm(deleting(1, also_wipes=True), yes=False)

    assert capsys.readouterr().err == (
        "This deletes 1 record; nothing brings it back.\n"
        "type 1 to factory-reset 1 device and delete 1 record: "
    )


def test_a_deletion_without_a_terminal_is_refused(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("3\n"))

    with pytest.raises(NeedsYesError, match="would delete 3 records"):
        confirm(deleting(1, 2, 3), yes=False)


def test_yes_confirms_beforehand(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    confirm(plan_of(1, 2, 3), yes=True)

    assert capsys.readouterr().err == ""


def test_a_run_that_destroys_nothing_is_not_asked_about(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    confirm(plan_of(1, 2, 3, text=REBOOT), yes=False)

    assert capsys.readouterr().err == ""
