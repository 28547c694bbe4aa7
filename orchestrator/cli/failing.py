"""An error becomes one clear message on stderr and an exit code; a bug of ours goes to the log."""

import errno
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING

import typer
from typer.exceptions import TyperException

from orchestrator.cli import screen
from orchestrator.cli.exit_codes import ExitCode, OutputError, exit_code_of
from orchestrator.model.errors import OrchestratorError, PlaybookError

if TYPE_CHECKING:
    from orchestrator.settings import Settings


class UnexpectedError(Exception):
    """Something nobody foresaw, with the settings that say where the log is."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings
        super().__init__("unexpected")


def end(error: BaseException) -> int:
    """Tell a person what ended the command, and give the exit code."""
    first = _of_output(error) or _first_of(error)
    try:
        return _end(first, error)
    except BrokenPipeError:
        return be_quiet()
    except OSError:
        # stderr itself cannot be written: the number has to say it all.
        return exit_code_of(first)


def _end(error: BaseException, whole: BaseException) -> int:
    match error:
        case SystemExit():
            return error.code if isinstance(error.code, int) else ExitCode.DONE
        case typer.Exit():
            return error.exit_code
        case typer.Abort():
            screen.complain("nothing was confirmed, nothing was sent")
            return ExitCode.INTERRUPTED
        case BrokenPipeError():
            return be_quiet()
        case KeyboardInterrupt():
            screen.note("interrupted")
        case TyperException():
            return _explain_usage(error)
        case PlaybookError():
            from orchestrator.playbook.faults import render_faults

            screen.note(render_faults(error.faults))
        case OutputError():
            be_quiet()
            screen.complain(str(error))
        case OrchestratorError():
            screen.complain(str(error))
        case _:
            _note_bug(whole)
            return ExitCode.BUG
    return exit_code_of(error)


def is_bug(error: BaseException) -> bool:
    """Tell whether nobody foresaw this error."""
    first = _first_of(error)
    foreseen = isinstance(first, TyperException | typer.Exit | typer.Abort | SystemExit)
    return not foreseen and exit_code_of(first) is ExitCode.BUG


def _of_output(error: BaseException) -> OutputError | None:
    """Tell a full disk, which typer's own output may meet as well, from a bug."""
    cause = error.__cause__ if isinstance(error, UnexpectedError) else error
    first = cause and _first_of(cause)
    if isinstance(first, OSError) and first.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError.of(first)
    return None


def _first_of(error: BaseException) -> BaseException:
    """Give the one error that matters of a group: a bug of ours before anything else."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [_first_of(each) for each in error.exceptions]
    return max(leaves, key=is_bug)


def _explain_usage(error: TyperException) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        screen.show(error.format_message())
        return ExitCode.USAGE
    message = _of_value(error) or error.format_message()
    message = message.strip().removesuffix(".").removeprefix("Invalid value: ")
    if (option := getattr(error, "option_name", None)) and hasattr(error, "possibilities"):
        near = " or ".join(sorted(error.possibilities or ()))
        message = f"there is no option {option}" + (f"; did you mean {near}?" if near else "")
    where = context.command_path if context is not None else "orchestrator"
    screen.complain(message[:1].lower() + message[1:])
    screen.note(f"See: {where} --help")
    return ExitCode.USAGE


_KINDS = {"int": "a whole number", "float": "a number", "finite": "a number", "bool": "yes or no"}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def _of_value(error: TyperException) -> str | None:
    """Say what an option takes, for a value it does not; None when something else is wrong."""
    param = getattr(error, "param", None)
    found = getattr(error.__cause__, "errors", None)
    if param is None or found is None:
        return None
    first = found()[0]
    name = max(param.opts, key=len) if param.opts[0].startswith("-") else param.name.upper()
    context = first.get("ctx", {})
    if "error" in context:
        return f"{name}: {context['error']}"
    bounds = [f"{words} {context[key]:g}" for key, words in _BOUNDS.items() if key in context]
    kind = _KINDS.get(first["type"].partition("_")[0])
    if not bounds and kind is None:
        return None
    wanted = f"must be {bounds[0]}" if bounds else f"takes {kind}"
    return f"{name} {wanted}, this is {first['input']!r}"


def _note_bug(error: BaseException) -> None:
    """Write the whole traceback to the log and one line to the screen; neither may fail."""
    settings = None
    if isinstance(error, UnexpectedError):
        settings, error = error.settings, error.__cause__ or error
    place = _write_to_log(error, settings)
    screen.complain(f"this is a bug in orchestrator ({type(_first_of(error)).__name__}); {place}")


def _write_to_log(error: BaseException, settings: "Settings | None") -> str:
    import structlog

    from orchestrator import settings as all_settings
    from orchestrator.cli.options import configure_log

    try:
        settings = settings or all_settings.load()
        if not structlog.is_configured():
            configure_log(settings)
        structlog.get_logger("orchestrator.cli").error("bug", exc_info=error)
    except Exception as failure:  # noqa: BLE001 - one line on the screen is owed even now
        return f"the log could not be written either ({type(failure).__name__})"
    return f"the traceback is in {settings.log_file}"


def flushed(code: int) -> int:
    """Write out what is still held back; a run's own exit code outlives a reader that went away."""
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        quiet = be_quiet()
        return quiet if code == ExitCode.DONE else code
    except OSError as trouble:
        be_quiet()
        error = OutputError.of(trouble)
        with suppress(OSError):
            screen.complain(str(error))
        return exit_code_of(error) if code == ExitCode.DONE else code
    return code


def be_quiet() -> int:
    """Let nothing more be said to a reader who went away, not even while the process ends."""
    with suppress(OSError, ValueError):
        stdout = sys.stdout.fileno()
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout)
    return ExitCode.BROKEN_PIPE


def nearest(word: str, words: Iterable[str]) -> str:
    """Ask `; did you mean ...?` when one of the words is close."""
    found = get_close_matches(word, list(words), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""
