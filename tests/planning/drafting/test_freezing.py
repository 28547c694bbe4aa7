"""A plan says who, who not and why, and every limit as a number."""

import msgspec
import pytest

from orchestrator.model.amounts import Share
from orchestrator.model.errors import SelectionError
from orchestrator.model.operations import Operation
from orchestrator.model.plans import LeftOut, Limits, PlannedDevice, Wave
from orchestrator.model.policies import Budget
from orchestrator.planning.drafting.costing import reading_requests
from orchestrator.planning.drafting.freezing import Freezer, freeze
from orchestrator.planning.drafting.limiting import resolve_limits
from orchestrator.playbook.reading import read_playbook
from tests.support.playbooks import NOW, minimal, record, source

BUDGETED = "rollout: {stop_when: {failed: 1}}\n"
NIGHTLY = "window: {opens: 0 1 * * *, lasts: 4h, timezone: UTC}\n"
REDEPLOY = "- operation: factory\n- operation: reconf"
ASKING = "- operation: factory\n- approve: go on?\n- operation: reconf\n- approve: ok?"
NO_WINDOW = "no window: devices lose their configuration at whatever hour the run is started"

BASE = "https://control.example/api/v1"


def frozen(records, devices="organization: 123", steps="- operation: reboot", more="", **given):
    text = source(minimal(devices, steps, more))
    return freeze(read_playbook(text), text, records, controller=BASE, now=NOW, **given)


def fleet(count, **fields):
    return [
        record(**{"id": i, "serial_number": f"SN{i}", "location_name": f"site {i}", **fields})
        for i in range(1, count + 1)
    ]


def planned(number, *, name="branch-1", location=None, chosen_by=(123,), **more):
    """Build what `fleet` becomes in a plan of `organization: 123`."""
    return PlannedDevice(
        id=number,
        serial_number=f"SN{number}",
        name=name,
        chosen_by=chosen_by,
        kind="15",
        location=f"site {number}" if location is None else location,
        **more,
    )


def test_a_plan_holds_the_chosen_devices_in_order_and_all_that_a_run_needs():
    plan = frozen(fleet(3), devices="{organization: 123, order_by: -id}", notes=["it moved"])

    assert plan.devices == (planned(3), planned(2), planned(1))
    assert (plan.controller, plan.created_at, plan.listed) == (BASE, NOW, 3)
    assert plan.source.text.startswith("playbook: branch")
    assert plan.warnings == ("it moved",)
    assert [plan.records[i].id for i in (1, 2, 3)] == [1, 2, 3]


def test_devices_left_out_are_counted_by_reason_with_a_few_examples():
    records = [
        *fleet(3),
        *(record(id=10 + i, software_version=f"3.{i}") for i in range(7)),
        record(id=30, software_version=None),
        record(id=40),
    ]

    plan = frozen(
        records,
        devices="{organization: 123, where: {software_version: {below: 2.5}}, exclude: 40}",
    )

    assert [device.id for device in plan.devices] == [1, 2, 3]
    assert plan.left_out == (
        LeftOut(
            "software_version is not below 2.5",
            7,
            tuple(f"{10 + i}: software_version is 3.{i}, not below 2.5" for i in range(5)),
        ),
        LeftOut("excluded by the playbook", 1, ("40",)),
        LeftOut("software_version is not known", 1, ("30",)),
    )


def test_the_limit_keeps_the_first_in_order_and_says_whom_it_left_out():
    plan = frozen(fleet(8), devices="{organization: 123, limit: 2, order_by: -id}")

    assert [device.id for device in plan.devices] == [8, 7]
    assert plan.left_out == (LeftOut("beyond the limit of 2", 6, ("6", "5", "4", "3", "2")),)


def test_limits_are_numbers_and_never_exceed_the_set():
    plan = frozen(
        fleet(3),
        more="rollout: {max_down: 25}\nrequests: {delay: 1s, in_flight: 7, per_second: none}\n",
    )

    assert plan.limits == Limits(devices=3, max_down=3, in_flight=7, delay=1.0, per_second=None)


