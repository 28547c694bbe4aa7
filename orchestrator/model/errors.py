"""Every error of this program that somebody catches differently.

OrchestratorError
├── PlaybookError          the YAML is wrong: every fault of the file at once, with its place
├── SettingsError          environment, .env or command line
├── SelectionError         the device set is not what the playbook expects
├── RunError               no such run, or it cannot be driven now
│   ├── RunLockedError     another process drives it
│   └── UnrecordedError    it cannot begin, because it cannot be recorded
├── SecretError            a secret value cannot be had, kept or read: the vault, its key, a sealed file
├── JournalError           the journal cannot be written, read or believed
└── ControllerError        the controller's answer to a read or a change of a record
    ├── UnreachableError   no connection
    ├── UnauthorisedError  the token is not accepted
    ├── GoneError          no such record
    └── RefusedError       any other refusal, with its status
"""

from collections.abc import Sequence
from dataclasses import dataclass


class OrchestratorError(Exception):
    """Something a user can understand and mend; its text is one clear message."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a playbook, and where."""

    path: str
    line: int
    column: int
    key: str
    """Dotted path of the key, such as `rollout.max_down` or `steps[1].proof.within`."""
    message: str
    hint: str = ""
    """What would be right, when that is known."""
    length: int = 1
    """Characters to underline."""
    source: str = ""
    """The offending line as it stands in the file."""


class PlaybookError(OrchestratorError):
    """A playbook cannot be used; `faults` names everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            "\n".join(f"{f.path}:{f.line}:{f.column}: {f.message}" for f in self.faults)
        )


class SettingsError(OrchestratorError):
    """A setting is missing, malformed or unsafe."""


class SecretError(OrchestratorError):
    """A secret value cannot be made, fetched, stored or read; the message never shows it."""


class SelectionError(OrchestratorError):
    """The selection chose nothing, too few or too many devices, or a set that the playbook's waves,
    budget or window cannot serve.
    """


class RunError(OrchestratorError):
    """There is no such run, or it cannot be driven or shown."""


class RunLockedError(RunError):
    """Another process drives this run."""


class UnrecordedError(RunError):
    """A run did not begin, because what it needs cannot be written; nothing was sent."""


class JournalError(OrchestratorError):
    """The journal cannot be written, read or believed."""

    is_resumable = True
    """Nothing is wrong with what it holds; False for one that cannot be believed."""


class ControllerError(OrchestratorError):
    """The controller did not do what it was asked; the text is one readable sentence without secrets."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class UnreachableError(ControllerError):
    """No connection to the controller could be made, or it broke."""


class UnauthorisedError(ControllerError):
    """The controller does not accept the token."""


class GoneError(ControllerError):
    """The controller has no such record."""


class RefusedError(ControllerError):
    """The controller refused; `status` says how."""
