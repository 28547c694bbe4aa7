"""How the run was led: along the clock, wave by wave, by whom, within which budgets and windows."""

from orchestrator.model import durations, moments
from orchestrator.report.course import OpeningRecord, WaveRecord
from orchestrator.report.course_tables import changed_limits, messages
from orchestrator.report.page.markup import (
    At,
    Cell,
    Judged,
    group_line,
    grouped_table,
    legend,
    paragraph,
    picture,
    section,
    table,
)
from orchestrator.report.plots import over_time
from orchestrator.report.plots.drawing import Ink
from orchestrator.report.summary import Summary
from orchestrator.report.telling_campaigns import OUTCOMES, deed
from orchestrator.report.wording import local_time, tally

_SHOWN = 200
_HOLDS_SHOWN = 40
_Key = tuple[str, str, str]
_FORESEEN: list[_Key] = [
    (Ink.INK.variable, "dashed", "half of the campaigns foreseen were over"),
    (Ink.INK.variable, "dashed dotted", "nine of ten were over"),
]


def down(summary: Summary) -> str:
    """Show the devices out of service along the clock, against what was allowed."""
    if not summary.timeline.curve():
        return ""
    told = _down_told(summary)
    keys: list[_Key] = [(Ink.CURVE.variable, "line", "devices down through this run")]
    if over_time.limit_is_near(summary):
        keys.append((Ink.BAD.variable, "dashed", "allowed at once"))
    drawing = picture(over_time.down(summary, told=told), legend([*keys, *_scenery(summary)]))
    return section("Devices out of service", paragraph(told), drawing)


def _down_told(summary: Summary) -> str:
    limit = "" if summary.max_down is None else f" of {summary.max_down:,} allowed"
    when = "at the end" if summary.is_over else "now"
    told = f"At most {summary.peak_down:,}{limit} at once, {summary.down:,} {when}."
    if summary.max_down_now != summary.max_down:
        last = "in the end" if summary.is_over else "now"
        told += f" By order {summary.max_down_now:,} are allowed {last}."
    return told


def _scenery(summary: Summary) -> list[_Key]:
    keys: list[_Key] = []
    if over_time.waves_are_shaded(summary):
        keys.append((Ink.WAVE.variable, "area", "every other wave"))
    keys += [
        (over_time.HOLD_INKS[hold].variable, "shade", hold.value)
        for hold in over_time.holds_drawn(summary)
    ]
    if not summary.is_over:
        keys.append((Ink.SOFT.variable, "line", "now"))
    keys.append(("", "", "times in UTC"))
    return keys


def progress(summary: Summary) -> str:
    """Show how many devices had their verdict when, against the ends that were foreseen."""
    if not summary.ends.curve():
        return ""
    tried = summary.ends.peak
    told = f"{tried:,} of {summary.total:,} devices had their turn and have their verdict."
    keys: list[_Key] = [(Ink.GOOD.variable, "line", "devices with a verdict")]
    if summary.in_trouble:
        keys.append((Ink.BAD.variable, "line", "of these in trouble"))
    keys += _FORESEEN[: over_time.foreseen_drawn(summary)]
    drawing = picture(over_time.progress(summary, told=told), legend([*keys, *_scenery(summary)]))
    return section("Progress", paragraph(told), drawing)


def holds(summary: Summary) -> str:
    """Tell when nothing new was begun, and why."""
    records = summary.holds.records
    rows = [
        (
            each.hold.value,
            At(each.since),
            At(each.until),
            "" if each.until is None else durations.as_text(round(each.until - each.since)),
            each.why,
        )
        for each in records[:_HOLDS_SHOWN]
    ]
    hidden = len(records) + summary.holds.left_out - len(rows)
    heads = ("what", "from", "until", "for", "why")
    return section(
        "When nothing new was begun",
        table(heads, rows, stacks=True),
        paragraph(f"and {hidden:,} more" if hidden > 0 else "", "soft"),
    )