def test_an_empty_set_says_how_many_were_listed_and_why_they_were_left_out():
    records = [*fleet(4, status="Down"), *fleet(2, is_active=False)]
    records += [record(id=90, type=1), record(id=91, organization_id=7), record(id=92, name=None)]

    with pytest.raises(SelectionError) as raised:
        frozen(
            records,
            devices="{organization: 123, status: up, type: 15, where: {is_active: true, name: x}}",
            listed=900,
        )

    assert str(raised.value) == (
        "the selection of 'branch' chose 0 of 900 listed devices, the playbook expects at least"
        " 1 device. Left out: 4 because status is not Up; 2 because is_active is not true;"
        " 1 because name is not known; 2 for other reasons"
    )


def test_an_empty_listing_is_said_so():
    with pytest.raises(SelectionError, match=r"chose 0 of 0 listed devices, .* at least 1 device$"):
        frozen([])


def test_more_devices_than_expected_stop_the_plan():
    with pytest.raises(SelectionError, match=r"chose 3 of 3 .* expects at most 2 devices$"):
        frozen(fleet(3), devices="{organization: 123, expect: {at_most: 2}}")


def test_a_playbook_can_expect_that_there_may_be_nothing_to_do():
    plan = frozen([], devices="{organization: 123, expect: {at_least: 0}}")

    assert (plan.devices, plan.operation_requests, plan.reading_requests) == ((), 0, 0)
    assert plan.limits.max_down == 1


def test_a_name_that_several_devices_have_is_warned_of():
    plan = frozen(fleet(2), devices="{include: [branch-1, SN9]}")

    assert [device.id for device in plan.devices] == [1, 2]
    assert plan.warnings[-2:] == (
        ("include names 1 device that the controller did not list for these filters: SN9"),
        "include names 'branch-1', which 2 listed devices are called: 1, 2",
    )


def test_changes_of_records_alone_fear_nothing_of_devices_that_are_down():
    records = fleet(2, status="Down", last_connection="2026-01-01T00:00:00Z")

    assert frozen(records, steps="- update: {debug: true}").warnings == ()


def test_a_record_that_comes_again_counts_once_and_as_it_came_last():
    text = source(minimal("status: up"))
    freezer = Freezer(read_playbook(text), text, now=NOW)
    for name in ("old", "new"):
        freezer.add(record(id=1, name=name))
    freezer.add(record(id=2))
    freezer.add(record(id=2, status="Down"))

    plan = freezer.plan(controller=BASE)

    assert (freezer.chosen, plan.listed) == (1, 2)
    assert plan.devices == (planned(1, name="new", location="Seattle North", chosen_by=()),)
    assert plan.left_out[0].count == 1


@pytest.mark.parametrize(
    ("devices", "steps", "records", "warning"),
    [
        ("status: up", "- operation: reboot", fleet(1), "names no organization"),
        (
            "organization: 123",
            "- operation: factory",
            fleet(1),
            "no reconf follows factory: devices are left with factory defaults",
        ),
        (
            "organization: 123",
            "- operation: reconf\n- operation: device_factory",
            fleet(1),
            "no reconf follows device_factory",
        ),
        (
            "organization: 123",
            "- operation: sync",
            [*fleet(2), record(id=7, serial_number="SN2"), record(id=8, serial_number="SN1")],
            "records of the set share a serial number: SN1, SN2",
        ),
        (
            "organization: 123",
            "- operation: sync",
            [record(id=i, serial_number=None) for i in range(1, 8)],
            "so a swapped device would go unnoticed: 1, 2, 3, 4, 5 and 2 more",
        ),
        (
            "organization: 123",
            "- operation: reboot",
            [*fleet(2), record(id=9, status="Down"), record(id=10, pending_settings="lan")],
            "2 of 4 devices as they are now: 1 Down (9), 1 with settings pending (10)",
        ),
        (
            "{organization: 123, include: [1, SN2, 77, SN88]}",
            "- operation: reboot",
            fleet(2),
            "include names 2 devices that the controller did not list for these filters: 77, SN88",
        ),
        (
            "{organization: 123, exclude: [sn1, SN88]}",
            "- operation: reboot",
            fleet(2),
            "exclude names 1 device that the controller did not list for these filters: SN88",
        ),
    ],
)
def test_a_plan_warns_of_what_a_person_should_know_before(devices, steps, records, warning):
    plan = frozen(records, devices, steps)

    assert [w for w in plan.warnings if warning in w], plan.warnings


