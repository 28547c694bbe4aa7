"""How the lines of a plan stand below one another, and how its moments are written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from orchestrator.cli import screen
from orchestrator.model.plans import Plan

MARGIN = " " * 12
_LONGEST = 40
"""Columns of a name in a table; what is longer would push everything else off the screen."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def clipped(foreign: str | None) -> str:
    """Give what a device is called as it may stand in a table: on one line, and not long."""
    shown = "" if foreign is None else screen.harmless(foreign).replace("\n", " ")
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def labelled(label: str, lines: Iterable[str]) -> Iterator[str]:
    """Put a label before the first of some lines, and fold them beside it; what is loud stays so."""
    for line in lines:
        told = f"  {label:<9} {screen.folded(line, indent=MARGIN).removeprefix(MARGIN)}"
        yield screen.Loud(told) if isinstance(line, screen.Loud) else told
        label = ""


def numbered(lines: Iterable[str]) -> Iterator[str]:
    """Number some sentences, each folded behind its number."""
    for number, line in enumerate(lines, start=1):
        mark = f"  {number}. "
        margin = " " * len(mark)
        yield mark + screen.folded(line, indent=margin).removeprefix(margin)


@dataclass(frozen=True, slots=True)
class WallClock:
    """Writes moments as the clocks of a time zone show them."""

    zone: str
    exact: bool = False
    """With seconds, for what is over within minutes."""

    def full(self, moment: float) -> str:
        """Write a moment with its day."""
        shown = self.shown(moment)
        return f"{_DAYS[shown.weekday()]} {shown:%Y-%m-%d} {self._time(shown)}"

    def after(self, first: float, moment: float) -> str:
        """Write a time of day, with its day only where that is another one than the first's."""
        shown = self.shown(moment)
        return self.beside(self.shown(first), shown)

    def beside(self, first: datetime, shown: datetime) -> str:
        """Do the same with what two clocks show."""
        time = self._time(shown)
        if first.date() == shown.date():
            return time
        form = "%m-%d" if first.year == shown.year else "%Y-%m-%d"
        return f"{_DAYS[shown.weekday()]} {shown.strftime(form)} {time}"

    def _time(self, shown: datetime) -> str:
        return shown.strftime("%H:%M:%S" if self.exact else "%H:%M")

    def shown(self, moment: float) -> datetime:
        """Give what it shows."""
        return datetime.fromtimestamp(moment, ZoneInfo(self.zone))


def clock_of(plan: Plan) -> WallClock:
    """Give the clock a plan is told by: its window's, else that of UTC."""
    window = plan.playbook.window
    return WallClock("UTC" if window is None else window.timezone)
