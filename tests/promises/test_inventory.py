"""What the document on the inventory promises its users, kept (api.md 3.2)."""

import asyncio
import base64
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest
import structlog

from orchestrator.adapters.controller.request_gate import RequestGate
from orchestrator.cli import main
from orchestrator.model import answers, events, moments
from orchestrator.model.operations import Operation
from orchestrator.model.policies import RequestLimits
from orchestrator.model.readings import DeviceFilter
from orchestrator.simulator.exchange import Request, Response
from tests.promises.carrying import carried_out, fleet, planned, shipped, written
from tests.promises.conftest import close_log
from tests.promises.watching import (
    GONE,
    INITIAL,
    LAGGING,
    LIST,
    SILENT,
    SPEED,
    TOKEN,
    Asked,
    branch,
    watching,
)
from tests.support.api_access import FREE, PushedClock, controller_at
from tests.support.fake_api import FakeApi, accept, answer
from tests.support.playbooks import fault, faults, minimal
from tests.support.stories import Story, record_step, step
from tests.support.virtual import LoopClock
from tests.support.worlds import FIRST, START, record

a_campaign = pytest.mark.looptime
"""In virtual time, against the simulated world."""


@pytest.fixture(scope="module")
def simulated():
    with watching() as found:
        yield found


@pytest.fixture
def watched(simulated, workplace, monkeypatch):
    """The one controller of this module, its requests counted from here on."""
    monkeypatch.setenv("ORCHESTRATOR_BASE_URL", simulated.base_url)
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", TOKEN)
    monkeypatch.setenv("ORCHESTRATOR_SPEED", str(SPEED))
    simulated.since = len(simulated.world.requests)
    return simulated


def rows(ended) -> list[dict]:
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def ids(ended) -> list[int]:
    return [each["id"] for each in rows(ended)]


def plain(text: str) -> str:
    return " ".join(text.split())


def at_work(text: str, name: str = "work") -> str:
    """Put a playbook into the folder."""
    Path(f"{name}.yaml").write_text(f"playbook: {name}\n{text}")
    return f"{name}.yaml"


# --- listing -------------------------------------------------------------------------------------


@pytest.mark.promise("DV-1")
def test_a_summary_counts_up_down_unknown_and_pending_and_only_reads(watched, cli):
    told = json.loads(cli("devices", "summary", "--json").out)
    shown = cli("devices", "summary").out

    there = watched.listing
    states = Counter(each["status"] for each in there)
    waiting = sum(each["pending_settings"] != "none" for each in there)
    assert shown.startswith(
        f"{len(there)} devices: {states['Up']} Up, {states['Down']} Down, 0 unknown; "
        f"{waiting} with something pending\n"
    )
    counted = {each["value"]: each["devices"] for each in told["by"]["status"]}
    assert counted == states
    assert sum(each["devices"] for each in told["by"]["organization"]) == len(there)
    assert watched.methods.keys() == {"GET"}
    assert not any("update_status" in each.query for each in watched.requests)


@pytest.mark.promise("DV-2")
def test_several_organizations_are_one_listing_each_merged_by_id(watched, cli):
    both = ids(cli("devices", "list", "--organization", 123, "--organization", 456, "--json"))

    assert [each["organization"] for each in watched.lists] == ["123", "456"]
    everybody = {each["id"] for each in watched.listing} - {INITIAL}
    assert (set(both), len(both)) == (everybody, len(everybody))


@pytest.mark.promise("DV-3")
def test_devices_with_pending_settings_are_asked_for_and_then_filtered_here(watched, cli):
    found = ids(cli("devices", "list", "--where", "pending_settings: wifi_config", "--json"))

    assert found == [LAGGING]
    assert {each["pending"] for each in watched.lists} == {"true"}


@pytest.mark.promise("DV-4")
def test_the_type_is_filtered_by_the_controller_and_the_location_here(watched, cli):
    where = "location_name: Portland Branch 1"
    found = rows(cli("devices", "list", "--type", 21, "--where", where, "--json"))

    assert {(each["type"], each["location_name"]) for each in found} == {(21, "Portland Branch 1")}
    assert {each["type"] for each in watched.lists} == {"21"}
    assert not any("location" in name for each in watched.lists for name in each)