@pytest.mark.parametrize(
    ("devices", "steps", "more"),
    [
        ("organization: 123", REDEPLOY, NIGHTLY),
        ("include: [1, 2]", "- operation: reboot", ""),
        ("organization: 123", "- operation: sync", "rollout: {max_down: 99}\n"),
        ("organization: 123", "- check: {status: up}", ""),
    ],
)
def test_a_plan_without_a_reason_to_worry_has_no_warning(devices, steps, more):
    assert frozen(fleet(2), devices, steps, more).warnings == ()


def test_a_max_down_that_protects_nobody_is_a_warning():
    plan = frozen(fleet(2), more="rollout: {max_down: 2}\n")

    assert plan.warnings == ("max_down 2 lets all 2 devices be down at once",)


CAREFUL = """
rollout:
  max_down: 10%
  max_down_per: {location_name: 1, "organization_id, type": 5}
  waves: [3, 25%, 100%]
  spread_by: type_short_name
  between_waves: {succeeded: 90%}
  stop_when: {failed: 10%, failure_rate: 20%, after: 10}
"""
WINDOW = """
window:
  opens: "0 1 * * sat"
  lasts: 4h
  timezone: America/Mexico_City
  timezone_field: location_timezone
"""


def test_devices_stand_in_the_order_of_the_waves_each_with_its_groups():
    kinds = ["A", "A", "A", "B", "A", "C", *["A"] * 14]
    records = [
        record(id=i, serial_number=f"SN{i}", type_short_name=kind, location_name=f"site {i % 2}")
        for i, kind in enumerate(kinds, start=1)
    ]

    plan = frozen(records, devices="{organization: 123, order_by: id}", more=CAREFUL)

    assert [device.id for device in plan.devices] == [1, 4, 6, 2, 3, 5, *range(7, 21)]
    assert plan.devices[1].groups == ("site 0", "123, 15")
    assert plan.devices[3] == msgspec.structs.replace(
        planned(2, location="site 0", groups=("site 0", "123, 15")), kind="A"
    )
    assert plan.limits.waves == (Wave(3, 3), Wave(5, 5), Wave(12, 11))
    assert plan.limits.max_down == 2
    assert plan.limits.max_down_per == plan.playbook.rollout.max_down_per
    assert plan.limits.budget == Budget(failed=2, failure_rate=Share.of_percent("20"), after=10)


def test_only_devices_within_the_limit_are_spread():
    records = [record(id=i, type_short_name="AAAB"[i - 1]) for i in range(1, 5)]

    plan = frozen(
        records,
        devices="{organization: 123, limit: 3}",
        more="rollout: {waves: [1, 100%], spread_by: type_short_name}\n",
    )

    assert [device.id for device in plan.devices] == [1, 2, 3]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("rollout: {waves: [1, 25%]}\n", "the waves cover 6 of 20 devices"),
        ("rollout: {stop_when: {failed: 20}}\n", "a budget of 20 failures in a set of 20 devices"),
        ("rollout: {waves: [1, 9], spread_by: id}\n", "cannot hold one of each of the 20 kinds"),
        ("window: {opens: 2026-01-01T01:00, lasts: 1h, timezone: UTC}\n", "never opens any more"),
        ("window: {opens: 0 1 * * *, lasts: 10m, timezone: UTC}\n", "expected to take 15m"),
    ],
)
def test_a_set_that_the_playbook_cannot_serve_is_refused(more, message):
    with pytest.raises(SelectionError, match=message):
        frozen(fleet(20), more=more)


def test_a_window_is_reckoned_on_each_devices_own_clock():
    records = [
        record(id=1, location_name="north", location_timezone="America/Tijuana"),
        record(id=2, serial_number="SN2", location_timezone="America/Mexico_City"),
        record(id=3, serial_number="SN3", location_timezone="Atlantis"),
    ]

    plan = frozen(records, more=WINDOW)

    assert [device.zone for device in plan.devices] == ["America/Tijuana", None, None]
    assert plan.warnings == (
        (
            "1 device without a usable time zone in location_timezone;"
            " America/Mexico_City holds for them: 3: Atlantis"
        ),
    )


