"""The redeployment of the clean fleet, carried out once however many parts of the suite ask for it."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from orchestrator.adapters.runs.journal_reading import read_records
from orchestrator.model.events import DeliverySeen, DeviceReturned, Event
from orchestrator.simulator.ledger import AppliedOperation
from orchestrator.simulator.world import World
from tests.bench.virtual.campaigning import Campaign, Staging, carried_out
from tests.bench.virtual.counting import Looks
from tests.bench.virtual.fleets import LEAN, Care, controller_of, redeployment, world_of
from tests.bench.virtual.makespans import Walk, walks_of

ROOT = Path(__file__).parents[3]
DISK = ROOT / "logs"  # a folder for temporary files is often in memory, where a sync costs nothing


@dataclass(frozen=True, slots=True)
class Noticed:
    """One return as the run noticed it."""

    device: int
    step: int
    at: float
    interval: float
    """Seconds between the reading that showed it and the one before."""
    delivery_seen_at: float | None
    """The contact that the run took for the delivery; None where it had to see none."""


@dataclass(frozen=True, slots=True)
class Redeployment:
    """What was measured of one."""

    campaign: Campaign
    world: World
    max_down: int
    walks: Sequence[Walk]
    noticed: Sequence[Noticed]

    def operations_of(self, device: int) -> Sequence[AppliedOperation]:
        """Give what the world says of a device's operations, in order."""
        return self.world.ledger.of_device(device)


class _Onlooker:
    """Notes each return together with the two last looks at the device."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self.noticed: list[Noticed] = []
        self._deliveries: dict[tuple[int, int], float] = {}

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, DeliverySeen):
                self._deliveries[event.device, event.step] = event.contact_at
            if isinstance(event, DeviceReturned):
                last, before = self._looks[event.device]
                delivery = self._deliveries.get((event.device, event.step))
                found = Noticed(event.device, event.step, event.at, last - before, delivery)
                self.noticed.append(found)


@cache
def redeployed(devices: int, max_down: int, care: Care = LEAN) -> Redeployment:
    """Redeploy that many devices, so many of them down at once at most."""
    DISK.mkdir(exist_ok=True)
    world, looks = world_of(devices), Looks()
    onlooker = _Onlooker(looks)
    with tempfile.TemporaryDirectory(dir=DISK, prefix="bench-") as folder:
        staging = Staging(
            Path(folder),
            lambda clock: controller_of(world, clock),
            listeners=[onlooker],
            looks=looks,
        )
        campaign = carried_out(redeployment(max_down, care), staging)
        walks = walks_of(record.event for record in read_records(campaign.journal))
    counts = campaign.summary.counts()
    assert counts["succeeded"] == devices, f"not every device succeeded: {counts}"
    return Redeployment(campaign, world, max_down, walks, onlooker.noticed)
