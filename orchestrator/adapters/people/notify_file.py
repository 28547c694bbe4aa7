"""Who can be told, and where their names lead: one `name = apprise-url` a line.

The URLs hold passwords and tokens; no message, text or error ever shows one.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from orchestrator.adapters.runs.journal_reading import why
from orchestrator.model.errors import SettingsError

Targets = Mapping[str, tuple[SecretStr, ...]]
"""The places that each name leads to."""
LONGEST = 262_144
"""Bytes of such a file; it is read no further than one more."""
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[\x21-\x7e]+")


def read_targets(path: Path) -> Targets:
    """Read the file; a name that stands there twice leads to both places.

    Raises SettingsError with everything that is wrong with it, as file:line:column.
    """
    places: dict[str, tuple[SecretStr, ...]] = {}
    faults: list[str] = []
    for number, line in enumerate(_text_of(path).split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, url, fault = _read_line(line)
        if not fault and any(url == each.get_secret_value() for each in places.get(name, ())):
            fault = _column(line, url), f"this place stands under {name!r} already; remove one"
        if fault:
            column, what = fault
            faults.append(f"{path}:{number}:{column}: {what}")
        else:
            places[name] = (*places.get(name, ()), SecretStr(url))
    if not faults and not places:
        faults.append(f"{path}:1:1: it names nobody; write lines such as `noc-chat = slack://...`")
    if faults:
        raise SettingsError("\n".join(faults))
    return places


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST + 1)
    except OSError as error:
        what = f"the file of notification targets {path} cannot be read: {why(error)}"
        raise SettingsError(what) from error
    if len(raw) > LONGEST:
        raise SettingsError(f"{path}: it is longer than {LONGEST:,} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # The error of the codec would show the bytes of a secret.
        raise SettingsError(f"{path}: it is not text") from None


def _read_line(line: str) -> tuple[str, str, tuple[int, str] | None]:
    """Take a line apart; what is wrong comes with its column, and without the URL."""
    before, equals, after = line.partition("=")
    name, url = before.strip(), after.strip()
    if not equals or "://" in name:
        return "", "", (_column(line, line.strip()), "write `name = apprise-url`")
    if _NAME.fullmatch(name) is None:
        what = "a name is made of letters, digits, '.', '_' and '-', and stands before the '='"
        return "", "", (_column(line, name), what)
    if not url:
        return "", "", (len(line.rstrip()) + 1, f"there is no URL for {name!r} behind the '='")
    if _URL.fullmatch(url) is None:
        column = len(before) + 1 + _column(after, url)
        what = f"the URL for {name!r} must be one word such as slack://... or mailtos://..."
        return "", "", (column, what)
    return name, url, None


def _column(line: str, part: str) -> int:
    return line.find(part) + 1
