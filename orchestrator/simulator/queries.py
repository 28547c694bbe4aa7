"""The parameters of requests, read as the framework does, and the pages that answer them."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from orchestrator.model import moments
from orchestrator.simulator.exchange import Request, Response, detail
from orchestrator.simulator.rules import Rules

TRUE = ("1", "true", "True")
FALSE = ("0", "false", "False")


def whole(text: str | None) -> int | None:
    """Read a parameter as the framework does: no whole number above 0 is as if not given."""
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return int(text) or None


def moment(text: str | None) -> float | None:
    """Read a moment; what is none is as if not given."""
    try:
        return None if text is None else moments.from_text(text)
    except ValueError:
        return None


def span(query: Mapping[str, str], rules: Rules) -> tuple[int, int]:
    """Give the offset and the limit of a page; what is wrong is the default, without a word."""
    limit = min(whole(query.get("limit")) or rules.default_limit, rules.max_limit)
    return whole(query.get("offset")) or 0, limit


def paged(request: Request, rows: Sequence[object], rules: Rules) -> dict[str, object]:
    """Give one page of rows with their count and links."""
    offset, limit = span(request.query, rules)
    return {
        "count": len(rows),
        "next": link(request, limit, offset + limit, offset + limit < len(rows)),
        "previous": link(request, limit, max(0, offset - limit), offset > 0),
        "results": list(rows[offset : offset + limit]),
    }


def link(request: Request, limit: int, offset: int, exists: bool) -> str | None:
    """Give the address of another page of the same listing; None when there is none."""
    if not exists:
        return None
    query = {**request.query, "limit": str(limit), "offset": str(offset)}
    if offset == 0:
        del query["offset"]
    return address(request, query)


def address(request: Request, query: Mapping[str, str]) -> str:
    """Give the whole address of this path with another query."""
    host = request.headers.get("host", "control.example.com")
    return f"http://{host}{request.path}?{urlencode(sorted(query.items()))}"


def not_allowed(method: str, allow: str) -> Response:
    """Answer a method that there is not at this path."""
    return detail(405, f'Method "{method}" not allowed.', Allow=allow)
