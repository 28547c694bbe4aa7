"""Devices live in time as api.md 2 describes, each trap of 2.6 included."""

from itertools import pairwise

import pytest

from orchestrator.model.moments import from_text
from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.fleet import FleetPlan, Member, make_fleet
from orchestrator.simulator.temperaments import TEMPERAMENTS
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, ask, history, record, start, world


def contacts(asked: World, until: float, since: float = 0.0) -> list[float]:
    seen = history(asked, until, "last_connection", since=since)
    return [from_text(str(moment)) - START for (moment,) in seen]


def operation(asked: World, after: float, index: int = 0):
    return asked.settled_ledger(START + after).of_device(FIRST)[index]


def test_an_undisturbed_device_informs_every_update_frequency_and_stays_up() -> None:
    asked = world()
    frequency = record(asked, 0)["update_frequency"]
    seen = contacts(asked, 2000)
    gaps = [later - earlier for earlier, later in pairwise(seen)]

    assert frequency == 60
    assert len(gaps) > 30
    assert all(55 <= gap <= 65 for gap in gaps)
    assert len(set(gaps)) > 2
    assert len(history(asked, 3000, "status", "status_change", since=2000)) == 1


def test_what_a_device_does_not_depend_on_how_often_it_is_looked_at() -> None:
    watched, unwatched = world(temperament="flapping"), world(temperament="flapping")
    for each in (watched, unwatched):
        start(each, "factory", after=100)
    history(watched, 900, "status", since=100)

    assert record(watched, 900) == record(unwatched, 900)


def test_an_accepted_reboot_is_pending_until_the_delivery_session_which_is_not_the_return() -> None:
    asked = world()
    before = record(asked, 100)
    start(asked, "reboot", after=100)
    accepted = record(asked, 100)
    done = operation(asked, 1000)
    delivered, returned = done.delivered_at - START, done.returned_at - START
    after_delivery = record(world_at := replayed(), delivered + 1)
    after_return = record(world_at, returned + 1)

    assert accepted["pending_settings"] == "reboot_requested"
    assert accepted["last_connection"] == before["last_connection"]
    assert 101 <= delivered <= 130
    assert after_delivery["pending_settings"] == "none"
    assert from_text(after_delivery["last_connection"]) == int(START + delivered)
    assert after_delivery["status"] == "Up"
    assert 25 <= returned - delivered <= 55
    assert from_text(after_return["last_connection"]) == int(START + returned)


def replayed() -> World:
    asked = world()
    start(asked, "reboot", after=100)
    return asked


def test_a_fast_reboot_is_never_shown_down_and_status_change_does_not_move() -> None:
    asked = replayed()

    assert len(history(asked, 700, "status", "status_change", since=90)) == 1


def test_the_informs_after_a_boot_count_from_the_boot() -> None:
    asked = replayed()
    returned = operation(asked, 1000).returned_at - START
    after_boot = [each for each in contacts(replayed(), 400) if each >= int(returned)]

    assert after_boot[0] == int(returned)
    assert 57 <= after_boot[1] - returned <= 63


def test_a_slow_reboot_is_shown_down_only_when_contact_is_overdue() -> None:
    asked = world(temperament="slow")
    start(asked, "reboot", after=100)
    seen = history(asked, 900, "status", "status_change", since=100)
    done = operation(asked, 1000)
    down_since = from_text(str(seen[1][1]))

    assert [status for status, _ in seen] == ["Up", "Down", "Up"]
    assert 1.6 * 60 - 1 <= down_since - done.delivered_at <= 1.9 * 60
    assert done.down_at < down_since < done.returned_at
    assert from_text(str(seen[2][1])) == int(done.returned_at)


def test_a_device_behind_nat_takes_delivery_at_its_next_inform_only() -> None:
    undisturbed = [each for each in contacts(world(temperament="nat"), 400) if each > 100]
    asked = world(temperament="nat")
    start(asked, "reboot", after=100)

    assert int(operation(asked, 1000).delivered_at - START) == undisturbed[0]


