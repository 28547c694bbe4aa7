"""What seeds draw whose campaigns change records: the steps, the table, who is odd, what is offered.

These draws come from a generator of their own, so that the other seeds stay what they were.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from orchestrator.model.devices import Status
from orchestrator.model.operations import Action, Operation
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import Playbook
from orchestrator.model.policies import Allowance, Depth, Guard
from orchestrator.model.selections import Condition, Equals, Present, Selection
from orchestrator.model.steps import (
    CheckStep,
    DoneStep,
    EscalateStep,
    RecordStep,
    SleepStep,
    Step,
    Witness,
    default_proof,
)
from orchestrator.model.values import (
    Assignment,
    Origin,
    Plain,
    Reference,
    Secret,
    SecretKind,
    Table,
    Template,
)
from orchestrator.model.verdicts import Verdict
from orchestrator.simulator.fleet import FIRMWARE, Member
from orchestrator.simulator.rules import OFFERS, Rules
from orchestrator.simulator.temperaments import TEMPERAMENTS
from tests.support.campaigns import operation_step

SHARE = 0.4
"""So many of the seeds change records."""

KINDS: Mapping[str, float] = {
    "update": 2.5,
    "rotate": 2.5,
    "upgrade": 2.5,
    "replace": 1.5,
    "onboard": 2,
    "cleanup": 1.5,
    "remedy": 2,
    "reset": 2.5,
    "mixed": 2,
}
"""What such a campaign is for, and how often."""

NEWEST = "2.7.0"
"""The version that the images 155, 156 and 161 bring."""

ODD_IN_UPGRADES = {"upgrade_fails": 0.15, "lost_in_upgrade": 0.1, "slow": 0.1, "nat": 0.15}
ODD_IN_RESETS = {"new_id": 0.25, "new_id_only": 0.25, "never_back": 0.08, "nat": 0.1}
"""Temperaments that only what is drawn here can bring out."""

_UP = Condition("status", Equals((Status.UP,)))


def changing(seed: int) -> "Changing | None":
    """Give the drawing of a seed that changes records; None where it changes none."""
    chance = random.Random(f"records/{seed}")
    return Changing(chance) if chance.random() < SHARE else None


@dataclass
class Changing:
    """The draws of one seed, in a fixed order."""

    chance: random.Random
    kind: str = field(init=False)
    table: Table | None = field(init=False, default=None)
    members_drawn: Sequence[Member] = ()

    def __post_init__(self) -> None:
        self.kind = self.chance.choices(list(KINDS), list(KINDS.values()))[0]

    def happens(self, share: float) -> bool:
        """Say whether something comes to pass."""
        return self.chance.random() < share

    @property
    def keeps_ids(self) -> bool:
        """True when every device keeps its id, so that groups of devices are what they were."""
        return self.kind in ("update", "rotate", "upgrade", "replace")

    # --- the fleet --------------------------------------------------------------------------------

    def members(self, members: Sequence[Member]) -> tuple[Member, ...]:
        """Give the fleet with the devices that such a campaign is about."""
        self.members_drawn = tuple(self._edited(each) for each in members)
        return tuple(self.members_drawn)

    def _edited(self, member: Member) -> Member:
        fields = dict(member.fields)
        if self.happens(0.2):
            fields["debug"] = True
        if self.kind == "cleanup":
            fields["is_active"] = self.happens(0.6)
            if self.happens(0.7):
                returns = self.chance.uniform(5.0, 4000.0) if self.happens(0.3) else None
                age = self.chance.uniform(20_000.0, 900_000.0)
                member = replace(
                    member, is_down=True, contact_age=age, pending=(), returns_after=returns
                )
        odd = ODD_IN_RESETS if self.kind in ("reset", "mixed") else {}
        odd = ODD_IN_UPGRADES if self.kind == "upgrade" else odd
        name = self._some(odd)
        temperament = member.temperament if name is None else TEMPERAMENTS[name]
        return replace(member, fields=fields, temperament=temperament)

    def _some(self, shares: Mapping[str, float]) -> str | None:
        reached, drawn = 0.0, self.chance.random()
        for name, share in shares.items():
            reached += share
            if drawn < reached:
                return name
        return None

    def rules(self, rules: Rules) -> Rules:
        """Give what this controller offers: everything, nothing, or some of it."""
        some = frozenset(self.chance.sample(sorted(OFFERS), 4))
        return replace(rules, offers=self.chance.choice((OFFERS, frozenset(), some)))

    # --- the playbook -----------------------------------------------------------------------------

    def selection(self, selection: Selection) -> Selection:
        """Give whom it is about; most kinds leave it as it was drawn."""
        if self.kind == "cleanup":
            return Selection(status=Status.DOWN, order_by=selection.order_by)
        if self.kind in ("onboard", "reset", "mixed", "remedy") or self.happens(0.5):
            return Selection(everything=True, order_by=selection.order_by)
        return selection

    def steps(self) -> tuple[Step, ...]:
        """Draw the steps, and the table that they take their values from."""
        self.table = None
        kinds: Mapping[str, Callable[[], tuple[Step, ...]]] = {
            "update": self._updates,
            "rotate": self._rotation,
            "upgrade": self._upgrade,
            "replace": self._replacement,
            "onboard": self._onboarding,
            "cleanup": self._clean_up,
            "remedy": self._remedy,
            "reset": self._reset,
            "mixed": self._mixture,
        }
        return kinds[self.kind]()

    def rescue(self) -> tuple[Step, ...]:
        """Draw what is done with devices whose step failed."""
        escalate = EscalateStep("a person has to look at it")
        if self.kind == "remedy":
            return self.chance.choice(((escalate,), (SleepStep(60.0), escalate)))
        if self.kind in ("reset", "upgrade", "mixed") and self.happens(0.3):
            sync = operation_step(Operation.SYNC, attempts=2)
            return self.chance.choice(((sync, escalate), (self._update(),), (escalate,)))
        return ()

    def adjusted(self, playbook: Playbook) -> Playbook:
        """Give the playbook with all that only changes of records need."""
        depth = self.chance.choice((Depth.FULL, Depth.FULL, Depth.RECORD, Depth.NONE))
        guard = playbook.guard
        if self.kind == "remedy" and self.happens(0.5):
            guard = Guard(disruptive=(Condition("is_active", Equals((True,))),))
        allowances = (Allowance(Operation.REBOOT, 2, 86_400.0),) if self.kind == "remedy" else ()
        return replace(
            playbook, table=self.table, snapshots=depth, guard=guard, allowances=allowances
        )

    def planned(self, plan: Plan) -> Plan:
        """Give the plan with devices that had their share already."""
        if not plan.playbook.allowances:
            return plan
        told = "it was rebooted 2 times within 1d, and 2 are allowed"
        devices = tuple(
            msgspec.structs.replace(each, exhausted=told) if self.happens(0.25) else each
            for each in plan.devices
        )
        return replace(plan, devices=devices)

    # --- the kinds --------------------------------------------------------------------------------

    def _updates(self) -> tuple[Step, ...]:
        if self.happens(0.5):
            self._tabulate()
        steps: list[Step] = [self._update() for _ in range(self.chance.choice((1, 1, 2, 3)))]
        if self.happens(0.3):
            steps.insert(self.chance.randint(0, len(steps)), self._done())
        if self.happens(0.2):
            steps.append(self._deactivation())
        return self._restored(steps)

    def _rotation(self) -> tuple[Step, ...]:
        if self.happens(0.3):
            self._tabulate(secret=True)
        steps: list[Step] = [self._secret_update()]
        if self.happens(0.3):
            steps.insert(self.chance.randint(0, 1), self._update())
        if self.happens(0.2):
            steps.append(self._secret_update())
        if self.happens(0.15):
            steps.append(CheckStep((_UP,), 120.0))
        return self._restored(steps)

    def _upgrade(self) -> tuple[Step, ...]:
        rows = {}
        for member in self.members_drawn:
            image = next(
                (
                    n
                    for n, (of, v) in FIRMWARE.items()
                    if of == member.fields["type"] and v == NEWEST
                ),
                None,
            )
            if self.happens(0.05):
                image = self.chance.choice((999, 155, 161))
            if image is not None:
                serial = str(member.fields["serial_number"])
                rows[serial] = {"serial_number": serial, "image": image}
        self.table = _table(rows)
        image = Template((Reference(Origin.ROW, "image"),))
        shows = (Condition("software_version", Equals((NEWEST,))),)
        proof = replace(
            default_proof(Action.UPGRADE), conditions=shows, within=self._within(600.0, 3600.0)
        )
        upgrade = RecordStep(
            Action.UPGRADE,
            proof,
            self.chance.choice((1, 2, 4)),
            self._forgiven(),
            action=Action.UPGRADE,
            assignments=(Assignment("firmware_image", image),),
        )
        steps: list[Step] = [upgrade]
        if self.happens(0.25):
            steps.insert(0, DoneStep(shows, refresh=self.happens(0.5)))
        if self.happens(0.25):
            steps.append(self._update(flags=(None, "sync")))
        if self.happens(0.15):
            steps.insert(0, operation_step(Operation.REBOOT))
        return tuple(steps)

    def _replacement(self) -> tuple[Step, ...]:
        if self.happens(0.5):
            self._tabulate()
        steps: list[Step] = [self._replace()]
        if self.happens(0.4):
            steps.insert(self.chance.randint(0, 1), self._update(flags=(None, "sync")))
        return tuple(steps)

    def _onboarding(self) -> tuple[Step, ...]:
        rows: dict[str, dict[str, Plain]] = {}
        for number in range(1, self.chance.randint(2, 9)):
            serial = f"NEW{number:05d}"
            rows[serial] = {
                "serial_number": serial,
                "name": f"branch-{number}",
                "customer_id": f"CUST-9{number}",
                "type": self.chance.choice((15, 16, 21, 34)),
                "organization_id": self.chance.choice((123, 456)),
                "description": f"new {number}",
            }
            if self.happens(0.06):
                del rows[serial]["customer_id"]  # the controller does not take it
        for member in self.members_drawn:
            if self.happens(0.25):
                serial = str(member.fields["serial_number"])
                known = ("serial_number", "name", "customer_id", "type", "organization_id")
                rows[serial] = {name: member.fields[name] for name in known}  # type: ignore[misc]
        self.table = _table(rows)
        attempts = self.chance.choice((1, 3, 4))
        create = RecordStep(
            Action.CREATE,
            default_proof(Action.CREATE),
            attempts,
            action=Action.CREATE,
            takes_row=True,
        )
        steps: list[Step] = [create]
        if self.happens(0.5):
            steps.append(CheckStep((_UP,), 600.0, self._forgiven()))
        if self.happens(0.4):
            steps.append(self._update(flags=(None, None, "sync")))
        if self.happens(0.3):
            steps.append(operation_step(Operation.SYNC))
        if self.happens(0.3):
            steps.append(self._secret_update())
        return tuple(steps)

    def _clean_up(self) -> tuple[Step, ...]:
        delete = RecordStep(
            Action.DELETE,
            default_proof(Action.DELETE),
            self.chance.choice((1, 3)),
            action=Action.DELETE,
        )
        return self.chance.choice(
            (
                (self._deactivation(), delete),
                (self._deactivation(), delete),
                (self._deactivation(), SleepStep(90.0), delete),
                (self._update(flags=(None,)), self._deactivation(), delete),
                (delete,),
                (self._deactivation(),),
            )
        )

    def _remedy(self) -> tuple[Step, ...]:
        reboot = operation_step(Operation.REBOOT, attempts=self.chance.choice((1, 2, 4)))
        if self.happens(0.4):
            reboot = replace(reboot, proof=replace(reboot.proof, witnesses=tuple(Witness)))
        steps: list[Step] = [self._done(), reboot]
        if self.happens(0.3):
            steps.insert(1, CheckStep((_UP,), 60.0, self._forgiven(), refresh=self.happens(0.5)))
        return tuple(steps)

    def _reset(self) -> tuple[Step, ...]:
        reset: Step = operation_step(Operation.FACTORY, attempts=2)
        if self.happens(0.4):
            reset = self._update(flags=("factory",))
        steps: list[Step] = [reset, operation_step(Operation.RECONF, attempts=4)]
        if self.happens(0.4):
            steps.append(self._update(flags=(None, "sync", "reboot")))
        if self.happens(0.25):
            steps.append(self._secret_update())
        if self.happens(0.2):
            steps.insert(0, self._update(flags=(None,)))
        return tuple(steps)

    def _mixture(self) -> tuple[Step, ...]:
        self._tabulate(secret=self.happens(0.4))
        makes = (
            self._update,
            self._update,
            self._replace,
            self._secret_update,
            self._done,
            lambda: operation_step(Operation.REBOOT),
            lambda: operation_step(Operation.SYNC),
            lambda: operation_step(Operation.FACTORY),
        )
        steps = [self.chance.choice(makes)() for _ in range(self.chance.randint(2, 4))]
        return self._restored(steps)

    def _restored(self, steps: list[Step]) -> tuple[Step, ...]:
        """Nobody leaves a device without its configuration."""
        found: list[Step] = []
        for step in steps:
            found.append(step)
            if getattr(step, "operation", None) is Operation.FACTORY:
                found.append(operation_step(Operation.RECONF))
        return tuple(found)

    # --- single steps -----------------------------------------------------------------------------

    def _within(self, *choices: float) -> float | None:
        return self.chance.choice(choices) if self.happens(0.25) else None

    def _forgiven(self) -> tuple[Verdict, ...]:
        if not self.happens(0.12):
            return ()
        return self.chance.choice(((Verdict.UNCONFIRMED,), (Verdict.FAILED,)))

    def _update(
        self, flags: Sequence[str | None] = (None, None, None, None, "reboot", "sync", "factory")
    ) -> RecordStep:
        names = self.chance.sample(
            ("description", "debug", "update_frequency", "location_name", "latitude", "name"),
            self.chance.randint(1, 3),
        )
        takes_row = self._takes_row and self.happens(0.5)
        assignments = tuple(Assignment(name, self._value(name)) for name in names)
        if takes_row and self.happens(0.6):
            assignments = ()
        return self._record_step(Action.UPDATE, assignments, self.chance.choice(flags), takes_row)

    @property
    def _takes_row(self) -> bool:
        return (
            self.table is not None and "image" not in self.table.columns and self.kind != "onboard"
        )

    def _record_step(
        self,
        action: Action,
        assignments: tuple[Assignment, ...],
        flag: str | None = None,
        takes_row: bool = False,
    ) -> RecordStep:
        operation = action if flag is None else Operation(flag)
        has_secrets = any(isinstance(each.value, Secret) for each in assignments)
        has_secrets |= takes_row and self.table is not None and bool(self.table.secrets)
        contact = has_secrets or (flag is None and self.happens(0.2))
        proof = replace(default_proof(operation), within=self._within(120.0, 600.0, 1800.0))
        if contact:
            proof = replace(proof, contact=True)
        if operation is Operation.REBOOT and self.happens(0.2):
            proof = replace(proof, witnesses=(Witness.UP_TIME,))
        return RecordStep(
            operation,
            proof,
            self.chance.choice((1, 2, 4, 8)),
            self._forgiven(),
            action=action,
            assignments=assignments,
            takes_row=takes_row,
            flag=None if flag is None else Operation(flag),
        )

    def _value(self, name: str) -> Plain | Template:
        if self._takes_row and name in ("description", "location_name") and self.happens(0.4):
            return Template(("row ", Reference(Origin.ROW, name)))
        if name == "description" and self.happens(0.5):
            reference = Reference(Origin.DEVICE, self.chance.choice(("id", "manufacturer", "type")))
            return Template(("was ", reference, f" {self.chance.randint(1, 3)}"))
        choices: Mapping[str, tuple[Plain, ...]] = {
            "description": ("moved", "lab", ""),
            "debug": (True, False),
            "update_frequency": (60, 120, 300, 900),
            "location_name": ("Seattle Branch 1", "Lima", "Portland Branch 1"),
            "latitude": (47.5, -12.046374, 0),
            "name": ("all the same",),
        }
        return self.chance.choice(choices[name])

    def _secret_update(self) -> RecordStep:
        password = Secret(SecretKind.GENERATE, length=self.chance.choice((8, 24)))
        if self.table is not None and "password" in self.table.secrets and self.happens(0.7):
            password = Secret(SecretKind.ROW, "password")
        assignments = [Assignment("password", password)]
        if self.happens(0.3):
            assignments.append(Assignment("username", Secret(SecretKind.ENV, "NEW_USER")))
        if self.happens(0.3):
            assignments.append(Assignment("description", "rotated"))
        flag = self.chance.choice((None, None, None, None, "sync", "reboot"))
        return self._record_step(Action.UPDATE, tuple(assignments), flag)

    def _replace(self) -> RecordStep:
        names = self.chance.sample(("description", "debug", "location_name"), 2)
        assignments = tuple(Assignment(name, self._value(name)) for name in names)
        if self.happens(0.4):
            secret = Secret(SecretKind.GENERATE)
            user = Secret(SecretKind.ENV, "NEW_USER")
            assignments += (Assignment("password", secret), Assignment("username", user))
        return self._record_step(
            Action.REPLACE, assignments, None, self._takes_row and self.happens(0.3)
        )

    def _deactivation(self) -> RecordStep:
        return RecordStep(
            Action.DEACTIVATE,
            default_proof(Action.DEACTIVATE),
            self.chance.choice((1, 2, 4)),
            action=Action.DEACTIVATE,
        )

    def _done(self) -> DoneStep:
        conditions = (
            _UP,
            Condition("debug", Equals((True,))),
            Condition("software_version", Present()),
            Condition("status", Equals((Status.DOWN,))),
            Condition("update_frequency", Equals((60,))),
        )
        return DoneStep((self.chance.choice(conditions),), refresh=self.happens(0.4))

    def _tabulate(self, *, secret: bool = False) -> None:
        """Draw a table: most devices have a row, some rows say what is so already."""
        rows: dict[str, dict[str, Plain]] = {}
        for member in self.members_drawn:
            if self.happens(0.15):
                continue
            serial = str(member.fields["serial_number"])
            row: dict[str, Plain] = {"serial_number": serial}
            for name in ("description", "location_name", "update_frequency"):
                present = member.fields[name]
                if self.happens(0.3):
                    row[name] = present  # type: ignore[assignment]
                elif name == "update_frequency":
                    row[name] = self.chance.choice((60, 300))
                elif self.happens(0.95):
                    row[name] = f"{name} of {serial}"
            if secret and self.happens(0.9):
                row["password"] = True
            rows[serial] = {name: value for name, value in row.items() if value is not None}
        secrets = frozenset({"password"}) if secret else frozenset()
        self.table = _table(rows, secrets)


def _table(rows: Mapping[str, Mapping[str, Plain]], secrets: frozenset[str] = frozenset()) -> Table:
    columns = dict.fromkeys(name for row in rows.values() for name in row)
    lines = {name: number for number, name in enumerate(rows, start=2)}
    return Table("drawn.csv", "serial_number", tuple(columns), rows, lines, secrets)
