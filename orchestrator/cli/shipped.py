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


def _shipped(name: str) -> Path | None:
    package = Path(str(files("orchestrator")))
    for folder in (package / "_playbooks", package.parent / "playbooks"):
        if (folder / name).is_file():
            return folder / name
    return None
