"""Where a command's output goes: to stdout, or into a file that appears once it is whole."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, TextIO

import typer

from orchestrator.cli import screen
from orchestrator.model.errors import RunError

STDOUT = "-"

Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write here, not to stdout."),
]


def check_output(output: str | None) -> None:
    """Raise a usage error for what cannot be the name of a file, before anything is done."""
    if output not in (None, STDOUT) and not _is_name_of_file(output):
        raise typer.BadParameter(f"--output takes the name of a file, this is {output!r}")


def check_spares(output: str | None, *kept: Path) -> None:
    """Raise a usage error when the file is one of those that a run lives on."""
    if output in (None, STDOUT):
        return
    for path in kept:
        with suppress(OSError):  # what is not there cannot be lost
            if path.samefile(output):
                raise typer.BadParameter(f"--output would replace {path}, which the run needs")


@contextmanager
def opened(output: str | None) -> Iterator[TextIO]:
    """Give stdout, or a file for its owner only that appears under its name once it is whole.

    Both take UTF-8, whatever the terminal speaks. Raises RunError when the file cannot be written.
    """
    from orchestrator.adapters.runs.journal_reading import why

    if output in (None, STDOUT):
        with screen.writing():
            yield _stdout()
        return
    target = Path(output)
    draft = target.with_name(f".{target.name}.draft")
    try:
        draft.unlink(missing_ok=True)
        with open(
            draft, "x", encoding="utf-8", errors="replace", newline="", opener=_for_its_owner
        ) as file:
            yield file
        draft.replace(target)
    except OSError as error:
        raise RunError(f"{output} cannot be written: {why(error)}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _stdout() -> TextIO:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    return sys.stdout


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _is_name_of_file(output: str) -> bool:
    path = Path(output)
    # Whatever is no plain file, such as /dev/null, would be replaced by one.
    return bool(path.name) and not output.endswith("/") and not _is_other_than_file(path)


def _is_other_than_file(path: Path) -> bool:
    try:
        return path.exists() and not path.is_file()
    except OSError:
        return False  # writing it says why