@pytest.mark.promise("DV-5")
@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2026-01-31", r"2026-01-31( 00:00:00\+00:00)?"),
        ("2026-01-31 10:30:00", r"2026-01-31 10:30:00(\+00:00)?"),
        ("2026-01-31 10:30:00+02:00", r"2026-01-31 (10:30:00\+02:00|08:30:00\+00:00)"),
    ],
    ids=["date", "date-time", "date-time with offset"],
)
def test_a_change_of_status_since_a_moment_arrives_as_documented(given, sent, watched, cli):
    ended = cli("devices", "list", "--last-status-change-from", given, "--json")

    assert ended.code == 0
    [asked] = watched.lists
    # A plus sign that is not encoded would have arrived as a space.
    assert re.fullmatch(sent, asked["last_status_change_from"])


@pytest.mark.promise("DV-6")
@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("up", {"1", "true", "True"}),
        ("true", {"1", "true", "True"}),
        ("1", {"1", "true", "True"}),
        ("down", {"0", "false", "False"}),
        ("false", {"0", "false", "False"}),
        ("0", {"0", "false", "False"}),
    ],
)
def test_a_status_is_asked_for_in_a_form_that_the_filter_takes(word, forms, watched, cli):
    book = at_work(
        f"devices: {{status: {word}}}\nguard: {{status: any}}\nsteps: [operation: sync]\n"
    )

    found = rows(cli("devices", "list", book, "--json"))

    [asked] = watched.lists
    assert asked["status"] in forms
    assert len({each["status"] for each in found}) == 1


@pytest.mark.promise("DV-6")
def test_any_other_word_for_a_status_is_a_fault_of_the_playbook():
    assert "is not a status" in fault(minimal("status: sideways")).message


@pytest.mark.promise("DV-7")
def test_all_pages_are_read_and_hold_each_device_once_and_only_such_as_match(watched, cli):
    found = rows(cli("devices", "list", "--status", "up", "--page-size", 7, "--json"))

    up = {each["id"] for each in watched.listing if each["status"] == "Up"}
    assert sorted(int(each["offset"]) for each in watched.lists) == [*range(0, len(up), 7)]
    assert ({each["id"] for each in found}, len(found)) == (up, len(up))
    assert {each["status"] for each in found} == {"Up"}


class Fickle(Asked):
    """Counts more devices than it ever gives, and gives some that nobody asked for."""

    def handle(self, request: Request, now: float) -> Response:
        wanted = {name: value for name, value in request.query.items() if name != "status"}
        response = super().handle(replace(request, query=wanted), now)
        if request.path == LIST and isinstance(response.content, dict):
            response.content["count"] += 1
        return response


@a_campaign
@pytest.mark.promise("DV-7")
async def test_a_count_that_is_not_met_is_read_again_and_warned_of_and_strangers_are_left_out():
    members = [each for each in branch() if each.id != INITIAL]
    world = Fickle(members, seed=7, started_at=START)

    plan = await planned(written("devices: {status: up}\nsteps: [operation: sync]"), world)

    readings = [each for each in world.requests if each.query.get("offset") == "0"]
    assert len(readings) > 1
    assert any("1 of 40 devices never came" in each for each in plan.warnings)
    assert not {each.id for each in plan.devices} & {*GONE, SILENT}


@pytest.mark.promise("DV-22")
def test_every_list_request_carries_a_limit_and_an_offset(watched, cli):
    book = at_work("devices: {organization: 123}\nsteps: [operation: sync]\n")
    for command in ("list", "summary", "export"):
        assert cli("devices", command).code == 0
    assert cli("plan", book, "--seeds", 0).code == 0

    assert len(watched.lists) >= 4
    queries = [each.query for each in watched.world.requests if each.path == LIST]
    assert all(each["limit"].isdigit() and each["offset"].isdigit() for each in queries)


@pytest.mark.promise("DV-19")
def test_a_watched_summary_counts_the_fleet_again_and_again_page_by_page(watched):
    command = (sys.executable, "-m", "orchestrator", "devices", "summary", "--watch", "1")
    with subprocess.Popen(
        [*command, "--page-size", "15"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "100"},
        text=True,
    ) as process:
        until = time.monotonic() + 30
        while len(watched.lists) < 6 and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)

    assert [each["offset"] for each in watched.lists][:6] == ["0", "15", "30"] * 2
    assert f"{len(watched.listing)} devices: " in out
    assert watched.methods.keys() == {"GET"}
    assert not any("update_status" in each.query for each in watched.requests)


