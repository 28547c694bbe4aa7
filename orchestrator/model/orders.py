"""What a person may tell a run from another terminal; `Run.obey` says what follows, or refuses."""

from dataclasses import dataclass

from orchestrator.model.errors import OrchestratorError


class OrderRefusedError(OrchestratorError):
    """The run does not do this; the text says why and what would be right. Nothing has changed."""


class OrderUnansweredError(OrchestratorError):
    """A process drives the run and did not answer; the text says whether the order may have counted."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who gives an order, from where, and why."""

    name: str
    host: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Start nothing new for now."""

    person: Person


@dataclass(frozen=True, slots=True)
class Continue:
    """Take the pause back."""

    person: Person


@dataclass(frozen=True, slots=True)
class Cancel:
    """Start nothing new ever; with `abandon` leave devices in the middle of their chain as well."""

    person: Person
    abandon: bool = False


@dataclass(frozen=True, slots=True)
class Approve:
    """Answer what the run asks; `what` may be None while it asks one thing only."""

    person: Person
    what: str | None = None
    granted: bool = True


@dataclass(frozen=True, slots=True)
class ChangeLimit:
    """Set a limit: `max_down`, `in_flight`, `delay`, or `max_down_per.` and its fields."""

    person: Person
    limit: str
    value: float


Order = Pause | Continue | Cancel | Approve | ChangeLimit


@dataclass(frozen=True, slots=True)
class Ask:
    """Say what holds a device now: a question, of which nothing is recorded."""

    person: Person
    device: int
