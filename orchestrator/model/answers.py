"""What became of one operation request, in the classes of design 6.4."""

from enum import StrEnum

from msgspec import Struct


class Refusal(StrEnum):
    """Why a request that reached the controller was not applied."""

    INVALID = "invalid"
    """400 and other answers that every device would get: our request is wrong."""
    UNAUTHORISED = "unauthorised"
    """401: the token is not accepted."""
    FORBIDDEN = "forbidden"
    """403: this device is not ours, or the token is bad; a probe tells which (api.md 1.10-7)."""
    REJECTED = "rejected"
    """400 or 409 to a change of a record: not with these values, for this device; final."""
    GONE = "gone"
    """404: no such device."""
    STATE = "state"
    """409, 422: the device's state does not allow it now."""
    BUSY = "busy"
    """429, 503: refused, not applied; wait and ask again."""


class Accepted(Struct, frozen=True):
    """The controller took the request; nothing is known of the device yet."""

    status: int
    server_at: float
    """The controller's clock when it answered."""
    record: int | None = None
    """The id that a created record got."""


class Refused(Struct, frozen=True):
    """The controller answered that it did not apply the request."""

    refusal: Refusal
    status: int
    reason: str
    """One readable sentence, free of secrets."""
    retry_after: float | None = None
    """Seconds the controller asked to wait."""


class Unsent(Struct, frozen=True):
    """Not one byte of the request left this machine."""

    reason: str
    stale: bool = False
    """True when it was held back because its intention had grown too old."""


class Lost(Struct, frozen=True):
    """Sent, and no usable answer came: it may or may not have been applied."""

    reason: str
    status: int | None = None


OperationAnswer = Accepted | Refused | Unsent | Lost
