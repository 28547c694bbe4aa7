"""Foresee a run: imagine it many times, and say what the campaigns have in common."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.engine.binding import WINDOW
from orchestrator.engine.rollout.windowing import upcoming
from orchestrator.model import durations
from orchestrator.model.forecasts import Binding, Forecast, Gain, GroupPeak, Spread, WaveForecast
from orchestrator.model.plans import Limits, Plan
from orchestrator.model.steps import ApproveStep, CheckStep, DoneStep, RequestStep
from orchestrator.model.windows import Opening
from orchestrator.planning.foresight.experiencing import ENOUGH, Experience
from orchestrator.planning.foresight.imagining import MINUTE, Campaign
from orchestrator.planning.foresight.supposing import raised
from orchestrator.planning.timing import Timed, timed

CAMPAIGNS = 50
"""How many campaigns are imagined where nothing else is asked for."""

WALKS = 500_000
"""Device runs that are imagined in all at most; larger sets get fewer campaigns."""

FEWEST = 3
"""Campaigns that are imagined of the largest set."""

FEW = 500
"""Devices up to which every moment is looked at by itself."""

STEP = 5.0
"""Seconds within which larger campaigns take what happens together, at most."""

COMPARED = 5
"""Campaigns that are imagined once more with the limit raised that binds most."""

WORTH = 0.1
"""Share of the time from which on a limit is worth raising."""

Chances = Callable[[int], Callable[[], float]]
"""Gives for each seed a source of numbers in [0, 1)."""


def campaigns_for(devices: int, walks: int = WALKS) -> int:
    """Give how many campaigns are imagined for a set of this size."""
    return max(FEWEST, min(CAMPAIGNS, walks // max(devices, 1)))


def foresee(
    plan: Plan,
    experience: Experience,
    chances: Chances,
    *,
    begins_at: float,
    campaigns: int | None = None,
) -> Forecast:
    """Imagine the plan's run many times, begun at that moment of our clock.

    The same seeds give the same forecast, so that two plans are compared by the same chance.
    """
    number = campaigns_for(len(plan.devices)) if campaigns is None else campaigns
    opening = first_opening(plan, begins_at)
    imagined = Imagined(plan, experience, chances, begins_at, opening, number)
    tally = _Tally()
    for seed in range(number):
        tally.add(imagined.campaign(seed))
    bindings = tally.bindings(plan.limits)
    return Forecast(
        campaigns=number,
        begins_at=begins_at,
        devices=len(plan.devices),
        ends_at=spread(tally.ends),
        based_on=experience.sources(_operations(plan)),
        is_measured=(is_measured := _is_measured(plan, experience)),
        corrected_by=_correction(experience) if is_measured else 1.0,
        assumes=tuple(_assumptions(plan, experience)),
        verdicts=tally.verdict_spreads(),
        waves=tuple(tally.wave_forecasts()),
        opening=None if opening is None else (opening.start, opening.end),
        fits=None if opening is None else tally.share(tally.lefts, lambda left: left == 0),
        left_at_cutoff=None if opening is None else spread(tally.lefts),
        stopped={cause: n / number for cause, n in sorted(tally.stopped.items())},
        asked={what: n / number for what, n in sorted(tally.asked.items())},
        cut_short=tally.cut_short / number,
        peak_down=spread(tally.peaks),
        worst_group=tally.worst_group(),
        requests=spread(tally.requests),
        peak_rate=spread(tally.rates),
        bindings=bindings,
        gain=_gain(imagined, tally, bindings),
    )


def spread(figures: Sequence[float]) -> Spread:
    """Give what half and nine of ten of the figures do not exceed, and the greatest."""
    ordered = sorted(figures)
    return Spread(_quantile(ordered, 0.5), _quantile(ordered, 0.9), ordered[-1])


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def first_opening(plan: Plan, begins_at: float) -> Opening | None:
    """Give the first opening of any zone in which the run can start somebody; None without a window."""
    window = plan.playbook.window
    if window is None:
        return None
    zones = {device.zone or window.timezone for device in plan.devices} or {window.timezone}
    found = [each for zone in sorted(zones) for each in upcoming(window, zone, begins_at, 1)]
    if not found:
        return None
    start = min(opening.start for opening in found)
    # Zones open one after the other in the same night: it is over when the last of them closes.
    together = [opening.end for opening in found if opening.start < start + window.lasts]
    return Opening(start, max(together))


@dataclass(frozen=True, slots=True)
class Imagined:
    """A plan that campaigns are imagined of, each by its seed."""

    plan: Plan
    experience: Experience
    chances: Chances
    begins_at: float
    opening: Opening | None
    campaigns: int

    def campaign(self, seed: int) -> Campaign:
        """Imagine one campaign to its end."""
        known = _slownesses(self.plan, self.experience)
        return Campaign(
            self.plan,
            self.experience,
            self.chances(seed),
            begins_at=self.begins_at,
            # Spread evenly instead of drawn: a few campaigns then tell as much as many.
            slowness=known[int((seed + 0.5) / self.campaigns * len(known))],
            step=_step(self.plan, self.experience),
            opening=self.opening,
        ).to_the_end()


def _step(plan: Plan, experience: Experience) -> float:
    """Give the seconds within which events are taken together: none that would show in the end."""
    if len(plan.devices) <= FEW:
        return 0.0
    medians = [
        seconds[len(seconds) // 2]
        for operation in _operations(plan)
        if (seconds := experience.of(operation, None).seconds)
    ]
    return min(STEP, min(medians, default=0.0) / 40)


_UNSURE = (0.75, 0.85, 0.92, 0.97, 1.0, 1.03, 1.08, 1.15, 1.25, 1.4)
_MEASURED = (0.88, 0.93, 0.96, 0.98, 1.0, 1.0, 1.02, 1.05, 1.09, 1.15)
"""By what the devices of one run are slower than those of others, each as likely; two nights are
never the same, and nobody draws that from the devices of one of them."""
_TOLD = 3
"""Earlier forecasts from which on their errors are believed."""


def _correction(experience: Experience) -> float:
    """Give by what runs took longer than measured durations said, as far as three of four agree.

    One run of a hundred devices is off by a tenth through chance alone; that is no reason to
    stretch the next forecast.
    """
    errors = sorted(experience.errors)
    if len(errors) < _TOLD:
        return 1.0
    quarter = len(errors) // 4
    return max(1.0, errors[quarter]) * min(1.0, errors[-1 - quarter])


def _slownesses(plan: Plan, experience: Experience) -> Sequence[float]:
    if not _is_measured(plan, experience):
        return _UNSURE
    correction = _correction(experience)
    return [correction * each for each in _MEASURED]


def _operations(plan: Plan) -> tuple[Timed, ...]:
    steps = plan.playbook.all_steps
    return tuple(dict.fromkeys(timed(s) for s in steps if isinstance(s, RequestStep)))


def _is_measured(plan: Plan, experience: Experience) -> bool:
    return all(experience.tried(operation) >= ENOUGH for operation in _operations(plan))


def _assumptions(plan: Plan, experience: Experience) -> Iterator[str]:
    playbook = plan.playbook
    asks = any(isinstance(step, ApproveStep) for step in playbook.steps)
    if asks or playbook.rollout.between_waves.approval is not None:
        if experience.approval_seconds:
            waited = durations.as_text(experience.approval_seconds)
            yield f"people approve {waited} after they are asked"
        else:
            yield "people approve at once (--what-if approval=30m supposes otherwise)"
    if any(isinstance(step, CheckStep) for step in playbook.all_steps):
        yield "checks hold at their first look"
    if any(isinstance(step, DoneStep) for step in playbook.all_steps):
        yield "nothing is done already: no device is finished by a `done_if`"
    if plan.limits.max_down_per:
        yield "no device is Down through others"
    if any(experience.of(operation, None).skipped for operation in _operations(plan)):
        yield "the guard skips as many devices as in earlier runs"
    else:
        yield "the guard lets every device pass"
    yield "the controller can be used all the time"


@dataclass(slots=True)
class _Tally:
    """The figures of all campaigns."""

    ends: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    lefts: list[float] = field(default_factory=list)
    cut_short: int = 0
    stopped: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    bound: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _verdicts: list[Mapping[str, int]] = field(default_factory=list)
    _waves: dict[int, list[float]] = field(default_factory=dict)
    _groups: list[Counter[str]] = field(default_factory=list)

    def add(self, campaign: Campaign) -> None:
        """Take the figures of one more."""
        run = campaign.run
        self.ends.append(campaign.ends_at)
        self.peaks.append(campaign.peak_down)
        self.requests.append(round(campaign.requests))
        self.rates.append(max(campaign.by_minute.values(), default=0) / MINUTE)
        self.lefts.append(campaign.left_at_cutoff or 0)
        self.cut_short += campaign.is_cut_short
        self.asked.update(campaign.asked)
        for limit, seconds in campaign.bound.items():
            self.bound[limit] += seconds
        self._verdicts.append({verdict.value: n for verdict, n in run.verdicts.items()})
        self._groups.append(campaign.group_peaks)
        if run.stopped is not None:
            self.stopped[run.stopped.cause] += 1
        for wave, at in campaign.wave_ends.items():
            self._waves.setdefault(wave, []).append(at)

    @property
    def number(self) -> int:
        """Count the campaigns."""
        return len(self.ends)

    def share(self, figures: Sequence[float], holds: Callable[[float], bool]) -> float:
        """Give the share of campaigns for whose figure that holds."""
        return sum(map(holds, figures)) / len(figures)

    def verdict_spreads(self) -> dict[str, Spread]:
        """Give the devices by verdict."""
        met = sorted({verdict for verdicts in self._verdicts for verdict in verdicts})
        return {each: spread([v.get(each, 0) for v in self._verdicts]) for each in met}

    def wave_forecasts(self) -> Iterator[WaveForecast]:
        """Say when each wave is finished."""
        for wave, ends in sorted(self._waves.items()):
            yield WaveForecast(wave, spread(ends), len(ends) / self.number)

    def worst_group(self) -> GroupPeak | None:
        """Give the group, or location, that had most devices out of service in any campaign."""
        most: Counter[str] = Counter()
        for peaks in self._groups:
            most |= peaks
        if not most:
            return None
        name = min(most, key=lambda each: (-most[each], each))
        return GroupPeak(name, spread([peaks[name] for peaks in self._groups]))

    def bindings(self, limits: Limits) -> tuple[Binding, ...]:
        """Say how long each limit was what kept the next device from its start."""
        held = {limit: t for limit, t in self.bound.items() if limit != WINDOW and t > 0}
        in_all = sum(held.values())
        return tuple(
            Binding(limit, seconds / in_all, _value(limits, limit))
            for limit, seconds in sorted(held.items(), key=lambda each: -each[1])
        )


def _value(limits: Limits, limit: str) -> float | None:
    match limit:
        case "max_down":
            return limits.max_down
        case "in_flight":
            return limits.in_flight
        case "delay":
            return limits.delay
        case "per_second":
            return limits.per_second
        case "max_down_per":
            return min(each.at_most for each in limits.max_down_per)
        case _:
            return None


def _gain(imagined: Imagined, tally: _Tally, bindings: Iterable[Binding]) -> Gain | None:
    """Say what raising the limit would bring that binds most of those that can be raised."""
    devices = max(1, len(imagined.plan.devices))
    seeds = _evenly(tally.number, min(COMPARED, WALKS // 5 // devices))
    for each in bindings:
        if each.share < WORTH or not seeds:
            return None
        higher = raised(imagined.plan, each.limit)
        if higher is None:
            continue
        limit, value, now, plan = higher
        instead = replace(imagined, plan=plan)
        ends = [instead.campaign(seed).ends_at for seed in seeds]
        before = spread([tally.ends[seed] for seed in seeds]).p50
        return Gain(limit, value, now, before, spread(ends).p50)
    return None


def _evenly(number: int, wanted: int) -> list[int]:
    """Choose that many of the first so many numbers, evenly spread over them."""
    wanted = min(number, wanted)
    return [int((place + 0.5) * number / wanted) for place in range(wanted)]
