"""A run's report as Markdown, to be pasted into a ticket: foreign text stays text there."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite

from orchestrator.model import durations, moments
from orchestrator.model.forecasts import Forecast
from orchestrator.model.verdicts import Verdict
from orchestrator.report.course_tables import changed_limits, gate, messages
from orchestrator.report.exports.foresight import lasting, lateness
from orchestrator.report.exports.run_report import RunReport
from orchestrator.report.figures import DeviceRow
from orchestrator.report.foreseen import disturbances, not_within
from orchestrator.report.standing import in_short, matters, nothing_done, nothing_to_do
from orchestrator.report.tables import device_name, reasons
from orchestrator.report.telling_campaigns import deed, person
from orchestrator.report.wording import devices, in_words, printable

_SHOWN = 50
_REASONS = 20
_UNTOUCHED = (Verdict.SKIPPED, Verdict.DEFERRED)
_MARKUP = re.compile(r"[\\`*_{}\[\]|~#$]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def as_markdown(report: RunReport) -> Iterator[str]:
    """Give the summary line by line, in GitHub's Markdown; long lists are cut, and say so."""
    for part in (
        _head(report),
        _verdicts(report),
        _troubles(report),
        _untouched(report),
        _waves(report),
        _budgets(report),
        _orders(report),
        _steps(report),
        _figures(report),
        _forecast(report),
        _audit(report),
    ):
        for line in part:
            yield f"{line}\n"


def _head(report: RunReport) -> Iterator[str]:
    summary = report.summary
    state = in_short(summary, driven=report.driven)
    yield f"## Run {escaped(report.run_id)}: {escaped(state)}"
    yield ""
    for _, told in matters(summary):
        yield f"> {escaped(told)}"
        yield ""
    if told := nothing_done(summary) or nothing_to_do(summary):
        yield f"> {escaped(told)}"
        yield ""
    started = summary.started
    if started is None:
        return
    what = f"{escaped(started.playbook)} for {devices(started.devices)}"
    yield f"Playbook {what} of {escaped(started.controller)}"
    who = f"{escaped(started.started_by)} on {escaped(started.host)}"
    begun = f"Started {moments.as_short_text(started.at)} by {who}"
    if report.seconds is not None and summary.finished_at is not None:
        lasted = durations.as_text(report.seconds)
        begun += f", ended {moments.as_short_text(summary.finished_at)} after {lasted}"
    else:
        begun += f", as it stood at {moments.as_short_text(summary.last_at)}"
    yield ""
    yield begun
    yield ""


def _verdicts(report: RunReport) -> Iterator[str]:
    summary = report.summary
    rows = [(in_words(verdict), count) for verdict, count in summary.counts().items() if count]
    left = summary.total - summary.finished
    if left > 0:
        rows.append(("without a verdict yet", left))
    yield from _table(("verdict", "devices"), rows)


def _troubles(report: RunReport) -> Iterator[str]:
    summary = report.summary
    if not summary.in_trouble:
        return
    yield "### To look at"
    yield ""
    grouped = reasons(summary)
    yield from _table(
        ("devices", "verdict", "reason"),
        ((count, in_words(verdict), reason) for verdict, reason, count in grouped[:_REASONS]),
    )
    yield from _more(len(grouped) - _REASONS, "reasons")
    yield from _table(
        ("device", "where", "verdict", "reason", "at"),
        (
            (
                device_name(summary, end.device),
                summary.title(end.step),
                in_words(end.verdict),
                end.reason,
                moments.as_short_text(end.at),
            )
            for end in summary.troubles[:_SHOWN]
        ),
    )
    yield from _more(summary.in_trouble - _SHOWN, "devices")


def _untouched(report: RunReport) -> Iterator[str]:
    """Name the devices that were skipped or deferred, and why."""
    summary = report.summary
    counts = summary.counts()
    met = [verdict for verdict in _UNTOUCHED if counts[verdict]]
    if not met:
        return
    yield f"### {' and '.join(map(in_words, met)).capitalize()}"
    yield ""
    found: Counter[tuple[str, str]] = Counter()
    named: list[DeviceRow] = []
    for row in summary.rows():
        if row.verdict is None or row.verdict not in met:
            continue
        found[row.verdict, row.reason] += 1
        if len(named) < _SHOWN:
            named.append(row)
    yield from _table(
        ("devices", "verdict", "reason"),
        (
            (count, in_words(verdict), reason)
            for (verdict, reason), count in found.most_common(_REASONS)
        ),
    )
    yield from _more(len(found) - _REASONS, "reasons")
    yield from _table(
        ("device", "where", "verdict", "reason"),
        (
            (
                device_name(summary, row.device),
                "" if row.step is None else summary.title(row.step),
                in_words(row.verdict or ""),
                row.reason,
            )
            for row in named
        ),
    )
    yield from _more(found.total() - _SHOWN, "devices")


