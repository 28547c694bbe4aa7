"""The clean fleet and the redeployment that the campaigns in virtual time are about."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.adapters.simulated.simulated_controller import SimulatedController
from orchestrator.model.operations import Operation
from orchestrator.model.steps import OperationStep, Proof
from orchestrator.ports import Clock
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.rules import Rules
from orchestrator.simulator.world import World
from tests.bench.virtual.jumping import START

LATENCY = 0.05
"""Seconds that every answer takes."""
SEED = 7
SETTLE = 150.0
STABLE = 30.0
IN_FLIGHT = 50

CLEAN = FleetPlan(
    down=0,
    inactive=0,
    initial=0,
    pending=0,
    unpaced=0,
    mix={"fast": 0.70, "slow": 0.15, "nat": 0.15},
    organizations=(123,),
)
"""All come back: most at once, some so late that they are seen Down, some behind NAT."""

_REDEPLOYMENT = """\
playbook: bench
devices: {organization: 123, status: up, where: {is_active: true, pending_settings: none}}
steps:
  - operation: factory
    proof: {status: up, within: 30m, settle: 150s, stable_for: 30s, whole_record: %s}
    attempts: 2
  - operation: reconf
    proof: {pending_settings: none, within: 15m}
    attempts: 3
rollout: {max_down: %d}
requests: {delay: 0s, in_flight: 50, per_second: none}
snapshots: %s
"""


@dataclass(frozen=True, slots=True)
class Care:
    """What a redeployment reads beyond the list pages that show who is back."""

    snapshots: str
    """What is saved of a device before it is touched: `full`, `record` or `none`."""
    whole_record: bool
    """Whether a return is proven by the device's own record, too."""


LEAN = Care("none", whole_record=False)
UNSAVED = Care("none", whole_record=True)
SHIPPED = Care("full", whole_record=True)
"""What a playbook that says nothing of either asks for."""


def redeployment(max_down: int, care: Care) -> str:
    """Write the shipped redeploy.yaml with limits for ten thousand devices."""
    return _REDEPLOYMENT % (str(care.whole_record).lower(), max_down, care.snapshots)


STEPS: Sequence[OperationStep] = (
    OperationStep(Operation.FACTORY, Proof(False, 1800.0, SETTLE, STABLE), 2),
    OperationStep(Operation.RECONF, Proof(True, 900.0, 0.0, 0.0), 3),
)
"""The same steps, for a program that reads no playbook."""


def world_of(devices: int) -> World:
    """Give the clean fleet before anybody touches it."""
    fleet = make_fleet(devices, SEED, CLEAN)
    return World(fleet, seed=SEED, started_at=START, rules=Rules(latency=LATENCY))


def controller_of(world: World, clock: Clock) -> SimulatedController:
    """Give the controller of a world in this process."""
    return SimulatedController(world, clock)
