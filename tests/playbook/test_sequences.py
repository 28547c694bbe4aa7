"""The kinds of steps, and what a playbook may do with a device whose step went wrong."""

import pytest

from orchestrator.model.operations import Operation
from orchestrator.model.policies import Approver
from orchestrator.model.steps import ApproveStep, NotifyStep, OperationStep, SleepStep
from orchestrator.model.verdicts import Verdict
from tests.support.playbooks import fault, faults, minimal, playbook

TOLD = "notify: {to: noc}\n"


def steps_of(steps):
    return playbook(minimal(steps=steps, more=TOLD)).steps


def test_a_person_can_be_asked_and_told_anywhere_in_the_sequence():
    read = steps_of(
        """
        - notify: beginning
        - approve: Is the backup there?
        - operation: factory
        - sleep: 1m
        - approve: {question: "  Wipe went well?  ", by: another}
        - operation: reconf
        - check: {status: up}
        - notify: "done: all"
        """
    )

    assert read[0] == NotifyStep("beginning")
    assert read[1] == ApproveStep("Is the backup there?", Approver.ANYBODY)
    assert read[3:5] == (SleepStep(60.0), ApproveStep("Wipe went well?", Approver.ANOTHER))
    assert read[7] == NotifyStep("done: all")
    assert [step.title for step in read][5:7] == ["reconf", "check status"]


@pytest.mark.parametrize(
    ("written", "verdicts"),
    [
        ("failed", (Verdict.FAILED,)),
        ("[unconfirmed]", (Verdict.UNCONFIRMED,)),
        ("[unconfirmed, failed, unconfirmed]", (Verdict.UNCONFIRMED, Verdict.FAILED)),
    ],
)
@pytest.mark.parametrize("step", ["operation: reboot", "check: {status: up}"])
def test_a_device_may_go_on_after_a_step_that_went_wrong(step, written, verdicts):
    read = steps_of(f"- {step}\n  continue_on: {written}\n- sleep: 1s")

    assert read[0].continue_on == verdicts


def test_without_a_word_no_device_goes_on_after_trouble():
    assert [step.continue_on for step in steps_of("- operation: sync\n- check: {type: 1}")] == [
        (),
        (),
    ]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("in_doubt", "nobody knows whether the operation is still to come"),
        ("succeeded", "goes on by itself"),
        ("skipped", "nothing was sent"),
        ("deferred", "waits for its window"),
        ("not_started", "never begun"),
        ("any", "write failed, unconfirmed or both"),
        ("true", "write failed, unconfirmed or both"),
        ("unconfrmed", "did you mean 'unconfirmed'?"),
    ],
)
def test_after_any_other_verdict_going_on_is_refused_with_the_reason(written, hint):
    found = fault(minimal(steps=f"- operation: sync\n  continue_on: [{written}]\n- sleep: 1s"))

    assert found.key == "steps[0].continue_on[0]"
    assert "failed or unconfirmed" in found.message
    assert hint in found.hint


@pytest.mark.parametrize("kind", ["sleep: 1s", "approve: go?", "notify: hello"])
def test_only_steps_that_can_fail_may_be_forgiven(kind):
    steps = f"- {kind}\n  continue_on: failed\n- sleep: 1s"

    assert "no key of a" in fault(minimal(steps=steps, more=TOLD)).message


def test_going_on_after_the_last_step_leads_nowhere():
    text = minimal(
        steps="- operation: sync\n- check: {status: up}\n  continue_on: failed",
        more="rescue:\n  - {operation: sync, continue_on: [failed]}\n",
    )

    assert [(f.key, f.message) for f in faults(text)] == [
        ("steps[1].continue_on", "nothing follows this step, so no device could go on"),
        ("rescue[0].continue_on", "nothing follows this step, so no device could go on"),
    ]


