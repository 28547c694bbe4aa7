"""Applied, not applied, or not to be told: the signs of a request without an answer (design 6.6)."""

import msgspec
import pytest

from orchestrator.engine.walking.doubting import (
    Doubt,
    doubt_seconds,
    sign_of_application,
    sign_of_refusal,
)
from orchestrator.model.devices import Device, Status, device_from_record
from orchestrator.model.events import Baseline
from orchestrator.model.operations import Operation

SENT = 1_000_000.0
PERIOD = 300.0
LAST = SENT - 100
"""The last contact before the request."""


def doubt(operation: str = "factory", **known: object) -> Doubt:
    baseline = Baseline(
        read_at=SENT - 1,
        status=known.pop("status", "Up"),
        pending=known.pop("pending", ()),
        last_connection_at=LAST,
        update_frequency=known.pop("frequency", PERIOD),
    )
    return Doubt(Operation(operation), baseline, SENT, **known)


def seen(contact: float = LAST, status: Status = Status.UP, **more: object) -> Device:
    device = device_from_record({"id": 1, "pending_settings": "none"})
    return msgspec.structs.replace(
        device,
        status=status,
        last_connection=contact,
        status_change=more.pop("changed", SENT - 9000),
        **more,
    )


def refused(asked: Doubt, device: Device, *, is_over: bool = True) -> bool:
    assert sign_of_application(asked, device) is None
    return sign_of_refusal(asked, device, is_over=is_over) is not None


# --- applied ------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["reboot", "factory", "device_factory"])
def test_a_request_that_shows_among_the_pending_settings_was_applied(operation):
    shown = seen(pending=("wifi_config", f"{operation}_requested"))

    assert "pending_settings" in sign_of_application(doubt(operation), shown)


def test_a_request_that_was_pending_before_says_nothing_of_ours():
    before = doubt("reboot", pending=("reboot_requested",))

    assert sign_of_application(before, seen(pending=("reboot_requested",))) is None


def test_initial_settings_after_a_contact_show_that_a_reset_was_applied():
    wiped = seen(LAST + PERIOD, pending=("initial",))

    assert "initial" in sign_of_application(doubt("factory"), wiped)
    assert sign_of_application(doubt("reboot"), wiped) is None


def test_an_outage_after_a_contact_shows_that_it_was_applied():
    down = seen(LAST + PERIOD, Status.DOWN, changed=SENT + 700)

    assert sign_of_application(doubt(), down) == "went Down after a contact"


def test_an_outage_without_a_contact_is_not_the_commands_doing():
    assert sign_of_application(doubt(), seen(status=Status.DOWN, changed=SENT + 400)) is None


def test_a_status_that_moved_twice_after_a_contact_shows_that_it_was_applied():
    back = seen(LAST + PERIOD, changed=SENT + 200)

    assert "status changed" in sign_of_application(doubt(), back)


@pytest.mark.parametrize("after", [120, 250, 345, 450, 700])
def test_a_contact_between_the_periodic_ones_shows_that_it_was_applied(after):
    assert "between" in sign_of_application(doubt(), seen(LAST + after))


@pytest.mark.parametrize("after", [280, 300, 320, 598, 905])
def test_a_contact_when_one_was_due_is_no_sign(after):
    assert sign_of_application(doubt(), seen(LAST + after)) is None


def test_a_boot_shows_against_the_first_contact_even_when_it_fits_the_ones_before():
    boot = seen(LAST + PERIOD)
    watched = doubt(first_contact_at=LAST + PERIOD - 60)

    assert sign_of_application(doubt(), boot) is None
    assert sign_of_application(watched, boot) is not None


def test_our_own_earlier_contact_keeps_no_rhythm():
    """After a sync the last contact is its delivery: the next periodic one comes when it likes."""
    after_sync = doubt("reboot", is_rhythmic=False)

    assert sign_of_application(after_sync, seen(LAST + 170)) is None


