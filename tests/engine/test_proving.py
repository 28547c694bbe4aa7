"""What one record proves: every trap of api.md 2.6 that a single reading can spring."""

from dataclasses import replace

import msgspec
import pytest

from orchestrator.engine.walking import proving
from orchestrator.engine.walking.proving import (
    Acceptance,
    Delivered,
    Relapsed,
    Returned,
    WentDown,
    read_signs,
)
from orchestrator.model.devices import Device, Status, device_from_record
from orchestrator.model.events import Baseline
from orchestrator.model.operations import Operation
from orchestrator.model.steps import default_proof

ACCEPTED = 1_000_000.0
BEFORE = ACCEPTED - 100


def accepted(operation: Operation = Operation.REBOOT, **known: object) -> Acceptance:
    proof = replace(default_proof(operation), **known.pop("proof", {}))
    baseline = Baseline(
        read_at=ACCEPTED - 1,
        status="Up",
        status_change_at=ACCEPTED - 9000,
        last_connection_at=BEFORE,
        last_configuration_at=ACCEPTED - 9000,
    )
    return Acceptance(operation, proof, baseline, ACCEPTED, **known)


def seen(
    contact: float | None = None,
    status: Status = Status.UP,
    changed: float = ACCEPTED - 9000,
    pending: tuple[str, ...] | None = (),
    **more: object,
) -> Device:
    blank = device_from_record({"id": 1})
    return msgspec.structs.replace(
        blank,
        status=status,
        status_change=changed,
        last_connection=BEFORE if contact is None else ACCEPTED + contact,
        pending=pending,
        **more,
    )


def signs(acceptance: Acceptance, device: Device, after: float = 100.0) -> list[proving.Sign]:
    return read_signs(acceptance, device, ACCEPTED + after)


def kinds(found: list[proving.Sign]) -> list[type]:
    return [type(sign) for sign in found]


REBOOTED = accepted(delivered_at=ACCEPTED + 20)


def test_trap_1_a_stale_up_with_untouched_timestamps_proves_nothing():
    assert signs(accepted(), seen()) == []


@pytest.mark.parametrize("operation", ["reboot", "factory", "device_factory"])
def test_trap_2_the_session_that_delivers_the_command_is_not_a_return(operation):
    found = signs(accepted(Operation(operation)), seen(contact=20))

    assert found == [Delivered(ACCEPTED + 20)]


def test_trap_3_a_second_contact_right_after_the_delivery_is_not_a_return():
    assert signs(REBOOTED, seen(contact=20)) == []
    assert signs(REBOOTED, seen(contact=21)) == []


def test_trap_4_a_fast_reboot_never_shown_down_is_proven_by_a_contact_after_the_settle_floor():
    assert signs(REBOOTED, seen(contact=79)) == []

    assert kinds(signs(REBOOTED, seen(contact=80))) == [Returned]


def test_a_factory_reset_has_a_longer_settle_floor_than_a_reboot():
    reset = accepted(Operation.FACTORY, delivered_at=ACCEPTED + 20)

    assert signs(reset, seen(contact=169)) == []
    assert kinds(signs(reset, seen(contact=170))) == [Returned]


def test_trap_5_a_slow_reboot_is_proven_by_the_contact_after_the_outage():
    down = signs(REBOOTED, seen(contact=20, status=Status.DOWN, changed=ACCEPTED + 60))
    back = signs(
        replace(REBOOTED, outage_at=ACCEPTED + 60), seen(contact=65, changed=ACCEPTED + 65)
    )

    assert down == [WentDown(ACCEPTED + 60)]
    assert kinds(back) == [Returned]
    assert back[0].contact_at == ACCEPTED + 65


def test_trap_5_a_status_that_moved_twice_between_two_polls_counts_as_the_outage():
    assert kinds(signs(REBOOTED, seen(contact=50, changed=ACCEPTED + 50))) == [Returned]


def test_a_status_that_moved_before_the_delivery_is_no_outage_of_this_operation():
    assert signs(REBOOTED, seen(contact=50, changed=ACCEPTED + 20)) == []


def test_up_again_without_a_contact_after_the_outage_is_not_a_return():
    went = replace(REBOOTED, outage_at=ACCEPTED + 60)

    assert signs(went, seen(contact=20)) == []
    assert signs(went, seen(contact=60)) == []


def test_trap_6_a_device_down_since_before_the_request_is_not_out_of_service_through_it():
    down = seen(status=Status.DOWN, changed=ACCEPTED - 500)

    assert signs(accepted(), down) == []


def test_trap_6_its_late_first_contact_is_the_delivery_and_not_the_return():
    late = seen(contact=7200, changed=ACCEPTED + 7200)

    assert signs(accepted(), late, after=7201) == [Delivered(ACCEPTED + 7200)]


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.DOWN])
def test_trap_8_a_return_with_another_status_than_up_is_none(status):
    found = signs(REBOOTED, seen(contact=200, status=status, changed=ACCEPTED + 30))

    assert Returned not in kinds(found)


def test_trap_9_a_device_with_firmware_pending_is_not_back():
    assert signs(REBOOTED, seen(contact=200, firmware_is_pending=True)) == []


def test_trap_9_a_returned_device_relapses_when_firmware_becomes_pending():
    back = replace(REBOOTED, is_back=True)

    assert kinds(signs(back, seen(contact=200, firmware_is_pending=True))) == [Relapsed]


