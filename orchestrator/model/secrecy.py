"""Which values are secret by their name, and what stands in their place wherever something is kept."""

import re

MASK = "***"
_SECRET_NAME = re.compile(r"(?i)password|passphrase|secret|token|presharedkey|wepkey|username$")


def is_secret(name: str) -> bool:
    """Say whether a field, column, setting or variable of this name holds what nobody may read."""
    return _SECRET_NAME.search(name) is not None


def masked(name: str, value: object) -> object:
    """Give a value as it may be kept and shown: a secret one that is there as `***`."""
    return MASK if is_secret(name) and value not in (None, "") else value
