"""The typed confirmation: nobody wipes devices by pressing Enter."""

import sys

from orchestrator.cli import screen
from orchestrator.cli.exit_codes import DeclinedError, NeedsYesError
from orchestrator.model.plans import Plan


def confirm(plan: Plan, *, yes: bool) -> None:
    """Return only once a destructive plan is confirmed by its number of devices, or by --yes.

    Raises NeedsYesError where nobody can be asked and DeclinedError where somebody did not agree.
    """
    if yes or not plan.playbook.is_destructive:
        return
    devices = screen.counted(len(plan.devices), "device")
    if not sys.stdin.isatty():
        what = f"this run would factory-reset {devices} and there is no terminal to ask on"
        raise NeedsYesError(f"{what}; confirm with --yes")
    number = str(len(plan.devices))
    typed = screen.ask(f"type {number} to factory-reset {devices}: ")
    if typed.replace(",", "") != number:
        said = f"{typed!r} is not {number}" if typed else "it was not confirmed"
        raise DeclinedError(f"{said}; nothing was sent")
