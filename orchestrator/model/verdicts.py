"""How a device's walk through a run can end."""

from enum import StrEnum


class Verdict(StrEnum):
    """A device's end; every device of a finished run has exactly one."""

    SUCCEEDED = "succeeded"
    """Every step was proven by evidence read back from the controller."""
    ALREADY_OK = "already_ok"
    """Everything was as wanted before; nothing was sent."""
    FAILED = "failed"
    """The controller or the device answered so."""
    UNCONFIRMED = "unconfirmed"
    """An operation was accepted and the device was never proven back in the time allowed."""
    IN_DOUBT = "in_doubt"
    """A request was sent, no answer came, and nothing told whether it was applied."""
    SKIPPED = "skipped"
    """The guard found the device changed; nothing was sent to it."""
    DEFERRED = "deferred"
    """The window closed before its turn."""
    NOT_STARTED = "not_started"
    """The run was stopped before its turn."""

    @property
    def is_success(self) -> bool:
        """True when the device is as the playbook wants it."""
        return self in (Verdict.SUCCEEDED, Verdict.ALREADY_OK)

    @property
    def is_trouble(self) -> bool:
        """True when somebody has to look at the device."""
        return self in _TROUBLE


_TROUBLE = frozenset({Verdict.FAILED, Verdict.UNCONFIRMED, Verdict.IN_DOUBT})
