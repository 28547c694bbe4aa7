"""The playbook that a plan was made from, and the files as they are now."""

from pathlib import Path

from orchestrator.model.errors import PlaybookError, RunError
from orchestrator.model.playbooks import PlaybookSource
from orchestrator.playbook.loading import load_playbook


def playbook_of(kept: PlaybookSource, plan: Path) -> Path:
    """Find the file of a plan's playbook: where it was, seen from here or from beside the plan.

    Raises RunError when it is in neither place.
    """
    for path in (Path(kept.path), plan.parent / kept.path):
        if path.is_file():
            return path
    raise RunError(
        f"the playbook {kept.path} of the plan {plan} is gone; put it back or make a new plan"
    )


def source_now(kept: PlaybookSource, plan: Path) -> PlaybookSource:
    """Read what the plan was made from once more; one that is no playbook any more only as text.

    Raises RunError when the playbook or a file that it names is gone or cannot be read.
    """
    path = playbook_of(kept, plan)
    try:
        return load_playbook(path, kept.variables)[1]
    except PlaybookError as error:
        try:
            text = path.read_bytes().decode("utf-8-sig", errors="replace")
        except OSError:
            text = kept.text
        if text != kept.text:
            return PlaybookSource(str(path), text, kept.variables, kept.files)
        first = error.faults[0].message
        what = f"the playbook {path} of the plan {plan} cannot be read as it was: {first}"
        raise RunError(f"{what}; put it back or make a new plan") from error
