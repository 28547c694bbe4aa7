"""A run held against the simulator's ledger: lies and repetitions are found."""

import pytest

from orchestrator.cli.comparing import compare, lines
from orchestrator.model.events import DeviceFound, DoubtResolved, RescueStarted, StepForgiven
from orchestrator.report.summary import Summary
from tests.support import histories
from tests.support.recorded_runs import plan_of

PLAN = plan_of(1001, 1002)
STORY = (
    histories.run_started(devices=2),
    histories.intended(1001),
    histories.intended(1002),
    histories.finished(1001, step=1),
    histories.finished(1002, verdict="in_doubt", reason="no answer came"),
)


def applied(device=1001, operation="factory", **changes):
    facts = {
        "device": device,
        "operation": operation,
        "arrived_at": 10.0,
        "returned_at": 60.0,
        "done_at": 60.0,
        "was_back": True,
    }
    return {**facts, **changes}


def arrival(device=1001, operation="factory"):
    return {"device": device, "operation": operation}


def compared(operations=(), arrivals=None, max_down=2, story=STORY, **truths):
    if arrivals is None:
        arrivals = [arrival(each["device"], each["operation"]) for each in operations]
    ledger = {
        "operations": operations,
        "operation_requests": arrivals,
        "truths": {"1001": "in_service_configured", **truths},
    }
    return compare(Summary.of(PLAN, story), story, ledger, max_down)


def test_a_true_run_agrees():
    found = compared([applied()])

    assert found.disagreements == ()
    assert found.found["succeeded"] == {"in service, configured": 1}
    assert found.found["in_doubt"] == {"no operation was applied": 1}
    assert found.peak_down == 1


@pytest.mark.parametrize(
    ("operations", "arrivals", "told"),
    [
        ([], None, "device 1001 succeeded, and nothing was ever applied to it"),
        ([applied(done_at=None)], None, "its factory never had its effect"),
        ([applied(), applied(arrived_at=90.0)], None, "device 1001 took factory 2 times"),
        ([applied(was_back=False)], None, "device 1001 was given factory before it was back"),
        ([applied()], [arrival(), arrival()], "2 requests for factory of device 1001 arrived, 1"),
    ],
)
def test_a_disagreement_is_named(operations, arrivals, told):
    found = compared(operations, arrivals)

    assert any(told in each for each in found.disagreements)


def test_more_devices_down_than_allowed_is_a_disagreement():
    found = compared([applied()], max_down=0)

    assert found.disagreements == ("1 devices were out of service at once, 0 are allowed",)


def test_a_gentle_operation_may_be_repeated():
    sync = applied(operation="sync")

    assert compared([applied(), sync, sync], arrivals=[]).disagreements == ()


def test_an_operation_that_the_audit_log_denies_is_a_disagreement():
    denial = DoubtResolved(histories.T0 + 9, 1002, 0, 1, applied=False, sign="no contact")

    found = compared([applied(), applied(1002)], story=(*STORY, denial))

    assert found.disagreements == (
        "device 1002 took factory, and the audit log says that it did not",
    )


def test_an_operation_may_be_taken_once_for_each_step_that_asks_for_it():
    again = histories.intended(1001, at=histories.T0 + 9, step=2)

    found = compared([applied(), applied(arrived_at=90.0)], story=(*STORY, again))

    assert found.disagreements == ()


@pytest.mark.parametrize(
    "unproven",
    [
        StepForgiven(histories.T0, 1002, 0, "unconfirmed", "late"),
        RescueStarted(histories.T0, 1002, 1, "unconfirmed"),
    ],
    ids=["forgiven", "rescued"],
)
def test_a_device_that_goes_on_without_proof_need_not_be_back(unproven):
    operations = [applied(), applied(1002, was_back=False)]

    assert compared(operations, story=(*STORY, unproven)).disagreements == ()
    assert "was given factory before it was back" in compared(operations).disagreements[0]


def test_it_is_told_for_each_verdict():
    summary = Summary.of(PLAN, STORY)

    told = list(lines(compared([applied()]), summary, 2))

    assert told[1] == "       1 succeeded    really: 1 in service, configured"
    assert told[2] == "       1 in doubt     really: 1 no operation was applied"
    assert told[-1].startswith("The run and the ledger agree")


def test_a_disagreement_is_told_loudly():
    told = list(lines(compared([]), Summary.of(PLAN, STORY), 2))

    assert "THE RUN AND THE LEDGER DISAGREE:" in told


CHANGED = (
    histories.run_started(devices=2),
    histories.rewritten(1001),
    histories.finished(1001),
    histories.finished(1002, verdict="already_ok"),
)


def test_a_success_of_changed_records_alone_needs_no_operation():
    found = compared(story=CHANGED)

    assert found.disagreements == ()
    assert "already ok" in "\n".join(lines(found, Summary.of(PLAN, CHANGED), 2))


def test_what_was_already_ok_was_sent_nothing():
    found = compared([applied(1002)], arrivals=[], story=CHANGED)

    assert "device 1002 was already ok, and factory was applied to it" in found.disagreements


def test_the_ledger_knows_a_device_that_was_found_again_by_its_new_record():
    story = (*STORY, DeviceFound(histories.T0, 1001, 0, 4321, "its id stayed silent"))

    found = compared([applied(4321)], story=story, **{"4321": "in_service_configured"})

    assert found.disagreements == ()
