"""What a playbook that is right means."""

import pytest

from orchestrator.model.amounts import Share
from orchestrator.model.devices import Status
from orchestrator.model.operations import Operation
from orchestrator.model.policies import (
    Approver,
    BetweenWaves,
    Budget,
    GroupLimit,
    Guard,
    RequestLimits,
    RetryPolicy,
    Rollout,
)
from orchestrator.model.selections import (
    AtLeast,
    Below,
    Condition,
    Equals,
    Expectation,
    Matches,
    NothingPending,
    Selection,
)
from orchestrator.model.steps import CheckStep, OperationStep, Proof, SleepStep, default_proof
from orchestrator.model.windows import Window
from tests.support.playbooks import fault, faults, minimal, playbook

WHOLE = """
    playbook: redeploy-branch-routers
    description: Wipe branch routers on old firmware.
    devices:
      organization: [123, 456, 123]
      type: 15
      status: up
      last_status_change_from: 2026-01-31 22:00:00+00:00
      where:
        software_version: {below: 2.10, at_least: "2.9"}
        location_name: {matches: "Seattle*"}
        pending_settings: none
      exclude: [1007, "ZN2024001013"]
      expect: {at_least: 2, at_most: 500}
      order_by: [location_name, -id]
      limit: 400
    steps:
      - operation: factory
        proof: {status: up, within: 20m, settle: 150s, stable_for: 45}
        attempts: 2
      - sleep: 90s
      - operation: reconf
      - check: {status: up, software_version: {at_least: "2.5"}}
        within: 5m
    rollout: {max_down: 25}
    requests: {delay: 0, in_flight: 5, per_second: none}
    retry: {attempts: 3, first_wait: 2s, longest_wait: 1m30s}
"""


def test_every_part_of_a_playbook_becomes_its_model():
    read = playbook(WHOLE)

    assert read.name == "redeploy-branch-routers"
    assert read.description == "Wipe branch routers on old firmware."
    assert read.selection == Selection(
        organizations=(123, 456),
        types=(15,),
        status=Status.UP,
        last_status_change_from=1_769_896_800.0,
        where=(
            Condition("software_version", Below("2.10")),
            Condition("software_version", AtLeast("2.9")),
            Condition("location_name", Matches(("Seattle*",))),
            Condition("pending_settings", NothingPending()),
        ),
        exclude=frozenset({"1007", "ZN2024001013"}),
        expect=Expectation(2, 500),
        order_by=("location_name", "-id"),
        limit=400,
    )
    assert read.steps == (
        OperationStep(Operation.FACTORY, Proof(False, 1200.0, 150.0, 45.0), 2),
        SleepStep(90.0),
        OperationStep(Operation.RECONF, default_proof(Operation.RECONF), 3),
        CheckStep(
            (
                Condition("status", Equals((Status.UP,))),
                Condition("software_version", AtLeast("2.5")),
            ),
            300.0,
        ),
    )
    assert read.rollout == Rollout(25)
    assert read.requests == RequestLimits(0.0, 5, None)
    assert read.retry == RetryPolicy(3, 2.0, 90.0)


def test_what_a_playbook_leaves_out_takes_the_defaults_of_the_model():
    read = playbook(minimal())

    assert read.guard == Guard()
    assert (read.rollout, read.requests, read.retry) == (Rollout(), RequestLimits(), RetryPolicy())
    assert read.selection == Selection(organizations=(123,))
    assert read.steps == (
        OperationStep(Operation.REBOOT, default_proof(Operation.REBOOT), RetryPolicy().attempts),
    )


def test_a_guard_replaces_the_defaults_only_of_the_fields_it_names():
    guard = playbook(
        minimal(more="guard: {pending_settings: any, location_name: HQ, fresh_within: 2m}\n")
    ).guard

    added = Condition("location_name", Equals(("HQ",)))
    assert guard.disruptive == (*Guard().disruptive[:2], added)
    assert guard.gentle == (*Guard().gentle, added)
    assert guard.fresh_within == 120.0


def test_the_proof_of_a_disruptive_step_can_ask_for_nothing_pending_too():
    read = playbook(minimal(steps="- {operation: reboot, proof: {pending_settings: none}}"))

    assert read.steps[0].proof.nothing_pending is True


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("200ms", 0.2), ("30s", 30), ("10m", 600), ("4h", 14400), ("2d", 172800), ("1.5", 1.5)],
)
def test_a_duration_is_text_with_units_or_a_number_of_seconds(written, seconds):
    assert playbook(minimal(more=f"requests: {{delay: {written}}}\n")).requests.delay == seconds


