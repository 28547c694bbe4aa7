"""The kinds of steps, and what a playbook may do with a device whose step went wrong."""

import pytest

from orchestrator.model.devices import Status
from orchestrator.model.operations import Operation
from orchestrator.model.policies import Allowance, Approver, Depth
from orchestrator.model.selections import Condition, Equals
from orchestrator.model.steps import (
    ApproveStep,
    CheckStep,
    DoneStep,
    EscalateStep,
    NotifyStep,
    OperationStep,
    SleepStep,
)
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
        ("aprove: go?", "", "this is no step: it has none of operation, update,", "'approve'"),
        ("escalate: ''", "escalate", "'' is not a text", "in words"),
        ("{check: {status: up}, refresh: maybe}", "refresh", "not true or false", ""),
        ("patch: {a: 1}", "", "this is no step", "did you mean 'update'?"),
        ("set: {a: 1}", "", "this is no step", "did you mean 'update'?"),
        ("modify: {a: 1}", "", "this is no step", "did you mean 'update'?"),
        ("remove: true", "", "this is no step", "did you mean 'delete'?"),
        ("add: row", "", "this is no step", "did you mean 'create'?"),
        ("disable: true", "", "this is no step", "did you mean 'deactivate'?"),
        ("skip_if: {status: up}", "", "this is no step", "did you mean 'done_if'?"),
        ("alert: help", "", "this is no step", "did you mean 'escalate'?"),
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
        ("[{delete: true}]", "rescue[0].delete", "a rescue brings a device back", "escalate"),
        ("[{update: {factory: true}}]", "rescue[0].update.factory", "factory wipes", "or reconf"),
    ],
)
def test_a_rescue_that_cannot_be_meant_is_a_fault(rescue, key, message, hint):
    found = fault(minimal(more=f"rescue: {rescue}\n"))

    assert found.key == key
    assert message in found.message
    assert hint in found.hint


def test_a_device_can_be_done_early_looked_at_afresh_or_handed_over():
    read = steps_of(
        """
        - done_if: {status: up}
          refresh: true
        - check: {status: down}
          refresh: true
          within: 5m
        - done_if: {is_active: false}
        - escalate: " does not come back "
        """
    )

    up, down = (Condition("status", Equals((each,))) for each in (Status.UP, Status.DOWN))
    assert read == (
        DoneStep((up,), refresh=True),
        CheckStep((down,), 300.0, refresh=True),
        DoneStep((Condition("is_active", Equals((False,))),)),
        EscalateStep("does not come back"),
    )


def test_what_could_spare_nothing_is_a_fault():
    found = fault(minimal(steps="- operation: sync\n- done_if: {status: up}"))

    assert found.key == "steps[1].done_if"
    assert "nothing follows this step" in found.message


def test_a_done_if_does_not_wait():
    found = fault(minimal(steps="- {done_if: {status: up}, within: 3m}\n- sleep: 1s"))

    assert found.message == "'within' is no key of a done_if step"
    assert "it looks once" in found.hint


def test_handing_over_to_nobody_is_a_fault():
    text = minimal(steps="- operation: sync", more="rescue: [{escalate: help}]\n")

    assert fault(text).key == "rescue[0].escalate"


def test_an_operation_can_be_limited_for_each_device_over_all_runs():
    read = playbook(
        minimal(
            steps="- {operation: reboot, attempts: 2}",
            more="per_device: [{operation: reboot, at_most: 2, per: 1d}]\nsnapshots: record\n",
        )
    )

    assert read.allowances == (Allowance(Operation.REBOOT, 2, 86_400.0),)
    assert read.snapshots is Depth.RECORD


@pytest.mark.parametrize(
    ("steps", "allowed", "key", "message", "hint"),
    [
        (
            "- operation: reboot",
            "{operation: reboot, at_most: 2, per: 1d}",
            "per_device[0].at_most",
            "one run may try reboot 4 times with a device, more than the 2 that are allowed",
            "write `attempts: 2` in the step, or allow 4",
        ),
        (
            "- {update: {reboot: true}, attempts: 3}",
            "{operation: reboot, at_most: 1, per: 1d}",
            "per_device[0].at_most",
            "one run may try reboot 3 times with a device, more than the 1 that are allowed",
            "write `attempts: 1`",
        ),
        (
            "- operation: reboot",
            "{operation: reboot, at_most: 9, per: 1d}, {operation: reboot, at_most: 8, per: 1h}",
            "per_device[1].operation",
            "reboot is limited twice",
            "keep one of them",
        ),
        (
            "- operation: sync",
            "{operation: reboot, at_most: 9, per: 1d}",
            "per_device[0].operation",
            "no step of this playbook asks for reboot",
            "remove it, or add such a step",
        ),
        (
            "- operation: reboot",
            "{operation: reboot, at_most: 9}",
            "per_device[0].per",
            "the key 'per' is missing",
            "",
        ),
    ],
)
def test_an_allowance_that_cannot_be_kept_is_a_fault(steps, allowed, key, message, hint):
    found = fault(minimal(steps=steps, more=f"per_device: [{allowed}]\n"))

    assert (found.key, found.message) == (key, message)
    assert hint in found.hint
