"""One HTTP exchange over aiohttp: sent at most once, and it is known whether its bytes left."""

import os
import select
import ssl
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import hdrs
from aiohttp.abc import AbstractStreamWriter
from aiohttp.connector import Connection
from aiohttp.http import StreamWriter
from aiohttp.payload import BytesPayload
from aiohttp.typedefs import LooseHeaders
from multidict import CIMultiDict
from yarl import URL

from orchestrator.adapters.controller.http_answers import Reply
from orchestrator.adapters.controller.request_gate import RequestGate
from orchestrator.adapters.controller.tls_sessions import resuming
from orchestrator.adapters.controller.token_source import TokenSource
from orchestrator.model.errors import SettingsError
from orchestrator.ports import Clock

FRESH_SECONDS = 0.5
"""An intention older than this, in real seconds, is decided anew instead of sent (design 5)."""

_LARGEST_BODY = 64 * 1024 * 1024
_PEER_GONE = getattr(select, "POLLRDHUP", 0)
_KEEP_ALIVE = 15.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long one request may take, in real seconds."""

    connect: float = 10.0
    """Until there is a connection, TLS included."""
    answer: float = 60.0
    """From the connection to the last byte of the answer to an operation or a change."""
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


@dataclass(slots=True)
class Departure:
    """The rules for the moment a request's bytes leave, and what became of them."""

    clock: Clock
    gate: RequestGate | None = None
    """Keeps the distance of operations and changes as they leave."""
    intended: float | None = None
    """Reading of `Clock.steady` when the intention became durable; None never grows stale."""
    has_left: bool = field(default=False, init=False)
    is_stale: bool = field(default=False, init=False)
    found_closed: bool = field(default=False, init=False)

    def is_too_late(self) -> bool:
        """Say whether the intention has outlived itself by now."""
        return self.intended is not None and self.clock.steady() - self.intended > FRESH_SECONDS


class _HeldBackError(Exception):
    """The body was not written; the request's Departure says why."""


class _BrokenError(Exception):
    """The connection broke under a request; not a kind that aiohttp answers by sending again."""


_TROUBLES = (
    aiohttp.ClientError,
    OSError,
    ValueError,
    RuntimeError,
    _BrokenError,
    _HeldBackError,
)


class _GuardedBody(BytesPayload):
    """A body that looks a last time before it leaves.

    The headers are kept back until the body's first write and both leave in one piece, so
    nothing of the request is on the wire when this decides; behind the decision nothing suspends.
    """

    def __init__(self, body: bytes, departure: Departure) -> None:
        super().__init__(body, content_type="application/json")
        self._departure = departure

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        departure = self._departure
        gate = departure.gate
        if gate is not None and gate.spaces_operations:
            while (wait := gate.departure_wait()) > 0 and not departure.is_too_late():
                await departure.clock.sleep(min(wait, FRESH_SECONDS))
        departure.has_left = writer.output_size > 0  # an aiohttp that sends the headers first
        if _is_used_up(writer):
            departure.found_closed = True
            raise _HeldBackError
        if departure.is_too_late():
            departure.is_stale = True
            raise _HeldBackError
        departure.has_left = True
        if gate is not None:
            gate.departed()
        await super().write_with_length(writer, content_length)