@pytest.mark.parametrize("word", ["none", "null", "~"])
def test_no_limit_on_requests_per_second_has_to_be_written(word):
    read = playbook(minimal(more=f"requests: {{per_second: {word}}}\n"))

    assert read.requests.per_second is None


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *((word, Status.UP) for word in ("up", "Up", "true", "True", "1", '"1"')),
        *((word, Status.DOWN) for word in ("down", "Down", "false", "False", "0", '"0"')),
    ],
)
def test_a_status_is_written_in_the_documented_words(word, status):
    more = "guard: {status: any}\n"

    assert playbook(minimal(f"status: {word}", more=more)).selection.status is status


def test_a_byte_order_mark_before_the_text_is_no_fault():
    assert playbook("\ufeff" + minimal()).name == "branch"


def test_an_alias_stands_for_what_its_anchor_names():
    text = minimal("where: {name: &site HQ, location_name: *site}")

    assert playbook(text).selection.where[1] == Condition("location_name", Equals(("HQ",)))


def test_a_file_beside_the_playbook_is_part_of_what_it_was_read_from():
    text = minimal('include: "@wanted.csv"')

    read = playbook(text, files={"wanted.csv": "1001\nSN2\n"})

    assert read.selection.include == {"1001", "SN2"}
    assert "not kept" in fault(text).message


CAREFUL = """
    playbook: redeploy-branch-routers
    description: Wipe branch routers on old firmware and apply their site configuration again.
    devices:
      organization: 123
      type: 15
      status: up
      where:
        software_version: {below: "2.5"}
        location_name: {matches: "Seattle*"}
        last_connection: {older_than: 30d}
        pending_settings: none
      exclude: [1007, "ZN2024001013"]
      expect: {at_least: 1, at_most: 500}
      order_by: [location_name, id]
    steps:
      - operation: factory
        proof: {status: up, within: 20m, settle: 150s, stable_for: 30s}
      - operation: reconf
        proof: {pending_settings: none, within: 10m}
        attempts: 3
      - check: {status: up, software_version: {at_least: "2.5"}}
    rescue:
      - operation: sync
    guard: {status: up, is_active: true}
    rollout:
      max_down: 25
      max_down_per: {location: 1}
      waves: [1, 10, 25%, 100%]
      between_waves: {soak: 5m, succeeded: 95%, approval: true}
      stop_when: {failed: 5, unconfirmed: 5, failure_rate: 10%, after: 20}
    requests: {delay: 200ms, in_flight: 20, per_second: 10}
    retry: {attempts: 4, first_wait: 1s, longest_wait: 60s}
    window:
      opens: "0 1 * * sat"
      lasts: 4h
      timezone: America/Mexico_City
      cutoff: fits
"""


def test_a_careful_campaign_is_read_to_its_last_key():
    read = playbook(CAREFUL)

    assert [step.title for step in read.all_steps] == [
        *("factory", "reconf", "check status, software_version", "sync")
    ]
    assert read.rescue == (OperationStep(Operation.SYNC, default_proof(Operation.SYNC), 4),)
    assert read.guard == Guard(
        disruptive=(Guard().disruptive[2], *Guard().gentle),
        gentle=Guard().gentle,
        record=Guard().gentle,
        delete=Guard().gentle,
    )
    assert read.rollout == Rollout(
        max_down=25,
        max_down_per=(GroupLimit(("location",), 1),),
        waves=(1, 10, Share.of_percent("25"), Share.of_percent("100")),
        between_waves=BetweenWaves(300.0, Share.of_percent("95"), Approver.ANYBODY),
        stop_when=Budget(5, 5, None, Share.of_percent("10"), 20),
    )
    assert read.requests == RequestLimits(0.2, 20, 10.0)
    assert read.retry == RetryPolicy(4, 1.0, 60.0)
    assert read.window == Window("0 1 * * sat", 14_400.0, "America/Mexico_City")
    assert read.notify is None


def test_what_contradicts_itself_in_a_window_is_a_fault_of_the_playbook():
    found = fault(
        minimal(more="window: {opens: 0 1 * * *, lasts: 1h, timezone: UTC, cutoff: 2h}\n")
    )

    assert (found.key, found.line) == ("window.cutoff", 6)


def test_a_playbook_of_every_fault_names_each_at_once():
    text = """
        playbok: x
        devices: {organisation: 1, status: upp, where: {sofware_version: 1}}
        steps: [{operation: rebot}]
        rollout: {max_down: 0}
    """

    found = faults(text)

    assert [(f.line, f.column, f.key) for f in found] == [
        (1, 1, "playbok"),
        (1, 1, "playbook"),
        (2, 11, "devices.organisation"),
        (2, 36, "devices.status"),
        (2, 49, "devices.where.sofware_version"),
        (3, 21, "steps[0].operation"),
        (4, 21, "rollout.max_down"),
    ]


@pytest.mark.parametrize(("written", "wanted"), [("", True), ("whole_record: false", False)])
def test_a_proof_says_whether_the_whole_record_confirms_a_return(written, wanted):
    [step] = playbook(minimal(steps=f"- {{operation: factory, proof: {{{written}}}}}")).steps

    assert step.proof.whole_record is wanted
