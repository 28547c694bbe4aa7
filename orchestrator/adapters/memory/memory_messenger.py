"""The messenger port in memory: the twin of the real one, for tests and rehearsals."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from anyio import lowlevel


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody was told."""

    to: str
    title: str
    body: str


class MemoryMessenger:
    """Keeps what it was given for the names it knows; `broken` ones refuse, each with a reason."""

    def __init__(self, names: Collection[str], broken: Mapping[str, str] | None = None) -> None:
        self._names = frozenset(names)
        self.broken = dict(broken or {})
        self.sent: list[Message] = []

    async def send(self, to: str, title: str, body: str) -> str | None:
        await lowlevel.checkpoint()
        if to not in self._names:
            return f"{to!r} leads nowhere in the settings"
        if to in self.broken:
            return self.broken[to]
        self.sent.append(Message(to, title, body))
        return None