@pytest.mark.promise("DV-23")
def test_a_status_is_refreshed_for_one_device_that_was_asked_for_and_never_for_a_list(watched, cli):
    assert cli("devices", "show", FIRST, "--refresh").code == 0
    assert cli("devices", "list").code == 0
    assert cli("devices", "summary").code == 0

    refreshed = [each.path for each in watched.requests if "update_status" in each.query]
    assert refreshed == [f"{LIST}{FIRST}/"]
    assert not any("update_status" in r.query for r in watched.world.requests if r.path == LIST)


# --- before something is changed -----------------------------------------------------------------


@pytest.mark.promise("DV-8")
def test_what_a_chosen_devices_record_says_now_is_shown_before_it_is_changed(watched, cli):
    device = FIRST + 3
    book = at_work(
        f"devices: {{include: [{device}]}}\nsteps: [update: {{description: new, debug: true}}]\n"
    )

    plan = json.loads(cli("plan", book, "--seeds", 0, "--json").out)
    [listed] = rows(cli("devices", "list", book, "--json"))

    now = watched.record(device)
    [change] = plan["changes"]
    described = change["fields"][0]
    assert (change["device"], described["field"]) == (device, "description")
    assert (described["before"], described["after"]) == (now["description"], "new")
    still = ("serial_number", "description", "software_version", "status", "status_change")
    assert {name: listed[name] for name in still} == {name: now[name] for name in still}
    assert listed["pending_settings"] == "none"
    assert watched.methods.keys() == {"GET"}


STEADY = ("status", "status_change", "pending_settings")


@pytest.mark.promise("DV-9")
@pytest.mark.promise("DV-10")
def test_contact_status_change_and_what_is_pending_stand_in_plan_and_report(watched, cli):
    book = at_work(f"devices: {{include: [{LAGGING}]}}\nsteps: [update: {{description: seen}}]\n")

    [listed] = rows(cli("devices", "list", book, "--json"))
    shown = cli("plan", book, "--seeds", 0).out
    [to_do] = json.loads(cli("plan", book, "--seeds", 0, "--json").out)["devices"]
    assert cli("run", book, "--yes", "--plain", "--id", "seen").code == 0
    [told] = json.loads(cli("report", "seen", "--format", "json").out)["devices"]
    [row] = csv.DictReader(io.StringIO(cli("report", "seen", "--format", "csv").out))

    assert re.search(r"Up, seen \w+ ago, wifi_config pending", shown)
    since = moments.from_text(listed["status_change"])
    for found in (to_do, before(told), before(row)):
        steady = [found[name] for name in STEADY]
        assert steady == ["Up", moments.as_text(since), listed["pending_settings"]]
    # It goes on making contact: each reading is as new as the one before, or newer.
    contacts = [each["last_connection"] for each in (listed, to_do, before(told))]
    assert contacts[0][:19] <= contacts[1] <= contacts[2] == before(row)["last_connection"]


def before(report: dict) -> dict:
    """Give what a report says of a device right before it was changed, by the names of its record."""
    return {
        "status": report["status_before"],
        "status_change": report["status_change_before"],
        "last_connection": report["last_connection_before"],
        "pending_settings": report["pending_before"],
    }


@a_campaign
@pytest.mark.promise("DV-25")
@pytest.mark.parametrize(("devices", "warned"), [("status: up", 1), ("organization: 123", 0)])
async def test_a_playbook_without_an_organization_is_warned_of(devices, warned):
    plan = await planned(written(f"devices: {{{devices}}}\nsteps: [operation: sync]"), fleet(3))

    assert sum("names no organization" in each for each in plan.warnings) == warned


@pytest.mark.promise("DV-29")
def test_a_device_that_never_connected_is_left_out_unless_it_is_asked_for(watched, cli):
    book = at_work(f"devices: {{include: [{FIRST}, {INITIAL}]}}\nsteps: [operation: sync]\n")

    plan = json.loads(cli("plan", book, "--seeds", 0, "--json").out)

    assert [each["device"] for each in plan["devices"]] == [FIRST]
    left_out = {each["reason"]: (each["count"], each["examples"]) for each in plan["left_out"]}
    told = f"{INITIAL}: it has never connected (pending: initial)"
    assert left_out["never connected"] == (1, [told])
    initial = cli("devices", "list", "--where", "pending_settings: initial", "--json")
    assert ids(initial) == [INITIAL]
    assert "never connected" not in initial.err
    said = cli("devices", "list").err
    assert "1 never connected is left out; `devices summary` counts it\n" in said


