"""Can the controller be used? Trouble with it pauses the run and never counts against a device."""

from dataclasses import dataclass

UNREACHABLE_LIMIT = 3
"""Failed connections in a row that pause the run."""

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

    def paused(self, at: float, cause: str, detail: str) -> None:
        """The run stands still from here on."""
        self.paused_at, self.cause, self.detail = at, cause, detail
        self.probes = 0
        self.probe_at = at + FIRST_PROBE
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
        self.probe_at = now + min(LONGEST_BETWEEN_PROBES, FIRST_PROBE * 2 ** min(self.probes, 10))
