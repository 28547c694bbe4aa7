"""The device log tells what was asked of a device, what came of it, and its boots."""

from urllib.parse import parse_qs, urlsplit

import pytest

from orchestrator.model.moments import from_text
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, ask, start, world

LOG = "inventory_device_log/"


def log(asked: World, after: float, **query: str):
    query = {"parent__id": str(FIRST), **query}
    return ask(asked, "GET", LOG, after=after, query=query).content


def lines(asked: World, after: float, **query: str) -> list[tuple[object, ...]]:
    """Give the entries, the oldest first: action, what, pending, applied."""
    names = ("action", "variable_name", "is_pending", "is_applied")
    rows = log(asked, after, limit="100", **query)["results"]
    return [tuple(row[name] for name in names) for row in reversed(rows)]


def test_an_undisturbed_device_has_no_entries() -> None:
    assert log(world(), 1000) == {"next": None, "previous": None, "results": []}


def test_a_reboot_is_pending_then_applied_then_a_boot_follows() -> None:
    asked, again = world(), world()
    for each in (asked, again):
        start(each, "reboot", after=100)
    (done,) = again.settled_ledger(START + 900).of_device(FIRST)

    assert lines(asked, 100) == [("command", "Reboot", True, False)]
    assert lines(asked, done.delivered_at - START) == [("command", "Reboot", False, True)]
    assert lines(asked, 900) == [
        ("command", "Reboot", False, True),
        ("event", "1 BOOT", False, True),
    ]
    newest = log(asked, 900)["results"][0]
    assert from_text(newest["datetime"]) == int(done.returned_at)
    assert newest["parent"] == FIRST


@pytest.mark.parametrize("operation", ["factory", "device_factory"])
def test_a_factory_reset_ends_in_a_bootstrap(operation) -> None:
    asked = world()
    start(asked, operation, after=100)

    assert [line[:2] for line in lines(asked, 900)] == [
        ("command", "FactoryReset"),
        ("event", "1 BOOT"),
        ("event", "0 BOOTSTRAP"),
    ]


@pytest.mark.parametrize(
    ("operation", "name"), [("sync", "Synchronize"), ("reconf", "Reconfigure")]
)
def test_gentle_operations_are_applied_once_they_are_done_and_boot_nothing(operation, name) -> None:
    asked = world()
    start(asked, operation, after=100)

    assert lines(asked, 100) == [("command", name, True, False)]
    assert lines(asked, 900) == [("command", name, False, True)]


def test_a_device_that_ignores_commands_takes_delivery_and_never_boots() -> None:
    asked = world(temperament="ignores")
    start(asked, "reboot", after=100)
    start(asked, "sync", after=200)

    assert lines(asked, 9000) == [
        ("command", "Reboot", False, True),
        ("command", "Synchronize", True, False),
    ]


def test_the_boot_after_a_return_under_another_id_stands_in_the_new_log() -> None:
    asked = world(temperament="new_id")
    start(asked, "factory", after=100)

    assert [line[1] for line in lines(asked, 900)] == ["FactoryReset"]
    assert lines(asked, 900, parent__id="1002") == [("event", "0 BOOTSTRAP", False, True)]


@pytest.mark.parametrize(
    ("temperament", "expected", "code"),
    [
        ("fast", ("command", "Download", False, True), None),
        ("upgrade_fails", ("command", "Download", False, False), 9010),
        ("lost_in_upgrade", ("command", "Download", True, False), None),
        ("ignores", ("command", "Download", True, False), None),
    ],
)
def test_a_firmware_image_is_a_download_that_may_fail(temperament, expected, code) -> None:
    asked = world(temperament=temperament)
    image = 140 + int(ask(asked, "GET", f"inventory_device/{FIRST}/").content["type"])
    body = {"firmware_image": image}
    ask(asked, "PATCH", f"inventory_device/{FIRST}/", after=100, body=body)

    assert lines(asked, 900)[0] == expected
    assert log(asked, 900)["results"][-1]["error_code"] == code
    boots = [line for line in lines(asked, 900) if line[1] == "1 BOOT"]
    assert len(boots) == (temperament in ("fast", "upgrade_fails"))