# --- creating ------------------------------------------------------------------------------------

NEW = """\
serial_number,name,customer_id,type,organization_id,location_name,update_frequency
ZNNEW1,new-1,C1,15,123,Oslo,60
ZNNEW2,new-2,C2,router-a,123,Oslo,120
"""


@pytest.mark.promise("DV-11")
def test_a_file_is_checked_row_by_row_before_the_first_request_that_creates(watched, cli):
    Path("new.csv").write_text(NEW.replace("router-a", "toaster").replace(",60\n", ",often\n"))
    first = cli("devices", "import", "new.csv", "--yes")
    Path("new.csv").write_text(NEW.replace("router-a", "toaster"))
    second = cli("devices", "import", "new.csv", "--yes")

    assert (first.code, second.code) == (2, 2)
    assert "new.csv:2:29" in first.err
    assert "'often' is not a whole number" in first.err
    assert "new.csv:3:17: there is no type 'toaster'" in second.err
    assert watched.methods.keys() == {"GET"}


@pytest.mark.promise("DV-11")
@pytest.mark.promise("DV-18")
def test_a_file_onboards_its_devices_and_the_same_file_twice_creates_nothing_twice(watched, cli):
    Path("new.csv").write_text(NEW)
    order = ("devices", "import", "new.csv", "--wait", "2h", "--yes", "--plain")

    first = cli(*order, "--id", "first")
    created = watched.bodies("POST")
    again = cli(*order, "--id", "again")

    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert sorted(each["serial_number"] for each in created) == ["ZNNEW1", "ZNNEW2"]
    assert watched.methods["POST"] == 2
    told = list(csv.DictReader(io.StringIO(cli("report", "first", "--format", "csv").out)))
    assert {each["serial_number"]: each["verdict"] for each in told} == {
        "ZNNEW1": "succeeded",
        "ZNNEW2": "succeeded",
    }
    assert "2 already ok" in plain(again.out)
    both = json.loads(cli("devices", "show", "ZNNEW2", "--json").out)
    assert (both["update_frequency"], both["type_short_name"]) == (120, "router-a")


@pytest.mark.promise("DV-11")
def test_a_device_that_came_in_since_the_plan_is_not_created_again():
    story = Story(record_step("create", name="new"), new=(1,))
    story.another(77, serial_number="SN1", name="new").settles().later(60)

    assert not story.sent
    assert story.verdict() == "already_ok"


@pytest.mark.promise("DV-11")
def test_a_409_to_a_creation_fails_this_row_only():
    story = Story(record_step("create", name="new"), new=(1, 2), devices=2, max_down=2).settles()
    story.refuses(409, answers.Refusal.REJECTED).creates(78).later(120)

    assert (story.verdict(1), story.verdict(2)) == ("failed", "succeeded")


ONBOARDED = """\
serial_number,name,customer_id,type,location_name,update_frequency
ZNNEW1,new-1,C1,15,Oslo,120
"""


@a_campaign
@pytest.mark.promise("DV-18")
async def test_onboarding_is_creation_then_the_first_contact_then_the_settings():
    source = replace(shipped("onboard"), files={"onboard.csv": ONBOARDED})
    world = fleet(2)

    carried = await carried_out(source, world)

    [created] = carried.of(events.OperationAccepted)[:1]
    sent = carried.ledger.changes_of(created.record)
    assert [each.method for each in sent] == ["POST", "PATCH"]
    assert "update_frequency" not in sent[0].wrote
    assert sent[1].wrote["update_frequency"] == 120
    device = world.population.device(created.record, carried.clock.now())
    assert sent[0].at < device.first_contact <= sent[1].at
    assert list(carried.ended.values()) == ["succeeded"]


# --- replacing and editing -----------------------------------------------------------------------

SWAPS = f"id,serial_number,description\n{FIRST + 4},ZNSWAP1,exchanged\n"


