"""Playbooks carried out in virtual time, from their text to the ledger of the simulated world."""

import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from orchestrator.adapters.simulated.simulated_controller import SimulatedController
from orchestrator.model.events import Event
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import PlaybookSource
from orchestrator.playbook.loading import load_playbook
from orchestrator.playbook.reading import read_playbook
from orchestrator.runtime.surveying import survey
from orchestrator.simulator.fleet import FleetPlan
from orchestrator.simulator.ledger import Ledger
from orchestrator.simulator.world import World
from tests.support.virtual import Campaign, LoopClock
from tests.support.worlds import world

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
DAY = 86_400.0


def fleet(count: int, temperament: str = "fast", *, odd=None, **changes) -> World:
    """Give a world of one organization whose devices make contact every minute.

    `odd` names devices of another temperament; `changes` are those of a `FleetPlan`, or faults.
    """
    around = {name: changes.pop(name) for name in ("faults", "rules") if name in changes}
    plan = replace(
        FleetPlan.plain(temperament),
        organizations=(123,),
        frequencies=(60,),
        temperaments=odd or {},
        **changes,
    )
    return world(count, plan=plan, **around)


def written(text: str, **files: str) -> PlaybookSource:
    """Give a playbook that begins with its devices; `files` are tables and lists beside it."""
    body = "playbook: promised\n" + textwrap.dedent(text)
    beside = {f"{name}.csv": content for name, content in files.items()}
    return PlaybookSource("promised.yaml", body, {}, beside)


def shipped(name: str, **variables: object) -> PlaybookSource:
    """Give a playbook that comes with the program."""
    given = {each: str(value) for each, value in variables.items()}
    return load_playbook(PLAYBOOKS / f"{name}.yaml", given)[1]


async def planned(source: PlaybookSource, simulated: World) -> Plan:
    """Give the plan as the inventory of the world is now."""
    clock = LoopClock()
    return await survey(
        read_playbook(source),
        source,
        SimulatedController(simulated, clock),
        clock,
        base_url="https://control.test/api/v1",
        page_size=500,
        measured={},
        lifetime=DAY,
    )


class Carried(Campaign):
    """A campaign that is over, and what its world saw of it."""

    @property
    def ledger(self) -> Ledger:
        return self.world.settled_ledger(self.clock.now())

    @property
    def asked(self) -> Counter[tuple[str, int | None, str | None]]:
        """Count the requests for operations by method, device and operation."""
        arrivals = self.ledger.operation_arrivals
        return Counter((each.method, each.device, each.operation) for each in arrivals)

    def done_to(self, device: int) -> list[str]:
        """Give the operations that were applied to a device, in order."""
        return [each.operation.value for each in self.ledger.of_device(device)]

    def of(self, *kinds: type[Event], device: int | None = None) -> list[Event]:
        """Give the events of some kinds, of one device if named."""
        return [
            event
            for event in self.journal.read()
            if isinstance(event, kinds) and device in (None, getattr(event, "device", None))
        ]

    @property
    def ended(self) -> Mapping[int, str]:
        """Give every device's verdict."""
        devices = self.run.devices.values()
        return {each.id: each.verdict.value for each in devices if each.verdict is not None}


async def carried_out(source: PlaybookSource, simulated: World, **campaign: object) -> Carried:
    """Plan a playbook and carry the plan out to its end."""
    plan = await planned(source, simulated)
    carried = Carried(plan, simulated, **campaign)
    await carried.to_the_end()
    return carried