def test_expected_times_come_from_earlier_runs_and_decide_whether_the_window_fits():
    short = "window: {opens: 0 1 * * *, lasts: 10m, timezone: UTC}\n"

    plan = frozen(fleet(2), more=short, measured={Operation.REBOOT: [400.5] * 10})

    assert plan.expected == (401,)
    assert plan.expected_from == "reboot: 9 of 10 of 10 device runs of earlier runs"


def test_without_earlier_runs_the_steps_themselves_say_how_long_they_may_take():
    plan = frozen(fleet(2), steps="- operation: reboot\n- sleep: 30s")

    assert plan.expected == (900, 30)
    assert "nothing measured yet" in plan.expected_from


@pytest.mark.parametrize(
    ("count", "steps", "more", "warnings"),
    [
        (
            11,
            "- operation: reboot",
            "",
            [
                (
                    "no budget: the run goes on however many of the 11 devices fail;"
                    " rollout.stop_when would stop it"
                )
            ],
        ),
        (10, "- operation: reboot", "", []),
        (11, "- operation: sync", "", []),
        (11, "- operation: reboot", BUDGETED, []),
        (
            11,
            REDEPLOY,
            BUDGETED,
            [NO_WINDOW],
        ),
        (1, REDEPLOY, "", [NO_WINDOW]),
        (10, REDEPLOY, NIGHTLY, []),
        (11, REDEPLOY, BUDGETED + NIGHTLY, []),
        (
            2,
            ASKING,
            NIGHTLY,
            [
                (
                    "step 2, approve, stands between a destructive step and step 3 that brings devices"
                    " back into service: they wait without their configuration until somebody approves"
                )
            ],
        ),
    ],
)
def test_a_careless_rollout_is_warned_of(count, steps, more, warnings):
    assert list(frozen(fleet(count), steps=steps, more=more).warnings) == warnings


def test_devices_that_count_together_because_nobody_knows_where_they_are_are_named():
    records = [*fleet(2), record(id=7, serial_number="SN7", location_name=None)]

    plan = frozen(records, more='rollout: {max_down_per: {"location_name, type": 1}}\n')

    assert plan.devices[2].groups == ("unknown, 15",)
    assert plan.warnings == (
        (
            "1 device of the set without a value of location_name, by which max_down_per groups"
            ' them; they count together, as "unknown": 7'
        ),
    )


def test_a_field_of_a_limit_that_no_record_has_is_probably_misspelt():
    plan = frozen(fleet(2, rack="B"), more="rollout: {max_down_per: {racks: 1}}\n")

    assert plan.warnings[0].endswith("as \"unknown\": 1, 2; did you mean 'rack'?")


def test_spreading_by_a_field_that_no_record_has_is_warned_of():
    plan = frozen(fleet(2, rack="B"), more="rollout: {waves: [1], spread_by: racks}\n")

    assert plan.warnings == (
        (
            "spread_by names 'racks', which no chosen record has: all devices are of one kind"
            " in it; did you mean 'rack'?"
        ),
    )


def test_the_guard_of_gentle_operations_minds_no_pending_settings():
    plan = frozen(fleet(2, pending_settings="lan"), steps="- operation: sync")

    assert plan.warnings == ()


def test_operation_requests_are_devices_times_operation_steps():
    steps = "- operation: factory\n- sleep: 1s\n- operation: reconf\n- check: {status: up}"

    assert frozen(fleet(5), steps=steps).operation_requests == 10


