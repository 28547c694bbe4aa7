"""How a simulated controller is set up."""

from dataclasses import dataclass

DEFAULT_TOKEN = "simulator-token"  # noqa: S105 - made up, for a made-up controller

OFFERS = frozenset(
    {
        "inventory_device_serial",
        "inventory_device_name",
        "inventory_device_serial_operation",
        "inventory_device_name_operation",
        "inventory_device_log",
        "inventory_device_setting",
        "inventory_device_variables",
        "inventory_type",
    }
)
"""The endpoints that only some controllers have (api.md 1.8), by the first part of their paths."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How this controller is set up."""

    token: str = DEFAULT_TOKEN
    organizations: frozenset[int] | None = None
    """What the token may see; None is everything."""
    shows_operations: bool = True
    """Whether pending_settings names accepted operations until they are delivered."""
    default_limit: int = 25
    max_limit: int = 500
    latency: float = 0.0
    """Seconds that every answer takes."""
    offers: frozenset[str] = OFFERS
    """Which of the endpoints in `OFFERS` there are."""

    def __post_init__(self) -> None:
        """Raise ValueError for an endpoint that no controller has."""
        unknown = sorted(self.offers - OFFERS)
        if unknown:
            known = ", ".join(sorted(OFFERS))
            raise ValueError(f"no such optional endpoint: {unknown[0]}; there are {known}")
