"""Secret values of a drawn campaign: made once, kept over every kill, known to the judge."""

import random
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from orchestrator.model.commands import PrepareDevice, SendChange
from orchestrator.model.errors import SecretError
from orchestrator.model.events import Event, StepSucceeded

Place = tuple[int, int, str]
"""Device, step and field."""


class Vault:
    """The port `Secrets` in the memory of a test; some devices' values cannot be had at first."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.kept: dict[Place, str] = {}
        """Every value ever made."""
        self.proven: set[tuple[int, int]] = set()
        """Devices and steps that were seen to have taken theirs."""
        self._chance = random.Random(f"vault/{seed}")
        self._refuses = {}
        self.refused = 0
        """How often a value could not be had."""

    async def prepare(self, wanted: PrepareDevice) -> Mapping[str, str]:
        left = self._refuses.setdefault(
            wanted.device, self._chance.choices((0, 2, 9), (20, 1, 1))[0]
        )
        if left:
            self._refuses[wanted.device] = left - 1
            self.refused += 1
            raise SecretError("the vault cannot be written")
        for each in wanted.secrets:
            place = (wanted.device, wanted.step, each.field)
            if place not in self.kept:
                made = random.Random(f"secret/{self._seed}/{place}")
                self.kept[place] = f"s3cr3t{made.randrange(2**64):016x}"
        return {
            each.field: self._fingerprint(self.kept[wanted.device, wanted.step, each.field])
            for each in wanted.secrets
        }

    def _fingerprint(self, value: str) -> str:
        return "fp:" + blake2b(value.encode(), key=b"drawn", digest_size=6).hexdigest()

    def reveal(self, change: SendChange) -> Mapping[str, str]:
        missing = [f for f in change.secrets if (change.device, change.step, f) not in self.kept]
        if missing:
            raise SecretError(f"no {missing[0]} was prepared")
        return {field: self.kept[change.device, change.step, field] for field in change.secrets}

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, StepSucceeded):
                self.proven.add((event.device, event.step))

    def of_device(self, device: int, field: str) -> dict[int, str]:
        """Give the values that were made for a device, by step."""
        return {step: v for (d, step, f), v in self.kept.items() if (d, f) == (device, field)}
