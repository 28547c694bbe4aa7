"""What stands behind the report: requests, the audit log, and how to verify it."""

from orchestrator.model import moments
from orchestrator.report.page.markup import paragraph, section, table, text
from orchestrator.report.summary import Summary


def requests(summary: Summary) -> str:
    """Count what became of the operation requests and of the run itself."""
    counted = summary.requests
    if not counted.intended:
        return ""
    always = [("sent", counted.sent), ("accepted", counted.accepted)]
    if_any = [
        ("refused", counted.refused),
        ("without an answer", counted.lost),
        ("still unanswered", counted.unanswered),
        ("not sent after all", counted.unsent),
        ("tried again", summary.retries),
        ("times the controller made the run pause", summary.pauses),
        ("times the run was resumed", summary.resumes),
        ("devices that went on after a step without success", summary.forgiven),
        ("devices that went into the rescue", summary.rescued),
        ("devices that came through the rescue", summary.rescues_completed),
    ]
    rescued = [("devices that came through the rescue", 0)] if summary.rescued else []
    rows = always + [each for each in if_any if each[1] or each in rescued]
    return section("Operation requests", table(("what", "how many"), rows))


def audit(summary: Summary, run_id: str, head: str, verification: str | None) -> str:
    """Name the head of the journal's chain, and say how the journal is held against it."""
    keyed = summary.started is not None and summary.started.chain.startswith("hmac")
    chain = "a hash chain keyed with the audit key (HMAC)" if keyed else "a SHA-256 hash chain"
    told = (
        "Every act was recorded before it was done. The record is closed by"
        f" {chain}; keep its head apart from it, and no later cut or edit goes unseen."
    )
    command = f"orchestrator audit verify {run_id} --head {head}"
    checked = f"Verified for this page: {verification}" if verification else ""
    with_key = "With the audit key set, whoever" if keyed else "Whoever"
    return section(
        "Audit log",
        paragraph(told),
        f"<p>Head: <code>{text(head)}</code></p>",
        paragraph(checked),
        f"<p>{with_key} has the record verifies it with <code>{text(command)}</code></p>",
    )


def made(summary: Summary) -> str:
    """Say what made the page, and from how much of the journal."""
    told = "Made from the run's journal"
    if summary.started is not None:
        told += f" as it stood at {moments.as_short_text(summary.last_at)}"
        told += f", carried out with orchestrator {summary.started.version}"
    return f"<footer>{paragraph(f'{told}. All moments are UTC unless said otherwise.')}</footer>"
