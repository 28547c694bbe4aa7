"""What became of each device of a run: one byte a device, and its row where rows are wanted."""

from array import array
from collections import Counter
from collections.abc import Iterable
from enum import IntFlag

from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import DeviceFinished

_VERDICT = 0b1111
"""The bits that hold a verdict; 0 is none yet."""
_NO_RECORD = -(2**63)


class Went(IntFlag):
    """What a device went through besides its verdict."""

    FORGIVEN = 16
    """The playbook let it go on although a step ended without success."""
    RESCUED = 32
    """It went into the rescue."""
    THROUGH = 64
    """It came through the rescue's last step."""


class Fates:
    """The ends of devices, by their places in the plan; those that are not in it stand behind.

    With `rows` it knows where and why each ended, without it how only.
    """

    def __init__(self, planned: DeviceSet, *, rows: bool = True) -> None:
        self._planned = planned
        self._rows = rows
        self._others: dict[int, int] = {}
        self._ended_others = array("q")
        """Devices that are not in the plan, in the order of their ends."""
        self._bytes = bytearray(len(planned))
        self._verdicts: list[str] = []
        self._steps = array("H", bytes(2 * len(planned) if rows else 0))
        self._reasons = array("I", bytes(4 * len(planned) if rows else 0))
        self._numbers: dict[str, int] = {"": 0}
        self._texts = [""]
        self._records: array[int] | None = None
        self._went: Counter[Went] = Counter()
        self.count = 0
        """How many devices have their verdict."""

    def end(self, event: DeviceFinished) -> bool:
        """Take note of a verdict; False when the device had one, which then stays."""
        place = self._planned.place(DeviceId(event.device))
        if place is None:
            place = self._other(event.device)
        if self._bytes[place] & _VERDICT:
            return False
        if place >= len(self._planned):
            self._ended_others.append(event.device)
        if event.verdict not in self._verdicts:
            self._verdicts.append(event.verdict)
        self._bytes[place] |= self._verdicts.index(event.verdict) + 1
        if self._rows:
            self._steps[place] = event.step
            self._reasons[place] = self._number(event.reason)
        self.count += 1
        return True

    def _other(self, device: int) -> int:
        """Give a place to a device that is not in the plan."""
        place = self._others.get(device)
        if place is None:
            place = self._others[device] = len(self._bytes)
            self._bytes.append(0)
            if self._rows:
                self._steps.append(0)
                self._reasons.append(0)
            if self._records is not None:
                self._records.append(_NO_RECORD)
        return place

    def _number(self, reason: str) -> int:
        number = self._numbers.get(reason)
        if number is None:
            number = self._numbers[reason] = len(self._texts)
            self._texts.append(reason)
        return number

    def _place(self, device: int) -> int | None:
        place = self._planned.place(DeviceId(device))
        return self._others.get(device) if place is None else place

    def ended(self, device: int) -> tuple[str, int | None, str] | None:
        """Give a device's verdict, its step and the reason; without rows None and nothing for these."""
        place = self._place(device)
        number = 0 if place is None else self._bytes[place] & _VERDICT
        if place is None or not number:
            return None
        verdict = self._verdicts[number - 1]
        if not self._rows:
            return verdict, None, ""
        return verdict, self._steps[place], self._texts[self._reasons[place]]

    def ids(self, underway: Iterable[int]) -> Iterable[int]:
        """Give the plan's devices in its order; without a plan those that ended, then these."""
        if len(self._planned):
            return self._planned.ids()
        return dict.fromkeys([*self._ended_others, *underway])

    def note(self, device: int, went: Went) -> None:
        """Take note of what a device goes through."""
        place = self._place(device)
        if place is None:
            place = self._other(device)
        if not self._bytes[place] & went:
            self._bytes[place] |= went
            self._went[went] += 1

    def has(self, device: int, went: Went) -> bool:
        """Tell whether a device went through this."""
        place = self._place(device)
        return place is not None and bool(self._bytes[place] & went)

    def went(self, went: Went) -> int:
        """Count the devices that went through this."""
        return self._went[went]

    def name(self, device: int, record: int) -> None:
        """Take note of the record that a device got, or was found again as."""
        place = self._place(device)
        if place is None:
            place = self._other(device)
        if self._records is None:
            self._records = array("q", [_NO_RECORD]) * len(self._bytes)
        self._records[place] = record

    def record(self, device: int) -> int | None:
        """Give the record that a device got in this run; None when it got none."""
        place = self._place(device)
        if self._records is None or place is None or self._records[place] == _NO_RECORD:
            return None
        return self._records[place]
