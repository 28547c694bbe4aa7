"""Where the bearer token comes from, and how it is kept out of sight."""

import time
from pathlib import Path

from orchestrator.model import tokens
from orchestrator.model.errors import SettingsError

_LOOK_EVERY = 1.0
"""Real seconds between two looks at the file's time stamp."""


class TokenSource:
    """The controller's token, given literally or read from a file that may be replaced meanwhile.

    Raises SettingsError when there is no usable token at the start. Its text never shows the token.
    """

    def __init__(self, token: str) -> None:
        self._path: Path | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._looked_at = time.monotonic()
        self._token = _checked(token, "the token")
        self._held = [self._token]

    @classmethod
    def from_file(cls, path: Path) -> "TokenSource":
        """Read the token from a file; space and line ends around it do not count."""
        stamp = _stamp(path)
        source = cls(_read(path))
        source._path = path
        source._stamp = stamp
        return source

    def __repr__(self) -> str:
        where = "given" if self._path is None else f"from {self._path}"
        return f"<token {where}>"

    @property
    def header(self) -> str:
        """The Authorization header; follows the file when it was replaced by a usable one."""
        if self._path is not None and time.monotonic() - self._looked_at >= _LOOK_EVERY:
            self._looked_at = time.monotonic()
            if _stamp(self._path) != self._stamp:
                self._refresh_quietly()
        return "Bearer " + self._token

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every token held so far: what must not appear in any text."""
        return tuple(self._held)

    def refresh(self) -> bool:
        """Read the file again and say whether the token changed; a literal token never does.

        Raises SettingsError when the file holds no usable token; the old one is kept.
        """
        if self._path is None:
            return False
        stamp = _stamp(self._path)
        token = _read(self._path)
        self._stamp = stamp
        if token == self._token:
            return False
        self._token = token
        if token not in self._held:
            self._held.append(token)
        return True

    def _refresh_quietly(self) -> None:
        try:
            self.refresh()
        except SettingsError:
            # A file that is just being replaced may be empty for a moment; 401 will ask again.
            return


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(tokens.LONGEST + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SettingsError(f"the token file {path} cannot be read: {why}") from None
    return _checked(raw, f"the token file {path}")


def _checked(token: str | bytes, where: str) -> str:
    try:
        return tokens.one_word(token)
    except ValueError as error:
        raise SettingsError(f"{where}: {error}") from None
