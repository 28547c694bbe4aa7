"""What a run that is over came to, kept beside its journal so that lists need not read that.

It is a shortcut and no record: whoever audits a run reads the journal. It is believed only while
the journal is the very file that was read, unchanged since by its size and its times, and, by
whoever has an audit key, only if it was sealed with that key after the chain was checked with it.
"""

import hashlib
import hmac
import os
from dataclasses import asdict
from typing import Any

import orjson

from orchestrator.adapters.runs.journal_reading import read_records, trust_in
from orchestrator.adapters.runs.run_folder import RunFolder
from orchestrator.model.errors import JournalError, RunError
from orchestrator.report.standing import Outcome
from orchestrator.report.summary import Summary

_VERSION = 1


def keep(folder: RunFolder, outcome: Outcome, key: bytes | None, *, read: os.stat_result) -> None:
    """Keep the outcome of a run that is over, as `read` was its journal before it was read.

    The key is the one with which the journal's chain was checked. What cannot be written is no
    error: the journal says it all.
    """
    if not outcome.is_over:
        return
    content = {"journal": _mark(read), "outcome": asdict(outcome)}
    document = {
        "v": _VERSION,
        "digest": _digest(content),
        "seal": None if key is None else _seal(content, key),
        **content,
    }
    try:
        folder.save(folder.outcome_path, orjson.dumps(document) + b"\n")
    except RunError:
        return


def keep_at_end(folder: RunFolder, summary: Summary, key: bytes | None) -> None:
    """Keep what the process that drove a run to its end knows of it; nothing while it is not over."""
    if not summary.is_over:
        return
    try:
        read = folder.journal_path.stat()
    except OSError:
        return
    keep(folder, Outcome.of(summary, driven=False), key, read=read)


def kept(folder: RunFolder, key: bytes | None) -> Outcome | None:
    """Give the outcome that is kept; None unless it can be believed."""
    try:
        document = orjson.loads(folder.outcome_path.read_bytes())
        content = {name: document[name] for name in ("journal", "outcome")}
        found, wanted = document["digest"], _digest(content)
        if key is not None:
            found, wanted = document["seal"] or "", _seal(content, key)
        is_ours = document["v"] == _VERSION and hmac.compare_digest(found, wanted)
        if not is_ours or content["journal"] != _mark(folder.journal_path.stat()):
            return None
        return Outcome(**content["outcome"])
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return None


def outcome_of(folder: RunFolder, key: bytes | None, *, driven: bool) -> tuple[Outcome, str]:
    """Say what a run has come to, and what a reader should know of how its journal was checked.

    Taken from what is kept, else read from the journal, and then kept if the run is over. Raises
    JournalError when the journal cannot be read or believed.
    """
    path = folder.journal_path
    trust = trust_in(path, key)
    if (found := kept(folder, key)) is not None:
        return found, trust.note
    try:
        read = path.stat()
    except OSError as error:
        raise JournalError(f"{path} cannot be read: it is gone") from error
    summary = Summary(keeps_rows=False)
    summary.hear(record.event for record in read_records(path, trust.key, believed=trust.believed))
    outcome = Outcome.of(summary, driven=driven)
    keep(folder, outcome, key, read=read)
    return outcome, trust.note


def _mark(journal: os.stat_result) -> dict[str, int]:
    """Tell the journal from any other state of it; the last of these no program can set back."""
    return {
        "size": journal.st_size,
        "mtime_ns": journal.st_mtime_ns,
        "ctime_ns": journal.st_ctime_ns,
    }


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _seal(content: dict[str, Any], key: bytes) -> str:
    """Bind it to the key, under a name of its own: a journal's chain can never be taken for it."""
    return hmac.new(key, b"outcome " + _digest(content).encode(), hashlib.sha256).hexdigest()
