"""The orders port in memory: the order box's twin for those who share one process."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.model.orders import Ask, Order


@dataclass(slots=True)
class MemoryPlaced:
    """One order, and what was answered to it."""

    order: Order | Ask
    told: str | None = None
    """None until it is answered; an answer is given once."""
    refused: bool = False

    def answer(self, told: str, *, refused: bool) -> None:
        if self.told is None:
            self.told, self.refused = told, refused


@dataclass(slots=True)
class MemoryOrders:
    """Keeps orders in a list until they are taken."""

    _waiting: list[MemoryPlaced] = field(default_factory=list)

    def place(self, order: Order | Ask) -> MemoryPlaced:
        """Leave an order; the answer will stand in what is given back."""
        placed = MemoryPlaced(order)
        self._waiting.append(placed)
        return placed

    def take(self) -> Sequence[MemoryPlaced]:
        taken, self._waiting = self._waiting, []
        return taken
