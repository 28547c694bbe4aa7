"""The page as a whole: which sections, in which order."""

from orchestrator.report.page import changes, course, headline, outlook, record, walks
from orchestrator.report.page.markup import text
from orchestrator.report.page.style import STYLE
from orchestrator.report.summary import Summary


def as_html(
    summary: Summary,
    *,
    run_id: str,
    head: str,
    driven: bool = False,
    verification: str | None = None,
) -> str:
    """Give the whole page: nothing in it is fetched or runs, and what is foreign is only text.

    `head` is the journal's last hash, by which a cut tail shows later; `verification` is what a
    check of the journal said, if it was checked.
    """
    parts = [
        headline.headline(summary, run_id, driven=driven),
        walks.troubles(summary),
        changes.changes(summary, run_id),
        course.down(summary),
        course.progress(summary),
        outlook.outlook(summary),
        course.waves(summary),
        course.holds(summary),
        course.acts(summary),
        course.budgets(summary),
        course.openings(summary),
        walks.step_times(summary),
        walks.lanes(summary),
        record.requests(summary),
        course.notifications(summary),
        record.audit(summary, run_id, head, verification),
        record.made(summary),
    ]
    playbook = "" if summary.started is None else f": {summary.started.playbook}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(f'Run {run_id}{playbook}')}</title>\n<style>{STYLE}</style>\n"
        "</head>\n<body>\n" + "\n".join(part for part in parts if part) + "\n</body>\n</html>\n"
    )
