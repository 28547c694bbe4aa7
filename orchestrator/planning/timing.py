"""What is timed together: requests of one kind, told apart by whether the device itself has to answer."""

from dataclasses import dataclass

from orchestrator.model.operations import Action, Request
from orchestrator.model.steps import RequestStep


@dataclass(frozen=True, slots=True)
class WithContact:
    """A change of a record that is proven only once the device was in contact after it."""

    action: Action

    @property
    def value(self) -> str:
        """Name it as a message does."""
        return f"{self.action.value} with contact"

    @property
    def is_disruptive(self) -> bool:
        """Say that it takes no device out of service."""
        return False


Timed = Request | WithContact
"""What figures of earlier runs are kept by."""


def timed(step: RequestStep) -> Timed:
    """Give what a step's figures are kept by."""
    operation = step.operation
    if isinstance(operation, Action) and not operation.is_disruptive and waits_for_device(step):
        return WithContact(operation)
    return operation


def waits_for_device(step: RequestStep) -> bool:
    """Say whether the proof needs the device itself, and not only what its record says."""
    is_of_record = isinstance(step.operation, Action) and not step.operation.is_disruptive
    return not is_of_record or step.proof.contact or bool(step.proof.conditions)
