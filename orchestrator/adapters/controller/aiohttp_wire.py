"""One HTTP exchange over aiohttp: sent at most once, and it is known whether its bytes left."""

import asyncio
import os
import re
import ssl
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import hdrs
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage
from yarl import URL

from orchestrator.adapters.controller.answer_deadlines import AnswerDeadlines
from orchestrator.adapters.controller.departing import (
    BrokenError,
    Departure,
    HeldBackError,
    leave_freely,
)
from orchestrator.adapters.controller.http_answers import Reply
from orchestrator.adapters.controller.tls_sessions import resuming
from orchestrator.adapters.controller.token_source import TokenSource
from orchestrator.model.errors import SettingsError
from orchestrator.ports import Clock

_LARGEST_BODY = 64 * 1024 * 1024
_KEEP_ALIVE = 15.0
_UPGRADED = 101
_FIRST_FINAL = 200
_TARGET = re.compile("/[!-~]*")
"""What may stand between the verb and the version of a request's first line."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long one request may take, in real seconds."""

    connect: float = 10.0
    """Until there is a connection, TLS included."""
    answer: float = 60.0
    """From when it left to the last byte of the answer to an operation or a change."""
    read: float = 30.0
    """The same for a read."""
    update_status: float = 150.0
    """The same for a read that has the controller contact the device first (api.md 2.4)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer came."""

    reason: str
    """One sentence without secrets."""
    was_sent: bool
    """False only when it is certain that no byte of the request left; always True for GET."""
    is_stale: bool = False
    is_certificate: bool = False
    """Trying again will not help."""
    found_closed: bool = False
    """The kept connection turned out to be closed before anything was written to it."""


_TROUBLES = (
    aiohttp.ClientError,
    aiohttp.EofStream,
    HttpProcessingError,
    OSError,
    ValueError,
    RuntimeError,
    BrokenError,
    HeldBackError,
)