@pytest.mark.promise("DV-12")
def test_a_replacement_shows_the_difference_and_warns_of_what_it_would_blank(watched, cli):
    Path("swaps.csv").write_text(SWAPS)
    book = at_work('devices: {with: "@swaps.csv", key: id}\nsteps: [replace: row]\n')

    shown = plain(cli("plan", book, "--seeds", 0).out)
    [told] = json.loads(cli("plan", book, "--seeds", 0, "--json").out)["changes"]

    now = watched.record(FIRST + 4)
    assert {each["field"]: (each["before"], each["after"]) for each in told["fields"]} == {
        "serial_number": (now["serial_number"], "ZNSWAP1"),
        "description": (now["description"], "exchanged"),
    }
    assert sorted(told["may_be_blanked"]) == ["password", "username"]
    assert re.search(r"MAY BE BLANKED.*?: password, username \(of 1 device\)", shown)
    assert "'ZNSWAP1'" in shown
    assert watched.methods.keys() == {"GET"}


@a_campaign
@pytest.mark.promise("DV-12")
async def test_a_replacement_is_one_put_that_starts_from_the_fresh_record():
    device, world = FIRST + 4, fleet(8)
    before = record(world, 0.0, device)
    source = written(
        'devices: {with: "@swaps.csv", key: id}\nsteps: [replace: row]\nsnapshots: record',
        swaps=SWAPS,
    )

    carried = await carried_out(source, world)

    [put] = carried.ledger.changes_of(device)
    assert put.method == "PUT"
    kept = ("name", "customer_id", "organization_id", "location_name", "type", "update_frequency")
    assert {name: put.wrote[name] for name in kept} == {name: before[name] for name in kept}
    assert (put.wrote["serial_number"], put.wrote["description"]) == ("ZNSWAP1", "exchanged")
    assert carried.ended == {device: "succeeded"}


@a_campaign
@pytest.mark.promise("DV-13")
@pytest.mark.parametrize(
    ("field", "value"),
    [("debug", True), ("is_active", False), ("description", "spare"), ("update_frequency", 600)],
)
async def test_a_field_of_the_record_is_one_patch_that_holds_nothing_else(field, value):
    text = f"devices: {{include: [{FIRST}]}}\nsteps: [update: {{{field}: {json.dumps(value)}}}]"

    carried = await carried_out(written(text), fleet(1))

    [patch] = carried.ledger.changes_of(FIRST)
    assert (patch.method, patch.wrote) == ("PATCH", {field: value})
    assert carried.ended == {FIRST: "succeeded"}


@pytest.mark.promise("DV-13")
@pytest.mark.parametrize("field", ["id", "status", "software_version", "last_connection", "uuid"])
def test_what_only_the_controller_or_the_device_sets_cannot_be_written(field):
    assert "is not written" in fault(minimal(steps=f"- update: {{{field}: 1}}")).message


@a_campaign
@pytest.mark.promise("DV-14")
async def test_each_device_gets_the_location_and_description_of_its_row():
    moves = f"id,location_name,description\n{FIRST},Oslo,attic\n{FIRST + 1},Bergen,cellar\n"
    source = written('devices: {with: "@moves.csv", key: id}\nsteps: [update: row]', moves=moves)

    carried = await carried_out(source, fleet(3))

    assert [each.wrote for each in carried.ledger.changes_of(FIRST)] == [
        {"location_name": "Oslo", "description": "attic"}
    ]
    assert [each.wrote for each in carried.ledger.changes_of(FIRST + 1)] == [
        {"location_name": "Bergen", "description": "cellar"}
    ]
    assert not carried.ledger.changes_of(FIRST + 2)


@a_campaign
@pytest.mark.promise("DV-15")
@pytest.mark.parametrize("flag", ["reboot", "sync", "factory"])
async def test_a_flag_is_one_patch_and_proven_as_the_operation_is(flag):
    text = f"devices: {{organization: 123}}\nsteps: [update: {{{flag}: true}}]"

    carried = await carried_out(written(text), fleet(2))

    assert carried.asked == {("PATCH", each, flag): 1 for each in (FIRST, FIRST + 1)}
    assert {tuple(each.wrote) for each in carried.ledger.changes_of(FIRST)} == {(flag,)}
    assert carried.done_to(FIRST) == [flag]
    assert carried.ended == dict.fromkeys((FIRST, FIRST + 1), "succeeded")
    returned = Counter(each.device for each in carried.of(events.DeviceReturned))
    assert len(returned) == 2, flag


@pytest.mark.promise("DV-15")
@pytest.mark.parametrize("state", [{"status": "Down"}, {"is_active": False}])
def test_a_flag_is_under_the_guard_of_its_operation(state):
    story = Story(record_step("update", flag="reboot")).shows(**state).settles()

    assert not story.sent
    assert story.verdict() == "skipped"


