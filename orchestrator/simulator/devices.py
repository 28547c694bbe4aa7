"""One device in time (api.md 2): informs, delivery, power-down, boot, return, and how it is seen.

A device is advanced when it is looked at; periodic informs cost nothing in between.
"""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from math import inf

from orchestrator.model.operations import Operation
from orchestrator.simulator.chance import between, uniform
from orchestrator.simulator.contacts import Contacts
from orchestrator.simulator.credentials import OwnCredentials
from orchestrator.simulator.fleet import UNSAID_FREQUENCY, Member
from orchestrator.simulator.images import Image, Images
from orchestrator.simulator.ledger import AppliedOperation

_SHUTDOWN = (1.5, 5.0)
_APPLY = (3.0, 15.0)
_PAST_OVERDUE = (5.0, 45.0)
_DOWNLOAD = (5.0, 20.0)
_INSTALL = (45.0, 150.0)
_LONG_FLAPS = 0.5
_NEXT_VERSION = {"2": "2.7.0", "1": "2.6.0", "3": "3.1.0"}


class SimulatedDevice(Contacts):
    """A device and the controller's belief about it; `advance` must come before any look."""

    # What few devices ever have stands on the class: a fleet is made and read much faster so.
    first_contact: float | None = None
    """When a record that was made in this world saw its device for the first time."""
    left_at: float | None = None
    """When the device made contact under another id; nothing is heard under this one since."""
    _images: Images | None = None

    def __init__(self, member: Member, seed: int, started_at: float) -> None:
        age = member.contact_age
        last_contact = None if age is None else started_at - age
        up_since = started_at - member.created_age / 2
        if last_contact is not None:
            up_since = min(up_since, last_contact)
        super().__init__(seed, member.id, _frequency(member.fields), last_contact, up_since)
        self.fields: Mapping[str, object] = member.fields
        """Replaced, never changed, when the record is edited."""
        self.temperament = member.temperament
        self.settings = member.pending
        """Names of settings that wait to be applied by sync or reconf."""
        self.created = started_at - member.created_age
        self.last_change = self.created
        age = member.configuration_age
        self.last_configuration = None if age is None else started_at - age
        self.is_configured = member.contact_age is not None
        self.shows_initial = not self.is_configured
        self.busy_until = -inf
        self.contacts_asked = 0
        """Connection requests made for update_status."""
        self.own_outages: list[tuple[str, float, float | None]] = []
        """Outages nobody ordered: cause, from, until."""
        self._informs_from = None if member.is_down else last_contact
        self._seed = seed
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
    def firmware_is_pending(self) -> bool:
        """Tell whether a firmware image waits to be taken, or is being taken now."""
        return self._images is not None and self._images.is_pending

    @property
    def credentials(self) -> OwnCredentials:
        """Give what the device itself would let in, beside what its record says."""
        return self._credentials or OwnCredentials(self.fields)

    @property
    def has_undelivered(self) -> bool:
        """Tell whether operations wait for the device's next contact."""
        return bool(self._queue) or self._waiting_image is not None

    @property
    def _waiting_image(self) -> Image | None:
        return None if self._images is None else self._images.waiting

    def is_busy(self, now: float) -> bool:
        """Tell whether the controller answers 422 to an operation now."""
        if self.temperament.busy_after_boot is None:
            return False
        return bool(self._rebooting) or now < self.busy_until

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
        self._queue.append(applied)
        self._call(applied.arrived_at)

    def schedule(self, image: Image | None, at: float) -> None:
        """Have the device take a firmware image at its next contact; None: none waits any more."""
        self._images = self._images or Images()
        self._images.want(image, at)
        if image is not None:
            self._call(at)

    def _call(self, at: float) -> None:
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
        credentials = self.credentials
        credentials.rewrite(fields, at)
        if credentials.is_waiting:
            self._credentials = credentials
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
        self.first_contact = at
        self._at(at, self._come_up)
        self._at(at + between(_APPLY, self._key("first")), self._configure)

    def come_anew(self, at: float) -> None:
        """Make contact as a new record after a factory kind; its configuration has to be asked for."""
        self.first_contact = at
        self._at(at, self._come_up)

    def _contact(self, at: float) -> None:
        if self._informs_from is not None and self.has_undelivered:
            self._meet(at)
            self._deliver(at)

    def _deliver(self, at: float) -> None:
        if not self._queue:
            self._take_image(at)
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
            self._credentials = self.credentials
            self._credentials.forget()
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
        if was_reset and self.temperament.takes_new_id:
            self.left_at = at
            return
        self.shows_initial = self.shows_initial or was_reset
        busy = self.temperament.busy_after_boot
        if busy is not None:
            self.busy_until = at + between(busy, self._key(f"busy/{self._boots}"))
        if was_reset and self.temperament.upgrades_after_factory:
            self._images = self._images or Images()
            self._images.is_own = True
        if self._images is not None and self._images.is_own:
            wait = between((40.0, 120.0), self._key(f"upgrade/{self._boots}"))
            self._at(at + wait, lambda at: self._drop(at, "firmware"))
        if self.temperament.flaps:
            wait = between((8.0, 40.0), self._key(f"flap/{self._boots}"))
            self._at(at + wait, lambda at: self._drop(at, "flap"))
        self._come_up(at)

    def _drop(self, at: float, cause: str) -> None:
        if self._informs_from is None or self._rebooting:
            return
        if cause == "firmware" and not (self._images is not None and self._images.is_own):
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
            assert self._images is not None  # that is why it was away
            self._images.is_own = False
            major = str(self.fields.get("software_version", "2"))[:1]
            version = _NEXT_VERSION.get(major, "2.7.0")
            self.fields = {**self.fields, "software_version": version}
        self._come_up(at)

    def _take_image(self, at: float) -> None:
        images, image = self._images, self._waiting_image
        if images is None or image is None or self._rebooting or images.loading is not None:
            return
        image.applied.delivered_at = at
        if not self.temperament.obeys:
            image.applied.returned_at = at
            return
        images.take()
        self._sessions += 1
        seconds = between(_DOWNLOAD, self._key(f"download/{self._sessions}"))
        self._at(at + seconds, self._install)

    def _install(self, at: float) -> None:
        assert self._images is not None  # it has taken one
        image = self._images.loading
        assert image is not None
        if self._informs_from is None or self._rebooting:  # first things first: after the boot
            self._images.put_back(at)
            return
        self._informs_from = None
        self._boots += 1
        image.applied.down_at = at
        self._queue, self._applying = self._applying + self._queue, []
        if not self.temperament.returns_from_upgrade:
            return
        seconds = between(_INSTALL, self._key(f"install/{self._boots}"))
        if self.temperament.outlasts_overdue:
            seconds = max(seconds, self._until_shown_down(at))
        self._at(at + seconds, self._run_image)

    def _run_image(self, at: float) -> None:
        assert self._images is not None  # it has installed one
        image = self._images.loading
        assert image is not None
        self._images.loading = None
        image.applied.returned_at = at
        if self.temperament.takes_images:
            image.applied.done_at = at
            self._images.is_own = False
            self.fields = {**self.fields, "software_version": image.version}
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
        if self._waiting_image is not None:  # one session, one effect
            self._at(self._next_inform(at), self._contact)

    def _configure(self, at: float) -> None:
        self.last_configuration = at
        self.is_configured = True
        self.shows_initial = False

    # Contacts

    def _at(self, at: float, act: Callable[[float], None]) -> None:
        self._scheduled += 1
        heappush(self._events, (at, self._scheduled, act))
        self._due = min(self._due, at)

    def _key(self, purpose: str) -> str:
        return f"{self._seed}/{self.id}/{purpose}"


def _frequency(fields: Mapping[str, object]) -> float:
    value = fields.get("update_frequency")
    return float(value) if isinstance(value, int | float) and value > 0 else float(UNSAID_FREQUENCY)
