"""Settings are what the controller wants of a device, variables what the device has; types by name."""

import pytest

from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.fleet import FleetPlan
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, ask, record, start, world

SSID = "Device.WiFi.SSID.1.SSID"
KEY = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase"
UP_TIME = "Device.DeviceInfo.UpTime"


def settings(asked: World, after: float = 0, **query: str):
    query = {"parent_id": str(FIRST), **query}
    return ask(asked, "GET", "inventory_device_setting/", after=after, query=query)


def variables(asked: World, after: float = 0, **query: str):
    query = {"parent_id": str(FIRST), **query}
    return ask(asked, "GET", "inventory_device_variables/", after=after, query=query)


def values(answer) -> dict[str, object]:
    return {
        row.get("variable_name", row["name"]): row["value"] for row in answer.content["results"]
    }


def up_time(asked: World, after: float, **query: str) -> object:
    return values(variables(asked, after, parameter__variable_name=UP_TIME, **query))[UP_TIME]


@pytest.mark.parametrize("resource", ["inventory_device_setting", "inventory_device_variables"])
def test_the_device_has_to_be_named(resource) -> None:
    asked = world()

    assert ask(asked, "GET", f"{resource}/").status == 400
    assert ask(asked, "GET", f"{resource}/", query={"parent_id": "x"}).status == 400
    unknown = ask(asked, "GET", f"{resource}/", query={"parent_id": "999"})
    assert (unknown.status, unknown.content["results"]) == (200, [])
    foreign = world(rules=Rules(organizations=frozenset()))
    query = {"parent_id": str(FIRST)}
    assert ask(foreign, "GET", f"{resource}/", query=query).content["count"] == 0


def test_a_device_has_what_the_controller_wants() -> None:
    asked = world()
    wanted = settings(asked).content
    present = values(variables(asked))

    assert wanted["count"] == len(wanted["results"]) == 6
    assert all(row["is_pending"] is False for row in wanted["results"])
    assert all(present[row["variable_name"]] == row["value"] for row in wanted["results"])
    row = wanted["results"][0]
    assert (row["parent_id"], row["parameter_id"], row["short_name"]) == (FIRST, 1, "ssid")


def test_settings_are_chosen_by_name_and_paged() -> None:
    asked = world()
    page = settings(asked, limit="4").content

    assert len(page["results"]) == 4
    assert "offset=4" in page["next"]
    assert list(values(settings(asked, parameter__variable_name=KEY))) == [KEY]
    assert settings(asked, pending="true").content["count"] == 0
    assert settings(asked, pending="false").content["count"] == 6


def test_a_factory_reset_leaves_the_defaults_and_reconf_applies_the_settings() -> None:
    asked = world()
    before = values(variables(asked))
    start(asked, "factory", after=100)
    reset = values(variables(asked, 900))

    assert (reset[SSID], reset[KEY]) == ("setup", "")
    assert settings(asked, 900, pending="true").content["count"] == 6
    start(asked, "reconf", after=900)
    after = values(variables(asked, 1500))
    assert {name: after[name] for name in (SSID, KEY)} == {
        name: before[name] for name in (SSID, KEY)
    }
    assert settings(asked, 1500, pending="true").content["count"] == 0


def test_pending_settings_are_not_yet_what_the_device_has() -> None:
    asked = world(plan=FleetPlan(down=0, inactive=0, initial=0, pending=1.0, mix={"fast": 1.0}))
    waiting = settings(asked, pending="true").content["results"]
    present = values(variables(asked))

    assert 0 < len(waiting) < 6
    assert all(present[row["variable_name"]] != row["value"] for row in waiting)
    start(asked, "sync", after=10)
    present = values(variables(asked, 900))
    assert all(present[row["variable_name"]] == row["value"] for row in waiting)


def test_the_same_device_has_the_same_settings_and_another_one_others() -> None:
    query = {"parent_id": "1002"}
    other = ask(world(2), "GET", "inventory_device_setting/", query=query)

    assert values(settings(world())) == values(settings(world()))
    assert values(other)[KEY] != values(settings(world()))[KEY]


def test_variables_are_named_one_by_one_or_by_patterns() -> None:
    asked = world()
    two = f"{UP_TIME},{SSID}"

    assert set(values(variables(asked, parameter__variable_name=two))) == {UP_TIME, SSID}
    pattern = {"parameter__variable_name": "Device.WiFi.*", "wildcard": "true"}
    assert set(values(variables(asked, **pattern))) == {SSID, KEY}
    assert values(variables(asked, parameter__variable_name="Device.WiFi.*")) == {}


def test_variables_say_when_they_were_told_unless_nobody_wants_it() -> None:
    asked = world()
    row = record(asked, 100)

    told = variables(asked, 100).content["results"]
    assert {each["datetime"] for each in told} == {row["last_connection"]}
    assert "datetime" not in variables(asked, 100, dates="false").content["results"][0]
    assert values(variables(asked))["Device.DeviceInfo.SoftwareVersion"] == row["software_version"]


def test_the_up_time_counts_from_the_last_boot_to_the_last_contact() -> None:
    asked, again = world(), world()
    for each in (asked, again):
        start(each, "reboot", after=100)
    (done,) = again.settled_ledger(START + 900).of_device(FIRST)
    delivered, returned = done.delivered_at - START, done.returned_at - START

    assert up_time(asked, delivered) > 86400
    assert up_time(asked, returned) == 0
    assert 500 < up_time(asked, 900) <= 900 - returned


def test_the_up_time_is_as_of_the_last_contact_unless_the_device_is_asked() -> None:
    asked = world()
    start(asked, "reboot", after=100)
    stale = up_time(asked, 500.5)
    answer = variables(asked, 500.5, force_update="true")

    assert up_time(asked, 500.5) >= stale
    assert 1 <= answer.delay <= 2
    assert record(asked, 500.5)["last_connection"].endswith("08:08:20Z")
    assert asked.ledger.refreshes == 0


def test_a_device_that_does_not_answer_tells_nothing_new_and_takes_longer() -> None:
    asked = world(temperament="nat")
    before = variables(asked, 100).content
    answer = variables(asked, 100, force_update="true")

    assert answer.content == before
    assert 5 <= answer.delay <= 8


def test_the_up_time_falls_after_an_upgrade_and_after_a_first_contact_under_a_new_id() -> None:
    asked = world(temperament="new_id")
    image = 140 + int(str(record(asked, 0)["type"]))
    body = {"firmware_image": image}
    ask(asked, "PATCH", f"inventory_device/{FIRST}/", after=100, body=body)
    assert up_time(asked, 600) < 500
    start(asked, "factory", after=600)

    assert up_time(asked, 1500, parent_id="1002") < 900


def test_who_never_made_contact_has_settings_and_no_variables() -> None:
    asked = world(plan=FleetPlan(initial=1.0))

    assert settings(asked, pending="true").content["count"] == 6
    assert variables(asked).content["results"] == []


def test_types_are_listed_filtered_by_name_and_read() -> None:
    asked = world()
    page = ask(asked, "GET", "inventory_type/", query={"limit": "3"}).content
    one = ask(asked, "GET", "inventory_type/16/").content

    assert (page["count"], len(page["results"])) == (4, 3)
    assert (one["id"], one["short_name"]) == (16, "router-b")
    found = ask(asked, "GET", "inventory_type/", query={"name": one["name"]}).content["results"]
    assert found == [one]
    assert ask(asked, "GET", "inventory_type/99/").status == 404
    assert ask(asked, "POST", "inventory_type/", body={}).status == 405