@pytest.mark.promise("DV-15")
def test_two_flags_in_one_request_are_a_fault_of_the_playbook():
    found = fault(minimal(steps="- update: {reboot: true, sync: true}"))

    assert "one request sets one flag" in found.message


# --- credentials ---------------------------------------------------------------------------------

PASSWORD = "Kt7-new-4821-pass"
VAULT_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


@dataclass(frozen=True)
class Rotation:
    """A run that gave a device a password from the environment, and all that it wrote."""

    code: int
    text: str
    sent: list[dict] = field(default_factory=list)
    journal: str = ""
    own_password: str = ""
    """What the device had before."""
    username: str = ""


@pytest.fixture(scope="module")
def rotation(simulated, tmp_path_factory) -> Rotation:
    folder, device = tmp_path_factory.mktemp("rotation"), FIRST + 5
    before = {each.id: each.fields for each in branch()}[device]
    said = io.StringIO()
    since = len(simulated.world.requests)

    def call(*arguments: str) -> int:
        close_log()
        with redirect_stdout(said), redirect_stderr(said):
            return main([*arguments])

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in [each for each in os.environ if each.startswith("ORCHESTRATOR_")]:
            patch.delenv(name)
        patch.setenv("ORCHESTRATOR_BASE_URL", simulated.base_url)
        patch.setenv("ORCHESTRATOR_TOKEN", TOKEN)
        patch.setenv("ORCHESTRATOR_SPEED", str(SPEED))
        patch.setenv("ORCHESTRATOR_LOCKS_DIR", str(folder / "locks"))
        patch.setenv("ORCHESTRATOR_LOG_FILE", "debug.log")
        patch.setenv("ORCHESTRATOR_LOG_LEVEL", "debug")
        patch.setenv("ORCHESTRATOR_VAULT_KEY", VAULT_KEY)
        patch.setenv("NEW_PASSWORD", PASSWORD)
        Path("rotate.yaml").write_text(
            f"playbook: rotate\ndevices: {{include: [{device}]}}\n"
            "steps: [update: {password: {env: NEW_PASSWORD}, update_frequency: 120}]\n"
        )
        assert call("vault", "init") == 0, said.getvalue()
        call("plan", "rotate.yaml", "-o", "plan.json", "--seeds", "0")
        code = call("run", "plan.json", "--yes", "--plain", "--id", "turn")
        for command in ("show turn", "diff turn", "audit show turn", "report turn --format json"):
            assert call(*command.split()) == 0
        patch.setenv("ORCHESTRATOR_TOKEN", f"{TOKEN}-no-longer-good")
        assert call("devices", "show", str(device)) != 0
        close_log()
        structlog.reset_defaults()
    texts = [
        each.read_bytes().decode(errors="replace") for each in folder.rglob("*") if each.is_file()
    ]
    sent = simulated.world.requests[since:]
    return Rotation(
        code,
        "\n".join([said.getvalue(), *texts]),
        [json.loads(each.body) for each in sent if each.method == "PATCH"],
        Path(folder / "logs/runs/turn/journal.jsonl").read_text(),
        before["password"],
        before["username"],
    )


@pytest.mark.promise("DV-16")
def test_a_password_comes_from_the_environment_and_goes_to_the_controller_only(rotation):
    assert rotation.code == 0, rotation.text[-2000:]
    assert rotation.sent == [{"password": PASSWORD, "update_frequency": 120}]
    assert re.search(r'"password":"fp:[0-9a-f]{12}"', rotation.journal)
    assert PASSWORD not in rotation.text


@pytest.mark.promise("DV-16")
def test_a_password_that_stands_in_a_playbook_is_a_fault_of_it():
    [found] = faults(minimal(steps="- update: {password: hunter2}"))

    assert "no secret stands in a playbook" in found.message
    assert "hunter2" not in found.message


@pytest.mark.promise("DV-27")
def test_no_token_password_or_user_name_stands_in_anything_that_is_written(rotation):
    assert "verdict succeeded" in rotation.text
    assert "401" in rotation.text
    for secret in (TOKEN, PASSWORD, rotation.own_password, rotation.username):
        assert secret not in rotation.text


# --- deleting ------------------------------------------------------------------------------------