class Wire:
    """The connections to one controller. Use as an async context manager."""

    def __init__(
        self,
        origin: URL,
        token: TokenSource,
        clock: Clock,
        *,
        connections: int,
        timeouts: Timeouts,
        trust: ssl.SSLContext | None,
    ) -> None:
        self._origin = origin
        self._place = f"{origin.host}:{origin.port}"
        self._token = token
        self._clock = clock
        self._connections = connections
        self._timeouts = timeouts
        self._trust = trust
        self._is_tls = origin.scheme == "https"
        self._connecting = aiohttp.ClientTimeout(total=None, connect=timeouts.connect)
        self._telling = AnswerDeadlines(timeouts.answer)
        self._asking = AnswerDeadlines(timeouts.read)
        self._looking = AnswerDeadlines(timeouts.update_status)
        self._connector: aiohttp.TCPConnector | None = None
        self._bearer = ""
        self._headers = b""

    async def __aenter__(self) -> Self:
        # No session of aiohttp stands above this, so nothing follows a redirect, keeps a cookie,
        # sends a request again, or takes a proxy or .netrc of the environment, which would carry
        # the token to somebody else.
        self._connector = aiohttp.TCPConnector(
            limit=self._connections,
            ssl=self._tls() if self._is_tls else True,
            keepalive_timeout=_KEEP_ALIVE,
            ttl_dns_cache=60,
        )
        self._door = aiohttp.ClientRequest(
            "GET", self._origin, loop=asyncio.get_running_loop(), session=None
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for deadlines in (self._telling, self._asking, self._looking):
            deadlines.close()
        if self._connector is not None:
            connector, self._connector = self._connector, None
            await connector.close()

    def _tls(self) -> ssl.SSLContext:
        context = self._trust or ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return resuming(context)

    def ask(self, target: str, *, is_patient: bool = False) -> Awaitable[Reply | Failure]:
        """GET. Never sent again by itself: whoever repeats a read passes the gate once more."""
        deadlines = self._looking if is_patient else self._asking
        return self._exchange("GET", target, b"", None, deadlines)

    def tell(
        self, method: str, target: str, body: bytes, departure: Departure
    ) -> Awaitable[Reply | Failure]:
        """Send a request that changes something, at most once."""
        return self._exchange(method, target, body, departure, self._telling)

    async def _exchange(
        self,
        method: str,
        target: str,
        body: bytes,
        departure: Departure | None,
        deadlines: AnswerDeadlines,
    ) -> Reply | Failure:
        connector = self._connector
        if connector is None:
            return Failure("the connection to the controller is closed", was_sent=False)
        # The failure is made after the except block: aiohttp's exceptions hold the headers, and
        # must not hang on ours as context.
        trouble: Exception
        asked_at = self._clock.now()
        try:
            request = self._written(method, target, body, departure)
            try:
                connection = await connector.connect(self._door, [], self._connecting)
            except TimeoutError as error:
                raise aiohttp.ConnectionTimeoutError from error
            try:
                message, content, is_whole = await _answer(
                    connection, request, departure, deadlines
                )
            except BaseException:
                connection.close()
                raise
            connection.release()
        except _TROUBLES as error:
            trouble = error
        else:
            return Reply(
                message.code,
                message.headers,
                content,
                asked_at,
                self._clock.now(),
                is_whole,
            )
        return self._failure(trouble, departure, deadlines)

    def _written(self, method: str, target: str, body: bytes, departure: Departure | None) -> bytes:
        """Give the bytes of a request. Raises ValueError for a target that would break its line."""
        bearer = self._token.header
        if bearer != self._bearer:
            self._bearer, self._headers = bearer, self._written_headers(bearer)
        if not _TARGET.fullmatch(target):
            raise ValueError("not a target")
        first = f"{method} {target} HTTP/1.1\r\n".encode("ascii")
        if departure is None:
            return b"%b%b\r\n" % (first, self._headers)
        content = b"Content-Length: %d\r\nContent-Type: application/json\r\n\r\n" % len(body)
        return b"".join((first, self._headers, content, body))

    def _written_headers(self, bearer: str) -> bytes:
        headers = {
            "Host": self._origin.host_port_subcomponent or "",
            "Accept": "application/json",
            "Accept-Encoding": aiohttp.ClientRequest.DEFAULT_HEADERS[hdrs.ACCEPT_ENCODING],
            "User-Agent": "orchestrator",
            "Authorization": bearer,
        }
        return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()

    def _failure(
        self, trouble: Exception, departure: Departure | None, deadlines: AnswerDeadlines
    ) -> Failure:
        was_sent = departure is None or departure.has_left
        found_closed = departure is not None and departure.found_closed
        return Failure(
            reason=self._reason(trouble, departure, deadlines),
            was_sent=was_sent,
            is_stale=not was_sent and departure is not None and departure.is_stale,
            is_certificate=isinstance(trouble, ssl.CertificateError | aiohttp.ClientSSLError),
            found_closed=not was_sent and (found_closed or isinstance(trouble, BrokenError)),
        )

    def _reason(  # noqa: PLR0911 - a table of reasons
        self, trouble: Exception, departure: Departure | None, deadlines: AnswerDeadlines
    ) -> str:
        place = self._place
        if departure is not None and departure.is_stale:
            return (
                "held back: the intention was older than half a second when the bytes would leave"
            )
        match trouble:
            case aiohttp.ClientConnectorCertificateError():
                why = getattr(trouble.certificate_error, "verify_message", "") or "not trusted"
                return f"the certificate of {place} is not accepted: {why}"
            case aiohttp.ClientSSLError():
                return f"no secure connection to {place}: {_system_words(trouble.os_error)}"
            case aiohttp.ClientConnectorDNSError():
                return f"the controller's name cannot be resolved: {place}"
            case aiohttp.ClientConnectorError():
                return f"{place} cannot be reached: {_system_words(trouble.os_error)}"
            case aiohttp.ConnectionTimeoutError():
                return f"no connection to {place} within {self._timeouts.connect:g} s"
            case TimeoutError():
                return f"no answer from {place} within {deadlines.seconds:g} s"
            case HttpProcessingError():
                return f"{place} answered with something that is not HTTP"
        if departure is not None and not departure.has_left:
            return f"the connection to {place} was closed before anything was sent"
        return f"the connection to {place} broke before an answer came"


def trust_from(ca_bundle: Path | None) -> ssl.SSLContext | None:
    """Give the certificates to trust: the system's, or those of a bundle (file or folder) instead.

    Raises SettingsError when the bundle cannot be used.
    """
    if ca_bundle is None:
        return None
    try:
        if ca_bundle.is_dir():
            return ssl.create_default_context(capath=str(ca_bundle))
        return ssl.create_default_context(cafile=str(ca_bundle))
    except (OSError, ValueError) as error:
        why = "it holds no certificates" if isinstance(error, ssl.SSLError) else _os_words(error)
    raise SettingsError(f"the CA bundle {ca_bundle} cannot be used: {why}")


async def _answer(
    connection: Connection,
    request: bytes,
    departure: Departure | None,
    deadlines: AnswerDeadlines,
) -> tuple[RawResponseMessage, bytes, bool]:
    """Send a request and give the status, the body, and whether the body is whole.

    Raises what aiohttp says of a broken connection, TimeoutError when the answer is overdue.
    """
    protocol = connection.protocol
    assert protocol is not None
    protocol.set_response_params(read_until_eof=True)
    if departure is None:
        leave_freely(protocol, request)
    else:
        await departure.leave(protocol, request)
    transport = protocol.transport
    if transport is None:
        raise BrokenError
    deadlines.begin(transport)
    try:
        message, payload = await protocol.read()
        while message.code < _FIRST_FINAL and message.code != _UPGRADED:
            message, payload = await protocol.read()
        content, is_whole = await _body(payload)
        # A body without a length ends with the connection: broken off by us, it is not whole.
        is_whole = is_whole and not deadlines.has_passed(transport)
    except _TROUBLES:
        if deadlines.has_passed(transport):
            raise TimeoutError from None
        raise
    finally:
        deadlines.end(transport)
    return message, content, is_whole


async def _body(payload: aiohttp.StreamReader) -> tuple[bytes, bool]:
    """Read a body as far as it comes; the status line has been believed by then."""
    parts: list[bytes] = []
    size = 0
    try:
        if payload.is_eof() and payload.total_bytes <= _LARGEST_BODY:
            return payload.read_nowait(), True  # most answers are one piece
        while part := await payload.readany():
            parts.append(part)
            size += len(part)
            if size > _LARGEST_BODY:
                return b"".join(parts), False
    except (aiohttp.ClientError, HttpProcessingError, OSError):
        return b"".join(parts), False
    return b"".join(parts), True


def _os_words(error: Exception) -> str:
    """Give the system's own words; those of asyncio would repeat the address."""
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number).lower()
    return getattr(error, "strerror", None) or type(error).__name__


def _system_words(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS failed").replace("_", " ").lower()
    return _os_words(error)
