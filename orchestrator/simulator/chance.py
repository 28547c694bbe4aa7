"""Chance that depends only on what it is for: the order of requests never changes a draw."""

from hashlib import blake2b

_SCALE = 2.0**-64


def uniform(key: str) -> float:
    """Give a number in [0, 1) that is the same for the same key in every process, for ever."""
    digest = blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") * _SCALE


def salt(key: str) -> int:
    """Give 64 bits that belong to the key."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")


def uniforms(key: str) -> list[float]:
    """Give sixteen numbers in [0, 1) for one key, cheaper than sixteen draws."""
    digest = blake2b(key.encode()).digest()
    return [int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in range(0, 64, 4)]


def between(span: tuple[float, float], key: str) -> float:
    """Give a number within a span."""
    low, high = span
    return low if low == high else low + (high - low) * uniform(key)
