"""Where the playbooks are that come with the program."""

from importlib.resources import files
from pathlib import Path

from orchestrator.model.errors import RunError


def playbook(name: str) -> Path:
    """Give a shipped playbook: from the installed package, or from the tree it is developed in.

    Raises RunError when neither has it.
    """
    package = Path(str(files("orchestrator")))
    for folder in (package / "_playbooks", package.parent / "playbooks"):
        if (folder / name).is_file():
            return folder / name
    raise RunError(f"the playbook {name} that comes with orchestrator is missing; install it again")
