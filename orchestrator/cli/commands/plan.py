"""`plan`: who would be touched, who not and why, what it would cost, and how it would go."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import completing, screen
from orchestrator.cli.app import new_app
from orchestrator.cli.exit_apart import ApartCommand
from orchestrator.cli.exit_codes import ExitCode
from orchestrator.cli.options import (
    CONTROLLER,
    LOG,
    OTHERS,
    RUNS,
    AsJson,
    Variables,
    again,
    read_variables,
    with_settings,
)

if TYPE_CHECKING:
    from orchestrator.model.forecasts import WhatIf
    from orchestrator.model.plans import Plan
    from orchestrator.planner import Surveyed
    from orchestrator.planning.foresight.supposing import Supposition
    from orchestrator.settings import Settings

app = new_app()

_LONGEST_LIFE = 30 * 86400.0
_LONG = 1000
"""Devices from which on a person is told why nothing seems to happen."""

PlaybookOrPlan = Annotated[
    str | None,
    typer.Argument(
        metavar="PLAYBOOK",
        show_default=False,
        help="A file, or the name of a playbook that comes with the program; a plan is shown"
        " as it was made. With --against it may be left out.",
        autocompletion=completing.playbook_files,
    ),
]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line asks for, checked as far as it can be before anything is read."""

    playbook: str | None
    variables: dict[str, str]
    words: tuple[str, ...]
    """The variables as they were typed."""
    output: Path | None
    lifetime: float | None
    against: Path | None
    campaigns: int | None
    suppositions: "tuple[Supposition, ...]"
    everyone: bool
    as_json: bool
    exit_code: bool