def test_without_a_known_period_a_contact_says_nothing():
    unknown = doubt("reboot", frequency=None, first_contact_at=LAST + 150)

    assert sign_of_application(unknown, seen(LAST + 170)) is None
    assert not refused(unknown, seen(LAST + 300))


def test_a_contact_from_before_the_request_says_nothing():
    assert sign_of_application(doubt(), seen(SENT - 20)) is None


@pytest.mark.parametrize(
    ("device", "word"),
    [
        (seen(pending=("wifi_config", "reconf_requested")), "reconf_requested"),
        (seen(pending=("wifi_config",), last_configuration=SENT + 5), "configured"),
        (seen(), "nothing is pending any more"),
    ],
)
def test_a_configuration_in_doubt_shows_in_what_is_pending_and_when_it_was_configured(device, word):
    before = doubt("reconf", pending=("wifi_config", "reconf_requested"))

    assert word in sign_of_application(before, device)


def test_a_contact_says_nothing_of_a_configuration():
    before = doubt("reconf", pending=("wifi_config",))

    assert sign_of_application(before, seen(SENT + 50, pending=("wifi_config",))) is None
    assert sign_of_application(doubt("sync"), seen(SENT + 50)) is None


# --- not applied --------------------------------------------------------------------------------


def test_nothing_pending_and_no_contact_until_the_end_is_not_applied():
    assert refused(doubt(), seen())
    assert not refused(doubt(), seen(), is_over=False)


@pytest.mark.parametrize("is_over", [True, False])
@pytest.mark.parametrize("operation", ["reboot", "factory"])
def test_two_contacts_a_period_apart_after_the_request_are_not_applied(operation, is_over):
    """Every session delivers: had the first one, the next would be the boot."""
    watched = doubt(operation, first_contact_at=LAST + PERIOD)

    assert refused(watched, seen(LAST + 2 * PERIOD + 6), is_over=is_over)


def test_the_first_contact_alone_may_still_be_the_delivery():
    watched = doubt(first_contact_at=LAST + PERIOD)

    assert not refused(watched, seen(LAST + PERIOD))


def test_a_second_contact_that_keeps_the_rhythm_only_roughly_tells_nothing():
    watched = doubt("reboot", first_contact_at=LAST + PERIOD)

    assert not refused(watched, seen(LAST + 2 * PERIOD + 25))
    assert not refused(watched, seen(LAST + 3 * PERIOD))


def test_a_reset_nobody_watched_is_not_applied_when_rhythm_and_settings_are_as_before():
    assert refused(doubt("factory"), seen(LAST + 2 * PERIOD))
    assert not refused(doubt("factory"), seen(LAST + 2 * PERIOD), is_over=False)


def test_a_reboot_nobody_watched_cannot_be_told():
    assert not refused(doubt("reboot"), seen(LAST + 2 * PERIOD))
    assert not refused(doubt("factory", is_rhythmic=False), seen(LAST + 2 * PERIOD))


# --- not to be told -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "device",
    [
        seen(pending=None),
        seen(pending=("wifi_config",)),
        seen(status=Status.DOWN),
        seen(status=Status.UNKNOWN),
    ],
    ids=["pending unknown", "something new pending", "down without a contact", "status unknown"],
)
def test_what_is_not_as_before_is_never_called_not_applied(device):
    assert not refused(doubt(), device)


def test_settings_that_were_pending_before_do_not_stand_in_the_way():
    before = doubt("reboot", pending=("wifi_config",))

    assert refused(before, seen(pending=("wifi_config",)))


@pytest.mark.parametrize(
    ("operation", "frequency", "seconds"),
    [("reboot", 60, 432), ("factory", 300, 1260), ("reboot", None, 960), ("factory", 3600, 8520)],
)
def test_the_wait_covers_two_periodic_contacts_and_a_boot(operation, frequency, seconds):
    assert doubt_seconds(Operation(operation), frequency) == pytest.approx(seconds)
