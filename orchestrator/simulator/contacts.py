"""When a device makes contact by itself, and what the controller believes of it by that (api.md 2.2)."""

from math import inf

from orchestrator.simulator.chance import between, salt
from orchestrator.simulator.credentials import OwnCredentials

OVERDUE = (1.6, 1.9)
"""Periods without a contact after which the controller shows Down."""
JITTER = 0.03
"""Share of a period by which an inform is early or late."""


class Contacts:
    """The periodic informs of one device, computed when they are looked for, and its latest contact."""

    _credentials: OwnCredentials | None = None
    """None while nothing has changed them; on the class, as nearly every device has it so."""

    def __init__(
        self,
        seed: int,
        identity: int,
        frequency: float,
        last_contact: float | None,
        up_since: float,
    ) -> None:
        self.id = identity
        self.frequency = frequency
        self.overdue_periods = between(OVERDUE, f"{seed}/{identity}/overdue")
        self.last_contact = last_contact
        self.up_since = up_since
        self._informs_from = last_contact
        self._salt = salt(f"{seed}/{identity}/informs")

    def is_up(self, now: float) -> bool:
        """Tell the controller's belief: Up until a contact is overdue (api.md 2.2)."""
        return self.last_contact is not None and now < self.last_contact + self._overdue

    @property
    def is_in_service(self) -> bool:
        """Tell the truth: the device is there and speaks to the controller."""
        return self._informs_from is not None

    @property
    def _overdue(self) -> float:
        return self.frequency * self.overdue_periods

    def _meet(self, at: float) -> None:
        if self.last_contact is None or at >= self.last_contact + self._overdue:
            self.up_since = at
        self.last_contact = at
        if self._credentials is not None and self._credentials.is_waiting:
            self._credentials.deliver()

    def _inform_until(self, at: float) -> None:
        latest = self._latest_inform(at)
        if latest is None or (self.last_contact is not None and latest <= self.last_contact):
            return
        if self.last_contact is not None and latest >= self.last_contact + self._overdue:
            # Many informs have passed unseen; only the first of them can have ended a Down.
            self._meet(self._next_inform(self.last_contact))
            self.last_contact = latest
        else:
            self._meet(latest)

    def _inform(self, turn: int) -> float:
        start = self._informs_from or 0.0
        if turn == 0:
            return start
        mixed = ((self._salt ^ turn) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        drift = ((mixed >> 40) / 2**24 - 0.5) * 2 * JITTER
        return start + (turn + drift) * self.frequency

    def _latest_inform(self, at: float) -> float | None:
        if self._informs_from is None or at < self._informs_from:
            return None
        turn = int((at - self._informs_from) / self.frequency) + 1
        while (moment := self._inform(turn)) > at:
            turn -= 1
        return moment

    def _next_inform(self, after: float) -> float:
        if self._informs_from is None:
            return inf
        turn = max(0, int((after - self._informs_from) / self.frequency) - 1)
        while (moment := self._inform(turn)) <= after:
            turn += 1
        return moment
