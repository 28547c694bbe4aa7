"""A run's report as one HTML file: nothing is fetched, nothing runs, what is foreign is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

from orchestrator.model import durations, moments
from orchestrator.model.verdicts import Verdict
from orchestrator.report.course_tables import changed_limits, gate, messages
from orchestrator.report.standing import in_short, matters, nothing_done
from orchestrator.report.summary import Summary
from orchestrator.report.tables import device_name, reasons
from orchestrator.report.telling_campaigns import deed, person
from orchestrator.report.wording import in_words, local_time

_SHOWN = 200
_WIDTH, _HEIGHT = 720.0, 120.0

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --paper: #fff; --line: #d9d9e0;
  --tile: #f4f4f6; --good: #18794e; --bad: #ce2c31; --dim: #8b8d98; --curve: #3e63dd; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #b0b4ba; --paper: #111113;
  --line: #363a3f; --tile: #1c1d20; --good: #3dd68c; --bad: #ff9592; --dim: #8b8d98; --curve: #9eb1ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 60rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; } .soft { color: var(--soft); }
.state { font-weight: 600; } .state::first-letter, .matter::first-letter { text-transform: uppercase; }
.matter { padding: .5rem .75rem; margin: .5rem 0; border-left: 3px solid var(--curve); background: var(--tile);
  overflow-wrap: anywhere; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem; padding: 0; list-style: none; }
.tiles li { flex: 1 1 8rem; padding: .75rem 1rem; border-radius: .5rem; background: var(--tile);
  border: 1px solid var(--line); }
.tiles b { display: block; font-size: 1.75rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.good b { color: var(--good); } .bad b { color: var(--bad); } .dim b { color: var(--dim); }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .4rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 11px; } .curve { fill: none; stroke: var(--curve); stroke-width: 1.5; }
.limit { stroke: var(--bad); stroke-dasharray: 4 4; } .base { stroke: var(--line); }
code { overflow-wrap: anywhere; font-size: .85em; }
@media print { body { max-width: none; padding: 0; } .tiles li { break-inside: avoid; } tr { break-inside: avoid; } }
"""  # noqa: E501 - a rule a line reads better than one folded


