"""A request and its answer as the world knows them: no sockets, only what stands in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

import orjson


class Fate(StrEnum):
    """What becomes of an answer on its way."""

    ANSWER = "answer"
    REFUSE = "refuse"
    """Nobody listens: the connection is refused, nothing was applied."""
    CLOSE_BEFORE = "close_before"
    """The connection is closed before the request was applied."""
    CLOSE_AFTER = "close_after"
    """The request was applied, then the connection was closed."""
    TRUNCATE = "truncate"
    """The connection is closed in the middle of the body."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Response:
    """What the controller answers, when, and what becomes of it."""

    status: int
    content: object = None
    """The JSON body before it is written; None when there is none or `raw` is."""
    raw: bytes | None = None
    """A body that is not that JSON: HTML, or JSON cut short."""
    headers: dict[str, str] = field(default_factory=dict)
    at: float = 0.0
    """The controller's clock when the answer leaves; the Date header says it in whole seconds."""
    delay: float = 0.0
    """Seconds from the request's arrival to the answer."""
    fate: Fate = Fate.ANSWER
    applied: bool = False
    """Whether the world changed by the request."""
    device: int | None = None
    """The record that the request made, where it made one."""

    @property
    def body(self) -> bytes:
        """Give the body as bytes, empty when there is none."""
        if self.raw is not None:
            return self.raw
        return b"" if self.content is None else orjson.dumps(self.content)

    @property
    def date(self) -> str:
        """Give the Date header."""
        return http_date(int(self.at))


def detail(status: int, text: str, **headers: str) -> Response:
    """Answer as Django REST Framework does when it refuses (api.md 1.11)."""
    return Response(
        status,
        {"detail": text},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def page(status: int, title: str) -> Response:
    """Answer with a page of HTML, as Django or a proxy does in trouble."""
    html = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Response(status, raw=html.encode(), headers={"Content-Type": "text/html"})


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=1024)
def http_date(second: int) -> str:
    """Write a moment as HTTP does, whatever the locale is."""
    at = datetime.fromtimestamp(second, UTC)
    return f"{_DAYS[at.weekday()]}, {at:%d} {_MONTHS[at.month - 1]} {at:%Y %H:%M:%S} GMT"


def from_http_date(text: str) -> float:
    """Read a moment as `http_date` writes it; raises ValueError for anything else."""
    _, day, month, year, clock, zone = text.split(" ")
    hour, minute, second = clock.split(":")
    if zone != "GMT":
        raise ValueError(f"{text!r} is not in GMT")
    number = _MONTHS.index(month) + 1
    at = datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    return at.timestamp()


@lru_cache(maxsize=65536)
def timestamp(second: int) -> str:
    """Write a moment as the records do: ISO 8601, whole seconds, Z (api.md 1.9)."""
    return datetime.fromtimestamp(second, UTC).isoformat()[:19] + "Z"