def test_a_double_contact_comes_within_half_a_second_of_delivery_and_before_the_boot() -> None:
    asked = world(temperament="double_contact")
    start(asked, "reboot", after=100)
    delivered = operation(asked, 1000).delivered_at
    fresh = world(temperament="double_contact")
    start(fresh, "reboot", after=100)
    device = fresh.population.device(FIRST, delivered + 0.2)
    first = device.last_contact
    fresh.population.device(FIRST, delivered + 0.5)

    assert first == delivered
    assert device.last_contact == pytest.approx(delivered + 0.4)
    assert operation(asked, 1000).down_at > delivered + 0.5


@pytest.mark.parametrize("kind", ["factory", "device_factory"])
def test_a_factory_kind_loses_the_configuration_and_comes_back_with_initial_pending(kind) -> None:
    asked = world()
    start(asked, kind, after=100)
    seen = history(asked, 800, "pending_settings", since=100)

    assert seen == [(f"{kind}_requested",), ("none",), ("initial",)]
    assert asked.truth(FIRST, START + 800) == "in_service_unconfigured"


def test_a_factory_kind_takes_longer_than_a_reboot() -> None:
    asked, other = world(), world()
    start(asked, "reboot", after=100)
    start(other, "factory", after=100)

    assert operation(other, 900).returned_at > operation(asked, 900).returned_at + 30


def test_reconf_gives_the_configuration_back_and_moves_last_configuration() -> None:
    asked = world()
    start(asked, "factory", after=100)
    before = record(asked, 500)
    start(asked, "reconf", after=500)
    asked_for = record(asked, 500)
    after = record(asked, 600)

    assert asked_for["pending_settings"] == "initial,reconf_requested"
    assert after["pending_settings"] == "none"
    assert after["last_configuration"] > before["last_configuration"]
    assert after["last_connection"] > before["last_connection"]
    assert asked.truth(FIRST, START + 600) == "in_service_configured"


def test_sync_applies_waiting_settings_but_restores_no_lost_configuration() -> None:
    member = make_fleet(1, 7, FleetPlan.plain())[0]
    pending = Member(**{**members(member), "pending": ("wifi_config", "dns_servers")})
    asked = World([pending], seed=7, started_at=START)
    before = record(asked, 0)
    start(asked, "sync", after=10)
    after = record(asked, 100)
    start(asked, "factory", after=100)
    start(asked, "sync", after=500)

    assert before["pending_settings"] == "wifi_config,dns_servers"
    assert after["pending_settings"] == "none"
    assert after["last_configuration"] > before["last_configuration"]
    assert not asked.settled_ledger(START + 100).out_of_service(START + 50)
    assert record(asked, 600)["pending_settings"] == "initial"


def members(member: Member) -> dict[str, object]:
    return {name: getattr(member, name) for name in Member.__slots__}


def test_a_device_that_never_returns_from_factory_returns_from_a_reboot() -> None:
    asked, other = world(temperament="never_back"), world(temperament="never_back")
    start(asked, "factory", after=100)
    start(other, "reboot", after=100)

    assert operation(asked, 86400).returned_at is None
    assert asked.truth(FIRST, START + 86400) == "out_of_service"
    assert record(asked, 86400)["status"] == "Down"
    assert operation(other, 1000).returned_at is not None


def test_a_flapping_device_returns_drops_again_and_returns_for_good() -> None:
    asked = world(temperament="flapping")
    start(asked, "reboot", after=100)
    done = operation(asked, 2000)
    device = asked.population.device(FIRST, START + 2000)
    [(cause, since, until)] = device.own_outages

    assert cause == "flap"
    assert done.returned_at < since < until
    assert device.is_in_service


def test_some_flaps_are_long_enough_to_be_shown_down_and_some_are_not() -> None:
    asked = world(30, "flapping")
    ids = range(FIRST, FIRST + 30)
    for device in ids:
        start(asked, "reboot", device=device)
    shown = set()
    for second in range(0, 1500, 10):
        for device in ids:
            if record(asked, second, device)["status"] == "Down":
                shown.add(device)

    assert 5 < len(shown) < 25


