"""A run's report as one HTML file: nothing is fetched, nothing runs, what is foreign is escaped."""

from orchestrator.report.page.document import as_html

__all__ = ["as_html"]