@app.command(cls=ApartCommand)
@with_settings(CONTROLLER, RUNS, OTHERS, LOG, opens_log=True)
def plan(
    playbook: PlaybookOrPlan = None,
    *,
    settings: "Settings",
    var: Variables = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Keep the plan in FILE.json, for run FILE.json."
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="How long the kept plan may be carried out (plan_lifetime); it is good at least"
            " until its first opening ends.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="PLAN", help="Show only what has changed since this plan was made."),
    ] = None,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="End with 0 if there is nothing to do, 2 if there is something; with --against"
            " 0 if nothing has changed, else 2. Errors that end with 2 end with 1 then.",
        ),
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Foresee so many campaigns, 0 none; else 50, fewer for many devices.",
        ),
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE,...",
            help="Foresee it also so, side by side: max_down=40, max_down_per=2, in_flight=20,"
            " delay=1s, per_second=5, failure=3%, slower=1.5x, approval=2h, strict=no; repeatable.",
        ),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="List every device.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show whom a playbook would touch, who not and why, every limit, and how it would go.

    Only GETs are sent. With -o the plan is kept in a file that `run` carries out exactly, once.
    """
    from orchestrator.adapters.plans import plan_file

    asked = _Asked(
        playbook=playbook,
        variables=read_variables(var),
        words=tuple(word for pair in var or [] for word in ("--var", pair)),
        output=output,
        lifetime=_lifetime(expires),
        against=against,
        campaigns=seeds,
        suppositions=_suppositions(what_if or []),
        everyone=everyone,
        as_json=as_json,
        exit_code=exit_code,
    )
    _check_together(asked)
    if playbook is not None and plan_file.is_plan(Path(playbook)):
        return _show_kept(settings, asked, Path(playbook))
    if output is not None:
        plan_file.check_place(output)
    if against is not None:
        return _compare(settings, asked, against)
    return _plan(settings, asked, playbook or "")


def _lifetime(expires: str | None) -> float | None:
    from orchestrator.model import durations

    if expires is None:
        return None
    try:
        seconds = durations.from_text(expires)
    except ValueError as error:
        raise typer.BadParameter(f"--expires: {error}") from error
    if not 0 < seconds <= _LONGEST_LIFE:
        raise typer.BadParameter(f"--expires takes more than 0s and at most 30d, this is {expires}")
    return seconds


def _suppositions(texts: Sequence[str]) -> "tuple[Supposition, ...]":
    if not texts:
        return ()
    from orchestrator.planning.foresight.supposing import WhatIfError, parse_what_ifs

    try:
        return parse_what_ifs(texts)
    except WhatIfError as error:
        raise typer.BadParameter(str(error)) from error


def _check_together(asked: _Asked) -> None:
    """Refuse, in one sentence, what contradicts itself."""
    from orchestrator.adapters.plans import plan_file

    wrong = None
    if asked.playbook is not None and plan_file.is_plan(Path(asked.playbook)):
        wrong = _beside_a_plan(asked)
    elif asked.playbook is None and asked.against is None:
        wrong = "name a PLAYBOOK, or a plan with --against"
    elif asked.playbook is None and asked.variables:
        wrong = "--var goes with a PLAYBOOK; without one the plan's own variables are taken"
    elif asked.lifetime is not None and asked.output is None:
        wrong = "--expires is for a plan that is kept; say with -o where"
    elif asked.suppositions and asked.against is not None:
        wrong = "--what-if foresees, and --against only compares; ask for them one by one"
    elif asked.suppositions and asked.campaigns == 0:
        wrong = "--what-if needs campaigns to be foreseen, and --seeds 0 leaves them out"
    elif asked.campaigns is not None and asked.against is not None and asked.output is None:
        wrong = "--seeds is for a forecast, and --against makes none unless -o keeps the new plan"
    if wrong is not None:
        raise typer.BadParameter(wrong)


def _beside_a_plan(asked: _Asked) -> str | None:
    """Give what cannot be asked of a plan that is made already."""
    given = {
        "--var": bool(asked.variables),
        "-o": asked.output is not None,
        "--expires": asked.lifetime is not None,
        "--against": asked.against is not None,
        "--exit-code": asked.exit_code,
        "--seeds": asked.campaigns is not None,
        "--what-if": bool(asked.suppositions),
    }
    for option, is_given in given.items():
        if is_given:
            what = f"{option} goes with a playbook, and {asked.playbook} is a plan"
            if option in ("--against", "--exit-code"):
                what += f"; to compare say `plan --against {asked.playbook}` alone"
            return what
    return None


def _show_kept(settings: "Settings", asked: _Asked, path: Path) -> int:
    """Show a plan as it was made; nothing is asked of the controller."""
    from orchestrator.adapters.plans.plan_file import read_current
    from orchestrator.cli import plan_text

    stored = read_current(path)
    if asked.as_json:
        told = {**plan_text.as_object(stored.plan), "file": str(path), "digest": stored.digest}
        screen.show_data(json.dumps(told, indent=2))
        return ExitCode.DONE
    _show_plan(stored.plan, everyone=asked.everyone)
    _say_whether_it_can_run(settings, path)
    return ExitCode.DONE


def _plan(settings: "Settings", asked: _Asked, playbook: str) -> int:
    from orchestrator.cli import shipped
    from orchestrator.cli.campaign import in_loop
    from orchestrator.planner import survey_plan
    from orchestrator.planning.drafting.changing import to_do

    surveyed = in_loop(
        settings.event_loop,
        survey_plan,
        settings,
        shipped.find_to_plan(playbook),
        asked.variables,
        lifetime=asked.lifetime,
        may_be_empty=asked.exit_code,
    )
    made, what_ifs = _foreseen(surveyed, asked)
    digest = _keep(made, asked.output)
    if asked.as_json:
        _show_json(made, what_ifs, asked.output, digest)
    else:
        _show_plan(made, what_ifs, everyone=asked.everyone)
        words = ("run", playbook, *asked.words)
        if asked.output is not None:
            words = ("run", str(asked.output))
        screen.show(f"\nNothing was changed. {_how_long(made, asked.output)}")
        screen.show(f"  {again(settings, *words)}")
    return ExitCode.USAGE if asked.exit_code and to_do(made) else ExitCode.DONE


def _foreseen(surveyed: "Surveyed", asked: _Asked) -> "tuple[Plan, list[WhatIf]]":
    from orchestrator.planner import foresee_plan, foresee_what_ifs

    devices = len(surveyed.plan.devices)
    if devices > _LONG and asked.campaigns != 0 and screen.is_watched():
        screen.note(f"Foreseeing campaigns of {devices:,} devices; --seeds 0 does without.")
    made = foresee_plan(surveyed, campaigns=asked.campaigns)
    if not asked.suppositions or made.forecast is None:
        return made, []
    from orchestrator.planning.foresight.supposing import WhatIfError

    try:
        return made, foresee_what_ifs(surveyed, asked.suppositions, campaigns=asked.campaigns)
    except WhatIfError as error:
        raise typer.BadParameter(str(error)) from error


def _keep(made: "Plan", output: Path | None) -> str | None:
    from orchestrator.adapters.plans.plan_file import write_plan

    return None if output is None else write_plan(made, output)


def _show_plan(made: "Plan", what_ifs: "Sequence[WhatIf]" = (), *, everyone: bool) -> None:
    from orchestrator.cli import plan_text

    for line in plan_text.full(made, everyone=everyone):
        screen.show(line)
    if what_ifs:
        from orchestrator.cli import plan_forecast

        screen.show()
        for line in plan_forecast.side_by_side(made, what_ifs):
            screen.show(line)


def _show_json(
    made: "Plan", what_ifs: "Sequence[WhatIf]", output: Path | None, digest: str | None
) -> None:
    from orchestrator.cli import plan_text

    told = plan_text.as_object(made)
    if what_ifs:
        from orchestrator.cli import plan_forecast

        told["what_if"] = plan_forecast.what_ifs_as_object(what_ifs)
    if output is not None:
        told |= {"file": str(output), "digest": digest}
    screen.show_data(json.dumps(told, indent=2))


def _how_long(made: "Plan", output: Path | None) -> str:
    from orchestrator.model import moments

    if output is None:
        return "To do it:"
    until = ""
    if made.expires_at is not None:
        until = f" until {moments.as_short_text(made.expires_at)}"
    return f"The plan is in {output}; to carry it out, once,{until}:"


def _compare(settings: "Settings", asked: _Asked, path: Path) -> int:
    """Hold a plan against what the same playbook would choose now."""
    from orchestrator.adapters.plans.kept_playbook import playbook_of
    from orchestrator.adapters.plans.plan_file import read_current
    from orchestrator.bootstrap import check_controller
    from orchestrator.cli import plan_changes, shipped
    from orchestrator.cli.campaign import in_loop
    from orchestrator.planner import check_not_taken, survey_plan
    from orchestrator.planning.drafting.changing import Onlooker, changes

    stored = read_current(path)
    was = stored.plan
    check_controller(settings, was, f"the plan {path}")
    if was.goes_on_after is not None:
        check_not_taken(settings, stored, path)  # else that run is the one to go on after
        what = (
            f"the plan {path} goes on after run {was.goes_on_after}, which no playbook chooses anew"
        )
        again_so = again(settings, "retry", was.goes_on_after)
        raise typer.BadParameter(f"{what}; make it again with `{again_so}`")
    onlooker = Onlooker(was)
    given = asked.playbook
    surveyed = in_loop(
        settings.event_loop,
        survey_plan,
        settings,
        playbook_of(was.source, path) if given is None else shipped.find_to_plan(given),
        was.source.variables if given is None else asked.variables,
        lifetime=asked.lifetime,
        may_be_empty=True,
        onlooker=onlooker,
    )
    now = surveyed.plan
    found = changes(was, now, onlooker)
    if asked.as_json:
        told = plan_changes.as_object(found, was, now, path, stored.digest)
        screen.show_data(json.dumps(told, indent=2))
    else:
        for line in plan_changes.lines(found, was, now, path, everyone=asked.everyone):
            screen.show(line)
        _say_whether_it_can_run(settings, path)
    if asked.output is not None:
        made, _ = _foreseen(surveyed, asked)
        _keep(made, asked.output)
        tell = screen.note if asked.as_json else screen.show
        tell(f"\n{_how_long(made, asked.output)}")
        tell(f"  {again(settings, 'run', str(asked.output))}")
    return ExitCode.USAGE if asked.exit_code and found.is_any else ExitCode.DONE


def _say_whether_it_can_run(settings: "Settings", path: Path) -> None:
    from orchestrator.model.errors import RunError
    from orchestrator.planner import plan_to_run

    try:
        made = plan_to_run(settings, path)
    except RunError as error:
        screen.show(f"\nIt cannot be carried out: {str(error).splitlines()[0].rstrip(':')}.")
        return
    screen.show(f"\n{_how_long(made, path)}")
    screen.show(f"  {again(settings, 'run', str(path))}")
