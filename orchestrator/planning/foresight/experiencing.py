"""What earlier runs teach of the next: how long operations take, and how many devices fail."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.model.verdicts import Verdict
from orchestrator.planning.foresight.presuming import PRESUMED, Presumption
from orchestrator.planning.tallying import counted
from orchestrator.planning.timing import Timed

ENOUGH = 20
"""Device runs of an operation from which on they are believed rather than the defaults."""

_DRAWS = 1000
"""Device runs that a documented default is spelled out in; its shares are given of so many."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How device runs of one operation went; a forecast draws from them, each as likely as the other."""

    seconds: tuple[float, ...] = ()
    """From the first request to the proof, one figure a device run that was proven, ascending."""
    failures: tuple[tuple[Verdict, float], ...] = ()
    """How the others ended, and the seconds from the first request to that end."""
    skipped: int = 0
    """Device runs that the guard kept from their first request; counted beside the others."""
    requests: int = 0
    """Operation requests of all of them together."""
    runs: int = 0
    """Earlier runs in which any of them were made; 0 where nobody measured."""

    @property
    def tried(self) -> int:
        """Count the device runs that were sent a request."""
        return len(self.seconds) + len(self.failures)


@dataclass(frozen=True, slots=True)
class Experience:
    """What earlier runs against the same controller taught."""

    runs: tuple[str, ...] = ()
    """The runs it comes from, the newest first."""
    by_kind: Mapping[tuple[Timed, str | None], Outcomes] = field(default_factory=dict)
    """By operation and type of device; the type None stands for all types together."""
    errors: tuple[float, ...] = ()
    """Of earlier runs with a forecast: seconds they were active over the seconds foreseen (P50)."""
    approval_seconds: float = 0.0
    """Until a person answers what a run asks; never learnt, only supposed."""

    def of(self, operation: Timed, kind: str | None) -> Outcomes:
        """Give what to expect of an operation: of its type where that is known, else of all types,
        else the documented defaults.
        """
        for key in ((operation, kind), (operation, None)):
            found = self.by_kind.get(key)
            if found is not None and found.tried >= ENOUGH:
                return found
        return DEFAULTS[operation]

    def tried(self, operation: Timed) -> int:
        """Count the device runs of an operation, of all types together."""
        found = self.by_kind.get((operation, None))
        return 0 if found is None else found.tried

    def measured(self) -> dict[Timed, tuple[float, ...]]:
        """Give the seconds of every device run that was proven, by operation."""
        return {
            operation: outcomes.seconds
            for (operation, kind), outcomes in self.by_kind.items()
            if kind is None and outcomes.seconds
        }

    def sources(self, operations: tuple[Timed, ...]) -> tuple[str, ...]:
        """Say in one sentence an operation what its figures are taken from."""
        return tuple(f"{each.value}: {self._source(each)}" for each in operations)

    def _source(self, operation: Timed) -> str:
        found = self.by_kind.get((operation, None), Outcomes())
        device_runs = counted(found.tried, "device run")
        if found.tried >= ENOUGH:
            earlier = counted(found.runs, "earlier run")
            return f"{device_runs} of {earlier} ({_unproven(found)})"
        so_far = f"only {device_runs} measured" if found.tried else "nothing measured yet"
        return f"{so_far}; the documented defaults are used"


def _unproven(outcomes: Outcomes) -> str:
    share = len(outcomes.failures) / outcomes.tried
    if not share:
        return "all proven"
    return f"{share:.1%} not proven" if share >= _LEAST_TOLD else "less than 0.1% not proven"


_LEAST_TOLD = 0.001


def together(several: Sequence[Outcomes], *, runs: int) -> Outcomes:
    """Put device runs of one operation together that were made in so many runs."""

    def every(of: Callable[[Outcomes], Iterable[Any]]) -> Iterator[Any]:
        return (each for outcomes in several for each in of(outcomes))

    return Outcomes(
        seconds=tuple(sorted(every(lambda outcomes: outcomes.seconds))),
        failures=tuple(every(lambda outcomes: outcomes.failures)),
        skipped=sum(outcomes.skipped for outcomes in several),
        requests=sum(outcomes.requests for outcomes in several),
        runs=runs,
    )


# --- what is taken of an operation nobody has measured yet --------------------------------------


def _spelled_out(presumed: Presumption) -> Outcomes:
    """Give a documented default as figures of which each is as likely as the other."""
    proven = _DRAWS - presumed.never_back
    never_back = (Verdict.UNCONFIRMED, float(presumed.given_up_after))
    return Outcomes(
        seconds=tuple(presumed.seconds_at((i + 0.5) / proven) for i in range(proven)),
        failures=(never_back,) * presumed.never_back,
        requests=_DRAWS,
    )


DEFAULTS: Mapping[Timed, Outcomes] = {
    operation: _spelled_out(presumed) for operation, presumed in PRESUMED.items()
}
"""What is taken of an operation nobody has measured yet; where it comes from stands in
`planning.foresight.presuming`."""
