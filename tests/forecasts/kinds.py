"""Ten kinds of campaigns that forecasts are held against: what is done, how carefully, to whom.

Each is a playbook as a person would write it, over a fleet of its own. The same seed gives the same
fleet; another seed gives other devices in other places with other habits.
"""

from dataclasses import dataclass, field, replace

from orchestrator.model.playbooks import Playbook
from orchestrator.simulator.faults import Faults
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.temperaments import NORMAL_MIX
from orchestrator.simulator.world import World
from tests.support.campaigns import START
from tests.support.playbooks import minimal, playbook

UP = "status: up\nwhere: {is_active: true, pending_settings: none}"
REBOOT = "- operation: reboot\n  proof: {within: 20m}\n  attempts: 2"
REDEPLOY = """\
- operation: factory
  proof: {within: 30m}
  attempts: 2
- operation: reconf
  attempts: 3"""

_SLOW = {**NORMAL_MIX, "fast": 0.09, "slow": 0.30, "nat": 0.50}
_FAILING = {**NORMAL_MIX, "fast": 0.50, "never_back": 0.06, "late": 0.04}


@dataclass(frozen=True)
class Kind:
    """One kind of campaign, for any seed."""

    name: str
    about: str
    devices: int
    """Of the fleet; those that are down, inactive or have something pending are left out."""
    steps: str
    more: str
    """What else the playbook says: rollout, window, requests."""
    fleet: FleetPlan = field(default_factory=FleetPlan)
    faults: Faults = field(default_factory=Faults)

    def playbook(self) -> Playbook:
        """Give its playbook."""
        return playbook(minimal(UP, self.steps, self.more))

    def world(self, seed: int) -> World:
        """Give the fleet of a seed as it is before anybody touches it."""
        members = make_fleet(self.devices, seed, self.fleet)
        return World(members, seed=seed, started_at=START, faults=self.faults)

    def sized(self, share: float) -> "Kind":
        """Give the same kind over a part of its fleet."""
        return replace(self, devices=round(self.devices * share))


KINDS: tuple[Kind, ...] = (
    Kind(
        "reboot",
        "reboot, 10 down at once",
        110,
        REBOOT,
        "rollout: {max_down: 10}\nrequests: {delay: 500ms, in_flight: 10}",
    ),
    Kind(
        "redeploy",
        "factory and reconf, 12 down at once",
        100,
        REDEPLOY,
        "rollout: {max_down: 12}\nrequests: {delay: 200ms}",
    ),
    Kind(
        "sync",
        "sync only, five seconds between requests",
        200,
        "- operation: sync\n  proof: {within: 10m}\n  attempts: 3",
        "requests: {delay: 5s, in_flight: 20}",
    ),
    Kind(
        "waves",
        "reboot in waves of 10, a quarter, all; a soak of 10 minutes, 80 % must succeed",
        140,
        REBOOT,
        """\
rollout:
  max_down: 20
  waves: [10, 25%, 100%]
  between_waves: {soak: 10m, succeeded: 80%}
requests: {delay: 1s}
""",
    ),
    Kind(
        "nights",
        "factory and reconf in nights of an hour, nobody started in their last half",
        90,
        REDEPLOY,
        """\
rollout: {max_down: 6}
window: {opens: "0 9 * * *", lasts: 1h, timezone: UTC, cutoff: 30m}
requests: {delay: 1s}
""",
    ),
    Kind(
        "places",
        "reboot, one device of a place down at once",
        120,
        REBOOT,
        "rollout: {max_down: 10, max_down_per: {location: 1}}\nrequests: {delay: 200ms}",
        fleet=FleetPlan(down=0),  # a place in which another device is Down stays shut
    ),
    Kind(
        "budget",
        "reboot under a strict budget of 8 failures",
        100,
        REBOOT,
        """\
rollout:
  max_down: 40
  stop_when: {failed: 8, unconfirmed: 8, in_doubt: 8}
requests: {delay: 200ms}
""",
    ),
    Kind(
        "slow fleet",
        "reboot where most devices are slow or behind NAT, with contacts every 10 minutes",
        80,
        "- operation: reboot\n  proof: {within: 40m}\n  attempts: 2",
        "rollout: {max_down: 16}\nrequests: {delay: 200ms}",
        fleet=FleetPlan(mix=_SLOW, frequencies=(600,)),
    ),
    Kind(
        "failing fleet",
        "factory and reconf where one device in ten does not come back in time",
        70,
        REDEPLOY,
        "rollout: {max_down: 10}\nrequests: {delay: 5s}",
        fleet=FleetPlan(mix=_FAILING),
    ),
    Kind(
        "harsh controller",
        "reboot while the controller refuses, loses and restarts",
        100,
        REBOOT,
        "rollout: {max_down: 10}\nrequests: {delay: 1s}",
        faults=Faults.harsh(),
    ),
)
