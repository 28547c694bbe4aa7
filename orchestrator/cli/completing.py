"""What a shell offers after <Tab>: nothing here may fail or take long."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def completions(found: Iterable[tuple[str, str]]) -> list[Any]:
    """Give values with their help in the form the shells' scripts take."""
    from typer.core import CompletionItem  # type: ignore[attr-defined]  # it stands there unlisted

    return [CompletionItem(value, help=help_) for value, help_ in found]


def run_ids(incomplete: str) -> list[str]:
    """Offer the runs of the folder the environment names, the newest first."""
    # Loading all settings would take longer than a person waits for a <Tab>.
    folder = Path(os.environ.get("ORCHESTRATOR_RUNS_DIR") or "logs/runs")
    try:
        names = sorted((entry.name for entry in folder.iterdir() if entry.is_dir()), reverse=True)
    except OSError:
        names = []
    return [name for name in ["last", *names] if name.startswith(incomplete)]


def playbook_files(incomplete: str) -> list[str]:
    """Offer YAML files, and the folders on the way to them."""
    start = Path(incomplete)
    folder = start if incomplete.endswith("/") else start.parent
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    found = [
        f"{entry}/" if entry.is_dir() else str(entry)
        for entry in entries
        if not entry.name.startswith(".") and (entry.is_dir() or entry.suffix in (".yaml", ".yml"))
    ]
    return [path for path in found if path.startswith(incomplete)]
