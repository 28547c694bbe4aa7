"""One device in time (api.md 2): informs, delivery, power-down, boot, return, and how it is seen.

A device is advanced when it is looked at; periodic informs cost nothing in between.
"""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from math import inf

from orchestrator.model.operations import Operation
from orchestrator.simulator.chance import between, salt, uniform
from orchestrator.simulator.fleet import UNSAID_FREQUENCY, Member
from orchestrator.simulator.ledger import AppliedOperation

OVERDUE = (1.6, 1.9)
"""Periods without a contact after which the controller shows Down."""
JITTER = 0.03
"""Share of a period by which an inform is early or late."""
_SHUTDOWN = (1.5, 5.0)
_APPLY = (3.0, 15.0)
_PAST_OVERDUE = (5.0, 45.0)
_LONG_FLAPS = 0.5
_NEXT_VERSION = {"2": "2.7.0", "1": "2.6.0", "3": "3.1.0"}


class SimulatedDevice:
    """A device and the controller's belief about it; `advance` must come before any look."""

    def __init__(self, member: Member, seed: int, started_at: float) -> None:
        self.id = member.id
        self.fields: Mapping[str, object] = member.fields
        """Replaced, never changed, when the record is edited."""
        self.temperament = member.temperament
        self.frequency = _frequency(member.fields)
        self.overdue_periods = between(OVERDUE, f"{seed}/{member.id}/overdue")
        self.settings = member.pending
        """Names of settings that wait to be applied by sync or reconf."""
        self.created = started_at - member.created_age
        self.last_change = self.created
        age = member.configuration_age
        self.last_configuration = None if age is None else started_at - age
        self.last_contact = None if member.contact_age is None else started_at - member.contact_age
        self.up_since = started_at - member.created_age / 2
        if self.last_contact is not None:
            self.up_since = min(self.up_since, self.last_contact)
        self.is_configured = member.contact_age is not None
        self.shows_initial = not self.is_configured
        self.firmware_is_pending = False
        self.busy_until = -inf
        self.contacts_asked = 0
        """Connection requests made for update_status."""
        self.own_outages: list[tuple[str, float, float | None]] = []
        """Outages nobody ordered: cause, from, until."""
        self._informs_from = None if member.is_down else self.last_contact
        self._seed = seed
        self._salt = salt(f"{seed}/{member.id}/informs")
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._scheduled = 0
        self._started = 0
        self._sessions = 0
        self._boots = 0
        self._queue: list[AppliedOperation] = []
        self._applying: list[AppliedOperation] = []
        self._rebooting: list[AppliedOperation] = []
        self._due = -inf
        if member.returns_after is not None:
            self._at(started_at + member.returns_after, self._come_up)

    # What the controller shows

    def is_up(self, now: float) -> bool:
        """Tell the controller's belief: Up until a contact is overdue (api.md 2.2)."""
        return self.last_contact is not None and now < self.last_contact + self._overdue

    def status_change(self, now: float) -> float:
        """Give the moment of the belief's last flip."""
        if self.last_contact is None:
            return self.created
        return self.up_since if self.is_up(now) else self.last_contact + self._overdue

    def pending(self, shows_operations: bool) -> str:
        """Give pending_settings as the records write them."""
        names = list(self.settings)
        if self.shows_initial:
            names.append("initial")
        if shows_operations and (self._queue or self._applying):
            asked = (f"{each.operation}_requested" for each in (*self._applying, *self._queue))
            names.extend(dict.fromkeys(asked))
        return ",".join(names) if names else "none"

    @property
    def is_in_service(self) -> bool:
        """Tell the truth: the device is there and speaks to the controller."""
        return self._informs_from is not None

    @property
    def has_undelivered(self) -> bool:
        """Tell whether operations wait for the device's next contact."""
        return bool(self._queue)

    def is_busy(self, now: float) -> bool:
        """Tell whether the controller answers 422 to an operation now."""
        if self.temperament.busy_after_boot is None:
            return False
        return bool(self._rebooting) or now < self.busy_until

    @property
    def _overdue(self) -> float:
        return self.frequency * self.overdue_periods

    # What happens to it

    def advance(self, now: float) -> None:
        """Live until that moment; going back in time does nothing."""
        if now < self._due:
            return
        events = self._events
        while events and events[0][0] <= now:
            at, _, act = heappop(events)
            self._inform_until(at)
            act(at)
        self._inform_until(now)
        self._due = min(self._next_inform(now), events[0][0] if events else inf)

    def start(self, applied: AppliedOperation) -> None:
        """Queue an operation at its arrival; the device learns of it at its next contact."""
        at = applied.arrived_at
        self._queue.append(applied)
        self._started += 1
        if self._informs_from is None:
            return
        contact = self._next_inform(at)
        if self.temperament.answers_requests:
            wait = between(self.temperament.delivery, self._key(f"delivery/{self._started}"))
            contact = min(contact, at + wait)
        self._at(contact, self._contact)

    def request_connection(self, at: float) -> bool:
        """Ask the device for a session at once; False when it does not come."""
        self.contacts_asked += 1
        if self._informs_from is None or not self.temperament.answers_requests:
            return False
        self._meet(at)
        self._deliver(at)
        return True

    def edit(self, fields: Mapping[str, object], at: float) -> None:
        """Take over an edited record; a new update_frequency counts from the last contact."""
        self.fields = fields
        self.last_change = at
        frequency = _frequency(fields)
        if frequency != self.frequency:
            self.frequency = frequency
            if self._informs_from is not None and self.last_contact is not None:
                self._informs_from = self.last_contact
            self._due = -inf

    def connect_first(self, at: float) -> None:
        """Schedule the first contact ever; the initial configuration follows it by itself."""
        self._at(at, self._come_up)
        self._at(at + between(_APPLY, self._key("first")), self._configure)

    def _contact(self, at: float) -> None:
        if self._informs_from is not None and self._queue:
            self._meet(at)
            self._deliver(at)

    def _deliver(self, at: float) -> None:
        if not self._queue:
            return
        waiting, self._queue = self._queue, []
        self._sessions += 1
        disruptive = [each for each in waiting if each.operation.is_disruptive]
        gentle = [each for each in waiting if not each.operation.is_disruptive]
        for each in disruptive:
            each.delivered_at = at
        if not self.temperament.obeys:
            for each in disruptive:
                each.returned_at = each.done_at = at
            for each in gentle:
                each.delivered_at = at
            self._applying += gentle
        elif disruptive:
            self._queue = gentle  # one session, one effect: these are served after the boot
            self._shut_down_after(at, disruptive)
        elif gentle:
            for each in gentle:
                each.delivered_at = at
            self._applying += gentle
            self._at(at + between(_APPLY, self._key(f"apply/{self._sessions}")), self._apply)

    def _shut_down_after(self, at: float, operations: list[AppliedOperation]) -> None:
        is_first = not self._rebooting
        self._rebooting += operations
        if is_first:
            if self.temperament.contacts_twice:
                self._at(at + 0.4, self._meet)
            self._at(
                at + between(_SHUTDOWN, self._key(f"shutdown/{self._sessions}")), self._go_down
            )

    def _go_down(self, at: float) -> None:
        self._informs_from = None
        self._boots += 1
        for each in self._rebooting:
            each.down_at = at
        self._queue, self._applying = self._applying + self._queue, []
        seconds = between(self.temperament.boot, self._key(f"boot/{self._boots}"))
        if any(each.operation.is_destructive for each in self._rebooting):
            self.is_configured = False
            if not self.temperament.returns_from_factory:
                return
            seconds = seconds * 1.6 + 30
        if self.temperament.outlasts_overdue:
            seconds = max(seconds, self._until_shown_down(at))
        self._at(at + seconds, self._boot)

    def _until_shown_down(self, at: float) -> float:
        last = at if self.last_contact is None else self.last_contact
        extra = between(_PAST_OVERDUE, self._key(f"overdue/{self._boots}"))
        return last + self._overdue + extra - at

    def _boot(self, at: float) -> None:
        done, self._rebooting = self._rebooting, []
        for each in done:
            each.returned_at = each.done_at = at
        was_reset = any(each.operation.is_destructive for each in done)
        self.shows_initial = self.shows_initial or was_reset
        busy = self.temperament.busy_after_boot
        if busy is not None:
            self.busy_until = at + between(busy, self._key(f"busy/{self._boots}"))
        self.firmware_is_pending |= was_reset and self.temperament.upgrades_after_factory
        if self.firmware_is_pending:
            wait = between((40.0, 120.0), self._key(f"upgrade/{self._boots}"))
            self._at(at + wait, lambda at: self._drop(at, "firmware"))
        if self.temperament.flaps:
            wait = between((8.0, 40.0), self._key(f"flap/{self._boots}"))
            self._at(at + wait, lambda at: self._drop(at, "flap"))
        self._come_up(at)

    def _drop(self, at: float, cause: str) -> None:
        if self._informs_from is None or self._rebooting:
            return
        if cause == "firmware" and not self.firmware_is_pending:
            return
        self._informs_from = None
        self._queue, self._applying = self._applying + self._queue, []
        self.own_outages.append((cause, at, None))
        seconds = between((20.0, 90.0), self._key(f"drop/{cause}/{self._boots}"))
        if cause == "flap" and uniform(self._key(f"long/{self._boots}")) < _LONG_FLAPS:
            seconds = max(seconds, self._until_shown_down(at))
        self._at(at + seconds, self._recover)

    def _recover(self, at: float) -> None:
        cause, since, _ = self.own_outages.pop()
        self.own_outages.append((cause, since, at))
        if cause == "firmware":
            self.firmware_is_pending = False
            major = str(self.fields.get("software_version", "2"))[:1]
            version = _NEXT_VERSION.get(major, "2.7.0")
            self.fields = {**self.fields, "software_version": version}
        self._come_up(at)

    def _come_up(self, at: float) -> None:
        self._informs_from = at
        self._meet(at)
        self._deliver(at)

    def _apply(self, at: float) -> None:
        done, self._applying = self._applying, []
        if not done:  # a power-down came first; they are served after the boot
            return
        for each in done:
            each.done_at = at
        self.last_configuration = at
        self.settings = ()
        if any(each.operation is Operation.RECONF for each in done):
            self._configure(at)

    def _configure(self, at: float) -> None:
        self.last_configuration = at
        self.is_configured = True
        self.shows_initial = False

    # Contacts

    def _meet(self, at: float) -> None:
        if self.last_contact is None or at >= self.last_contact + self._overdue:
            self.up_since = at
        self.last_contact = at

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

    def _at(self, at: float, act: Callable[[float], None]) -> None:
        self._scheduled += 1
        heappush(self._events, (at, self._scheduled, act))
        self._due = min(self._due, at)

    def _key(self, purpose: str) -> str:
        return f"{self._seed}/{self.id}/{purpose}"


def _frequency(fields: Mapping[str, object]) -> float:
    value = fields.get("update_frequency")
    return float(value) if isinstance(value, int | float) and value > 0 else float(UNSAID_FREQUENCY)
