"""How a run was led, as lines for people and as an object for programs."""

from collections.abc import Iterator

from orchestrator.model import moments
from orchestrator.report.course import OpeningRecord, WaveRecord
from orchestrator.report.summary import Summary
from orchestrator.report.telling_campaigns import OUTCOMES, act
from orchestrator.report.wording import devices, limit_value, local_time, tally

_SHOWN = 12


def as_text_lines(summary: Summary) -> Iterator[str]:
    """Tell waves, budgets, windows, changed limits, orders and messages; nothing where none are."""
    yield from _wave_lines(summary)
    spendings = summary.spendings()
    if spendings:
        yield f"  budget spent: {', '.join(map(str, spendings))}"
    changes = list(changed_limits(summary))
    if changes:
        yield f"  limits changed: {', '.join(changes)}"
    yield from _opening_lines(summary)
    yield from _act_lines(summary)
    told = messages(summary)
    if told:
        yield f"  notifications: {told}"


def _wave_lines(summary: Summary) -> Iterator[str]:
    course = summary.course
    if not course.in_waves:
        return
    in_all = course.waves_in_all
    head = f"{len(course.waves):,} begun"
    yield f"  waves: {head}" if in_all is None else f"  waves: {head} of {in_all:,}"
    hidden = len(course.waves) - _SHOWN
    if hidden > 0:
        yield f"    {hidden:,} before these"
    for wave in list(course.waves.values())[-_SHOWN:]:
        yield f"    {wave.number:>3}  {devices(wave.devices):>14}  {gate(wave)}"


def gate(wave: WaveRecord) -> str:
    """Say how far a wave is, and what its gate said of it."""
    if wave.finished is None:
        return f"{wave.ended:,} of {wave.devices:,} finished"
    told = tally(wave.finished.verdicts)
    if wave.judged is not None:
        outcome = OUTCOMES.get(wave.judged.outcome, wave.judged.outcome)
        return f"{told}; {outcome}: {wave.judged.detail}"
    if wave.soaks:
        return f"{told}; left alone until {moments.as_short_text(wave.finished.until_at)}"
    return told


def changed_limits(summary: Summary) -> Iterator[str]:
    """Give each limit that is not what the plan says, with what the plan says."""
    for name, change in summary.course.limits.items():
        planned = limit_value(name, change.planned)
        yield f"{name} {limit_value(name, change.now)} (plan {planned})"


def _opening_lines(summary: Summary) -> Iterator[str]:
    openings = summary.course.openings
    if not openings:
        return
    yield "  window:"
    hidden = len(openings) - _SHOWN
    if hidden > 0:
        yield f"    {hidden:,} openings before these"
    for opening in openings[-_SHOWN:]:
        yield f"    {opening_told(opening)}"


def opening_told(opening: OpeningRecord) -> str:
    """Say from when to when the window was open, or until when it is."""
    opened = opening.opened
    begin = local_time(opened.at, opened.zone)
    if opening.closed is not None:
        return f"opened {begin}, closed {local_time(opening.closed.at, opened.zone)}"
    return f"opened {begin}, open until {local_time(opened.until_at, opened.zone)}"


def _act_lines(summary: Summary) -> Iterator[str]:
    acts = summary.course.acts
    if not acts:
        return
    yield "  who did what:"
    hidden = len(acts) - _SHOWN
    if hidden > 0:
        yield f"    {hidden:,} before these; see orchestrator audit show"
    for each in acts[-_SHOWN:]:
        yield f"    {moments.as_short_text(each.at)}  {act(each)}"


def messages(summary: Summary) -> str:
    """Count what people were told, and say why they could not be; empty where nobody was to be."""
    course = summary.course
    if not course.notified and not course.unnotified:
        return ""
    told = f"{course.notified:,} sent, {course.unnotified:,} failed"
    last = course.last_unnotified
    return told if last is None else f"{told}, last to {last.to}: {last.reason}"


def as_object(summary: Summary) -> dict[str, object]:
    """Tell the same to programs."""
    course = summary.course
    last = course.last_unnotified
    return {
        "waves": [_wave_object(wave) for wave in course.waves.values()],
        "waves_in_all": course.waves_in_all,
        "budget": [
            {"name": each.name, "spent": each.spent, "allowed": each.allowed}
            for each in summary.spendings()
        ],
        "limits_changed": {
            name: {"planned": change.planned, "now": change.now}
            for name, change in course.limits.items()
        },
        "windows": [_opening_object(each) for each in course.openings],
        "next_opening_at": _moment((course.next_opening() or (None,))[0]),
        "asked": [
            {"what": each.what, "question": each.question, "by": each.by}
            for each in course.asked.values()
        ],
        "orders": [
            {
                "at": moments.as_text(each.at),
                "order": type(each).__name__,
                "by": each.by,
                "host": each.host,
                "why": each.why or None,
                "told": act(each),
            }
            for each in course.acts
        ],
        "notifications": {
            "sent": course.notified,
            "failed": course.unnotified,
            "last_failure": None if last is None else f"{last.to}: {last.reason}",
        },
    }


def _wave_object(wave: WaveRecord) -> dict[str, object]:
    finished, judged = wave.finished, wave.judged
    return {
        "wave": wave.number,
        "devices": wave.devices,
        "must_succeed": wave.must_succeed,
        "began_at": moments.as_text(wave.began_at),
        "finished_at": _moment(None if finished is None else finished.at),
        "soaks_until": _moment(finished.until_at if finished is not None and wave.soaks else None),
        "verdicts": None if finished is None else dict(finished.verdicts),
        "outcome": None if judged is None else judged.outcome,
        "detail": None if judged is None else judged.detail,
    }


def _opening_object(opening: OpeningRecord) -> dict[str, object]:
    return {
        "zone": opening.opened.zone,
        "opened_at": moments.as_text(opening.opened.at),
        "until": moments.as_text(opening.opened.until_at),
        "closed_at": _moment(None if opening.closed is None else opening.closed.at),
    }


def _moment(moment: float | None) -> str | None:
    return None if moment is None else moments.as_text(moment)