def test_an_upgrade_of_its_own_accord_is_a_second_boot_and_a_flap_is_none() -> None:
    counts = {}
    for temperament in ("auto_firmware", "flapping", "fast"):
        asked = world(temperament=temperament)
        start(asked, "factory", after=100)
        counts[temperament] = [line[1] for line in lines(asked, 2000)].count("1 BOOT")

    assert counts == {"auto_firmware": 2, "flapping": 1, "fast": 1}


def test_new_credentials_are_a_setting_whose_value_nobody_sees() -> None:
    asked = world()
    body = {"password": "hush"}
    ask(asked, "PATCH", f"inventory_device/{FIRST}/", after=100, body=body)
    name = "Device.ManagementServer.ConnectionRequestPassword"

    assert lines(asked, 100) == [("set", name, True, False)]
    assert lines(asked, 900) == [("set", name, False, True)]
    assert "hush" not in repr(log(asked, 900))


def rebooted(times: int) -> World:
    asked = world()
    for each in range(times):
        start(asked, "reboot", after=100 + 600 * each)
    return asked


def cursor_of(page: dict[str, str]) -> str:
    return parse_qs(urlsplit(page["next"]).query)["cursor"][0]


def test_the_newest_come_first_in_pages_without_a_count() -> None:
    asked = rebooted(15)
    first = log(asked, 10_000)
    second = log(asked, 10_000, cursor=cursor_of(first))
    moments = [row["datetime"] for row in first["results"] + second["results"]]

    assert "count" not in first
    assert [len(first["results"]), len(second["results"])] == [20, 10]
    assert (second["next"], second["previous"]) == (None, None)
    assert moments == sorted(moments, reverse=True)
    assert len({row["id"] for row in first["results"] + second["results"]}) == 30


def test_a_page_goes_on_where_it_left_off_though_new_entries_have_come() -> None:
    asked = rebooted(3)
    first = log(asked, 5000, limit="2")
    start(asked, "reboot", after=5000)
    second = log(asked, 6000, limit="2", cursor=cursor_of(first))

    shown = [row["id"] for row in first["results"] + second["results"]]
    assert len(set(shown)) == 4
    assert second["results"][0]["datetime"] <= first["results"][-1]["datetime"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"action": "command"}, 3),
        ({"variable_name": "1 BOOT"}, 3),
        ({"is_pending": "true"}, 0),
        ({"is_applied": "1"}, 6),
        ({"datetime__gte": "2027-01-15T08:11:40Z"}, 4),
        ({"datetime__lte": "2027-01-15 08:11:39"}, 2),
        ({"parent__id": "999"}, 0),
    ],
    ids=str,
)
def test_entries_are_filtered(query, count) -> None:
    assert len(log(rebooted(3), 5000, **query)["results"]) == count


def test_without_a_device_the_log_is_everybodys() -> None:
    asked = world(3)
    for device in (1001, 1003):
        start(asked, "reboot", after=100, device=device)
    rows = ask(asked, "GET", LOG, after=900).content["results"]

    assert sorted(row["parent"] for row in rows) == [1001, 1001, 1003, 1003]


def test_one_entry_is_read_by_its_id() -> None:
    asked = rebooted(1)
    newest = log(asked, 900)["results"][0]

    assert ask(asked, "GET", f"{LOG}{newest['id']}/", after=900).content == newest
    assert ask(asked, "GET", f"{LOG}7/", after=900).status == 404


def test_what_makes_no_sense_is_said() -> None:
    asked = world()
    wrong = ask(asked, "GET", LOG, query={"datetime__gte": "yesterday"})

    assert (wrong.status, list(wrong.content)) == (400, ["datetime__gte"])
    assert ask(asked, "GET", LOG, query={"cursor": "?"}).content == {"detail": "Invalid cursor"}
    assert ask(asked, "PUT", LOG, body={}).status == 405
