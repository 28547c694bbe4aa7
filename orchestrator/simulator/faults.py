"""What goes wrong between the controller and us: by rate and seed, or for a span of time.

A draw belongs to the n-th request of a kind for a device, so the order of requests changes nothing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from orchestrator.simulator.chance import between, uniforms

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rates:
    """The shares of requests, between 0 and 1, that meet each kind of trouble; at most one each."""

    rate_429: float = 0.0
    """Refused for load, with Retry-After in seconds."""
    rate_500: float = 0.0
    """A page of HTML; of changing requests one in two was applied."""
    rate_502_html: float = 0.0
    """A proxy's page of HTML; of changing requests one in two was applied."""
    rate_503: float = 0.0
    """Refused, with Retry-After in seconds or as a date."""
    reset_before: float = 0.0
    """The connection is closed before the request is applied."""
    reset_after: float = 0.0
    """Applied, then the connection is closed."""
    slow: float = 0.0
    """Answered late; may come on top of a truncated answer."""
    truncated: float = 0.0
    """Applied; half of the JSON arrives, in one of two with the connection cut off."""

    is_quiet: bool = field(init=False, default=True)
    """Whether nothing ever happens."""

    def __post_init__(self) -> None:
        """Raise ValueError for a rate outside [0, 1] or rates that add up to more than 1."""
        values = [getattr(self, name) for name in _RATES]
        if not all(isinstance(value, int | float) and 0 <= value <= 1 for value in values):
            raise ValueError("a rate of faults lies between 0 and 1")
        if sum(values) - self.slow > 1:
            raise ValueError("rates of faults add up to at most 1")
        object.__setattr__(self, "is_quiet", not any(values))


@dataclass(frozen=True, slots=True)
class Faults:
    """Everything that goes wrong; spans are seconds since the world's start."""

    operations: Rates = field(default_factory=Rates)
    """For requests that change something."""
    reads: Rates = field(default_factory=Rates)
    slow_seconds: Span = (2.0, 8.0)
    retry_after_seconds: Span = (1.0, 5.0)
    revoked: tuple[Span, ...] = ()
    """While the token is not accepted."""
    outages: tuple[Span, ...] = ()
    """While nobody listens."""
    restarts: tuple[float, ...] = ()
    """Moments at which the controller restarts: requests under way lose their answers."""
    restart_seconds: float = 20.0

    @classmethod
    def harsh(cls) -> Self:
        """Give every fault there is, at rates a patient client gets through."""
        return cls(
            operations=Rates(
                rate_429=0.04,
                rate_500=0.02,
                rate_502_html=0.02,
                rate_503=0.03,
                reset_before=0.02,
                reset_after=0.02,
                slow=0.05,
                truncated=0.02,
            ),
            reads=Rates(
                rate_429=0.02,
                rate_500=0.01,
                rate_502_html=0.01,
                rate_503=0.01,
                reset_before=0.01,
                slow=0.02,
                truncated=0.01,
            ),
            revoked=((400.0, 460.0),),
            outages=((900.0, 960.0),),
            restarts=(1500.0,),
        )

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Self:
        """Read faults as JSON gives them; raises ValueError naming what is unknown or wrong."""
        values: dict[str, Any] = {}
        known = {each.name for each in fields(cls)}
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"no such fault: {name}; there are {', '.join(sorted(known))}")
            try:
                values[name] = _read(name, value)
            except TypeError as error:
                raise ValueError(f"{name}: {error}") from error
        return cls(**values)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read `none`, `harsh`, or a list such as `rate_500=0.1,reads.slow=0.2,restarts=60`.

        A rate without a prefix is for operations; spans are written `revoked=400:460`.
        Raises ValueError with what is not known or wrong.
        """
        if text.strip() in ("", "none"):
            return cls()
        if text.strip() == "harsh":
            return cls.harsh()
        faults = cls()
        for part in text.split(","):
            name, separator, value = part.strip().partition("=")
            if not separator:
                raise ValueError(f"a fault is written name=value, this is {part.strip()!r}")
            faults = faults.with_text(name.strip(), value.strip())
        return faults

    def with_text(self, name: str, value: str) -> Self:
        """Give the same faults with one more; raises ValueError when it is not known or wrong."""
        try:
            numbers = [float(number) for number in value.split(":")]
        except ValueError:
            raise ValueError(f"{name}: {value!r} is not a number or a span of two") from None
        kind, _, rate = name.rpartition(".")
        kind = kind or "operations"
        if rate in _RATES and kind in ("operations", "reads"):
            changed: Any = replace(getattr(self, kind), **{rate: _one(numbers)})
            name = kind
        elif name in ("revoked", "outages"):
            changed = (*getattr(self, name), _span(numbers))
        elif name in ("slow_seconds", "retry_after_seconds"):
            changed = _span(numbers)
        elif name == "restarts":
            changed = (*self.restarts, _one(numbers))
        elif name == "restart_seconds":
            changed = _one(numbers)
        else:
            raise ValueError(f"no such fault: {name}")
        return replace(self, **{name: changed})


def _one(numbers: list[float]) -> float:
    if len(numbers) != 1:
        raise ValueError("one number is wanted here")
    return numbers[0]


def _span(numbers: Any) -> Span:
    try:
        since, until = (float(number) for number in numbers)
    except ValueError:
        raise ValueError("a span is two numbers, from and until") from None
    if since > until:
        raise ValueError("a span ends after it begins")
    return (since, until)


def _read(name: str, value: Any) -> Any:
    if name in ("operations", "reads"):
        return Rates(**value)
    if name in ("revoked", "outages"):
        return tuple(_span(span) for span in value)
    if name in ("slow_seconds", "retry_after_seconds"):
        return _span(value)
    if name == "restarts":
        return tuple(float(moment) for moment in value)
    return float(value)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What one request meets."""

    kind: str = ""
    """The name of a rate, or empty when it is only slow."""
    delay: float = 0.0
    is_applied: bool = True
    """Whether a request that is answered with 500 or 502 had its effect."""
    is_cut_off: bool = False
    """Whether a truncated answer also loses its connection."""
    retry_after: int = 1
    as_date: bool = False


