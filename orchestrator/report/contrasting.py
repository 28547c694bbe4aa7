"""Two runs held against each other: what differs in what they are, and in what came of them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.report.exports.foresight import lateness
from orchestrator.report.exports.run_report import RunReport
from orchestrator.report.figures import DeviceRow, StepTime
from orchestrator.report.standing import in_short
from orchestrator.report.summary import Summary


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure of both runs; None is not known, or does not exist there."""

    first: float | None
    second: float | None

    @property
    def change(self) -> float | None:
        """Give what the second has more than the first."""
        if self.first is None or self.second is None:
            return None
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class StepPair:
    """A step that both runs have, or one of them."""

    title: str
    first: StepTime | None
    second: StepTime | None


@dataclass(frozen=True, slots=True)
class DevicePair:
    """A device that both runs have, with different verdicts."""

    first: DeviceRow
    second: DeviceRow


@dataclass(slots=True)
class Devices:
    """How the devices of one run stand in the other."""

    both: int = 0
    only_first: int = 0
    only_second: int = 0
    differing: list[DevicePair] = field(default_factory=list)
    """Those in both whose verdict differs, in the order of the first run."""

    @property
    def turns(self) -> Mapping[tuple[str | None, str | None], int]:
        """Count them by verdict in the first and in the second, the commonest first."""
        counted = Counter((pair.first.verdict, pair.second.verdict) for pair in self.differing)
        return dict(counted.most_common())


@dataclass(frozen=True, slots=True)
class Contrast:
    """What there is to say of two runs side by side."""

    first: RunReport
    second: RunReport
    differences: tuple[str, ...]
    """One sentence each on why the figures do not speak of the same thing; best read first."""
    took: Pair
    """Seconds from the beginning to the end, or to the newest event of a run that goes on."""
    verdicts: Mapping[str, Pair]
    """Devices by verdict; only verdicts that either run has."""
    figures: Mapping[str, Pair]
    """Counts by name: `devices`, `requests`, `retries`, `peak_down`, `max_down`, `waves`."""
    waves: Mapping[int, Pair]
    """Seconds from the beginning of the run to the end of each wave."""
    steps: tuple[StepPair, ...]
    lateness: Pair
    """How many times as long as foreseen each took."""
    devices: Devices | None
    """None where the runs do not speak of the same records."""


def contrast(first: RunReport, second: RunReport) -> Contrast:
    """Hold two runs against each other as far as that makes sense."""
    same_records = _controller(first) == _controller(second)
    devices = _devices(first.summary, second.summary) if same_records else None
    return Contrast(
        first=first,
        second=second,
        differences=tuple(_differences(first, second, devices)),
        took=Pair(_took(first), _took(second)),
        verdicts=_verdicts(first.summary, second.summary),
        figures=_figures(first.summary, second.summary),
        waves=_waves(first, second),
        steps=tuple(_steps(first.summary, second.summary)),
        lateness=Pair(lateness(first.summary), lateness(second.summary)),
        devices=devices,
    )


def _differences(first: RunReport, second: RunReport, devices: Devices | None) -> Iterator[str]:
    one, other = first.summary.started, second.summary.started
    if one is not None and other is not None:
        if one.playbook != other.playbook:
            yield f"the playbooks are different ones: {one.playbook} and {other.playbook}"
        elif one.playbook_digest != other.playbook_digest:
            yield f"the text of the playbook {one.playbook} was changed between them"
    if devices is None:
        yield (
            f"the controllers are different ones, {_controller(first)} and {_controller(second)},"
            " so devices are not compared one by one"
        )
    elif devices.only_first or devices.only_second:
        yield (
            f"the device sets are different ones: {devices.both:,} devices are in both,"
            f" {devices.only_first:,} only in A, {devices.only_second:,} only in B"
        )
    for letter, run in (("A", first), ("B", second)):
        if not run.summary.is_over:
            yield f"{letter} is not over: {in_short(run.summary, driven=run.driven)}"
        elif run.summary.stopped is not None:
            yield f"{letter} was stopped before its end: {run.summary.stopped.detail}"


def _controller(run: RunReport) -> str:
    started = run.summary.started
    return "" if started is None else started.controller


def _took(run: RunReport) -> float | None:
    started = run.summary.started
    if run.seconds is not None or started is None:
        return run.seconds
    return max(0.0, run.summary.last_at - started.at)


def _verdicts(first: Summary, second: Summary) -> dict[str, Pair]:
    counts, others = first.counts(), second.counts()
    return {
        verdict: Pair(counts[verdict], others[verdict])
        for verdict in counts
        if counts[verdict] or others[verdict]
    }


def _figures(first: Summary, second: Summary) -> dict[str, Pair]:
    return {
        "devices": Pair(first.total, second.total),
        "requests": Pair(first.requests.sent, second.requests.sent),
        "retries": Pair(first.retries, second.retries),
        "peak_down": Pair(first.peak_down, second.peak_down),
        "max_down": Pair(first.max_down, second.max_down),
        "waves": Pair(first.course.waves_in_all, second.course.waves_in_all),
    }


def _waves(first: RunReport, second: RunReport) -> dict[int, Pair]:
    ends, others = _wave_ends(first), _wave_ends(second)
    return {number: Pair(ends.get(number), others.get(number)) for number in sorted(ends | others)}


def _wave_ends(run: RunReport) -> dict[int, float]:
    started = run.summary.started
    if started is None:
        return {}
    return {
        number: wave.finished.at - started.at
        for number, wave in run.summary.course.waves.items()
        if wave.finished is not None
    }


def _steps(first: Summary, second: Summary) -> Iterator[StepPair]:
    """Pair steps by what they do: the second reboot of one with the second reboot of the other."""
    times, others = _step_times(first), _step_times(second)
    for key in dict.fromkeys([*times, *others]):
        title, nth = key
        name = title if nth == 1 else f"{title} (the {nth}. of its kind)"
        yield StepPair(name, times.get(key), others.get(key))


def _step_times(summary: Summary) -> dict[tuple[str, int], StepTime]:
    proven = {each.step: each for each in summary.step_times()}
    found: dict[tuple[str, int], StepTime] = {}
    met: Counter[str] = Counter()
    for step in sorted({*range(len(summary.titles)), *proven}):
        known = step < len(summary.titles)
        title = summary.titles[step] if known else summary.title(step)
        met[title] += 1
        if step in proven:
            found[title, met[title]] = proven[step]
    return found


def _devices(first: Summary, second: Summary) -> Devices:
    others = {row.device: row for row in second.rows()}
    devices = Devices(only_second=len(others))
    for row in first.rows():
        other = others.get(row.device)
        if other is None:
            devices.only_first += 1
            continue
        devices.both += 1
        devices.only_second -= 1
        if row.verdict != other.verdict:
            devices.differing.append(DevicePair(row, other))
    return devices