def _waves(report: RunReport) -> Iterator[str]:
    course = report.summary.course
    if not course.in_waves:
        return
    yield "### Waves"
    yield ""
    shown = list(course.waves.values())
    yield from _table(
        ("wave", "devices", "began", "gate"),
        (
            (wave.number, wave.devices, moments.as_short_text(wave.began_at), gate(wave))
            for wave in shown[-_SHOWN:]
        ),
    )
    yield from _more(len(shown) - _SHOWN, "waves before these")


def _budgets(report: RunReport) -> Iterator[str]:
    rows = [(each.what, each.spent, each.allowed) for each in report.summary.spendings()]
    if rows:
        yield "### Budgets"
        yield ""
        yield from _table(("ended in trouble", "devices", "at most"), rows)


def _orders(report: RunReport) -> Iterator[str]:
    summary = report.summary
    acts = summary.course.acts
    if not acts:
        return
    yield "### Orders and approvals"
    yield ""
    yield from _table(
        ("at", "who", "what", "why"),
        (
            (moments.as_short_text(each.at), person(each), deed(each), each.why)
            for each in acts[-_SHOWN:]
        ),
    )
    yield from _more(len(acts) - _SHOWN, "orders before these")
    changes = ", ".join(changed_limits(summary))
    if changes:
        yield f"Limits that are not the plan's: {escaped(changes)}"
        yield ""


def _steps(report: RunReport) -> Iterator[str]:
    times = report.summary.step_times()
    if not times:
        return
    yield "### From request to proof"
    yield ""
    yield from _table(
        ("step", "devices", "median", "nine of ten within", "longest"),
        (
            (
                each.title,
                each.devices,
                durations.as_text(each.median),
                durations.as_text(each.slowest_tenth),
                durations.as_text(each.longest),
            )
            for each in times
        ),
    )


def _figures(report: RunReport) -> Iterator[str]:
    summary, requests = report.summary, report.summary.requests
    allowed = "" if summary.max_down is None else f" of {summary.max_down:,} allowed"
    yield (
        f"Operation requests: {requests.sent:,} sent, {requests.accepted:,} accepted,"
        f" {requests.refused:,} refused, {requests.lost:,} without an answer,"
        f" {summary.retries:,} tried again"
    )
    yield ""
    yield f"Out of service through the run: {summary.peak_down:,} at most{allowed}"
    yield ""
    if told := messages(summary):
        yield f"Notifications: {escaped(told)}"
        yield ""


def _forecast(report: RunReport) -> Iterator[str]:
    foreseen, forecast = lasting(report.summary), report.summary.forecast
    if foreseen is None or forecast is None:
        return
    half, most = (_lasts(each, forecast) for each in (foreseen.spread.p50, foreseen.spread.p90))
    told = f"Forecast: {half} (P50), {most} (P90)"
    ratio = lateness(report.summary)
    if ratio is not None and foreseen.came_to is not None:
        told += f"; it took {durations.as_text(foreseen.came_to)}, {ratio:.0%} of P50"
        if foreseen.held is not None:
            told += f", {'within' if foreseen.held else 'beyond'} P90"
        told += "".join(f"; {each}" for each in disturbances(report.summary))
    yield escaped(told)
    yield ""


def _lasts(seconds: float, forecast: Forecast) -> str:
    return durations.as_text(seconds) if isfinite(seconds) else not_within(forecast)


def _audit(report: RunReport) -> Iterator[str]:
    yield f"Audit log: {escaped(str(report.audit))}; its last hash is `{report.audit.head}`"


def _more(hidden: int, what: str) -> Iterator[str]:
    if hidden > 0:
        yield f"and {hidden:,} more {what}"
        yield ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> Iterator[str]:
    rows = list(rows)
    if not rows:
        return
    yield _row(heads)
    yield _row("--:" if isinstance(cell, int) else "---" for cell in rows[0])
    for row in rows:
        yield _row(f"{cell:,}" if isinstance(cell, int) else escaped(cell) for cell in row)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """Give text that Markdown shows as it is: no cell, tag, link or picture, and nobody is called."""
    harmless = "".join(_ENTITIES.get(sign, sign) for sign in printable(text))
    # Only a comment keeps a ticket system from telling whoever has that name.
    return _MARKUP.sub(r"\\\g<0>", harmless).replace("@", "@<!-- -->")
