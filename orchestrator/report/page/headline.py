"""What comes first: what was done, to whom, by whom, what came of it, and what matters now."""

from collections.abc import Iterator, Mapping

from orchestrator.model import durations, moments
from orchestrator.model.verdicts import Verdict
from orchestrator.report.page.markup import facts, paragraph, text, tile
from orchestrator.report.standing import in_short, matters, nothing_done
from orchestrator.report.summary import State, Summary
from orchestrator.report.wording import devices, in_words, tally

_UNTOUCHED = (Verdict.SKIPPED.value, Verdict.DEFERRED.value, Verdict.NOT_STARTED.value)


def headline(summary: Summary, run_id: str, *, driven: bool) -> str:
    """Give the page's head."""
    started = summary.started
    name = run_id if started is None else started.playbook
    parts = [
        paragraph(f"Report of run {run_id}", "kicker"),
        f"<h1>{text(name)}</h1>",
        paragraph(summary.description, "lead"),
        _state(summary, driven=driven),
        _live(summary, driven=driven),
        *(paragraph(told, "matter") for _, told in matters(summary)),
        paragraph(nothing_done(summary), "matter"),
        paragraph(outcome(summary), "outcome"),
        _tiles(summary),
        facts(_facts(summary)),
    ]
    return f"<header>{''.join(parts)}</header>"


def outcome(summary: Summary) -> str:
    """Say in one sentence what came of it; empty before anything did."""
    if not summary.finished:
        return ""
    counts = summary.counts()
    begins = _well(counts, summary.total)
    so_far = "" if summary.is_over else " so far"
    trouble = {verdict: counts[verdict] for verdict in counts if Verdict(verdict).is_trouble}
    rest = {verdict: counts[verdict] for verdict in _UNTOUCHED}
    told = f"{begins}{so_far}"
    if summary.in_trouble:
        needs = "needs" if summary.in_trouble == 1 else "need"
        told += f"; {summary.in_trouble:,} {needs} somebody to look: {tally(trouble)}"
    if any(rest.values()):
        told += f"; {tally(rest)}"
    return told + "."


def _well(counts: Mapping[str, int], total: int) -> str:
    """Say how many are as they should be; of those that were so before, that they were."""
    succeeded, already = counts[Verdict.SUCCEEDED.value], counts[Verdict.ALREADY_OK.value]
    told = f"{succeeded:,} of {devices(total)} succeeded"
    if not already:
        return told
    were = "was" if already == 1 else "were"
    if not succeeded:
        return f"{already:,} of {devices(total)} {were} already ok"
    return f"{told}, {already:,} {were} already ok"


def _state(summary: Summary, *, driven: bool) -> str:
    told = in_short(summary, driven=driven)
    state = summary.state_if(driven=driven)
    mood = "warn"
    if state is State.FINISHED:
        mood = "warn" if summary.has_trouble else "good"
    elif state is State.STOPPED:
        mood = "bad"
    return f'<p class="state {mood}">{text(told)}</p>'


def _live(summary: Summary, *, driven: bool) -> str:
    """Say that the page is of a run that goes on, or could."""
    if summary.is_over or summary.started is None:
        return ""
    as_of = moments.as_short_text(summary.last_at)
    told = f"This run is not over. The page shows it as it was at {as_of}"
    if not driven:
        return paragraph(f"{told}; nobody drives it now, and it can be resumed.", "live")
    return paragraph(f"{told}; figures and pictures go on changing until its end.", "live")


def _tiles(summary: Summary) -> str:
    tiles = [
        tile(count, in_words(verdict), _mood(Verdict(verdict)))
        for verdict, count in summary.counts().items()
        if count
    ]
    left = summary.total - summary.finished
    if left > 0:
        tiles.append(tile(left, "without a verdict yet", "dim"))
    return f'<ul class="tiles">{"".join(tiles)}</ul>' if tiles else ""


def _mood(verdict: Verdict) -> str:
    if verdict.is_success:
        return "good"
    return "bad" if verdict.is_trouble else "dim"


def _facts(summary: Summary) -> Iterator[tuple[str, str]]:
    started = summary.started
    if started is None:
        return
    yield "Controller", started.controller
    yield "Devices", f"{started.devices:,}"
    yield "Steps", " → ".join(summary.titles[: summary.rescue_from])
    if summary.rescue_from is not None:
        yield "Rescue", " → ".join(summary.titles[summary.rescue_from :])
    yield (
        "Started",
        f"{moments.as_short_text(started.at)} by {started.started_by} on {started.host}",
    )
    if summary.finished_at is not None:
        took = durations.as_text(summary.finished_at - started.at)
        yield "Ended", f"{moments.as_short_text(summary.finished_at)}, after {took}"
    else:
        passed = durations.as_text(summary.last_at - started.at)
        yield "Last event", f"{moments.as_short_text(summary.last_at)}, after {passed}"
    if summary.goes_on_after is not None:
        yield "Goes on after", f"run {summary.goes_on_after}"
