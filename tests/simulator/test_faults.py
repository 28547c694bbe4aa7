"""Faults are drawn by rate and seed, each request for itself, or last for a span of time."""

from collections import Counter

import pytest

from orchestrator.simulator.faults import NO_TROUBLE, Faults, Mischief, Rates
from tests.support.worlds import START


def mischief(faults: Faults, seed: int = 7) -> Mischief:
    return Mischief(faults, seed=seed, started_at=START)


def kinds(faults: Faults, *, is_read: bool, count: int = 4000) -> Counter[str]:
    drawn = mischief(faults)
    return Counter(drawn.meet("operation", each, is_read=is_read).kind for each in range(count))


def test_without_rates_nothing_ever_happens() -> None:
    drawn = mischief(Faults())

    assert all(
        drawn.meet("operation", device, is_read=False) is NO_TROUBLE for device in range(100)
    )


def test_every_rate_is_met_about_as_often_as_it_says() -> None:
    rates = Rates(
        rate_429=0.1,
        rate_500=0.1,
        rate_502_html=0.1,
        rate_503=0.1,
        reset_before=0.1,
        reset_after=0.1,
        truncated=0.1,
    )
    met = kinds(Faults(operations=rates), is_read=False)

    assert all(330 < met[kind] < 470 for kind in met if kind)
    assert len(met) == 8


def test_reads_have_rates_of_their_own() -> None:
    faults = Faults(operations=Rates(rate_500=1.0), reads=Rates(rate_429=1.0))

    assert set(kinds(faults, is_read=True, count=50)) == {"rate_429"}
    assert set(kinds(faults, is_read=False, count=50)) == {"rate_500"}


def test_what_the_nth_request_for_a_device_meets_does_not_depend_on_the_others() -> None:
    faults = Faults(operations=Rates(rate_500=0.3, slow=0.3))
    alone, together = mischief(faults), mischief(faults)
    expected = [alone.meet("operation", 1001, is_read=False) for _ in range(20)]
    met = []
    for other in range(20):
        together.meet("operation", 2000 + other, is_read=False)
        together.meet("read", 1001, is_read=True)
        met.append(together.meet("operation", 1001, is_read=False))

    assert met == expected
    assert len({each.kind for each in met}) == 2


def test_slow_answers_take_as_long_as_the_span_says() -> None:
    drawn = mischief(Faults(operations=Rates(slow=1.0), slow_seconds=(3.0, 4.0)))
    delays = [drawn.meet("operation", each, is_read=False).delay for each in range(100)]

    assert all(3 <= delay < 4 for delay in delays)
    assert len(set(delays)) > 90


@pytest.mark.parametrize(
    ("after", "expected"), [(9.9, False), (10.0, True), (19.9, True), (20.0, False)]
)
def test_spans_include_their_beginning_and_not_their_end(after, expected) -> None:
    drawn = mischief(Faults(revoked=((10.0, 20.0),), outages=((10.0, 20.0),)))

    assert drawn.is_revoked(START + after) is expected
    assert drawn.is_out(START + after) is expected


def test_a_restart_is_an_outage_and_cuts_off_what_is_under_way() -> None:
    drawn = mischief(Faults(restarts=(100.0,), restart_seconds=20.0))

    assert [drawn.is_out(START + after) for after in (99, 100, 119, 120)] == [
        False,
        True,
        True,
        False,
    ]
    assert drawn.restart_between(START + 99, START + 101) == START + 100
    assert drawn.restart_between(START + 90, START + 99) is None


@pytest.mark.parametrize(
    ("rates", "complaint"),
    [
        ({"rate_500": -0.1}, "between 0 and 1"),
        ({"rate_500": 1.1}, "between 0 and 1"),
        ({"rate_500": "much"}, "between 0 and 1"),
        ({"rate_500": 0.6, "rate_429": 0.6}, "add up"),
    ],
)
def test_impossible_rates_are_refused(rates, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        Rates(**rates)


def test_harsh_has_every_fault_there_is() -> None:
    faults = Faults.harsh()

    assert set(kinds(faults, is_read=False)) == {
        "",
        "rate_429",
        "rate_500",
        "rate_502_html",
        "rate_503",
        "reset_before",
        "reset_after",
        "truncated",
    }
    assert faults.revoked
    assert faults.outages
    assert faults.restarts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", Faults()),
        ("", Faults()),
        ("harsh", Faults.harsh()),
        ("rate_500=0.1", Faults(operations=Rates(rate_500=0.1))),
        (
            "reads.slow=0.2, operations.rate_429=0.1",
            Faults(operations=Rates(rate_429=0.1), reads=Rates(slow=0.2)),
        ),
        ("revoked=400:460,revoked=500:510", Faults(revoked=((400.0, 460.0), (500.0, 510.0)))),
        ("outages=1:2", Faults(outages=((1.0, 2.0),))),
        ("restarts=60,restart_seconds=5", Faults(restarts=(60.0,), restart_seconds=5.0)),
        ("slow_seconds=1:2", Faults(slow_seconds=(1.0, 2.0))),
        ("retry_after_seconds=1:2", Faults(retry_after_seconds=(1.0, 2.0))),
    ],
)
def test_faults_are_read_from_a_line_of_text(text, expected) -> None:
    assert Faults.from_text(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rate_501=0.1", "no such fault: rate_501"),
        ("writes.slow=0.1", "no such fault"),
        ("rate_500", "name=value"),
        ("rate_500=often", "often"),
        ("rate_500=1:2", "one number"),
        ("outages=5", "a span is two numbers"),
        ("outages=5:1", "ends after"),
        ("rate_500=2", "between 0 and 1"),
    ],
)
def test_text_that_is_no_fault_is_refused_with_what_is_wrong(text, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        Faults.from_text(text)


def test_faults_are_read_from_json_in_every_field() -> None:
    given = {
        "operations": {"rate_500": 0.1},
        "reads": {"slow": 0.2},
        "slow_seconds": [1, 2],
        "retry_after_seconds": [1, 3],
        "revoked": [[1, 2]],
        "outages": [[3, 4], [5, 6]],
        "restarts": [7],
        "restart_seconds": 8,
    }

    assert Faults.from_mapping(given) == Faults(
        operations=Rates(rate_500=0.1),
        reads=Rates(slow=0.2),
        slow_seconds=(1.0, 2.0),
        retry_after_seconds=(1.0, 3.0),
        revoked=((1.0, 2.0),),
        outages=((3.0, 4.0), (5.0, 6.0)),
        restarts=(7.0,),
        restart_seconds=8.0,
    )


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"outage": []}, "no such fault: outage; there are operations"),
        ({"operations": {"rate_501": 0.1}}, "operations: .*rate_501"),
        ({"operations": {"rate_500": 2}}, "between 0 and 1"),
        ({"outages": [5]}, "outages"),
        ({"restart_seconds": []}, "restart_seconds"),
    ],
)
def test_json_that_is_no_fault_is_refused_with_what_is_wrong(given, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        Faults.from_mapping(given)
