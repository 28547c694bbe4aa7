"""How long to wait before the next attempt."""

from orchestrator.model.policies import RetryPolicy


def backoff(policy: RetryPolicy, failures: int, chance: float) -> float:
    """Give the seconds to wait after the nth failure in a row: full jitter under a doubling ceiling.

    `chance` is in [0, 1). The wait is never under a tenth of `first_wait`, so nothing spins.
    """
    ceiling = min(policy.longest_wait, policy.first_wait * 2.0 ** min(max(failures - 1, 0), 30))
    return max(policy.first_wait / 10, ceiling * chance)
