"""A destructive run needs the number of its devices typed, or --yes; a deletion always their number."""

import io
from dataclasses import replace

import pytest
import typer

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


@pytest.mark.parametrize("stdin", [io.StringIO, Keyboard])
def test_yes_alone_deletes_nothing_and_the_number_is_named(monkeypatch, stdin):
    monkeypatch.setattr("sys.stdin", stdin("3\n"))

    with pytest.raises(
        NeedsYesError, match=r"would delete 3 records and .*confirm with --delete 3$"
    ):
        confirm(deleting(1, 2, 3), yes=True)


def test_what_wipes_and_deletes_needs_both_where_nobody_can_be_asked(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    plan = deleting(1, also_wipes=True)

    with pytest.raises(NeedsYesError, match=r"confirm with --delete 1 --yes$"):
        confirm(plan, yes=False)
    with pytest.raises(NeedsYesError, match=r"confirm with --yes$"):
        confirm(plan, yes=False, delete=1)
    confirm(plan, yes=True, delete=1)


@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.parametrize("stdin", [io.StringIO, Keyboard])
def test_another_number_is_refused_and_the_right_one_named(monkeypatch, stdin, yes):
    monkeypatch.setattr("sys.stdin", stdin("3\n"))

    with pytest.raises(typer.BadParameter, match="--delete 2, and this would delete 3 records"):
        confirm(deleting(1, 2, 3), yes=yes, delete=2)


@pytest.mark.parametrize("yes", [True, False])
def test_the_right_number_confirms_a_deletion(monkeypatch, capsys, yes):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    confirm(deleting(1, 2, 3), yes=yes, delete=3)

    assert capsys.readouterr().err == ""


def test_a_number_of_records_is_refused_where_none_is_deleted():
    with pytest.raises(typer.BadParameter, match="--delete 3, and 'redeploy' deletes no records"):
        confirm(plan_of(1, 2, 3), yes=True, delete=3)


def test_yes_confirms_beforehand(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    confirm(plan_of(1, 2, 3), yes=True)

    assert capsys.readouterr().err == ""


def test_a_run_that_destroys_nothing_is_not_asked_about(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    confirm(plan_of(1, 2, 3, text=REBOOT), yes=False)

    assert capsys.readouterr().err == ""
