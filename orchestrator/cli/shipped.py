"""Where the playbooks are that come with the program."""

import os
from importlib.resources import files
from pathlib import Path

from orchestrator.cli import screen
from orchestrator.model.errors import RunError


def playbook(name: str) -> Path:
    """Give a shipped playbook: from the installed package, or from the tree it is developed in.

    Raises RunError when neither has it.
    """
    found = _shipped(name)
    if found is None:
        what = f"the playbook {name} that comes with orchestrator is missing"
        raise RunError(f"{what}; install it again")
    return found


def find(given: str, *, silently: bool = False) -> Path:
    """Give the file that is meant: one that is here, else a shipped one of that name, and say so."""
    path = Path(given)
    if os.path.isfile(given) or path.parent not in (Path(), Path("playbooks")):  # noqa: PTH113 - Path.is_file may raise
        return path
    name = path.name if path.suffix == ".yaml" else f"{path.name}.yaml"
    found = _shipped(name)
    if found is None:
        return path
    if not silently:
        screen.note(f"The playbook {path.stem} is the one that comes with orchestrator.")
    return found


_TAKES = {
    "onboard.yaml": ("the devices to create", "devices import FILE.csv"),
    "update-fields.yaml": ("the fields to write", "devices update --from FILE.csv"),
    "hardware-replacement.yaml": ("the records to replace", None),
}
"""What the tables of shipped playbooks hold, and the command that does the same with a file alone."""


def find_to_plan(given: str, *, silently: bool = False) -> Path:
    """Give the file that is meant to be planned or run: a shipped one only if it needs no table.

    Raises RunError for the others: the tables that ship beside them are examples.
    """
    found = find(given, silently=True)
    if found == Path(given):
        return found
    if found.name not in _TAKES:
        return find(given, silently=silently)
    table = found.with_suffix(".csv")
    holds, command = _TAKES[found.name]
    instead = "" if command is None else f", or take `orchestrator {command}`"
    raise RunError(
        f"the playbook {found.stem} takes {holds} from a table of your own, and what comes with"
        f" orchestrator is an example; copy {found} and {table.name} from there into a folder of"
        f" yours, write your rows into the table, and name your copy{instead}"
    )


def _shipped(name: str) -> Path | None:
    package = Path(str(files("orchestrator")))
    for folder in (package / "_playbooks", package.parent / "playbooks"):
        if (folder / name).is_file():
            return folder / name
    return None