def test_a_late_device_returns_hours_later() -> None:
    asked = world(temperament="late")
    start(asked, "reboot", after=100)

    assert 7200 < operation(asked, 86400).returned_at - START < 18300


def test_a_device_that_is_busy_booting_answers_422_until_it_is_done() -> None:
    asked = world(temperament="busy_booting")
    start(asked, "reboot", after=100)
    delivered, returned = operation(asked, 130).delivered_at, operation(asked, 600).returned_at
    fresh = world(temperament="busy_booting")
    start(fresh, "reboot", after=100)
    while_booting = start(fresh, "sync", after=delivered - START + 10)
    just_back = start(fresh, "sync", after=returned - START + 30)
    at_last = start(fresh, "sync", after=returned - START + 300)

    assert [each.status for each in (while_booting, just_back, at_last)] == [422, 422, 200]
    assert "busy" in str(while_booting.content)
    assert fresh.ledger.applied(FIRST, "sync") == (returned + 300,)


def test_an_automatic_upgrade_reboots_once_more_and_changes_the_software_version() -> None:
    asked = world(temperament="auto_firmware")
    old = record(asked, 0)["software_version"]
    start(asked, "factory", after=100)
    seen = history(asked, 900, "firmware_image_is_pending", since=100)
    [(cause, since, until)] = asked.population.device(FIRST, START + 900).own_outages

    assert seen == [(False,), (True,), (False,)]
    assert cause == "firmware"
    assert operation(asked, 900).returned_at < since < until
    assert record(asked, 900)["software_version"] != old


def test_an_upgrade_that_a_reboot_came_between_is_made_up_for() -> None:
    asked = world(temperament="auto_firmware")
    start(asked, "factory", after=100)
    returned = operation(asked, 900).returned_at - START
    fresh = world(temperament="auto_firmware")
    start(fresh, "factory", after=100)
    for turn in range(4):
        start(fresh, "reboot", after=returned + 1 + 20 * turn)

    assert record(fresh, returned + 1500)["firmware_image_is_pending"] is False


def test_a_device_that_ignores_operations_stays_in_service_and_its_sync_stays_pending() -> None:
    asked = world(temperament="ignores")
    start(asked, "factory", after=100)
    start(asked, "sync", after=300)

    assert operation(asked, 1000).down_at is None
    assert record(asked, 5000)["pending_settings"] == "sync_requested"
    assert asked.truth(FIRST, START + 5000) == "in_service_configured"


def test_an_operation_for_a_down_device_waits_for_its_next_contact() -> None:
    member = make_fleet(1, 7, FleetPlan.plain())[0]
    down = {**members(member), "is_down": True, "contact_age": 86400.0, "returns_after": 7200.0}
    asked = World([Member(**down)], seed=7, started_at=START)
    start(asked, "reboot", after=100)

    assert record(asked, 7100)["status"] == "Down"
    assert record(asked, 7100)["pending_settings"] == "reboot_requested"
    assert operation(asked, 9000).delivered_at == START + 7200
    assert operation(asked, 9000).returned_at > START + 7200
    assert record(asked, 9000)["status"] == "Up"


def test_a_device_that_never_connected_is_down_since_its_creation_with_initial_pending() -> None:
    member = make_fleet(1, 7, FleetPlan(initial=1.0))[0]
    asked = World([member], seed=7, started_at=START)
    row = record(asked, 1000)

    assert row["status"] == "Down"
    assert row["status_change"] == row["created"]
    assert row["last_connection"] is None
    assert row["last_configuration"] is None
    assert row["pending_settings"] == "initial"


def test_two_operations_in_one_session_are_one_boot_and_the_ledger_counts_both() -> None:
    asked = world(temperament="nat")
    start(asked, "reboot", after=100)
    start(asked, "factory", after=101)
    first, second = operation(asked, 1000), operation(asked, 1000, 1)

    assert first.returned_at == second.returned_at
    assert first.delivered_at == second.delivered_at
    assert asked.truth(FIRST, START + 1000) == "in_service_unconfigured"


