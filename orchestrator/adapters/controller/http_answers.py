"""What an HTTP answer of the controller means, in the words of the model: pure.

Facts in api.md 1.9 to 1.11 and design 6.4. Every text is one readable sentence without secrets.
"""

import html
import json
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus

import orjson
from msgspec import Struct

from orchestrator.model.answers import Accepted, Lost, OperationAnswer, Refusal, Refused
from orchestrator.model.devices import Device, DeviceId, RecordError, device_from_record
from orchestrator.model.errors import ControllerError, GoneError, RefusedError, UnauthorisedError
from orchestrator.model.operations import Operation
from orchestrator.model.readings import Page
from orchestrator.model.secrecy import is_secret

LONGEST_SENTENCE = 256
HIDDEN = "***"
_LONGEST_WAIT = 86400.0
_MOST_PARTS = 12
_DEEPEST = 7


class Reply(Struct, frozen=True):
    """One HTTP answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    asked_at: float
    """Our clock when the request left."""
    answered_at: float
    """Our clock when the answer was read."""
    is_whole: bool = True
    """False when the connection broke inside the body."""

    @property
    def server_at(self) -> float:
        """The controller's clock when it answered, in whole seconds; ours without a Date."""
        said = self.headers.get("Date")
        moment = None if said is None else _http_moment(said)
        return self.answered_at if moment is None else moment

    @property
    def retry_after(self) -> float | None:
        """Seconds it asks to wait (Retry-After); a date counts from the answer's own Date."""
        said = self.headers.get("Retry-After")
        if said is None:
            return None
        if re.fullmatch(r"\s*\d{1,9}(\.\d+)?\s*", said, re.ASCII):
            return min(float(said), _LONGEST_WAIT)
        moment = _http_moment(said)
        if moment is None:
            return None
        return min(max(0.0, moment - self.server_at), _LONGEST_WAIT)

    @property
    def is_success(self) -> bool:
        """True for every 2xx."""
        return 200 <= self.status <= 299  # noqa: PLR2004 - the classes of HTTP

    @property
    def is_busy(self) -> bool:
        """True when it was refused for load, and not applied."""
        return _REFUSALS.get(self.status) is Refusal.BUSY

    @property
    def is_passing_trouble(self) -> bool:
        """True when a read may simply be tried again."""
        return self.is_busy or self.status >= 500  # noqa: PLR2004 - the classes of HTTP


class UnreadableError(ValueError):
    """A body is not what the endpoint promises."""


_REFUSALS = {
    401: Refusal.UNAUTHORISED,
    403: Refusal.FORBIDDEN,
    404: Refusal.GONE,
    408: Refusal.BUSY,  # the server gave up waiting for our request: nothing was applied
    409: Refusal.STATE,
    422: Refusal.STATE,
    423: Refusal.STATE,
    425: Refusal.BUSY,
    429: Refusal.BUSY,
    503: Refusal.BUSY,
}


def operation_answer(
    reply: Reply, device: DeviceId, operation: Operation, secrets: Iterable[str] = ()
) -> OperationAnswer:
    """Say what became of an operation request (design 6.4); a broken body does not undo a 200."""
    if reply.is_success:
        contradiction = _contradiction(reply, device, operation)
        if contradiction is not None:
            return Lost(hidden(contradiction, secrets), reply.status)
        return Accepted(reply.status, reply.server_at)
    reason = sentence(reply, secrets)
    refusal = refusal_of(reply.status)
    if refusal is None:
        return Lost(reason, reply.status)
    return Refused(refusal, reply.status, reason, reply.retry_after)


def refusal_of(status: int) -> Refusal | None:
    """Class a status that is no success; None when the request may have been applied all the same."""
    if status not in _REFUSALS and status >= 500:  # noqa: PLR2004 - the classes of HTTP
        return None
    return _REFUSALS.get(status, Refusal.INVALID)


def refusal_error(reply: Reply, secrets: Iterable[str] = ()) -> ControllerError:
    """Give the error for a read that was not answered with 2xx."""
    message = sentence(reply, secrets)
    match reply.status:
        case 401:
            return UnauthorisedError(message, status=401)
        case 404 | 410:
            return GoneError(message, status=reply.status)
        case _:
            return RefusedError(message, status=reply.status)


def page_of_devices(reply: Reply) -> Page:
    """Read one page of a listing: the envelope, or a bare array (api.md 1.1).

    Of `next` only its presence is used: it may name another host, or have lost the filters.
    Raises UnreadableError.
    """
    content = content_of(reply)
    count: int | None = None
    has_next = False
    if isinstance(content, dict):
        rows = content.get("results")
        count = whole_number(content.get("count"))
        has_next = bool(content.get("next"))
    else:
        rows = content
    if not isinstance(rows, list):
        raise UnreadableError("the answer is no list of devices")
    devices: list[Device] = []
    unreadable: list[str] = []
    for row in rows:
        try:
            devices.append(device_from_record(row))
        except RecordError as error:
            unreadable.append(_trimmed(str(error)))
    return Page(
        devices=tuple(devices),
        count=count,
        has_next=has_next,
        rows=len(rows),
        asked_at=reply.asked_at,
        server_at=reply.server_at,
        unreadable=tuple(unreadable),
    )


