"""Tiny servers on the loopback that do exactly what a test tells them, down to the bytes.

`FakeApi` takes one act per request, the last one for all that follow, and keeps every request it
read. The certificate is for 127.0.0.1 and for tests only.
"""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

CERTIFICATE = Path(__file__).with_name("loopback_certificate.pem")
KEY = Path(__file__).with_name("loopback_key.pem")


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Act = Callable[[Request, asyncio.StreamWriter], Awaitable[bool]]
"""Answers one request and says whether the connection is kept."""


def answer(status: int = 200, content: object = None, **headers: str) -> Act:
    """Answer in JSON, or with a text as it stands, and keep the connection."""
    body = content.encode() if isinstance(content, str) else json.dumps(content).encode()

    async def act(request: Request, writer: asyncio.StreamWriter) -> bool:
        head = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
        head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        return True

    return act


def accept(request: Request, writer: asyncio.StreamWriter) -> Awaitable[bool]:
    """Take any operation, as the controller does: the device's id and the code come back."""
    device = int(request.target.rstrip("/").rpartition("/")[2])
    return answer(200, {"id": device, **json.loads(request.body)})(request, writer)


def say(raw: bytes) -> Act:
    """Send these bytes, whatever they are, and hang up."""

    async def act(request: Request, writer: asyncio.StreamWriter) -> bool:
        writer.write(raw)
        return False

    return act


async def hang_up(request: Request, writer: asyncio.StreamWriter) -> bool:
    """Close without a word."""
    return False


async def reset(request: Request, writer: asyncio.StreamWriter) -> bool:
    """Break the connection off with a RST."""
    cut(writer)
    return False


def cut(writer: asyncio.StreamWriter) -> None:
    """Make closing this connection a RST."""
    plug = writer.get_extra_info("socket")
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def silence(request: Request, writer: asyncio.StreamWriter) -> bool:
    """Never answer."""
    await asyncio.Event().wait()
    return False


def server_tls() -> ssl.SSLContext:
    """Give what a server needs to speak TLS as 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    return context


class FakeApi:
    """A server on 127.0.0.1; an async context manager."""

    def __init__(
        self,
        *acts: Act,
        tls: bool = False,
        on_connect: Callable[[asyncio.StreamWriter, int], Awaitable[bool]] | None = None,
    ) -> None:
        self.acts = list(acts)
        self.requests: list[Request] = []
        self.connections = 0
        self.received = b""
        self.context: ssl.SSLContext | None = None
        self._on_connect = on_connect
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        return self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/api/v1"

    async def __aenter__(self) -> Self:
        self.context = server_tls() if self._tls else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        self.connections += 1
        try:
            if self._on_connect is None or await self._on_connect(writer, self.connections):
                while await self._serve_one(reader, writer):
                    pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        self.received += head
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers.get("Content-Length", "0")))
        self.received += body
        method, target, _ = first.split(" ")
        request = Request(method, target, headers, body)
        self.requests.append(request)
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        keeps = await act(request, writer)
        await writer.drain()
        return keeps
