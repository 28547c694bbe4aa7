"""What a plan foresees of its run: figures over many imagined campaigns, never a promise."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spread:
    """What one figure came to over all imagined campaigns."""

    p50: float
    """Half of them stayed at or below this."""
    p90: float
    """Nine of ten stayed at or below this."""
    most: float


@dataclass(frozen=True, slots=True)
class WaveForecast:
    """When one wave is finished, over the campaigns that came so far."""

    number: int
    """From 1."""
    ends_at: Spread
    """Moments on our clock."""
    reached: float
    """Share of the campaigns in which the wave was finished at all."""


@dataclass(frozen=True, slots=True)
class GroupPeak:
    """The group that had most devices out of service at once."""

    name: str
    down: Spread


@dataclass(frozen=True, slots=True)
class Binding:
    """How long one limit was what kept the next device from being started."""

    limit: str
    """`max_down`, `max_down_per`, `in_flight`, `delay`, `per_second`, `budget`, `ramp`, `wave`,
    `soak`, `approval`, `window`, or `devices` when everybody is under way and only they take
    their time."""
    share: float
    """Of the time from the first start to the end, the closed window left out."""
    value: float | None = None
    """The limit as it is in the plan, where it is a number."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What raising the limit that binds most would bring."""

    limit: str
    """A limit of the plan, or `strict`, whose value is 1 and 0 when it is given up."""
    value: float
    raised: float
    ends_at: float
    """P50 of the end with the limit as it is, over the same campaigns as `instead`."""
    instead: float
    """P50 of the end with the limit raised."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What many campaigns of a plan came to in virtual time; moments are on our clock."""

    campaigns: int
    """How many were imagined; `seeds` of the command line."""
    begins_at: float
    """When the run was taken to be started."""
    devices: int
    ends_at: Spread
    based_on: tuple[str, ...]
    """One sentence each on what durations and failures were taken from."""
    is_measured: bool = False
    """Whether every operation was measured often enough; else documented defaults stand in."""
    corrected_by: float = 1.0
    """By what devices were taken to be slower than before, because earlier forecasts were off."""
    assumes: tuple[str, ...] = ()
    """One sentence each on what was taken for granted: approvals given at once, and the like."""
    verdicts: Mapping[str, Spread] = field(default_factory=dict)
    """Devices by verdict; only verdicts that were met at all."""
    waves: tuple[WaveForecast, ...] = ()
    opening: tuple[float, float] | None = None
    """The first opening in which something can be started; None without a window."""
    fits: float | None = None
    """Share of campaigns in which every device had its verdict before that opening ended."""
    left_at_cutoff: Spread | None = None
    """Devices without a verdict when that opening ended."""
    stopped: Mapping[str, float] = field(default_factory=dict)
    """Share of campaigns that were stopped, by cause: `budget` or `wave`."""
    asked: Mapping[str, float] = field(default_factory=dict)
    """Share of campaigns in which a gate could not tell and asked a person, by what it asked for:
    `wave 2`. Only where the playbook asks nobody there anyway."""
    cut_short: float = 0.0
    """Share of campaigns that were not over after the longest time that is looked ahead."""
    peak_down: Spread = Spread(0, 0, 0)
    worst_group: GroupPeak | None = None
    requests: Spread = Spread(0, 0, 0)
    """Operation requests that were sent."""
    peak_rate: Spread = Spread(0, 0, 0)
    """Operation requests per second in the busiest minute."""
    bindings: tuple[Binding, ...] = ()
    """What held the run up, the longest first."""
    gain: Gain | None = None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A forecast of the same plan with something changed."""

    label: str
    """As it was asked for, such as `max_down=40`."""
    forecast: Forecast
