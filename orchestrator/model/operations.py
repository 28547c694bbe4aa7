"""The five operations a controller can be asked to start (api.md 1.7)."""

from enum import StrEnum


class Operation(StrEnum):
    """One of the codes that PUT /inventory_device_operation/{id}/ accepts."""

    REBOOT = "reboot"
    FACTORY = "factory"
    DEVICE_FACTORY = "device_factory"
    SYNC = "sync"
    RECONF = "reconf"

    @property
    def is_disruptive(self) -> bool:
        """True when the operation takes the device out of service for a while."""
        return self in _DISRUPTIVE

    @property
    def is_destructive(self) -> bool:
        """True when the device also loses its configuration."""
        return self in _DESTRUCTIVE

    @property
    def may_be_repeated(self) -> bool:
        """True when doing it twice harms nobody, so that doubt is settled by asking again."""
        return self not in _DISRUPTIVE


_DESTRUCTIVE = frozenset({Operation.FACTORY, Operation.DEVICE_FACTORY})
_DISRUPTIVE = _DESTRUCTIVE | {Operation.REBOOT}