@pytest.mark.parametrize(
    ("steps", "max_down", "devices", "listed", "reads"),
    [
        # 10 before; 10 devices one by one, each (300 + 60 + 30) / 30 = 13 rounds of one read
        ("- operation: reboot", 1, 10, 10, 10 + 10 * 13),
        # 1000 before; 10 batches of 100, 13 rounds each, a round is 10 pages of 100
        ("- operation: reboot", 100, 1000, 1000, 1000 + 10 * 13 * 10),
        # 1000 before; all wait together, 10 rounds of 20 pages
        ("- operation: sync", 1, 1000, 2000, 1000 + 10 * 20),
        ("- check: {status: up}", 1, 10, 10, 10),
        ("- sleep: 5s", 1, 10, 10, 0),
        ("- done_if: {status: up}\n- update: {debug: true}", 1, 10, 10, 10 + 20 + 20),
        # 10 before and 10 after, and twice 10 for settings and variables
        ("- update: {debug: true}", 1, 10, 10, 20 + 20),
        ("- update: {debug: true}\n- update: {debug: false}", 1, 10, 10, 40 + 20),
        # it waits for the devices together, 10 rounds of one page
        ("- update: {debug: true}\n  proof: {contact: true}", 1, 10, 10, 20 + 10 + 20),
        # 10 before, 10 rounds of one page, and twice 10 for settings and variables
        ("- operation: reconf", 1, 10, 10, 10 + 10 + 20),
    ],
)
def test_reads_are_estimated_by_the_formula_that_is_written_down(
    steps, max_down, devices, listed, reads
):
    playbook = read_playbook(
        source(minimal(steps=steps, more=f"rollout: {{max_down: {max_down}}}\n"))
    )

    assert reading_requests(playbook, resolve_limits(playbook, devices), listed=listed) == reads


@pytest.mark.parametrize(("depth", "reads"), [("full", 40), ("record", 20), ("none", 20)])
def test_only_whole_snapshots_cost_reads_of_their_own(depth, reads):
    playbook = read_playbook(
        source(minimal(steps="- update: {debug: true}", more=f"snapshots: {depth}\n"))
    )

    assert reading_requests(playbook, resolve_limits(playbook, 10), listed=10) == reads


def test_an_order_by_a_field_that_no_record_has_is_warned_of():
    plan = frozen(
        fleet(3, color="red"),
        devices="{organization: 123, order_by: [colour, -id, name], limit: 1}",
    )

    assert plan.warnings == (
        (
            "order_by names 'colour', which no chosen record has: it puts nothing in order;"
            " did you mean 'color'?"
        ),
    )


def test_an_order_by_a_field_that_some_record_has_is_not_warned_of():
    records = [*fleet(2), record(id=9, serial_number="SN9", rack="B")]

    assert frozen(records, devices="{organization: 123, order_by: -rack}").warnings == ()


ASKED = "between_waves: {approval: true}"
HOLDS_ALL = (
    "the first wave holds all {} devices: nothing is judged and nobody is asked between waves;"
    " write a share or a smaller count"
)


@pytest.mark.parametrize(
    ("waves", "between", "count"),
    [
        ("[25]", ASKED, 10),
        ("[10]", ASKED, 10),
        ("[10, 100%]", ASKED, 10),
        ("[100%]", "between_waves: {soak: 5m}", 3),
        ("[1, 5]", "between_waves: {succeeded: 95%}", 1),
    ],
)
def test_a_first_wave_of_all_devices_is_warned_of(waves, between, count):
    plan = frozen(fleet(count), steps="- operation: sync", more=waved(waves, between))

    told = HOLDS_ALL.format(count)
    if count == 1:
        told = (
            "the first wave holds the only device: nothing is judged and nobody is asked between"
            " waves"
        )
    assert plan.warnings == (told,)


@pytest.mark.parametrize(
    ("waves", "between", "count"),
    [("[9]", ASKED, 10), ("[1, 100%]", ASKED, 2), ("[25]", "ramp: true", 10), ("[5]", ASKED, 0)],
)
def test_waves_that_follow_one_another_or_ask_nothing_are_not(waves, between, count):
    more = waved(waves, between)
    devices = "{organization: 123, expect: {at_least: 0}}"
    plan = frozen(fleet(count), devices, steps="- operation: sync", more=more)

    assert plan.warnings == ()


def waved(waves, between):
    return f"rollout:\n  waves: {waves}\n  {between}\n"


