"""What a decision is: facts to record, and what to do once they are durable."""

from dataclasses import dataclass, field

from orchestrator.model.commands import Command, ReadDevice
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import Event

BATCH = 2000
"""Devices given up in one decision; keeps every batch of events small."""


@dataclass(slots=True)
class Decision:
    """What has happened, and what should happen once that is durable."""

    events: list[Event] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    to_read: list[DeviceId] = field(default_factory=list)
    """Records that may be read by list pages."""
    to_hold: list[DeviceId] = field(default_factory=list)

    def read_in_full(self, device: DeviceId, *, update_status: bool = False) -> None:
        """Have one record read by itself."""
        self.commands.append(ReadDevice(device, update_status))
