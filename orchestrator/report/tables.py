"""A summary as text for people and as an object for programs; an audit log as rows."""

from collections.abc import Iterable, Iterator

from orchestrator.model import durations, moments
from orchestrator.model.events import DeviceFinished, Event, as_facts
from orchestrator.report.course_tables import as_object as course_object
from orchestrator.report.course_tables import as_text_lines as course_lines
from orchestrator.report.figures import StepTime
from orchestrator.report.spreadsheets import csv_line
from orchestrator.report.standing import in_short, matters, nothing_done, nothing_to_do
from orchestrator.report.summary import Summary
from orchestrator.report.telling import describe
from orchestrator.report.telling_campaigns import act
from orchestrator.report.wording import devices, in_words, printable

_FAILURES_SHOWN = 20
_COLUMNS = (
    "seq",
    "at",
    "event",
    "device",
    "serial_number",
    "step",
    "attempt",
    "operation",
    "status",
    "verdict",
    "reason",
    "told",
)
_REASONS = ("reason", "detail", "sign", "evidence", "why", "question")


def device_name(summary: Summary, device: int) -> str:
    """Name a device as people know it: its record's id, and its serial number if the plan has one."""
    serial, planned = summary.serial_number(device), summary.device(device)
    is_new = planned is not None and planned.is_new
    record = summary.record_of(device)
    if is_new:  # its own id is a provisional one, which nobody knows
        named = "new device" if record is None else f"device {record}"
    else:
        named = f"device {device}" if record is None else f"device {device}, now {record}"
    return f"{named} ({serial})" if serial else named


def tell(summary: Summary, event: Event) -> str:
    """Say in one sentence what happened, with the names this run's plan gives."""
    return describe(
        event,
        device_name=lambda device: device_name(summary, device),
        step_name=summary.title,
    )


def as_text(summary: Summary, *, run_id: str, driven: bool = True) -> str:
    """Tell what a run has come to, on one screen."""
    lines = [*_head_lines(summary, run_id, driven=driven), ""]
    lines += [
        f"  {count:>8,}  {in_words(verdict)}"
        for verdict, count in summary.counts().items()
        if count
    ]
    left = summary.total - summary.finished
    if left > 0:
        lines.append(f"  {left:>8,}  without a verdict yet")
    lines += ["", *_rate_lines(summary)]
    course = list(course_lines(summary))
    if course:
        lines += ["", *course]
    if summary.in_trouble:
        lines += ["", *_trouble_lines(summary)]
    return "\n".join(map(printable, lines)) + "\n"


def _head_lines(summary: Summary, run_id: str, *, driven: bool) -> list[str]:
    lines = [f"run {run_id}: {in_short(summary, driven=driven)}"]
    if summary.started is not None:
        started = summary.started
        lines.append(f"  {started.playbook} for {devices(started.devices)} of {started.controller}")
        begun = moments.as_short_text(started.at)
        lines.append(f"  started {begun} by {started.started_by} on {started.host}")
    lines += [f"  {told}" for _, told in matters(summary)]
    if told := nothing_done(summary) or nothing_to_do(summary):
        lines.append(f"  {told}")
    if summary.finished_at is not None and summary.started is not None:
        lasted = durations.as_text(summary.finished_at - summary.started.at)
        lines.append(f"  ended {moments.as_short_text(summary.finished_at)} after {lasted}")
    return lines


def _rate_lines(summary: Summary) -> list[str]:
    requests = summary.requests
    limit = "" if summary.max_down is None else f" of {summary.max_down:,} allowed"
    lines = [
        (
            f"  operation requests: {requests.sent:,} sent, {requests.accepted:,} accepted,"
            f" {requests.refused:,} refused, {requests.lost:,} without an answer"
        ),
        f"  down through this run: {summary.down:,} now, {summary.peak_down:,} at most{limit}",
        *map(_time_line, summary.step_times()),
    ]
    if summary.forgiven:
        lines.append(f"  went on after a step without success: {devices(summary.forgiven)}")
    if summary.rescued:
        through = summary.rescues_completed
        lines.append(f"  rescue: {devices(summary.rescued)}, {through:,} came through it")
    return lines


def _time_line(times: StepTime) -> str:
    return (
        f"  {times.title}: median {durations.as_text(times.median)},"
        f" nine of ten within {durations.as_text(times.slowest_tenth)},"
        f" longest {durations.as_text(times.longest)}"
    )


