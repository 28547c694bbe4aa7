"""The name and password that a device itself knows, beside those its record says."""

from collections.abc import Mapping
from typing import NamedTuple


class Credentials(NamedTuple):
    """A name and a password; empty is none."""

    username: str
    password: str


FACTORY_DEFAULT = Credentials("", "")
"""What a device has after a factory kind, until it makes contact again."""


class OwnCredentials:
    """What one device knows; it takes over what its record says at its next contact.

    A record that says none takes nothing from the device: then the controller is locked out.
    """

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._recorded = recorded(fields)
        self.present = self._recorded
        """What the device itself would let in."""
        self.is_waiting = False
        """Whether the record says others, that the next contact brings."""
        self.written_at: list[float] = []
        """When others were written into the record."""
        self.taken = 0
        """How many of those the device has taken over, the first ones."""

    @property
    def is_locked_out(self) -> bool:
        """Tell whether the controller knows no longer what the device would let in."""
        return not self.is_waiting and self.present != self._recorded

    def rewrite(self, fields: Mapping[str, object], at: float) -> None:
        """Take note of an edited record."""
        wanted = recorded(fields)
        if wanted != self._recorded:
            self._recorded = wanted
            self.is_waiting = True
            self.written_at.append(at)

    def forget(self) -> None:
        """Go back to factory defaults; the next contact brings the record's again."""
        self.present = FACTORY_DEFAULT
        self.is_waiting = True

    def deliver(self) -> None:
        """Let the device take over what its record says."""
        username, password = self._recorded
        self.present = Credentials(
            username or self.present.username, password or self.present.password
        )
        self.is_waiting = False
        self.taken = len(self.written_at)


def recorded(fields: Mapping[str, object]) -> Credentials:
    """Give what a record says."""
    return Credentials(str(fields.get("username") or ""), str(fields.get("password") or ""))