@pytest.mark.promise("DV-17")
def test_a_deletion_is_confirmed_by_the_number_of_records(watched, cli):
    order = ("devices", "delete", "--where", f"id: {{below: {LAGGING}}}")

    unsaid = cli(*order)
    wrong = cli(*order, "--yes", 3)
    before = watched.methods.keys()
    right = cli(*order, "--yes", 2)

    assert (unsaid.code, right.code) == (2, 0), right.err
    assert wrong.code != 0
    assert "2 records WOULD BE DELETED" in plain(unsaid.out)
    assert "this run would delete 2 devices" in plain(unsaid.err)
    assert before == {"GET"}
    assert watched.methods["DELETE"] == 2
    assert not {each["id"] for each in watched.listing} & {*GONE}


@pytest.mark.promise("DV-17")
def test_a_device_in_service_is_deactivated_before_its_record_is_deleted_and_kept(watched, cli):
    was = watched.record(SILENT)
    order = ("devices", "delete", SILENT, "--deactivate-first", "--yes", 1)

    ended = cli(*order, "--plain", "--id", "clean")

    assert ended.code == 0, ended.err
    changes = [each for each in watched.requests if each.method != "GET"]
    assert [each.method for each in changes] == ["PATCH", "DELETE"]
    assert watched.bodies("PATCH") == [{"is_active": False}]
    folder = Path("logs/runs/clean")
    audited = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    [deleted] = [each for each in audited if each.get("action") == "delete"]
    snapshots = (folder / "snapshots.jsonl").read_text().splitlines()
    kept = [json.loads(line)["record"] for line in snapshots]
    assert deleted["device"] == SILENT
    assert all(each["serial_number"] == was["serial_number"] for each in kept)
    assert kept[0]["description"] == was["description"]
    assert cli("devices", "show", SILENT).code != 0


@pytest.mark.promise("DV-17")
def test_a_409_to_a_deletion_is_told_for_that_device_and_the_others_are_deleted():
    silent = {"status": "Down", "is_active": False}
    story = Story(record_step("delete", attempts=1), devices=2, max_down=2)
    story.shows(1, **silent).shows(2, **silent).settles()
    story.refuses(409, answers.Refusal.STATE).settles().writes(status=204).later(1200)

    assert story.verdict(2) == "succeeded"
    assert story.verdict(1) == "failed"
    assert "409" in story.reason(1)


# --- many devices --------------------------------------------------------------------------------


@a_campaign
@pytest.mark.promise("DV-20")
async def test_a_filtered_listing_feeds_changes_and_operations_with_a_result_for_each_device():
    world = fleet(12)
    chosen = {each for each in range(FIRST, FIRST + 12) if record(world, 0.0, each)["type"] == 15}
    source = written(
        """
        devices: {organization: 123, type: 15, where: {is_active: true}}
        steps:
          - update: {description: in maintenance}
          - operation: sync
        rollout: {max_down: 5}
        """
    )

    carried = await carried_out(source, world)

    assert 1 < len(chosen) < 12
    assert carried.ended == dict.fromkeys(chosen, "succeeded")
    assert carried.asked == {("PUT", each, "sync"): 1 for each in chosen}
    assert {each for each in carried.ledger.touched() if carried.ledger.changes_of(each)} == chosen


@a_campaign
@pytest.mark.promise("DV-20")
async def test_firmware_is_scheduled_for_a_filtered_set_and_proven_by_the_new_version():
    world = fleet(16)
    chosen = {each for each in range(FIRST, FIRST + 16) if record(world, 0.0, each)["type"] == 15}

    carried = await carried_out(
        shipped("firmware-rollout", type=15, image=155, version="2.7.0"), world
    )

    assert carried.ended == dict.fromkeys(chosen, "succeeded")
    for device in chosen:
        [patch] = carried.ledger.changes_of(device)
        assert (patch.method, patch.wrote) == ("PATCH", {"firmware_image": 155})
        seen = record(world, carried.clock.now() - START, device)
        assert (seen["software_version"], seen["firmware_image_is_pending"]) == ("2.7.0", False)


@a_campaign
@pytest.mark.promise("DV-21")
@pytest.mark.parametrize("verified", [True, False])
async def test_after_a_flag_the_status_is_refreshed_once_for_each_device_if_it_is_wanted(verified):
    check = "- check: {status: up}\n    within: 10m\n    refresh: true" if verified else ""
    steps = f"steps:\n  - update: {{reboot: true}}\n  {check}"

    carried = await carried_out(written(f"devices: {{organization: 123}}\n{steps}"), fleet(3))

    reads = [each for each in carried.ledger.arrivals if each.method == "GET"]
    refreshed = Counter(each.device for each in reads if each.refreshed)
    assert refreshed == (dict.fromkeys((FIRST, FIRST + 1, FIRST + 2), 1) if verified else {})
    assert sum(not each.refreshed for each in reads) > 3
    for device in refreshed:
        back = max(each.at for each in carried.of(events.DeviceReturned, device=device))
        assert all(each.at >= back for each in reads if each.refreshed and each.device == device)


