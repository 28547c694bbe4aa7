"""What a run wrote into records: the first devices field by field, of all others how many they are."""

from dataclasses import dataclass, field

from orchestrator.model.events import (
    DeviceFinished,
    DoubtResolved,
    Event,
    OperationAccepted,
    OperationIntended,
    OperationLost,
)
from orchestrator.report.differences import DeviceDifferences, Differences


@dataclass(slots=True)
class Changes:
    """The changes of a run; `after` takes every event about its devices once and in order.

    However many devices there are, only so many are followed field by field.
    """

    keep: int = 50
    """Devices that are followed: the first whose records were about to be changed."""

    _followed: Differences = field(default_factory=Differences)
    _names: set[int] = field(default_factory=set)
    """The devices that are followed."""
    _asked: set[int] = field(default_factory=set)
    """The others for whom a change is on its way."""
    _others: set[int] = field(default_factory=set)
    """Those of them whose record was written to, or may have been, and who are under way."""
    _hidden: int = 0
    """The others who had their end after that."""

    def after(self, event: Event) -> None:
        """Take one event into account; most are none of these and cost little."""
        if isinstance(event, OperationIntended):
            self._intend(event)
        elif getattr(event, "device", None) in self._names:
            self._followed.after(event)
        elif isinstance(event, OperationAccepted | OperationLost | DoubtResolved):
            was_applied = not isinstance(event, DoubtResolved) or event.applied
            if event.device in self._asked and was_applied:
                self._others.add(event.device)
        elif isinstance(event, DeviceFinished):
            self._end(event.device)

    def _intend(self, event: OperationIntended) -> None:
        is_followed = event.device in self._names
        if event.action is not None and not is_followed:
            is_followed = len(self._names) < self.keep
            (self._names if is_followed else self._asked).add(event.device)
        elif event.action is None:
            self._asked.discard(event.device)
        if is_followed:
            self._followed.after(event)

    def _end(self, device: int) -> None:
        """Keep nothing of a device whose story is over but that it counts."""
        self._asked.discard(device)
        if device in self._others:
            self._others.remove(device)
            self._hidden += 1

    @property
    def are_any(self) -> bool:
        """True once a record was about to be changed; before that only intentions tell anything."""
        return bool(self._names)

    @property
    def shown(self) -> list[DeviceDifferences]:
        """Give what became of the devices that were followed, in the order in which they were asked for."""
        return [each for each in self._followed.devices if each.fields or each.deeds]

    @property
    def hidden(self) -> int:
        """Count the devices that were written to and are not followed."""
        return self._hidden + len(self._others)
