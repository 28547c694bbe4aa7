"""A fleet in numbers: read once, or again and again while somebody watches."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import anyio
from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from orchestrator.cli import screen
from orchestrator.cli.inventory import filters
from orchestrator.model import durations, moments
from orchestrator.model.errors import ControllerError
from orchestrator.report import fleet

if TYPE_CHECKING:
    from orchestrator.model.playbooks import Playbook
    from orchestrator.ports import Controller
    from orchestrator.settings import Settings


async def once(
    settings: "Settings", playbook: "Playbook", by: Sequence[fleet.Dimension]
) -> fleet.Picture:
    """Count the devices that the filters choose; raises ControllerError."""
    from orchestrator.bootstrap import connected

    async with connected(settings, playbook.requests) as (controller, _):
        return await take(controller, playbook, by, page_size=settings.page_size)


async def take(
    controller: "Controller",
    playbook: "Playbook",
    by: Sequence[fleet.Dimension],
    *,
    page_size: int,
) -> fleet.Picture:
    """Read every page and count, holding one page at a time; no device is contacted for it."""
    from orchestrator.engine.choosing.selecting import filters_of
    from orchestrator.runtime.listing import Listing

    listing = Listing(controller, filters_of(playbook.selection), page_size=page_size)
    census: fleet.Census | None = None
    async for now, devices in filters.chosen(playbook, listing, controller):
        census = census or fleet.Census(by, now)
        for device in devices:
            census.add(device)
    census = census or fleet.Census(by, 0.0)
    return census.picture(listing.summary.warnings)


class Watcher:
    """The newest picture, how old it is, and why there is no newer one."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._picture: fleet.Picture | None = None
        self._taken_at = 0.0
        self._trouble = ""

    def show(self, picture: fleet.Picture) -> None:
        """Take a new picture."""
        self._picture, self._taken_at, self._trouble = picture, self._steady(), ""

    def miss(self, error: ControllerError) -> None:
        """Keep the last picture; raises the error where there is none."""
        if self._picture is None:
            raise error
        self._trouble = str(error)

    def lines(self, columns: int, rows: int = 0) -> list[str]:
        """Give the picture with its age, and the trouble above it; within so many rows if that can be."""
        if self._picture is None:
            return ["Reading the inventory."]
        age = durations.as_text(round(self._steady() - self._taken_at))
        lines = [f"as of {moments.as_short_text(self._picture.at)}, {age} ago"]
        if self._trouble:
            lines.append(f"not read since: {self._trouble}")
        lines += [f"warning: {note}" for note in self._picture.notes]
        sections = len(self._picture.sections)
        # Each table has a head and an empty line above it.
        each = (rows - len(lines) - 2) // sections - 2 if rows else fleet.MOST_LINES
        most = max(_LEAST_LINES, min(fleet.MOST_LINES, each))
        return [*lines, "", *drawn(self._picture, columns, most)]

    def renderable(self, console: Console) -> Callable[[], Padding]:
        """Give a function that draws the newest picture as wide as the terminal is now."""

        def draw() -> Padding:
            text = Text(no_wrap=True, overflow="ellipsis")
            for line in self.lines(max(_NARROWEST, console.width - 2), console.height):
                is_trouble = line.startswith(("not read since", "warning"))
                style = "bold red" if is_trouble else ""
                text.append(screen.harmless(line) + "\n", style=style)
            return Padding(text, (0, 1))

        return draw


_NARROWEST = 40
_LEAST_LINES = 2


def drawn(picture: fleet.Picture, columns: int, most: int = fleet.MOST_LINES) -> list[str]:
    """Draw with blocks where the output can show them, else with plain signs."""
    try:
        "█░".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return [
            line.encode("ascii", errors="replace").decode()
            for line in fleet.as_lines(picture, columns=columns, most=most, full="#", empty=".")
        ]
    return fleet.as_lines(picture, columns=columns, most=most)


async def watch(
    settings: "Settings",
    playbook: "Playbook",
    by: Sequence[fleet.Dimension],
    watcher: Watcher,
    *,
    seconds: float,
    told: Callable[[fleet.Picture], None],
) -> None:
    """Read again and again until cancelled; the controller's trouble is shown and outlived.

    Raises ControllerError only when there never was a picture.
    """
    from orchestrator.bootstrap import connected

    async with connected(settings, playbook.requests) as (controller, _):
        while True:
            try:
                picture = await take(controller, playbook, by, page_size=settings.page_size)
            except ControllerError as error:
                watcher.miss(error)
            else:
                watcher.show(picture)
                told(picture)
            await anyio.sleep(seconds)


def live(watcher: Watcher) -> Live:
    """Give the view that draws what the watcher has, some times a second."""
    console = Console(highlight=False)
    return Live(
        console=console,
        get_renderable=watcher.renderable(console),
        refresh_per_second=2,
        transient=True,
    )
