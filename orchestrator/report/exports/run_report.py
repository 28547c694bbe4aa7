"""A run as a report sees it: its summary, its devices' walks, how its audit log stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from orchestrator.model import moments
from orchestrator.model.events import Baseline
from orchestrator.model.plans import Wave
from orchestrator.report.conditions import pending_text, status_text
from orchestrator.report.exports.walks import Walks
from orchestrator.report.summary import Summary
from orchestrator.report.tables import device_name


@dataclass(frozen=True, slots=True)
class Audit:
    """How the journal stood when the report was made of it."""

    head: str
    """Its last hash, by which a cut tail shows later."""
    events: int
    keyed: bool
    """True when it is chained with an audit key."""
    sound: bool | None
    """True when every event was held against the chain; None when the key for that was missing."""

    def __str__(self) -> str:
        """Say it in one sentence."""
        events = "1 event" if self.events == 1 else f"{self.events:,} events"
        if self.sound is None:
            return f"{events}, not checked: chained with an audit key that was not given"
        kind = "an HMAC with the audit key" if self.keyed else "SHA-256, without a key"
        return f"{events}, every one as it was written, chained by {kind}"


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """One device of the run as every form shows it."""

    device: int
    title: str
    """The device as people know it."""
    record: int | None
    """Its id at the controller, as far as the run knows; None of one that has no record yet."""
    serial_number: str | None
    name: str | None
    location: str | None
    wave: int | None
    """The wave it belongs to, from 1; None when the run has no waves, or they are not known."""
    verdict: str | None
    step: int | None
    where: str
    """The step in words; empty where none was begun."""
    reason: str
    began_at: float | None
    ended_at: float | None
    seconds: float | None
    attempts: int
    before: Baseline | None
    """What its record said right before its first request; None when there was none."""


def before(device: DeviceReport) -> dict[str, str | None]:
    """Give how a device was doing right before its first request; None where that is not known."""
    found = device.before
    return {
        "status_before": None if found is None else status_text(found.status),
        "status_change_before": None if found is None else _moment(found.status_change_at),
        "last_connection_before": None if found is None else _moment(found.last_connection_at),
        "pending_before": None if found is None else pending_text(found.pending),
    }


def _moment(moment: float | None) -> str | None:
    return None if moment is None else moments.as_text(moment)


@dataclass(frozen=True, slots=True)
class RunReport:
    """All that a report is made of, whatever its form."""

    run_id: str
    summary: Summary
    audit: Audit
    walks: Walks = field(default_factory=Walks)
    driven: bool = False
    """True while a process drives the run."""

    @property
    def waves(self) -> Sequence[Wave]:
        """Give the waves that the devices are divided into; none when all are one."""
        waves = self.summary.course.planned_waves
        return waves if len(waves) > 1 else ()

    @property
    def seconds(self) -> float | None:
        """Give how long the run took; None until it is over."""
        started, finished_at = self.summary.started, self.summary.finished_at
        if started is None or finished_at is None:
            return None
        return max(0.0, finished_at - started.at)

    def devices(self) -> Iterator[DeviceReport]:
        """Give every device, in the plan's order; without a plan those that have any event."""
        summary = self.summary
        numbers = chain.from_iterable(
            repeat(number, wave.devices) for number, wave in enumerate(self.waves, start=1)
        )
        for row in summary.rows():
            planned = summary.device(row.device)
            walk = self.walks.of(row.device)
            yield DeviceReport(
                device=row.device,
                title=device_name(summary, row.device),
                record=summary.record_id(row.device),
                serial_number=row.serial_number,
                name=None if planned is None else planned.name,
                location=None if planned is None else planned.location,
                wave=next(numbers, None),
                verdict=row.verdict,
                step=row.step,
                where="" if row.step is None else summary.title(row.step),
                reason=row.reason,
                began_at=walk.began_at,
                ended_at=walk.ended_at,
                seconds=walk.seconds,
                attempts=walk.attempts,
                before=walk.before,
            )