@pytest.mark.parametrize(
    ("step", "key", "message", "hint"),
    [
        ("approve: ''", "approve", "'' is not a question", "in words"),
        ("approve: '  '", "approve", "is not a question", "in words"),
        ("approve:", "approve", "no value here, expected a question", ""),
        ("approve: true", "approve", "'true' is not a question", "in words"),
        ("approve: 3", "approve", "'3' is not a question", "in words"),
        (f"approve: {'x' * 1001}", "approve", "longer than 1000", ""),
        ("approve: [go?]", "approve", "found a list", ""),
        ("approve: {}", "approve.question", "'question' is missing", "What the person"),
        ("approve: {by: another}", "approve.question", "'question' is missing", ""),
        ("approve: {question: ''}", "approve.question", "'' is not a question", ""),
        ("approve: {question: go?, by: noc}", "approve.by", "'noc' is not a person", "anybody"),
        ("approve: {question: go?, by: anothr}", "approve.by", "not a person", "'another'"),
        ("approve: {question: go?, by: other}", "approve.by", "not a person", "'another'"),
        ("approve: {quesion: go?, question: go?}", "approve.quesion", "no key", "'question'"),
        ("{approve: go?, by: another}", "by", "no key of an approve step", "`approve: {question"),
        ("notify: ''", "notify", "'' is not a text", "in words"),
        ("notify: {text: a}", "notify", "found a mapping", ""),
        ("{notify: hello, to: noc}", "to", "no key of a notify step", "beside `steps`"),
        ("aprove: go?", "", "none of operation, check, sleep, approve, notify", "'approve'"),
        ("{operation: sync, rescue: []}", "rescue", "no key of an operation step", "beside"),
        ("{operation: sync, on_failure: a}", "on_failure", "no key", "'continue_on'"),
        ("{operation: sync, continue: a}", "continue", "no key", "'continue_on'"),
        ("{approve: go?, notify: x}", "", "of one kind, this is approve and notify", "two steps"),
    ],
)
def test_a_step_for_people_that_cannot_be_meant_is_a_fault(step, key, message, hint):
    found = fault(minimal(steps=f"- {step}", more=TOLD))

    assert found.key == ("steps[0]." + key).removesuffix(".")
    assert message in found.message
    assert hint in found.hint


def test_telling_nobody_is_a_fault():
    text = minimal(steps="- notify: hello", more="rescue: [{notify: rescued}]\n")

    assert [f.key for f in faults(text)] == ["steps[0].notify", "rescue[0].notify"]
    assert "add `notify: {to: [...]}`" in faults(text)[0].hint


def test_a_faulty_list_of_people_is_one_fault_and_not_two():
    found = fault(minimal(steps="- notify: hello", more="notify: {to: []}\n"))

    assert found.key == "notify.to"


def test_a_rescue_is_a_sequence_of_its_own():
    read = playbook(
        minimal(
            steps="- operation: factory",
            more="""\
            retry: {attempts: 7}
            rescue:
              - {operation: reconf, continue_on: unconfirmed}
              - operation: reboot
              - sleep: 3s
              - check: {status: up}
              - approve: Hands on site?
            """,
        )
    )

    assert [step.title for step in read.rescue] == [
        *("reconf", "reboot", "sleep 3s", "check status", "approve")
    ]
    assert isinstance(read.rescue[0], OperationStep)
    assert (read.rescue[0].operation, read.rescue[0].attempts) == (Operation.RECONF, 7)
    assert read.all_steps == read.steps + read.rescue


@pytest.mark.parametrize("operation", ["factory", "device_factory"])
@pytest.mark.parametrize("before", ["", "{operation: sync}, "])
def test_a_rescue_that_wipes_again_is_refused(operation, before):
    found = fault(minimal(more=f"rescue: [{before}{{operation: {operation}}}]\n"))

    assert found.key == f"rescue[{int(bool(before))}].operation"
    assert f"{operation} wipes the device" in found.message
    assert "reboot, sync or reconf" in found.hint


@pytest.mark.parametrize(
    ("rescue", "key", "message", "hint"),
    [
        ("[]", "rescue", "no step here", ""),
        ("sync", "rescue", "expected a list of steps", "`- operation: sync`"),
        ("[sync]", "rescue[0]", "a step is a mapping", "`- operation: sync`"),
        ("[rescue: [{operation: sync}]]", "rescue[0]", "this is no step", ""),
        ("[{operation: snyc}]", "rescue[0].operation", "not an operation", "'sync'"),
        ("[{operation: sync, proof: {settle: 3s}}]", "rescue[0].proof.settle", "return", ""),
        ("[{delete: true}]", "rescue[0].delete", "does not carry it out yet", ""),
    ],
)
def test_a_rescue_that_cannot_be_meant_is_a_fault(rescue, key, message, hint):
    found = fault(minimal(more=f"rescue: {rescue}\n"))

    assert found.key == key
    assert message in found.message
    assert hint in found.hint
