"""Drive a run or take one over while a person or a program is told, and say how it ended."""

import functools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from orchestrator.cli import screen
from orchestrator.cli.exit_codes import exit_code_of
from orchestrator.cli.listeners import JsonLines, PlainLines
from orchestrator.cli.options import again
from orchestrator.model.errors import JournalError, RunError
from orchestrator.model.plans import Plan
from orchestrator.ports import Listener

if TYPE_CHECKING:
    from orchestrator.bootstrap import RunOutcome
    from orchestrator.settings import Settings

_T = TypeVar("_T")

Drive = Callable[[Sequence[Listener]], Awaitable["RunOutcome"]]


class Style(Enum):
    """How a run is told while it goes on."""

    LIVE = "live"
    PLAIN = "plain"
    JSON = "json"
    TROUBLE = "trouble"
    """Only what somebody has to look at, for a run that the clock started."""


def style_for(settings: "Settings", *, as_json: bool, plain: bool) -> Style:
    """Choose the live view only where it can be drawn and nothing else writes over it."""
    if as_json:
        return Style.JSON
    log_is_on_screen = settings.log_file == Path("-")
    return Style.LIVE if screen.is_watched() and not plain and not log_is_on_screen else Style.PLAIN


@contextmanager
def telling(
    style: Style, plan: Plan, run_id: str, *, speed: float = 1.0, resumed: bool = False
) -> Iterator[Listener]:
    """Give a listener that tells the run in this style while the block runs."""
    if style is Style.JSON:
        yield JsonLines(run_id, silent_history=resumed)
    elif style is Style.TROUBLE:
        from orchestrator.cli.cron import TroubleLines

        yield TroubleLines(plan, silent_history=resumed)
    elif style is Style.PLAIN:
        yield PlainLines(plan, run_id=run_id, silent_history=resumed)
    else:
        from orchestrator.cli.live import LiveView

        with LiveView(plan, run_id, speed=speed) as view:
            yield view


def in_loop(
    event_loop: str, function: Callable[..., Awaitable[_T]], *arguments: Any, **named: Any
) -> _T:
    """Run an async function to its end on that loop; `auto` is the faster one where it is installed."""
    import importlib.util

    import anyio

    from orchestrator.runtime.collecting import seldom_collecting

    fast = event_loop != "asyncio" and importlib.util.find_spec("uvloop") is not None
    call = functools.partial(function, *arguments, **named)
    with seldom_collecting():
        return anyio.run(call, backend_options={"use_uvloop": fast})


def check_name(settings: "Settings", name: str) -> None:
    """Return only if a new run can have this name; a plan is costly, and this is known before."""
    from orchestrator.adapters.runs.run_folder import RunsFolder, check_id

    if RunsFolder(settings.runs_dir).is_taken(check_id(name)):
        raise RunError(f"there is a run {name} already; resume it or choose another --id")


def new_run_id(settings: "Settings", plan: Plan) -> str:
    """Make a readable, sortable id that no run has yet."""
    import secrets

    from orchestrator.adapters.machine.system_clock import SystemClock
    from orchestrator.adapters.runs.run_folder import RunsFolder, new_id

    # The plan knows the controller's clock only, and the run lives by this machine's.
    now = SystemClock(settings.speed, not_before=plan.read_at).now()
    taken = set(RunsFolder(settings.runs_dir).names())
    length = 1
    while True:
        made = new_id(plan.playbook.name, now=now, suffix=secrets.token_hex(length))
        if made not in taken:
            return made
        length += 1


def carry_out(
    settings: "Settings",
    plan: Plan,
    run_id: str,
    drive: Drive,
    *,
    style: Style,
    resumed: bool = False,
) -> "RunOutcome":
    """Drive a run to its end or its interruption, and tell how it ended.

    Nobody is told of a run by the clock in which nothing had to be done.
    """
    try:
        with telling(style, plan, run_id, speed=settings.speed, resumed=resumed) as listener:
            outcome = in_loop(settings.event_loop, drive, [listener])
    except JournalError as error:
        if error.is_resumable:
            screen.note(f"Once it can be written again: {again(settings, 'resume', run_id)}")
        raise
    if style is not Style.TROUBLE or not _is_for_the_log_alone(outcome):
        conclude(settings, outcome, write=screen.note if style is Style.JSON else screen.show)
    return outcome


def _is_for_the_log_alone(outcome: "RunOutcome") -> bool:
    from orchestrator.cli import cron

    return cron.nothing_was_done(outcome)


def conclude(
    settings: "Settings",
    outcome: "RunOutcome",
    *,
    write: Callable[[str], None],
    may_go_on: bool = True,
) -> None:
    """Tell what the run has come to, where to read it up, and how to go on."""
    from orchestrator.adapters.runs.run_folder import RunFolder
    from orchestrator.report.tables import as_text

    folder = RunFolder(outcome.folder)
    write("")
    write(as_text(outcome.summary, run_id=outcome.run_id, driven=False).rstrip())
    write("")
    if outcome.summary.has_trouble:
        write(f"  all devices  {again(settings, 'show', outcome.run_id, '--devices')}")
    write(f"  audit log    {folder.journal_path}")
    write(f"  report       {folder.report_path}")
    write(f"  chain head   {outcome.head}")
    if not outcome.finished and may_go_on:
        write("")
        if outcome.interrupted is not None:
            write(screen.folded(f"The run was interrupted: {outcome.interrupted.reason}"))
        write(f"To go on:  {again(settings, 'resume', outcome.run_id)}")


def code_of(outcome: "RunOutcome") -> int:
    """Give the exit code of a run."""
    return exit_code_of(outcome)
