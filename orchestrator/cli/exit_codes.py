"""How a process ends: every exit code, and which end has which (design 6.9)."""

from enum import IntEnum
from typing import TYPE_CHECKING

from orchestrator.model.errors import (
    ControllerError,
    JournalError,
    OrchestratorError,
    PlaybookError,
    RunError,
    SecretError,
    SelectionError,
    SettingsError,
    UnrecordedError,
)
from orchestrator.model.orders import OrderRefusedError, OrderUnansweredError
from orchestrator.model.verdicts import Verdict

if TYPE_CHECKING:
    from orchestrator.bootstrap import RunOutcome


class ExitCode(IntEnum):
    """What the number tells whoever called."""

    DONE = 0
    """All devices succeeded or were skipped; whatever else was asked is done."""
    TROUBLE = 1
    """Some device failed, is unconfirmed or in doubt; or an audit log is not what it was."""
    USAGE = 2
    """Bad usage, playbook, settings, selection or run reference, so that nothing was sent; or stdout
    takes no output."""
    BUG = 3
    """Our mistake; the traceback is in the log."""
    STOPPED = 4
    """Stopped by a budget, the gate behind a wave, a denied approval or a person; or devices were left
    when the window had closed for good; or the journal could not be written."""
    CONTROLLER = 5
    """The controller cannot be used: it is unreachable or does not accept the token."""
    INTERRUPTED = 130
    """Ctrl-C; the run can be resumed."""
    BROKEN_PIPE = 141
    """Whoever read our output went away, as `head` does."""


class NeedsYesError(OrchestratorError):
    """A destructive run can be confirmed neither on a terminal nor by --yes."""


class OutputError(OrchestratorError, OSError):
    """What was asked for cannot be written to stdout; still the system's error for who forgives it."""

    @classmethod
    def of(cls, error: OSError) -> "OutputError":
        """Say in words what the system has against it."""
        from orchestrator.adapters.runs.journal_reading import why

        return cls(f"the output cannot be written: {why(error)}")


class DeclinedError(OrchestratorError):
    """A person was asked and did not confirm."""


_LEFT = (Verdict.DEFERRED.value, Verdict.NOT_STARTED.value)
"""Devices that never had their turn: the run is over, its work is not."""


def exit_code_of(end: "RunOutcome | BaseException") -> ExitCode:
    """Give the exit code of a run that ended, or of an error that ended a command."""
    if isinstance(end, BaseException):
        return _of_error(end)
    return _of_outcome(end)


def _of_outcome(outcome: "RunOutcome") -> ExitCode:
    if outcome.interrupted is not None and not outcome.finished:
        by_controller = outcome.interrupted.cause == "controller"
        return ExitCode.CONTROLLER if by_controller else ExitCode.INTERRUPTED
    if outcome.stopped is not None:
        by_controller = outcome.stopped.cause == "controller"
        return ExitCode.CONTROLLER if by_controller else ExitCode.STOPPED
    counts = outcome.summary.counts()
    if any(counts[verdict] for verdict in _LEFT):
        return ExitCode.STOPPED
    if outcome.summary.has_trouble:
        return ExitCode.TROUBLE
    return ExitCode.DONE if outcome.finished else ExitCode.STOPPED


def _of_error(error: BaseException) -> ExitCode:
    match error:
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED
        case BrokenPipeError():
            return ExitCode.BROKEN_PIPE
        case UnrecordedError():
            return ExitCode.STOPPED
        case (
            PlaybookError()
            | SettingsError()
            | SecretError()
            | SelectionError()
            | RunError()
            | NeedsYesError()
            | OutputError()
            | OrderRefusedError()
        ):
            return ExitCode.USAGE
        case JournalError():
            # What cannot be believed was there before us; what cannot be written ends the run.
            return ExitCode.USAGE if hasattr(error, "finding") else ExitCode.STOPPED
        case ControllerError():
            return ExitCode.CONTROLLER
        case DeclinedError() | OrderUnansweredError():
            return ExitCode.STOPPED
        case _:
            return ExitCode.BUG