def as_html(summary: Summary, *, run_id: str, head: str, driven: bool = False) -> str:
    """Give the whole page; `head` is the journal's last hash, by which a cut tail shows later."""
    parts = [
        _head(summary, run_id, driven=driven),
        _tiles(summary),
        _troubles(summary),
        _waves(summary),
        _budget(summary),
        _acts(summary),
        _openings(summary),
        _down(summary),
        _steps(summary),
        _requests(summary),
        _audit(head),
    ]
    title = escape(f"Run {run_id}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def _head(summary: Summary, run_id: str, *, driven: bool) -> str:
    state = in_short(summary, driven=driven)
    lines = [f"<h1>{escape(run_id)}</h1>", f'<p class="state">{escape(state)}</p>']
    lines += [f'<p class="matter">{escape(told)}</p>' for _, told in matters(summary)]
    if told := nothing_done(summary):
        lines.append(f'<p class="matter">{escape(told)}</p>')
    started = summary.started
    if started is not None:
        what = f"{started.playbook} for {started.devices:,} devices of {started.controller}"
        who = (
            f"Started {moments.as_short_text(started.at)} by {started.started_by} on {started.host}"
        )
        lines += [f"<p>{escape(what)}</p>", f'<p class="soft">{escape(who)}</p>']
        if summary.finished_at is not None:
            lasted = durations.as_text(summary.finished_at - started.at)
            ended = f"Ended {moments.as_short_text(summary.finished_at)} after {lasted}"
            lines.append(f'<p class="soft">{escape(ended)}</p>')
    return f"<header>{''.join(lines)}</header>"


def _tiles(summary: Summary) -> str:
    tiles = [
        _tile(count, in_words(verdict), _mood(Verdict(verdict)))
        for verdict, count in summary.counts().items()
        if count
    ]
    left = summary.total - summary.finished
    if left > 0:
        tiles.append(_tile(left, "without a verdict yet", "dim"))
    return f'<ul class="tiles">{"".join(tiles)}</ul>'


def _tile(count: int, words: str, mood: str) -> str:
    return f'<li class="{mood}"><b>{count:,}</b>{escape(words)}</li>'


def _mood(verdict: Verdict) -> str:
    if verdict is Verdict.SUCCEEDED:
        return "good"
    return "bad" if verdict.is_trouble else "dim"


def _troubles(summary: Summary) -> str:
    if not summary.troubles:
        return ""
    grouped = _table(
        ("verdict", "reason", "devices"),
        ((in_words(verdict), reason, count) for verdict, reason, count in reasons(summary)),
    )
    devices = _table(
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
    hidden = len(summary.troubles) - _SHOWN
    more = f'<p class="soft">and {hidden:,} more; see orchestrator show</p>' if hidden > 0 else ""
    return f"<h2>To look at</h2>{grouped}<h2>Devices</h2>{devices}{more}"


def _waves(summary: Summary) -> str:
    course = summary.course
    if not course.in_waves:
        return ""
    shown = list(course.waves.values())[-_SHOWN:]
    table = _table(
        ("wave", "devices", "must succeed", "began", "finished", "gate"),
        (
            (
                wave.number,
                wave.devices,
                "" if wave.must_succeed is None else wave.must_succeed,
                moments.as_short_text(wave.began_at),
                "" if wave.finished is None else moments.as_short_text(wave.finished.at),
                gate(wave),
            )
            for wave in shown
        ),
    )
    in_all = course.waves_in_all
    begun = (
        f"{len(course.waves):,} begun"
        if in_all is None
        else f"{len(course.waves):,} of {in_all:,} begun"
    )
    return f"<h2>Waves</h2><p>{begun}</p>{table}"


def _budget(summary: Summary) -> str:
    rows = [(each.what, each.spent, each.allowed) for each in summary.spendings()]
    if not rows:
        return ""
    heads = ("ended in trouble", "devices", "at most")
    return f"<h2>Budget</h2><p>One more than a limit stops the run.</p>{_table(heads, rows)}"


def _acts(summary: Summary) -> str:
    """Show every order and approval with who gave it, and the limits that are not the plan's now."""
    acts = summary.course.acts
    if not acts:
        return ""
    rows = [
        (moments.as_short_text(each.at), person(each), deed(each), each.why)
        for each in acts[-_SHOWN:]
    ]
    changes = ", ".join(changed_limits(summary))
    limits = f"<p>Limits now: {escape(changes)}</p>" if changes else ""
    return f"<h2>Orders and approvals</h2>{limits}{_table(('at', 'who', 'what', 'why'), rows)}"


def _openings(summary: Summary) -> str:
    openings = summary.course.openings[-_SHOWN:]
    if not openings:
        return ""
    rows = []
    for each in openings:
        zone = each.opened.zone
        closed = "" if each.closed is None else local_time(each.closed.at, zone)
        until = local_time(each.opened.until_at, zone)
        rows.append((local_time(each.opened.at, zone), until, closed))
    return f"<h2>Window</h2>{_table(('opened', 'open until', 'closed'), rows)}"


def _down(summary: Summary) -> str:
    curve = summary.timeline.curve()
    if not curve:
        return ""
    limit = "" if summary.max_down is None else f" of {summary.max_down:,} allowed"
    caption = f"At most {summary.peak_down:,}{limit} at once, {summary.down:,} at the end."
    if summary.max_down_now != summary.max_down:
        caption += f" By order {summary.max_down_now:,} are allowed in the end."
    drawing = _curve(curve, until=summary.last_at, limit=summary.max_down)
    return f"<h2>Out of service through this run</h2><p>{escape(caption)}</p>{drawing}"


def _curve(curve: Sequence[tuple[float, int]], *, until: float, limit: int | None) -> str:
    """Draw the step curve; the limit is a dashed line where it is near enough to matter."""
    begin = curve[0][0]
    span = max(until - begin, 1.0)
    peak = max(level for _, level in curve)
    top = max(limit, peak) if limit is not None and limit <= 2 * peak else peak
    top = max(top, 1)

    def x(at: float) -> float:
        return (at - begin) / span * _WIDTH

    def y(level: int) -> float:
        return 10 + _HEIGHT * (1 - level / top)

    path = f"M0,{y(0):.1f}"
    for at, level in curve:
        path += f" H{x(at):.1f} V{y(level):.1f}"
    path += f" H{_WIDTH:.1f}"
    marks = f'<line class="base" x1="0" x2="{_WIDTH}" y1="{y(0):.1f}" y2="{y(0):.1f}"/>'
    if limit is not None and limit <= top:
        marks += (
            f'<line class="limit" x1="0" x2="{_WIDTH}" y1="{y(limit):.1f}" y2="{y(limit):.1f}"/>'
        )
    below = y(0) + 14
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT + 30:g}" role="img"'
        ' aria-label="devices down over time">'
        f'{marks}<path class="curve" d="{path}"/>'
        f'<text x="0" y="{below:.1f}">{escape(moments.as_short_text(begin))}</text>'
        f'<text x="{_WIDTH}" y="{below:.1f}" text-anchor="end">'
        f"{escape(moments.as_short_text(max(until, begin)))}</text></svg>"
    )


def _steps(summary: Summary) -> str:
    times = summary.step_times()
    if not times:
        return ""
    rows = (
        (
            each.title,
            each.devices,
            durations.as_text(each.median),
            durations.as_text(each.slowest_tenth),
            durations.as_text(each.longest),
        )
        for each in times
    )
    heads = ("step", "devices", "median", "nine of ten within", "longest")
    return f"<h2>From request to proof</h2>{_table(heads, rows)}"


def _requests(summary: Summary) -> str:
    requests = summary.requests
    rows = [
        ("sent", requests.sent),
        ("accepted", requests.accepted),
        ("refused", requests.refused),
        ("without an answer", requests.lost),
        ("not sent after all", requests.unsent),
        ("tried again", summary.retries),
        ("times the run paused", summary.pauses),
        ("times the run was resumed", summary.resumes),
        ("devices that went on after a step without success", len(summary.forgiven)),
        ("devices that went into the rescue", len(summary.rescued)),
        ("devices that came through the rescue", sum(summary.rescued.values())),
    ]
    told = messages(summary)
    notified = f"<p>Notifications: {escape(told)}</p>" if told else ""
    return f"<h2>Operation requests</h2>{_table(('what', 'how many'), rows)}{notified}"


def _audit(head: str) -> str:
    return (
        "<h2>Audit log</h2><p>The journal's last hash, to be kept apart from it:</p>"
        f"<p><code>{escape(head)}</code></p>"
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    rows = list(rows)
    numeric = [bool(rows) and isinstance(rows[0][place], int) for place in range(len(heads))]
    head = "".join(map(_head_cell, heads, numeric))
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{table}</div>'


def _head_cell(head: str, is_numeric: bool) -> str:
    return f'<th class="n">{escape(head)}</th>' if is_numeric else f"<th>{escape(head)}</th>"


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{escape(value)}</td>"