def test_trap_10_only_the_controllers_clock_counts_however_far_ours_is_off():
    """Every moment of the proof is the controller's; there is no argument through which ours could come."""
    day = 86_400.0
    skewed = replace(accepted(), accepted_at=ACCEPTED - day)

    assert signs(skewed, msgspec.structs.replace(seen(), last_connection=BEFORE - day)) == []
    later = msgspec.structs.replace(seen(), last_connection=ACCEPTED - day + 20)
    assert kinds(signs(skewed, later)) == [Delivered]


@pytest.mark.parametrize(("contact", "is_new"), [(0.0, False), (0.9, False), (1.0, True)])
def test_trap_11_a_contact_within_the_second_of_acceptance_may_have_come_before_it(contact, is_new):
    assert bool(signs(accepted(), seen(contact=contact))) is is_new


def test_a_contact_while_the_request_is_still_pending_is_not_the_delivery():
    assert signs(accepted(), seen(contact=20, pending=("reboot_requested",))) == []
    assert signs(accepted(), seen(contact=20, pending=("wifi_config",))) != []


@pytest.mark.parametrize("word", ["factory_requested", "device_factory_requested", "FACTORY"])
@pytest.mark.parametrize("operation", ["factory", "device_factory"])
def test_both_factory_kinds_know_each_others_request(operation, word):
    reset = accepted(Operation(operation))

    assert signs(reset, seen(contact=20, pending=(word,))) == []


def test_pending_settings_must_be_known_to_be_clear_when_the_proof_asks_for_it():
    strict = replace(REBOOTED, proof=replace(REBOOTED.proof, nothing_pending=True))

    assert signs(strict, seen(contact=90, pending=None)) == []
    assert signs(strict, seen(contact=90, pending=("initial",))) == []
    assert kinds(signs(strict, seen(contact=90))) == [Returned]


def test_delivery_and_return_can_stand_in_one_reading():
    slow_look = seen(contact=20, changed=ACCEPTED + 15)

    assert kinds(signs(replace(accepted(), outage_at=None), slow_look)) == [Delivered]


def test_a_record_without_any_contact_proves_nothing():
    never = msgspec.structs.replace(seen(), last_connection=None)

    assert signs(accepted(), never) == []
    assert signs(REBOOTED, never) == []


# --- after the return ---------------------------------------------------------------------------

BACK = replace(REBOOTED, delivered_at=ACCEPTED + 80, is_back=True)


def test_a_device_that_stays_up_gives_no_more_signs():
    assert signs(BACK, seen(contact=140)) == []


def test_a_device_that_goes_down_again_relapses_and_must_make_contact_after_that():
    down = seen(contact=140, status=Status.DOWN, changed=ACCEPTED + 200)

    assert signs(BACK, down) == [Relapsed("is Down again", ACCEPTED + 140, ACCEPTED + 200)]


def test_a_device_that_went_down_and_came_back_between_two_looks_relapses():
    assert kinds(signs(BACK, seen(contact=230, changed=ACCEPTED + 230))) == [Relapsed]


def test_the_status_change_of_the_return_itself_is_no_relapse():
    assert signs(BACK, seen(contact=140, changed=ACCEPTED + 80)) == []


@pytest.mark.parametrize("operation", ["reboot", "factory"])
def test_trap_8_a_returned_device_whose_status_becomes_unknown_relapses(operation):
    back = replace(BACK, operation=Operation(operation))

    assert kinds(signs(back, seen(contact=140, status=Status.UNKNOWN))) == [Relapsed]


# --- sync and reconf ----------------------------------------------------------------------------

GENTLE = pytest.mark.parametrize("operation", ["sync", "reconf"])


@GENTLE
def test_up_alone_proves_nothing_of_a_configuration(operation):
    assert signs(accepted(Operation(operation)), seen()) == []


@GENTLE
def test_nothing_pending_and_a_later_configuration_prove_it(operation):
    done = seen(last_configuration=ACCEPTED + 20)

    found = signs(accepted(Operation(operation)), done)

    assert kinds(found) == [Returned]
    assert "configured at" in found[0].evidence


@GENTLE
def test_nothing_pending_and_a_later_contact_prove_it(operation):
    assert kinds(signs(accepted(Operation(operation)), seen(contact=20))) == [Returned]


@GENTLE
@pytest.mark.parametrize("pending", [("wifi_config",), ("sync_requested",), ("initial",), None])
def test_what_is_pending_or_not_known_to_be_clear_is_not_applied(operation, pending):
    done = seen(contact=20, pending=pending, last_configuration=ACCEPTED + 20)

    assert signs(accepted(Operation(operation)), done) == []


def test_a_playbook_that_allows_other_pending_settings_still_waits_for_its_own_request():
    lenient = accepted(Operation.RECONF, proof={"nothing_pending": False})

    assert signs(lenient, seen(contact=20, pending=("reconf_requested",))) == []
    assert kinds(signs(lenient, seen(contact=20, pending=("wifi_config",)))) == [Returned]


@GENTLE
def test_a_device_that_is_down_has_not_applied_anything(operation):
    assert signs(accepted(Operation(operation)), seen(contact=20, status=Status.DOWN)) == []


@GENTLE
def test_one_that_must_be_stable_must_be_known_to_be_up(operation):
    stable = accepted(Operation(operation), proof={"stable_for": 30.0})
    unknown = seen(contact=20, status=Status.UNKNOWN)

    assert kinds(signs(accepted(Operation(operation)), unknown)) == [Returned]
    assert signs(stable, unknown) == []
    assert kinds(signs(replace(stable, is_back=True), unknown)) == [Relapsed]
    assert signs(replace(stable, is_back=True), seen(contact=20)) == []