def test_openings_are_reckoned_by_our_clock_and_ages_by_the_controllers():
    once = "window: {opens: 2026-09-21T15:30, lasts: 4h, timezone: UTC}\n"
    text = source(minimal(steps="- operation: reboot", more=once))
    book = read_playbook(text)
    beyond = NOW + 30 * 86_400

    plan = freeze(book, text, fleet(2), controller=BASE, now=beyond, our_now=NOW)

    assert plan.created_at == beyond
    with pytest.raises(SelectionError, match="never opens any more"):
        freeze(book, text, fleet(2), controller=BASE, now=NOW, our_now=beyond)
    with pytest.raises(SelectionError, match="never opens any more"):
        freeze(book, text, fleet(2), controller=BASE, now=beyond)


def test_whose_window_never_opens_is_reckoned_by_our_clock():
    zoned = (
        "window: {opens: 2026-09-21T15:30, lasts: 4h, timezone: UTC,"
        " timezone_field: location_timezone}\n"
    )
    text = source(minimal(steps="- operation: reboot", more=zoned))
    records = fleet(1, location_timezone="Asia/Tokyo")

    def never(now, our_now):
        plan = freeze(read_playbook(text), text, records, controller=BASE, now=now, our_now=our_now)
        return [each for each in plan.warnings if "never opens any more in Asia/Tokyo" in each]

    assert never(NOW, NOW - 86_400) == []
    assert never(NOW - 86_400, NOW)


WHERE = (
    "{{organization: [123, 124], type: 15, where: {{{}}}, include: [1, 2, 3],"
    " expect: {{at_least: 0}}}}"
)


@pytest.mark.parametrize(
    ("where", "attributes"),
    [
        ("software_version: {below: 2.5}, name: 'b*'", ("software_version", "name")),
        ("is_active: true, created: {at_least: 2020-01-01}", ("is_active", "created")),
        ("created: {older_than: 30d}", ()),
        ("rack: B, organization_id: 123", ("rack", "organization_id")),
        (
            (
                "status: up, status_change: {older_than: 1d}, pending_settings: none, last_connection:"
                " {at_least: 2020-01-01}, last_configuration: present, last_change: present,"
                " firmware_image_is_pending: false"
            ),
            (),
        ),
    ],
)
def test_a_plan_names_the_fields_it_was_chosen_by_without_those_that_pass(where, attributes):
    plan = frozen(fleet(1), devices=WHERE.format(where))

    named = dict.fromkeys((*attributes, "organization_id", "type"))
    assert plan.attributes == tuple(named)


def test_a_plan_of_named_devices_was_chosen_by_no_field():
    plan = frozen(fleet(2), devices="include: [1, 2]")

    assert plan.attributes == ()
    assert [device.chosen_by for device in plan.devices] == [(), ()]


def test_each_device_keeps_what_it_was_chosen_by_as_its_record_gives_it():
    records = fleet(3, created="2026-01-01T00:00:00Z", tags=["a", "b"])
    records[1] = record(**records[1].fields | {"software_version": "2.4.1", "is_active": "yes"})
    fields = "software_version: 2.4.1, is_active: true, created: present, tags: present"

    plan = frozen(records, devices=f"{{organization: 123, where: {{{fields}}}}}")

    assert plan.attributes == (
        "software_version",
        "is_active",
        "created",
        "tags",
        "organization_id",
    )
    chosen = ("2.4.1", True, 1_767_225_600.0, ["a", "b"], 123)
    assert [device.chosen_by for device in plan.devices] == [chosen] * 3


def test_devices_of_one_type_and_place_say_so_in_the_same_words():
    records = [
        record(id=i, software_version=".".join("24"), type_short_name=" NE ", location_name=" HQ ")
        for i in (1, 2)
    ]

    first, second = frozen(
        records, devices="{organization: 123, where: {software_version: {below: 3}}}"
    ).devices

    assert first.chosen_by == second.chosen_by == ("2.4", 123)
    assert first.kind == second.kind == "NE"
    assert first.location == second.location == "HQ"


def test_values_that_only_look_alike_stay_what_they_are():
    records = [record(id=1, rack=1), record(id=2, rack=True), record(id=3, rack=1.0)]

    plan = frozen(records, devices="{organization: 123, where: {rack: present}}")

    assert [repr(device.chosen_by[0]) for device in plan.devices] == ["1", "True", "1.0"]