NO_TROUBLE = Trouble()


class Mischief:
    """Draws for each request what it meets; remembers how many there were of each kind."""

    def __init__(self, faults: Faults, *, seed: int, started_at: float) -> None:
        self.faults = faults
        """May be replaced at any time; the counts go on."""
        self._seed = seed
        self._started_at = started_at
        self._seen: Counter[tuple[str, object]] = Counter()

    def meet(self, kind: str, subject: object, *, is_read: bool) -> Trouble:
        """Draw for the next request of a kind about a subject."""
        key = (kind, subject)
        self._seen[key] += 1
        rates = self.faults.reads if is_read else self.faults.operations
        if rates.is_quiet:
            return NO_TROUBLE
        name = f"{self._seed}/{subject}/{kind}/{self._seen[key]}"
        chances = uniforms(name)
        slow = chances[1] < rates.slow
        return Trouble(
            kind=_drawn(rates, chances[0]),
            delay=between(self.faults.slow_seconds, name + "/slow") if slow else 0.0,
            is_applied=chances[2] < _HALF,
            is_cut_off=chances[3] < _HALF,
            retry_after=max(1, round(between(self.faults.retry_after_seconds, name + "/after"))),
            as_date=chances[4] < _HALF,
        )

    def is_revoked(self, now: float) -> bool:
        """Tell whether no token is accepted now."""
        return bool(self.faults.revoked) and self._is_within(self.faults.revoked, now)

    def is_out(self, now: float) -> bool:
        """Tell whether nobody listens now."""
        faults = self.faults
        if not faults.outages and not faults.restarts:
            return False
        restarts = ((at, at + faults.restart_seconds) for at in faults.restarts)
        return self._is_within((*faults.outages, *restarts), now)

    def restart_between(self, arrived: float, answered: float) -> float | None:
        """Give the moment of a restart that cuts a request off, None when there is none."""
        for at in self.faults.restarts:
            if arrived < self._started_at + at <= answered:
                return self._started_at + at
        return None

    def _is_within(self, spans: tuple[Span, ...], now: float) -> bool:
        passed = now - self._started_at
        return any(since <= passed < until for since, until in spans)


_HALF = 0.5
_RATES = tuple(each.name for each in fields(Rates) if each.init)
_KINDS = tuple(name for name in _RATES if name != "slow")


def _drawn(rates: Rates, chance: float) -> str:
    reached = 0.0
    for kind in _KINDS:
        reached += getattr(rates, kind)
        if chance < reached:
            return kind
    return ""
