"""The typed confirmation: nobody wipes devices by pressing Enter, and nobody deletes records unnumbered."""

import sys

import typer

from orchestrator.cli import screen
from orchestrator.cli.exit_codes import DeclinedError, NeedsYesError
from orchestrator.model.plans import Plan


def confirm(plan: Plan, *, yes: bool, delete: int | None = None) -> None:
    """Return only once a plan that wipes or deletes is confirmed.

    A person types the number of devices. Elsewhere --yes confirms what wipes, and only the number of
    records, given by `delete`, what deletes. Raises typer.BadParameter for a number that is wrong or
    about nothing, NeedsYesError where nobody can be asked and DeclinedError where somebody did not
    agree.
    """
    playbook, count = plan.playbook, len(plan.devices)
    devices, records = screen.counted(count, "device"), screen.counted(count, "record")
    can_ask = sys.stdin.isatty()
    wipes = playbook.is_destructive
    if playbook.deletes:
        also = " --yes" if wipes and not yes else ""
        check_number(
            "--delete", delete, count, f"delete {records}", can_ask=can_ask and not yes, also=also
        )
    elif delete is not None:
        raise typer.BadParameter(f"--delete {delete}, and {playbook.name!r} deletes no records")
    deeds = [f"factory-reset {devices}"] if wipes else []
    deeds += [f"delete {records}"] if playbook.deletes else []
    if yes or not deeds or (delete is not None and not wipes):
        return
    deed = " and ".join(deeds)
    if not can_ask:
        raise NeedsYesError(f"{_unasked(deed)}; confirm with --yes")
    if playbook.deletes:
        back = "it" if count == 1 else "them"
        screen.note(f"This deletes {records}; nothing brings {back} back.")
    number = str(count)
    typed = screen.ask(f"type {number} to {deed}: ")
    if typed.replace(",", "") != number:
        said = f"{typed!r} is not {number}" if typed else "it was not confirmed"
        raise DeclinedError(f"{said}; nothing was sent")


def check_number(
    option: str, given: int | None, count: int, deed: str, *, can_ask: bool, also: str = ""
) -> None:
    """Return only if an option gives the number of records that are deleted, or somebody can be asked.

    `also` is what has to be written beside the option. Raises typer.BadParameter for another number
    and NeedsYesError where the number is missing.
    """
    if given is not None and given != count:
        raise typer.BadParameter(f"{option} {given}, and this would {deed}; nothing was sent")
    if given is None and not can_ask:
        raise NeedsYesError(f"{_unasked(deed)}; confirm with {option} {count}{also}")


def _unasked(deed: str) -> str:
    is_told = sys.stdin.isatty()
    why = "--yes does not say how many" if is_told else "there is no terminal to ask on"
    return f"this run would {deed} and {why}"
