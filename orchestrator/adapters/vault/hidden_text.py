"""A secret value in memory: whatever shows, copies or dumps it shows `***`."""

import hmac
from typing import final

from orchestrator.model.secrecy import MASK


@final
class Hidden:
    """A text that only `reveal` gives away; a pickle or a deep copy of it holds `***`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text itself, for the one place that sends, stores or shows it."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __format__(self, _spec: str) -> str:
        return MASK

    def __reduce__(self) -> tuple[type["Hidden"], tuple[str]]:
        return Hidden, (MASK,)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Hidden):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash would tell two equal secrets by their place
