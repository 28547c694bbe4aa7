"""The typed confirmation: nobody wipes devices by pressing Enter."""

import sys

from orchestrator.cli import screen
from orchestrator.cli.exit_codes import DeclinedError, NeedsYesError
from orchestrator.model.plans import Plan


def confirm(plan: Plan, *, yes: bool) -> None:
    """Return only once a plan that wipes or deletes is confirmed by its number of devices, or by --yes.

    Raises NeedsYesError where nobody can be asked and DeclinedError where somebody did not agree.
    """
    playbook, count = plan.playbook, len(plan.devices)
    devices, records = screen.counted(count, "device"), screen.counted(count, "record")
    deeds = [f"factory-reset {devices}"] if playbook.is_destructive else []
    deeds += [f"delete {records}"] if playbook.deletes else []
    if yes or not deeds:
        return
    deed = " and ".join(deeds)
    if not sys.stdin.isatty():
        what = f"this run would {deed} and there is no terminal to ask on"
        raise NeedsYesError(f"{what}; confirm with --yes")
    if playbook.deletes:
        back = "it" if count == 1 else "them"
        screen.note(f"This deletes {records}; nothing brings {back} back.")
    number = str(count)
    typed = screen.ask(f"type {number} to {deed}: ")
    if typed.replace(",", "") != number:
        said = f"{typed!r} is not {number}" if typed else "it was not confirmed"
        raise DeclinedError(f"{said}; nothing was sent")
