"""A composed playbook, put where it can be planned, and kept where a plan has to find it again."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from orchestrator.model.errors import RunError

if TYPE_CHECKING:
    from orchestrator.model.playbooks import PlaybookSource
    from orchestrator.planning.drafting.refining import Checked


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a playbook, and the rows it draws its values from."""

    name: str
    text: str
    rows: "Checked | None" = None

    @property
    def has_secrets(self) -> bool:
        """True when the file of rows is read again for its secrets: then it has to stay where it is."""
        return self.rows is not None and bool(self.rows.table.secrets)

    def source_as_kept(self, source: "PlaybookSource") -> "PlaybookSource":
        """Name the playbook for what it is; where secrets are read again, as beside their file."""
        name = f"{self.name}.yaml"
        if self.has_secrets and self.rows is not None:
            name = str(Path(self.rows.path).resolve().parent / name)
        return replace(source, path=name)


def check_place(draft_rows: "Checked | None", plan: Path | None) -> None:
    """Raise a usage error when a plan with secrets would be kept apart from the file that has them."""
    from orchestrator.adapters.plans import plan_file

    if plan is None:
        return
    plan_file.check_place(plan)
    if draft_rows is None or not draft_rows.table.secrets:
        return
    folder = Path(draft_rows.path).resolve().parent
    if plan.resolve().parent != folder:
        what = f"{draft_rows.path} has secret columns, which are read again when the plan is run"
        raise typer.BadParameter(f"{what}; keep the plan in the same folder, {folder}")


@contextmanager
def at_hand(draft: Draft, plan: Path | None) -> Iterator[Path]:
    """Give the playbook's file: for the block only, or to stay beside the plan that is kept.

    Raises RunError when it cannot be written.
    """
    from orchestrator.adapters.runs.journal_reading import why
    from orchestrator.cli.inventory.filters import faults_of_command_line

    try:
        with _placed(draft, plan) as path, faults_of_command_line(path):
            yield path
    except OSError as error:
        raise RunError(f"the playbook of this command cannot be written: {why(error)}") from error


@contextmanager
def _placed(draft: Draft, plan: Path | None) -> Iterator[Path]:
    if plan is not None:
        made: list[Path] = []
        try:
            yield _beside(draft, plan, made)
        except BaseException:
            for path in made:
                path.unlink(missing_ok=True)
            raise
    elif draft.has_secrets and draft.rows is not None:
        folder = Path(draft.rows.path).parent
        with tempfile.NamedTemporaryFile(
            "w", dir=folder, prefix=f".{draft.name}-", suffix=".yaml", encoding="utf-8"
        ) as file:
            file.write(draft.text)
            file.flush()
            yield Path(file.name)
    else:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / f"{draft.name}.yaml"
            path.write_text(draft.text, encoding="utf-8")
            if draft.rows is not None:
                rows = path.with_name(draft.rows.table.name)
                rows.write_bytes(draft.rows.text.encode())
            yield path


def _beside(draft: Draft, plan: Path, made: list[Path]) -> Path:
    """Keep the playbook, and its rows where they are not the file itself, under the plan's name.

    `made` takes the files that were not there before.
    """
    path = plan.with_suffix(".yaml")
    text = draft.text
    rows = draft.rows
    if rows is not None and not draft.has_secrets:
        own = Path(rows.path)
        if own.resolve().parent != plan.resolve().parent or _text_of(own) != rows.text:
            # A name of its own, so that neither the playbook nor the file itself is written over.
            kept = plan.with_name(f"{plan.stem}-rows{own.suffix}")
            _write(kept, rows.text, made, is_ours=kept.is_file())
            text = text.replace(f'"@{rows.table.name}"', f'"@{kept.name}"', 1)
    from orchestrator.planning.drafting.composing import MARK

    _write(path, text, made, is_ours=(_text_of(path) or "").startswith(MARK))
    return path


def _text_of(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError:
        return None


def _write(path: Path, text: str, made: list[Path], *, is_ours: bool) -> None:
    if not path.exists():
        made.append(path)
    elif not is_ours:
        raise RunError(f"{path} is there already, and the plan needs it; name the plan otherwise")
    path.write_bytes(text.encode())
