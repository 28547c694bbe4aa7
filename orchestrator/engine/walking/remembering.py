"""The device runs of a run: whole while something may still come of them, a byte each once they ended well."""

from collections.abc import Iterator, Mapping

from orchestrator.engine.walking.progressing import Course, DeviceRun, Phase
from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.devices import DeviceId
from orchestrator.model.verdicts import Verdict

_NOT_ENDED = 0
_VERDICTS = tuple(each for each in Verdict if each.is_success)


class DeviceRuns(Mapping[DeviceId, DeviceRun]):
    """Every device that has begun, by the id that the plan knows it by.

    One that ended well is given with its verdict and nothing else of its walk.
    """

    def __init__(self, devices: DeviceSet, course: Course) -> None:
        self._devices = devices
        self._course = course
        self.whole: dict[DeviceId, DeviceRun] = {}
        """Those that have no verdict yet, or one that somebody may ask about."""
        self._ended = bytearray(len(devices))
        self._retired = 0

    def begin(self, run: DeviceRun) -> None:
        """Take in a device that begins its walk."""
        self.whole[run.id] = run

    def retire(self, run: DeviceRun) -> None:
        """Keep only the verdict of a device that ended well; another one stays as it is.

        Whose record has another id than the plan says is asked for by that id later on.
        """
        place = self._devices.place(run.id)
        if run.verdict not in _VERDICTS or run.record != run.id or place is None:
            return
        del self.whole[run.id]
        self._ended[place] = 1 + _VERDICTS.index(run.verdict)
        self._retired += 1

    def has_retired(self, device: DeviceId) -> bool:
        """Say whether a device ended well and only its verdict is known."""
        place = self._devices.place(device)
        return place is not None and self.has_retired_at(place)

    def has_retired_at(self, place: int) -> bool:
        """Say the same of the device at this place in the plan."""
        return self._ended[place] != _NOT_ENDED

    def __getitem__(self, device: DeviceId) -> DeviceRun:
        found = self.whole.get(device)
        if found is not None:
            return found
        place = self._devices.place(device)
        if place is None or self._ended[place] == _NOT_ENDED:
            raise KeyError(device)
        return self._as_ended(place)

    def _as_ended(self, place: int) -> DeviceRun:
        run = DeviceRun(self._devices[place], self._course, phase=Phase.ENDED)
        run.verdict = _VERDICTS[self._ended[place] - 1]
        run.touched = run.verdict is Verdict.SUCCEEDED
        return run

    def __contains__(self, device: object) -> bool:
        return device in self.whole or (
            isinstance(device, int) and self.has_retired(DeviceId(device))
        )

    def __iter__(self) -> Iterator[DeviceId]:
        yield from self.whole
        if self._retired:
            for device, ended in zip(self._devices.ids(), self._ended, strict=True):
                if ended != _NOT_ENDED:
                    yield device

    def __len__(self) -> int:
        return len(self.whole) + self._retired
