"""What the commands that give a run an order share: who gives it, and how it is told what came of it."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.exit_codes import DeclinedError, NeedsYesError
from orchestrator.model.orders import Order, Person

if TYPE_CHECKING:
    from orchestrator.settings import Settings

LONGEST_WHY = 500

Why = Annotated[
    str | None, typer.Option("--why", metavar="TEXT", help="The reason, for the audit log.")
]


def person(why: str | None) -> Person:
    """Say who gives an order; raises a usage error for a reason that is a book."""
    from orchestrator.adapters.machine import os_user

    reason = " ".join((why or "").split())
    if len(reason) > LONGEST_WHY:
        what = f"--why takes up to {LONGEST_WHY} characters, this has {len(reason):,}"
        raise typer.BadParameter(what)
    return Person(os_user.user_name(), os_user.host_name(), reason)


def run_id_of(settings: "Settings", reference: str) -> str:
    """Find the run that is meant: `last` may be another one a moment later."""
    from orchestrator.adapters.runs.run_folder import RunsFolder

    return RunsFolder(settings.runs_dir).find(reference).run_id


def give(settings: "Settings", run_id: str, order: Order, then: str = "") -> None:
    """Give the order and tell what came of it, and `then` how it can be taken back."""
    from orchestrator.cli.campaign import in_loop
    from orchestrator.switchboard import give_order

    told = in_loop(settings.event_loop, give_order, settings, run_id, order)
    screen.show(screen.folded(screen.sentence(f"{run_id}: {told}")))
    if then:
        screen.show(then)


def confirm_abandoning(run_id: str, *, yes: bool) -> None:
    """Return only once a person has agreed to leave devices in the middle of their chain.

    Raises NeedsYesError where nobody can be asked and DeclinedError where somebody did not agree.
    """
    if yes:
        return
    what = f"abandoning {run_id} leaves devices that are being reset without their configuration"
    if not sys.stdin.isatty():
        raise NeedsYesError(f"{what}, and there is no terminal to ask on; confirm with --yes")
    screen.note(screen.folded(f"{what[:1].upper()}{what[1:]}."))
    typed = screen.ask(f"type {run_id} to abandon them: ")
    if typed != run_id:
        said = f"{typed!r} is not {run_id}" if typed else "it was not confirmed"
        raise DeclinedError(f"{said}; the run goes on as before")