@pytest.mark.parametrize(
    ("fields", "kind", "location"),
    [
        ({"type_short_name": " NE40 ", "location_name": "Boise"}, "NE40", "Boise"),
        ({"type_short_name": "", "location_name": None, "location": 77}, "15", "77"),
        ({"type": None, "location_name": "  "}, None, None),
    ],
)
def test_a_device_has_its_type_and_place_by_name_else_by_number(fields, kind, location):
    (device,) = frozen([record(**fields)]).devices

    assert (device.kind, device.location) == (kind, location)


def test_a_plan_is_good_for_a_day_from_our_clock():
    text = source(minimal())
    book = read_playbook(text)

    plan = freeze(book, text, fleet(1), controller=BASE, now=NOW - 900, our_now=NOW + 0.1234567)

    assert (plan.made_at, plan.expires_at) == (NOW + 0.123457, NOW + 86_400.123457)
    assert plan.openings == {}


@pytest.mark.parametrize("lifetime", [3601.0, 7 * 86_400.0])
def test_a_plan_is_good_for_as_long_as_was_asked_for(lifetime):
    plan = frozen(fleet(1), lifetime=lifetime)

    assert plan.expires_at == NOW + lifetime
    assert plan.warnings == ()


@pytest.mark.parametrize(
    ("lifetime", "told"),
    [
        (1800.0, "30m only: it has to be started before 2026-09-21 14:43:20Z"),
        (3600.0, "1h only: it has to be started before 2026-09-21 15:13:20Z"),
    ],
)
def test_a_plan_that_is_hardly_made_before_it_is_too_old_says_so(lifetime, told):
    assert frozen(fleet(1), lifetime=lifetime).warnings == (f"the plan is good for {told}",)


def test_a_plan_is_good_until_its_first_usable_opening_has_ended_in_each_zone():
    records = [
        record(id=1, location_name="a", location_timezone="America/Tijuana"),
        record(id=2, serial_number="SN2", location_name="b"),
    ]

    plan = frozen(records, more=WINDOW)

    assert {zone: len(found) for zone, found in plan.openings.items()} == {
        "America/Mexico_City": 7,
        "America/Tijuana": 7,
    }
    ends = {zone: found[0].end for zone, found in plan.openings.items()}
    assert plan.expires_at == ends["America/Tijuana"] > ends["America/Mexico_City"]


def test_an_opening_that_is_too_nearly_over_for_a_device_is_not_the_one_to_wait_for():
    # Now 14:13:20; one device needs 15 minutes, and today's opening ends in 10.
    late = "window: {opens: 23 10 * * *, lasts: 4h, timezone: UTC}\n"

    plan = frozen(fleet(1), more=late)

    today, tomorrow, *_ = plan.openings["UTC"]
    assert today.end - NOW < 900
    assert plan.expires_at == tomorrow.end


def test_an_opening_within_the_lifetime_does_not_shorten_it():
    plan = frozen(fleet(1), more=NIGHTLY)

    assert plan.openings["UTC"][0].end < plan.expires_at == NOW + 86_400


def test_risks_stand_in_the_order_of_their_weight():
    records = fleet(11, location_name="Boise", location_timezone=None)
    records[0] = record(id=1, location_name="Boise", status="Down", serial_number=None)

    plan = frozen(
        records,
        devices="{all: true, order_by: colour, exclude: 99}",
        steps="- operation: factory",
        more="rollout: {max_down: 11}\n",
        notes=["the listing changed"],
        lifetime=60.0,
    )

    beginnings = [
        "the listing changed",
        "the selection names no organization",
        "no reconf follows factory",
        "no window",
        "no budget",
        "max_down 11 lets all 11 devices be down",
        "more than half of the listed devices of Boise",
        "the guard would skip 1 of 11",
        "exclude names 1 device",
        "order_by names 'colour'",
        "1 device of the set without a serial number",
        "the plan is good for 1m only",
    ]
    found = zip(plan.warnings, beginnings, strict=True)
    assert [told for told, begins in found if not told.startswith(begins)] == []
