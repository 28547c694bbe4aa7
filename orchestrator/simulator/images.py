"""Firmware images on their way to a device."""

from dataclasses import dataclass

from orchestrator.simulator.ledger import AppliedOperation


@dataclass(frozen=True, slots=True)
class Image:
    """One firmware image that somebody wants a device to run."""

    version: str
    applied: AppliedOperation
    """How the ledger knows it."""


@dataclass(slots=True)
class Images:
    """What is wanted of one device; at most one waits, and at most one is being taken."""

    waiting: Image | None = None
    loading: Image | None = None
    is_own: bool = False
    """Whether the device is about to upgrade of its own accord."""

    @property
    def is_pending(self) -> bool:
        """Tell whether the device will run other firmware soon."""
        return self.waiting is not None or self.loading is not None or self.is_own

    def want(self, image: Image | None, at: float) -> None:
        """Put an image, or none, in the place of the one that waits."""
        if self.waiting is not None:
            self.waiting.applied.returned_at = at
        self.waiting = image

    def take(self) -> None:
        """Begin with the one that waits."""
        self.loading, self.waiting = self.waiting, None

    def put_back(self, at: float) -> None:
        """Leave off with the one that was begun; it waits again, unless another one does."""
        if self.waiting is None:
            self.waiting = self.loading
        elif self.loading is not None:
            self.loading.applied.returned_at = at
        self.loading = None