def test_a_gentle_operation_in_the_session_of_a_reboot_is_served_after_the_boot() -> None:
    asked = world(temperament="nat")
    start(asked, "reboot", after=100)
    start(asked, "reconf", after=101)
    reboot, reconf = operation(asked, 1000), operation(asked, 1000, 1)

    assert reconf.delivered_at == reboot.returned_at
    assert reconf.done_at > reboot.returned_at


def test_a_reboot_that_overtakes_a_sync_being_applied_lets_it_be_served_after_the_boot() -> None:
    asked = world()
    start(asked, "sync", after=100)
    delivered = operation(asked, 200).delivered_at - START
    fresh = world()
    start(fresh, "sync", after=100)
    start(fresh, "reboot", after=delivered + 0.01)
    record(fresh, delivered + 0.02, update_status="true")  # delivers at once
    sync, reboot = operation(fresh, 1000), operation(fresh, 1000, 1)

    assert reboot.down_at < reboot.returned_at <= sync.delivered_at < sync.done_at


def test_update_status_contacts_the_device_and_delivers_what_waits() -> None:
    asked = world()
    start(asked, "reboot", after=100)
    answer = ask(
        asked, "GET", f"inventory_device/{FIRST}/", after=100.5, query={"update_status": "true"}
    )

    assert 1 <= answer.delay <= 2
    assert from_text(answer.content["last_connection"]) == START + 100
    assert answer.content["status"] == "Up"
    assert operation(asked, 101).delivered_at == START + 100.5


@pytest.mark.parametrize("temperament", ["nat", "fast"])
def test_update_status_fails_slowly_for_a_device_that_cannot_be_reached(temperament) -> None:
    asked = world(temperament=temperament)
    start(asked, "reboot", after=100)
    down_at = operation(asked, 300).down_at - START
    fresh = world(temperament=temperament)
    start(fresh, "reboot", after=100)
    before = record(fresh, down_at + 5)
    answer = ask(
        fresh,
        "GET",
        f"inventory_device/{FIRST}/",
        after=down_at + 5,
        query={"update_status": "true"},
    )

    assert answer.delay >= 5
    assert answer.content["last_connection"] == before["last_connection"]


def test_a_controller_may_hide_accepted_operations() -> None:
    asked = world(rules=Rules(shows_operations=False))
    start(asked, "reboot", after=100)

    assert record(asked, 100.5)["pending_settings"] == "none"


def test_a_new_update_frequency_counts_from_the_last_contact() -> None:
    asked = world()
    ask(asked, "PATCH", f"inventory_device/{FIRST}/", after=100, body={"update_frequency": 600})
    seen = [each for each in contacts(asked, 3000) if each > 100]
    gaps = [later - earlier for earlier, later in pairwise(seen)]

    assert all(560 <= gap <= 640 for gap in gaps)
    assert history(asked, 3600, "status", since=3000) == [("Up",)]


def test_a_world_has_the_same_history_for_the_same_seed_whatever_the_order_of_requests() -> None:
    forth, back = world(20, "slow"), world(20, "slow")
    ids = list(range(FIRST, FIRST + 20))
    for device in ids:
        start(forth, "factory", after=100, device=device)
    for device in reversed(ids):
        start(back, "factory", after=100, device=device)

    assert [record(forth, 400, each) for each in ids] == [record(back, 400, each) for each in ids]


@pytest.mark.parametrize("name", [name for name in TEMPERAMENTS if name != "new_id_only"])
@pytest.mark.parametrize("kind", ["reboot", "factory", "device_factory", "sync", "reconf"])
def test_contacts_of_any_device_only_ever_move_forward(name, kind) -> None:
    asked = world(temperament=name)
    start(asked, kind, after=100)
    seen = contacts(asked, 700, since=90)

    assert seen == sorted(seen)
