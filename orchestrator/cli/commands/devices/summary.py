"""`devices summary`: the fleet in numbers, once or live."""

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from orchestrator.cli import screen
from orchestrator.cli.inventory import filters
from orchestrator.cli.options import CONTROLLER, LOG, AsJson, with_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.model.playbooks import Playbook
    from orchestrator.report.fleet import Dimension, Picture
    from orchestrator.settings import Settings

EVERY_SECONDS = 30.0
_LEAST_SECONDS = 1.0
_BY = "status,type,organization,location,firmware,last_contact,pending"


class WatchCommand(TyperCommand):
    """Takes `--watch` alone as well as with its number of seconds."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the number in where it was left out."""
        filled: list[str] = []
        for place, word in enumerate(args):
            filled.append(word)
            following = args[place + 1] if place + 1 < len(args) else "-"
            if word == "--watch" and not _is_number(following):
                filled.append(f"{EVERY_SECONDS:g}")
        return list(super().parse_args(ctx, filled))


def _is_number(word: str) -> bool:
    return word.replace(".", "", 1).isdecimal()


@with_settings(CONTROLLER, LOG, opens_log=True)
def summary(
    *,
    settings: "Settings",
    organization: filters.Organizations = None,
    type_: filters.Types = None,
    status: filters.OfStatus = None,
    changed_since: filters.ChangedSince = None,
    where: filters.Where = None,
    by: Annotated[
        str, typer.Option(metavar="A,B,C", help="What to count by, in this order.")
    ] = _BY,
    watch: Annotated[
        float | None,
        typer.Option(
            metavar="[SECONDS]",
            min=_LEAST_SECONDS,
            help=f"Count again every so many seconds, {EVERY_SECONDS:g} if it is not said; Ctrl-C"
            " ends it.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Count devices by what they have in common.

    Only pages of the listing are read; no device is contacted for it.
    """
    from orchestrator.cli.campaign import in_loop
    from orchestrator.cli.inventory import counting

    given = filters.filters_of(organization, type_, status, changed_since, where)
    dimensions = _dimensions(by)
    playbook = filters.playbook_of(given)
    if watch is not None:
        return _watch(settings, playbook, dimensions, watch, as_json=as_json)
    _tell(
        in_loop(settings.event_loop, counting.once, settings, playbook, dimensions), as_json=as_json
    )
    return 0


def _dimensions(by: str) -> "Sequence[Dimension]":
    from orchestrator.cli.failing import nearest
    from orchestrator.report.fleet import Dimension

    known = [each.value for each in Dimension]
    found = []
    for word in (part.strip() for part in by.split(",")):
        if word not in known:
            hint = nearest(word, known) or f"; known are {', '.join(known)}"
            raise typer.BadParameter(f"--by: nothing is counted by {word!r}{hint}")
        found.append(Dimension(word))
    return found


def _tell(picture: "Picture", *, as_json: bool) -> None:
    from orchestrator.cli.inventory import counting
    from orchestrator.report import fleet

    if as_json:
        screen.show_data(json.dumps(fleet.as_object(picture)))
        return
    for line in counting.drawn(picture, screen.width() or screen.NARROWEST):
        screen.show(line)
    for note in picture.notes:
        screen.warn(note)


def _watch(
    settings: "Settings",
    playbook: "Playbook",
    by: "Sequence[Dimension]",
    seconds: float,
    *,
    as_json: bool,
) -> int:
    """Draw over the last picture on a terminal; elsewhere one picture follows another."""
    from orchestrator.cli.campaign import in_loop
    from orchestrator.cli.inventory import counting

    is_live = screen.is_watched() and not as_json
    watcher = counting.Watcher()

    def told(picture: "Picture") -> None:
        if not is_live:
            _tell(picture, as_json=as_json)
            if not as_json:
                screen.show()

    try:
        with counting.live(watcher) if is_live else nullcontext():
            in_loop(
                settings.event_loop,
                counting.watch,
                settings,
                playbook,
                by,
                watcher,
                seconds=seconds,
                told=told,
            )
    except KeyboardInterrupt:
        return 0
    return 0
