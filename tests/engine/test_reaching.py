"""Can the controller be used? What pauses the run, and how often is asked whether it goes on."""

from orchestrator.engine.reaching import (
    FIRST_PROBE,
    LONGEST_BETWEEN_PROBES,
    UNREACHABLE_LIMIT,
    Reach,
)


def missed(times: int) -> Reach:
    reach = Reach()
    for _ in range(times):
        reach.missed("connection refused")
    return reach


def test_a_few_failed_connections_are_no_reason_to_pause():
    assert missed(UNREACHABLE_LIMIT - 1).cause is None


def test_as_many_as_the_limit_in_a_row_are():
    reach = missed(UNREACHABLE_LIMIT)

    assert (reach.cause, reach.detail) == ("controller", "connection refused")


def test_an_answer_in_between_breaks_the_row():
    reach = missed(UNREACHABLE_LIMIT - 1)
    reach.answered()
    reach.missed("connection refused")

    assert reach.cause is None


def test_one_rejected_token_is_enough():
    reach = Reach()
    reach.rejected("401")
    reach.missed("x")

    assert (reach.cause, reach.detail) == ("token", "401")


def test_probes_become_less_frequent_and_never_stop():
    reach = Reach()
    reach.paused(1000.0, "token", "401")
    waits = [reach.probe_at - 1000.0]
    for _ in range(40):
        now = reach.probe_at
        reach.probe_failed(now)
        waits.append(reach.probe_at - now)

    assert waits[0] == FIRST_PROBE
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_BETWEEN_PROBES


def test_a_pause_keeps_its_cause_and_going_on_clears_everything():
    reach = Reach()
    reach.paused(1000.0, "controller", "gone")
    assert (reach.paused_at, reach.cause, reach.detail) == (1000.0, "controller", "gone")

    reach.continued()

    assert (reach.paused_at, reach.cause, reach.misses) == (None, None, 0)
