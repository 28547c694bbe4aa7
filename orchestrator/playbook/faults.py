"""What is wrong with a playbook, collected with its places until all of it is known."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from orchestrator.model.errors import Fault, PlaybookError
from orchestrator.model.secrecy import is_secret


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the text: line and column from 1, and its length on that line."""

    line: int
    column: int
    length: int = 1


_SAID = re.compile(r"""(?<![\w.-])([\w.-]++)["']?\s*+[:=](?=\s*+["']?[^\s{"'$])""")
"""A name, and behind it the beginning of a value that is written out."""


def may_show_secret(line: str) -> bool:
    """Say whether a line gives a value to something that is secret by its name."""
    return any(is_secret(name) for name in _SAID.findall(line))


class Faults:
    """Collects everything that is wrong with one playbook."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._faults: list[Fault] = []
        self._hidden: set[int] = set()

    @property
    def path(self) -> str:
        """The playbook's path as messages name it."""
        return self._path

    def add(self, place: Place, key: str, message: str, hint: str = "") -> None:
        """Note one fault at a place of the playbook."""
        line = self._lines[place.line - 1] if place.line <= len(self._lines) else ""
        self._faults.append(
            Fault(
                path=self._path,
                line=place.line,
                column=place.column,
                key=key,
                message=message,
                hint=hint,
                length=max(1, min(place.length, len(line) - place.column + 1)),
                source=line,
            )
        )

    def hide(self, line: int) -> None:
        """Show this line of the playbook with no fault: it may hold a secret."""
        self._hidden.add(line)

    def add_elsewhere(self, fault: Fault) -> None:
        """Note a fault of a file that the playbook names."""
        self._faults.append(fault)

    @property
    def found(self) -> tuple[Fault, ...]:
        """Every fault so far, in the order in which it was noted."""
        return tuple(map(self._shown, self._faults))

    def _shown(self, fault: Fault) -> Fault:
        is_own = fault.path == self._path
        is_hidden = is_own and (fault.line in self._hidden or may_show_secret(fault.source))
        return replace(fault, source="", length=1) if is_hidden else fault

    def raise_if_any(self) -> None:
        """Raise PlaybookError with every fault so far, in the order of the text."""
        if self._faults:
            own = [fault for fault in self.found if fault.path == self._path]
            others = [fault for fault in self.found if fault.path != self._path]
            own.sort(key=lambda fault: (fault.line, fault.column))
            others.sort(key=lambda fault: (fault.path, fault.line, fault.column))
            raise PlaybookError(list(dict.fromkeys(own + others)))


def nearest(word: str, words: Sequence[str]) -> str:
    """Ask `did you mean ...?` when a word is close, else name them all; "" when there are none."""
    by_lower = {known.lower(): known for known in reversed(words)}
    close = get_close_matches(word.lower().strip(), by_lower, n=1, cutoff=0.6)
    if close:
        return f"did you mean {by_lower[close[0]]!r}?"
    return f"known here: {', '.join(words)}" if words else ""


_WIDEST = 160
"""Characters of a line that are shown at most."""
_LONGEST = 1000
"""Characters of a sentence that are shown at most."""


def render_faults(faults: Sequence[Fault]) -> str:
    """Show faults as plain text: place, message, the line underlined, and what would be right."""
    return "\n\n".join(map(render_fault, faults))


def render_fault(fault: Fault) -> str:
    """Show one fault as plain text."""
    lines = [f"{fault.path}:{fault.line}:{fault.column}: {_cut(fault.message)}"]
    if fault.source.strip():
        number = f"{fault.line:>5} | "
        line, lead, length = _excerpt(fault)
        # A tab before the fault has to be repeated, or the carets would stand too far left.
        indent = "".join("\t" if sign == "\t" else " " for sign in lead)
        lines.append(number + line)
        lines.append(" " * (len(number) - 2) + "| " + indent + "^" * length)
    if fault.key:
        lines.append(f"   at {_cut(fault.key)}")
    if fault.hint:
        lines.append(f" hint: {_cut(fault.hint)}")
    return "\n".join(lines)


def _excerpt(fault: Fault) -> tuple[str, str, int]:
    """Give what is shown of the line, what of it stands before the fault, and how much is underlined."""
    line, at = fault.source, fault.column - 1
    if len(line) <= _WIDEST:
        return line, line[:at], fault.length
    start = max(0, min(at - _WIDEST // 2, len(line) - _WIDEST))
    end = start + _WIDEST
    before, after = "…" if start else "", "…" if end < len(line) else ""
    length = max(1, min(fault.length, end - at))
    return before + line[start:end] + after, before + line[start:at], length


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