def _trouble_lines(summary: Summary) -> list[str]:
    lines = ["  To look at:"]
    lines += [f"    {_trouble_line(summary, end)}" for end in summary.troubles[:_FAILURES_SHOWN]]
    hidden = summary.in_trouble - _FAILURES_SHOWN
    if hidden > 0:
        lines.append(f"    and {hidden:,} more")
    return lines


def _trouble_line(summary: Summary, end: DeviceFinished) -> str:
    where = f"{device_name(summary, end.device)}, {summary.title(end.step)}"
    return f"{where}: {in_words(end.verdict)}, {end.reason}"


def as_json(summary: Summary, *, run_id: str, driven: bool = True) -> dict[str, object]:
    """Tell the same to programs; moments are ISO 8601, durations seconds, unknown things null."""
    started = summary.started
    requests = summary.requests
    return {
        "run": run_id,
        "state": summary.state_if(driven=driven).value,
        "standing": in_short(summary, driven=driven),
        "playbook": started.playbook if started else None,
        "controller": started.controller if started else None,
        "started_by": started.started_by if started else None,
        "host": started.host if started else None,
        "started_at": _moment(started.at if started else None),
        "last_event_at": _moment(summary.last_at or None),
        "finished_at": _moment(summary.finished_at),
        "stopped": _cause(summary.stopped.cause, summary.stopped.detail)
        if summary.stopped
        else None,
        "interrupted": summary.interruption or None,
        "paused": _pause(summary),
        "devices": summary.total,
        "finished": summary.finished,
        "verdicts": summary.counts(),
        "down": summary.down,
        "peak_down": summary.peak_down,
        "max_down": summary.max_down,
        "max_down_now": summary.max_down_now,
        "requests": {
            "sent": requests.sent,
            "accepted": requests.accepted,
            "refused": requests.refused,
            "unsent": requests.unsent,
            "lost": requests.lost,
            "unanswered": requests.unanswered,
        },
        "retries": summary.retries,
        "pauses": summary.pauses,
        "resumes": summary.resumes,
        "interruptions": summary.interruptions,
        "forgiven": summary.forgiven,
        "rescued": summary.rescued,
        "rescues_completed": summary.rescues_completed,
        **course_object(summary),
        "steps": [
            {
                "step": times.step,
                "title": times.title,
                "devices": times.devices,
                "median_seconds": round(times.median, 3),
                "p90_seconds": round(times.slowest_tenth, 3),
                "longest_seconds": round(times.longest, 3),
            }
            for times in summary.step_times()
        ],
        "failed_devices": [
            {
                "device": end.device,
                "serial_number": summary.serial_number(end.device),
                "verdict": end.verdict,
                "step": end.step,
                "reason": end.reason,
            }
            for end in summary.troubles
        ],
    }


def _pause(summary: Summary) -> dict[str, str] | None:
    ordered = summary.course.paused
    if summary.paused is not None:
        return _cause(summary.paused.cause, summary.paused.detail)
    return None if ordered is None else _cause("person", act(ordered))


def _cause(cause: str, detail: str) -> dict[str, str]:
    return {"cause": cause, "detail": detail}


def _moment(moment: float | None) -> str | None:
    return None if moment is None else moments.as_text(moment)


def device_rows(summary: Summary) -> Iterator[dict[str, object]]:
    """Give every device as one object: `device`, `record`, `serial_number`, `verdict`, `step`, `reason`.

    `record` is the id it has at the controller; null of one that has none yet.
    """
    for row in summary.rows():
        yield {
            "device": row.device,
            "record": summary.record_id(row.device),
            "serial_number": row.serial_number,
            "verdict": row.verdict,
            "step": row.step,
            "reason": row.reason,
        }


def reasons(summary: Summary) -> list[tuple[str, str, int]]:
    """Count the troubles by verdict and reason, the commonest first."""
    return [(verdict, reason, count) for (verdict, reason), count in summary.reasons.most_common()]


def as_csv(summary: Summary, numbered: Iterable[tuple[int, Event]]) -> Iterator[str]:
    """Give an audit log line by line as CSV with a head line; text never begins a formula."""
    yield csv_line(_COLUMNS)
    for seq, event in numbered:
        facts = as_facts(event)
        reason = next((facts[name] for name in _REASONS if facts.get(name)), None)
        device = facts.get("device")
        serial = summary.serial_number(device) if isinstance(device, int) else None
        own = {
            "seq": seq,
            "event": type(event).__name__,
            "serial_number": serial,
            "reason": reason,
            "told": tell(summary, event),
        }
        cells = facts | own
        yield csv_line([cells.get(column) for column in _COLUMNS])