class _Request(aiohttp.ClientRequest):
    """A request that costs no more than it must: its headers are the session's, which are whole.

    A guarded body is written by the task that asks, where aiohttp would start another one for it.
    """

    def update_headers(self, headers: LooseHeaders | None) -> None:
        """Take the copy that the session made for this request."""
        assert isinstance(headers, CIMultiDict)
        self.headers = headers

    def update_auto_headers(self, skip_auto_headers: Iterable[str] | None) -> None:
        """Add nothing."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send the request, or raise _HeldBackError with not one byte on the wire."""
        body = self.body
        if not isinstance(body, _GuardedBody):
            return await super().send(conn)
        protocol = conn.protocol
        assert protocol is not None
        writer = StreamWriter(protocol, self.loop)
        await writer.write_headers(f"{self.method} {self.url.raw_path_qs} HTTP/1.1", self.headers)
        await body.write_with_length(writer, body.size)
        return self.response_class(
            self.method,
            self.original_url,
            writer=None,
            continue100=None,
            timer=self._timer,
            request_info=self.request_info,
            traces=[],
            loop=self.loop,
            session=self.session,
            stream_writer=writer,
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
        self._place = f"{origin.host}:{origin.port}"
        self._headers = {
            "Host": origin.host_port_subcomponent or "",
            "Accept": "application/json",
            "Accept-Encoding": aiohttp.ClientRequest.DEFAULT_HEADERS[hdrs.ACCEPT_ENCODING],
            "User-Agent": "orchestrator",
        }
        self._token = token
        self._clock = clock
        self._connections = connections
        self._timeouts = timeouts
        self._trust = trust
        self._is_tls = origin.scheme == "https"
        self._telling = _client_timeout(timeouts, timeouts.answer)
        self._asking = _client_timeout(timeouts, timeouts.read)
        self._looking = _client_timeout(timeouts, timeouts.update_status)
        self._session: aiohttp.ClientSession | None = None
        self._bearer = ""

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=self._connections,
            ssl=self._tls() if self._is_tls else True,
            keepalive_timeout=_KEEP_ALIVE,
            ttl_dns_cache=60,
        )
        self._bearer = ""
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            request_class=_Request,
            middlewares=(_once,),
            timeout=self._asking,
            # A proxy or .netrc of the environment would carry the token to somebody else.
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    def _tls(self) -> ssl.SSLContext:
        context = self._trust or ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return resuming(context)

    def ask(self, url: URL, *, is_patient: bool = False) -> Awaitable[Reply | Failure]:
        """GET. Never sent again by itself: whoever repeats a read passes the gate once more."""
        limit = self._looking if is_patient else self._asking
        return self._exchange("GET", url, None, None, limit)

    def tell(
        self, method: str, url: URL, body: bytes, departure: Departure
    ) -> Awaitable[Reply | Failure]:
        """Send a request that changes something, at most once."""
        return self._exchange(method, url, body, departure, self._telling)

    async def _exchange(
        self,
        method: str,
        url: URL,
        body: bytes | None,
        departure: Departure | None,
        limit: aiohttp.ClientTimeout,
    ) -> Reply | Failure:
        session = self._session
        if session is None:
            return Failure("the connection to the controller is closed", was_sent=False)
        bearer = self._token.header
        if bearer != self._bearer:
            self._bearer = session.headers["Authorization"] = bearer
        payload = None
        if departure is not None:
            payload = _GuardedBody(body or b"", departure)
        asked_at = self._clock.now()
        # The failure is made after the except block: aiohttp's exceptions hold the headers, and
        # must not hang on ours as context.
        trouble: Exception
        try:
            response = await session.request(
                method,
                url,
                data=payload,
                allow_redirects=False,
                timeout=limit,
            )
            try:
                content, is_whole = await _body(response)
            finally:
                response.release()
        except _TROUBLES as error:
            trouble = error
        else:
            if departure is None or departure.has_left:
                return Reply(
                    status=response.status,
                    headers=response.headers,
                    body=content,
                    asked_at=asked_at,
                    answered_at=self._clock.now(),
                    is_whole=is_whole,
                )
            trouble = _BrokenError()
        return self._failure(trouble, departure, limit)

    def _failure(
        self, trouble: Exception, departure: Departure | None, limit: aiohttp.ClientTimeout
    ) -> Failure:
        was_sent = departure is None or departure.has_left
        found_closed = departure is not None and departure.found_closed
        return Failure(
            reason=self._reason(trouble, departure, limit),
            was_sent=was_sent,
            is_stale=not was_sent and departure is not None and departure.is_stale,
            is_certificate=isinstance(trouble, ssl.CertificateError | aiohttp.ClientSSLError),
            found_closed=not was_sent and (found_closed or isinstance(trouble, _BrokenError)),
        )

    def _reason(  # noqa: PLR0911 - a table of reasons
        self, trouble: Exception, departure: Departure | None, limit: aiohttp.ClientTimeout
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
                wait = (limit.total or 0.0) - self._timeouts.connect
                return f"no answer from {place} within {wait:g} s"
            case aiohttp.ClientResponseError():
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


async def _once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a PUT or DELETE when the server hangs up (api.md 1.10-1)."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        broken = _BrokenError(type(error).__name__)
    raise broken


async def _body(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """Read a body as far as it comes; the status line has been believed by then."""
    parts: list[bytes] = []
    size = 0
    try:
        if response.content.is_eof() and response.content.total_bytes <= _LARGEST_BODY:
            return response.content.read_nowait(), True  # most answers are one piece
        while part := await response.content.readany():
            parts.append(part)
            size += len(part)
            if size > _LARGEST_BODY:
                response.close()
                return b"".join(parts), False
    except (aiohttp.ClientError, OSError):
        return b"".join(parts), False
    return b"".join(parts), True


def _is_used_up(writer: AbstractStreamWriter) -> bool:
    """Say whether the other side has hung up or answered already, as far as this machine knows."""
    transport = writer.transport
    if transport is None or transport.is_closing():
        return True
    if isinstance(writer, StreamWriter) and getattr(writer.protocol, "should_close", False):
        return True  # what came before the question answers nothing
    connection = transport.get_extra_info("socket")
    if connection is None:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), _PEER_GONE)
    return bool(poll.poll(0))


def _client_timeout(timeouts: Timeouts, answer: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=timeouts.connect + answer, connect=timeouts.connect)


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
