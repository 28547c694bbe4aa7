"""The log: narration for whoever debugs; disposable, never a reason to fail, free of secrets."""

import os
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor

from orchestrator.model.errors import SettingsError

TERMINAL = Path("-")
_SECRET_WORDS = ("token", "password", "passwd", "username", "authorization", "audit_key", "secret")
_MASK = "********"
_SHORTEST_SECRET = 6
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(
    *,
    level: str = "info",
    form: str = "console",
    file: Path = TERMINAL,
    secrets: Collection[str] = (),
) -> "Forgiving":
    """Send the log to a file or, for `-`, to stderr, as `console` text or one JSON object a line.

    `secrets` are masked wherever they turn up. Gives the stream, to be closed at the end of all.
    Raises SettingsError when the file cannot be opened.
    """
    stream = sys.stderr if file == TERMINAL else _opened(file)
    forgiving = Forgiving(stream)
    structlog.configure(
        processors=processors(form=form, colours=stream.isatty(), secrets=secrets),
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=forgiving),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    return forgiving


def processors(*, form: str, colours: bool, secrets: Collection[str]) -> list[Processor]:
    """Give the way of one entry from its call to its line."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    if form == "json":
        return [
            *shared,
            structlog.processors.format_exc_info,
            Masking(secrets),
            structlog.processors.JSONRenderer(default=str),
        ]
    plain = structlog.dev.ConsoleRenderer(
        colors=colours, timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
    )
    return [*shared, structlog.processors.format_exc_info, Masking(secrets), plain]


class Masking:
    """Masks every value whose key sounds secret, and every known secret wherever it stands."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        # A very short "secret" would blacken half of every line and guards nothing.
        self._secrets = sorted(
            (each for each in secrets if len(each) >= _SHORTEST_SECRET), key=len, reverse=True
        )

    def __call__(self, _logger: object, _method: str, entry: EventDict) -> EventDict:
        """Give the entry as it may be written."""
        return {key: self._masked(key, value) for key, value in entry.items()}

    def _masked(self, key: str, value: object) -> object:
        if value is not None and any(word in key.lower() for word in _SECRET_WORDS):
            return _MASK
        if isinstance(value, Mapping):
            return {str(name): self._masked(str(name), member) for name, member in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._masked("", member) for member in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        text = str(value)
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return text


class Forgiving:
    """A stream that drops what it cannot write: a full disk must not end a run through its log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write if that is possible."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return 0

    def flush(self) -> None:
        """Flush if that is possible."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return

    def close(self) -> None:
        """Let go of the file, if it is one; the terminal is not ours to close."""
        if self._stream is sys.stderr:
            return
        with suppress(OSError, ValueError):
            self._stream.close()


def _opened(file: Path) -> TextIO:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        reason = (error.strerror or "unwritable").lower()
        raise SettingsError(f"the log file {file} cannot be opened: {reason}") from error
    return os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")