def one_device(reply: Reply) -> Device:
    """Read a single record. Raises UnreadableError."""
    content = content_of(reply)
    try:
        return device_from_record(content)
    except RecordError as error:
        raise UnreadableError(_trimmed(str(error))) from None


def sentence(reply: Reply, secrets: Iterable[str] = ()) -> str:
    """Say in one line what the controller answered, in its own words where it has any."""
    try:
        name = f"{reply.status} {HTTPStatus(reply.status).phrase}"
    except ValueError:
        name = str(reply.status)
    if 300 <= reply.status <= 399:  # noqa: PLR2004 - the classes of HTTP
        said = "redirects are not followed; is the base URL right?"
    else:
        said = _said(reply.body)
    said = " ".join(_printable(hidden(said, secrets)).split())
    return _trimmed(f"the controller answered {name}" + (f": {said}" if said else ""))


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Put *** for every secret, in each spelling in which a body or a URL may repeat it."""
    spellings: set[str] = set()
    for secret in secrets:
        if secret:
            spellings |= {
                secret,
                repr(secret)[1:-1],
                json.dumps(secret)[1:-1],
                json.dumps(secret, ensure_ascii=False)[1:-1],
                html.escape(secret),
                urllib.parse.quote(secret, safe=""),
            }
    for spelling in sorted(spellings, key=len, reverse=True):
        if len(spelling) < 4:  # noqa: PLR2004 - shorter ones occur inside every other word
            text = re.sub(rf"(?<!\w){re.escape(spelling)}(?!\w)", HIDDEN, text)
        else:
            text = text.replace(spelling, HIDDEN)
    return re.sub(r"(?i)\bbearer\s+[\x21-\x7e]+", f"Bearer {HIDDEN}", text)


def content_of(reply: Reply) -> object:
    """Read the JSON of an answer. Raises UnreadableError."""
    if not reply.is_whole:
        raise UnreadableError("the answer broke off")
    try:
        return orjson.loads(reply.body)
    except ValueError:
        raise UnreadableError("the answer is not JSON") from None


def _contradiction(reply: Reply, device: DeviceId, operation: Operation) -> str | None:
    try:
        echo = content_of(reply)
    except UnreadableError:
        return None
    if not isinstance(echo, dict):
        return None
    number = whole_number(echo.get("id"))
    if number is not None and number != device:
        return f"the controller answered for device {number}, asked was {device}"
    code = echo.get("operation")
    if isinstance(code, str) and code != operation.value:
        return f"the controller answered for operation {code[:40]!r}, asked was {operation.value!r}"
    return None


def _said(body: bytes) -> str:
    text = body.decode("utf-8", errors="replace")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        pass
    else:
        return "; ".join(_phrases(content, _DEEPEST))
    if re.search(r"(?i)<(html|head|body|title|h1|!doctype)\b", text):
        return _said_in_html(text)
    return text


def _phrases(content: object, depth: int) -> list[str]:
    """Flatten the shapes of DRF: `detail`, fields with lists of texts, nested (api.md 1.11)."""
    if content is None or depth == 0:
        return []
    if isinstance(content, list):
        return [phrase for item in content[:_MOST_PARTS] for phrase in _phrases(item, depth - 1)]
    if not isinstance(content, dict):
        return [str(content)]
    phrases: list[str] = []
    for name, value in list(content.items())[:_MOST_PARTS]:
        if is_secret(name) and not isinstance(value, list):
            continue  # not a complaint about the field but the field itself
        inner = _phrases(value, depth - 1)
        if name in ("detail", "non_field_errors", "message", "error"):
            phrases += inner
        elif inner:
            phrases.append(f"{name}: {' '.join(inner)}")
    return phrases


def _said_in_html(text: str) -> str:
    found = re.search(r"(?is)<title[^>]*>(.*?)</title>", text)
    if found is None or not found[1].strip():
        found = re.search(r"(?is)<h1[^>]*>(.*?)</h1>", text)
    inner = found[1] if found else re.sub(r"(?is)<(script|style).*?</\1\s*>|<!--.*?-->", " ", text)
    return html.unescape(re.sub(r"(?s)<[^>]*>", " ", inner))


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text[:4096])


def _trimmed(text: str) -> str:
    return text if len(text) <= LONGEST_SENTENCE else text[: LONGEST_SENTENCE - 1] + "…"


def whole_number(value: object) -> int | None:
    """Read an id or a count as a number or as text; None when it is neither."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:  # noqa: PLR2004 - fits 64 bits
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


@lru_cache(maxsize=64)
def _http_moment(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
