"""What a controller can be asked to do: its five operations (api.md 1.7), and changes of records."""

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


class Action(StrEnum):
    """What a step on records asks for (api.md 1.2 to 1.6)."""

    CREATE = "create"
    UPDATE = "update"
    """PATCH of the named fields."""
    UPGRADE = "upgrade"
    """An update that schedules a firmware image: the device goes out of service to take it."""
    REPLACE = "replace"
    """PUT of the whole record as it is, with changes."""
    DEACTIVATE = "deactivate"
    DELETE = "delete"

    @property
    def is_disruptive(self) -> bool:
        """True when the device goes out of service for a while."""
        return self is Action.UPGRADE

    @property
    def is_destructive(self) -> bool:
        """Say that no change of a record makes a device lose its configuration."""
        return False

    @property
    def may_be_repeated(self) -> bool:
        """True when the record itself tells whether it was done.

        Two creations would be two records, and two upgrades two outages.
        """
        return self not in (Action.CREATE, Action.UPGRADE)


Request = Operation | Action
"""What one request to the controller asks for."""

REQUESTS: dict[str, Request] = {
    request.value: request for kind in (Operation, Action) for request in kind
}
"""Every request by its word."""