def waves(summary: Summary) -> str:
    """Tell each wave and what its gate said."""
    course = summary.course
    if not course.in_waves:
        return ""
    shown = list(course.waves.values())[-_SHOWN:]
    in_all = course.waves_in_all
    begun = f"{len(course.waves):,} begun"
    if in_all is not None:
        begun = f"{len(course.waves):,} of {in_all:,} begun"
    if len(shown) < len(course.waves):
        begun += f"; the last {len(shown):,} are shown"
    heads = ("wave", "devices", "began", "finished", "verdicts", "soaked", "gate")
    rows = [_wave(wave, summary) for wave in shown]
    return section("Waves and gates", paragraph(f"{begun}."), table(heads, rows, stacks=True))


def _wave(wave: WaveRecord, summary: Summary) -> tuple[Cell, ...]:
    finished, judged = wave.finished, wave.judged
    if finished is None:
        told, soaked = f"{wave.ended:,} of {wave.devices:,} finished", ""
    else:
        told = tally(finished.verdicts)
        soak = finished.until_at - finished.at
        soaked = durations.as_text(round(soak)) if soak > 0 else ""
    if wave.soaks and finished is not None:
        soaked = f"until {moments.as_short_text(finished.until_at)}"
    ended = summary.finished_at if finished is None else finished.at
    gate: Cell = f"{wave.must_succeed:,} must succeed" if wave.must_succeed else ""
    if wave.number == summary.course.waves_in_all:
        gate = "none behind the last wave"
    if judged is not None:
        outcome = OUTCOMES.get(judged.outcome, judged.outcome)
        gate = Judged(outcome, judged.outcome == "pass", judged.detail)
    return (
        wave.number,
        wave.devices,
        At(wave.began_at),
        At(ended),
        told,
        soaked,
        gate,
    )


def acts(summary: Summary) -> str:
    """Tell every order and approval with who gave it and why, and the limits they led to."""
    done = summary.course.acts
    rows = [(At(each.at), each.by, each.host, deed(each), each.why) for each in done[-_SHOWN:]]
    hidden = len(done) - len(rows)
    changes = ", ".join(changed_limits(summary))
    heads = ("at", "who", "from", "what", "why")
    return section(
        "Who did what",
        paragraph(f"Limits now: {changes}." if changes else ""),
        paragraph(f"{hidden:,} before these" if hidden > 0 else "", "soft"),
        table(heads, rows, stacks=True),
    )


def budgets(summary: Summary) -> str:
    """Tell how much of each budget was spent."""
    rows = [(each.what, each.spent, each.allowed) for each in summary.spendings()]
    if not rows:
        return ""
    heads = ("devices that ended", "spent", "allowed")
    return section("Budgets", paragraph("One more than allowed stops the run."), table(heads, rows))


def openings(summary: Summary) -> str:
    """Tell when the window was open."""
    shown = summary.course.openings[-_SHOWN:]
    zones = dict.fromkeys(each.opened.zone for each in shown)
    groups = [
        (
            group_line(f"On the clocks of {zone}", "and in UTC"),
            [_opening(each) for each in shown if each.opened.zone == zone],
        )
        for zone in zones
    ]
    heads = ("opened there", "open until", "opened", "closed")
    return section("Window", grouped_table(heads, groups, stacks=True))


def _opening(opening: OpeningRecord) -> tuple[Cell, ...]:
    zone, closed = opening.opened.zone, opening.closed
    return (
        _there(opening.opened.at, zone),
        _there(opening.opened.until_at, zone),
        At(opening.opened.at),
        At(None if closed is None else closed.at),
    )


def _there(moment: float, zone: str) -> str:
    there, _, _ = local_time(moment, zone, where="there").partition(" there")
    return there


def notifications(summary: Summary) -> str:
    """Tell who was told, or could not be."""
    told = messages(summary)
    return section("Notifications", paragraph(f"{told}." if told else ""))
