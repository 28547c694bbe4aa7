"""When nothing new was begun, and why: pauses, closed windows, open questions, an absent driver."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Hold(StrEnum):
    """What keeps a run from beginning anything new."""

    WINDOW = "window closed"
    PERSON = "paused by a person"
    CONTROLLER = "controller not usable"
    APPROVAL = "waiting for approval"
    UNDRIVEN = "nobody drove it"


@dataclass(slots=True)
class HoldRecord:
    """One stretch of time in which a run was held."""

    hold: Hold
    since: float
    until: float | None = None
    """None while it lasts."""
    why: str = ""


class Holds:
    """The stretches in which a run was held; they may overlap, and only the first `most` are kept."""

    def __init__(self, most: int = 300) -> None:
        self._most = most
        self._lasting: dict[Hold, HoldRecord] = {}
        self.records: list[HoldRecord] = []
        self.left_out = 0

    def follow(self, at: float, reasons: Mapping[Hold, str]) -> None:
        """Note that from this moment on exactly these hold the run."""
        for hold in [each for each in self._lasting if each not in reasons]:
            self._lasting.pop(hold).until = at
        for hold, why in reasons.items():
            if hold not in self._lasting:
                self._lasting[hold] = HoldRecord(hold, at, None, why)
                self._keep(self._lasting[hold])

    def absent(self, since: float, until: float) -> None:
        """Note that nobody drove the run meanwhile, if that is not known already."""
        if Hold.UNDRIVEN not in self._lasting and until > since:
            self._keep(HoldRecord(Hold.UNDRIVEN, since, until, "the process ended without a word"))

    def _keep(self, record: HoldRecord) -> None:
        if len(self.records) < self._most:
            self.records.append(record)
        else:
            self.left_out += 1