@a_campaign
@pytest.mark.promise("DV-24")
async def test_what_is_still_pending_at_the_end_of_the_wait_is_told():
    text = "devices: {organization: 123}\nsteps: [{update: {sync: true}, attempts: 1}]"

    carried = await carried_out(written(text), fleet(1, odd={FIRST: "ignores"}))

    assert carried.ended == {FIRST: "unconfirmed"}
    [finished] = carried.of(events.DeviceFinished)
    assert "pending settings are sync_requested" in finished.reason


@pytest.mark.promise("DV-26")
def test_a_device_is_tried_again_after_growing_waits():
    story = Story(step("sync", attempts=4)).settles()
    sent_at = [story.now]
    while len(sent_at) < 4:
        story.refuses(503, answers.Refusal.BUSY)
        while not story.open:
            story.later(0.1)
        sent_at.append(story.now)

    waits = [after - before for before, after in pairwise(sent_at)]
    assert 0.4 < waits[0] < waits[1] < waits[2]


@a_campaign
@pytest.mark.promise("DV-26")
async def test_a_device_that_is_out_of_reach_never_stops_the_others():
    text = """
        devices: {organization: 123}
        steps: [{operation: factory, attempts: 2, proof: {within: 20m}}]
        rollout: {max_down: 2}
        """

    carried = await carried_out(written(text), fleet(6, odd={FIRST: "never_back"}))

    others = dict.fromkeys(range(FIRST + 1, FIRST + 6), "succeeded")
    assert carried.ended == {FIRST: "unconfirmed", **others}


# --- the rate of requests ------------------------------------------------------------------------


@a_campaign
@pytest.mark.promise("DV-28")
async def test_one_rate_holds_for_operations_and_polls_together():
    clock = LoopClock()
    gate = RequestGate(clock, RequestLimits(delay=0.0, in_flight=50, per_second=5.0))
    began, left = clock.now(), []

    async def ask_one(*, is_operation: bool) -> None:
        await gate.enter(is_operation=is_operation)
        if is_operation:
            gate.departed()
        left.append(clock.now() - began)
        gate.leave(is_operation=is_operation)

    await asyncio.gather(*(ask_one(is_operation=each % 5 == 0) for each in range(30)))

    busiest = max(sum(start <= each < start + 1 for each in left) for start in left)
    assert busiest <= 5
    assert len(left) == 30


class Counted(RequestGate):
    """Notes who passes."""

    def __init__(self, clock) -> None:
        super().__init__(clock, FREE)
        self.passed: list[bool] = []

    def leave(self, *, is_operation: bool) -> None:
        self.passed.append(is_operation)
        super().leave(is_operation=is_operation)


@pytest.mark.promise("DV-28")
async def test_every_poll_passes_the_gate_that_operations_pass():
    clock = PushedClock()
    gate = Counted(clock)
    row = {"id": FIRST, "status": "Up"}
    page = answer(200, {"count": 1, "next": None, "results": [row]})
    async with (
        FakeApi(page, answer(200, row), accept) as api,
        controller_at(api.url, gate=gate, clock=clock) as controller,
    ):
        await controller.list_devices(DeviceFilter(), offset=0, limit=1)
        await controller.read_device(FIRST)
        await controller.start_operation(FIRST, Operation.SYNC, intended=clock.steady())

    assert gate.passed == [False, False, True]


@pytest.mark.promise("DV-28")
async def test_a_429_to_a_poll_is_waited_out_as_long_as_the_controller_says():
    busy = answer(429, {"detail": "Request was throttled."}, Retry_After="40")
    good = answer(200, {"id": FIRST, "status": "Up"})
    async with FakeApi(busy, good) as api, controller_at(api.url, limits=FREE) as controller:
        before = controller.clock.now()
        reading = await controller.read_device(FIRST)
        waited = controller.clock.now() - before

    assert reading.device is not None
    assert len(api.requests) == 2
    assert 40.0 <= waited < 60.0
