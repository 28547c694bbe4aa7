"""The rule that chooses devices, and the conditions it is made of."""

from dataclasses import dataclass

from msgspec import Struct

from orchestrator.model.devices import Status


@dataclass(frozen=True, slots=True)
class Equals:
    """The field is one of these values; text is compared exactly, numbers and numeric text by value."""

    values: tuple[str | int | float | bool, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """The field is text that matches one of these shell patterns, without regard to case."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Below:
    """The field is a version or number strictly below this one."""

    bound: str | int | float


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The field is a version or number equal to this one or above it."""

    bound: str | int | float


@dataclass(frozen=True, slots=True)
class OlderThan:
    """The field is a moment more than this many seconds ago."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NewerThan:
    """The field is a moment at most this many seconds ago."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Missing:
    """The record has no such field, or it is null or empty."""


@dataclass(frozen=True, slots=True)
class Present:
    """The record has the field with a value in it."""


@dataclass(frozen=True, slots=True)
class NothingPending:
    """For pending_settings: known to be clear."""


@dataclass(frozen=True, slots=True)
class SomethingPending:
    """For pending_settings: something is known to be pending; with names, at least one of them."""

    names: tuple[str, ...] = ()


Test = (
    Equals
    | Matches
    | Below
    | AtLeast
    | OlderThan
    | NewerThan
    | Missing
    | Present
    | NothingPending
    | SomethingPending
)


class Condition(Struct, frozen=True, cache_hash=True):
    """One thing that must be true of one field of a record."""

    field: str
    test: Test


@dataclass(frozen=True, slots=True)
class Expectation:
    """How many devices a selection may choose; anything else stops before the first request."""

    at_least: int = 1
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which devices a playbook is about.

    The first four go to the controller as filters and are checked again on every record, because
    a controller may ignore a filter it does not know (api.md 1.1). The rest is checked here only.
    """

    organizations: tuple[int, ...] = ()
    types: tuple[int, ...] = ()
    status: Status | None = None
    last_status_change_from: float | None = None
    where: tuple[Condition, ...] = ()
    include: frozenset[str] = frozenset()
    """Ids, serial numbers or names, as text; when not empty, only these can be chosen."""
    exclude: frozenset[str] = frozenset()
    """Ids, serial numbers or names, as text; never chosen."""
    except_outages_of: tuple[str, ...] = ()
    """Fields; a device is left out when every active device with the same values is Down, and there are
    two of them at least: that is an outage, not a device. `status` is then checked here only."""
    expect: Expectation = Expectation()
    order_by: tuple[str, ...] = ("id",)
    """Field names; a leading `-` reverses one. The id breaks ties."""
    limit: int | None = None
    """At most this many, the first in order."""
    everything: bool = False
    """The author wrote `all: true`: a selection without any condition is meant."""
