"""Can the controller be used? Trouble with it pauses the run and never counts against a device."""

from dataclasses import dataclass, field

UNREACHABLE_LIMIT = 3
"""Failed connections in a row that pause the run."""

STORM_REQUESTS = 5
STORM_DEVICES = 2
"""Operation requests in a row that came to nothing, and devices they were for, that open the breaker."""

FIRST_PROBE = 2.0
LONGEST_BETWEEN_PROBES = 30.0


@dataclass(slots=True)
class Reach:
    """What is known of the controller's usability."""

    misses: int = 0
    """Connections that failed in a row."""
    cause: str | None = None
    """Why the run should pause: `token` or `controller`."""
    detail: str = ""
    paused_at: float | None = None
    probe_at: float = 0.0
    probes: int = 0
    is_probing: bool = False
    storm: int = 0
    """Operation requests in a row that came to nothing through the controller."""
    storm_devices: dict[int, int] = field(default_factory=dict)
    """The devices they were for, and how many for each."""
    storm_since: float = 0.0
    rounds: int = 0
    """How often the breaker opened since a request was accepted."""

    @property
    def is_careful(self) -> bool:
        """True after the breaker has closed, until a request is accepted: one is tried at a time."""
        return self.rounds > 0

    @property
    def is_storm(self) -> bool:
        """True when so much came to nothing in a row that it is the controller and not a device."""
        is_broad = len(self.storm_devices) >= STORM_DEVICES
        return bool(self.storm) and (self.is_careful or (self.storm >= STORM_REQUESTS and is_broad))

    def accepted(self) -> None:
        """The controller does what it is asked."""
        self.misses = self.storm = self.rounds = 0
        self.storm_devices.clear()

    def told(self) -> None:
        """The controller said something about a device: it is at work, if not for this one."""
        self.misses = 0
        if not self.rounds:
            self.storm = 0
            self.storm_devices.clear()

    def failed(self, device: int, at: float, detail: str) -> None:
        """A request came to nothing: refused for load, an error, or no answer at all."""
        if not self.storm:
            self.storm_since = at
        self.storm += 1
        self.storm_devices[device] = self.storm_devices.get(device, 0) + 1
        if self.cause is None and self.is_storm:
            self.cause = "controller"
            self.detail = f"{self.storm} operation requests in a row came to nothing: {detail}"

    def answered(self) -> None:
        """Something came back: the controller is there."""
        self.misses = 0

    def missed(self, detail: str) -> None:
        """No connection could be made."""
        self.misses += 1
        if self.misses >= UNREACHABLE_LIMIT and self.cause is None:
            self.cause, self.detail = "controller", detail

    def rejected(self, detail: str) -> None:
        """The token was not accepted."""
        if self.cause is None:
            self.cause, self.detail = "token", detail

    def paused(self, at: float, cause: str, detail: str, *, is_storm: bool = False) -> None:
        """The run stands still from here on; after a storm it goes on with one request at a time."""
        self.paused_at, self.cause, self.detail = at, cause, detail
        self.probes = 0
        if is_storm or (cause == "controller" and self.is_storm):
            self.rounds += 1
            self.storm_devices.clear()
        self.probe_at = at + _until_probe(max(0, self.rounds - 1))
        self.is_probing = False

    def continued(self) -> None:
        """The run goes on."""
        self.paused_at = self.cause = None
        self.misses = 0
        self.is_probing = False

    def probe_failed(self, now: float) -> None:
        """Still not usable: ask again later, ever less often."""
        self.probes += 1
        self.is_probing = False
        self.probe_at = now + _until_probe(self.probes)


def _until_probe(number: int) -> float:
    return min(LONGEST_BETWEEN_PROBES, FIRST_PROBE * 2.0 ** min(number, 10))
