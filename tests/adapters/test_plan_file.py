"""A plan is kept whole, durable and private, and a changed one is never believed."""

import dataclasses
import errno
import hashlib
import json
import os
import stat
import textwrap
import tracemalloc
from pathlib import Path

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.adapters.plans import plan_lines
from orchestrator.adapters.plans.plan_file import (
    check_place,
    digest,
    is_plan,
    playbook_digest,
    read_current,
    read_plan,
    read_stored,
    write_plan,
)
from orchestrator.model.amounts import Share
from orchestrator.model.errors import RunError, UnrecordedError
from orchestrator.model.forecasts import Binding, Forecast, Gain, GroupPeak, Spread, WaveForecast
from orchestrator.model.operations import Operation
from orchestrator.model.plans import Limits, Plan, PlannedDevice, Wave
from orchestrator.model.policies import Budget, GroupLimit
from orchestrator.model.windows import Opening
from orchestrator.planning.drafting.freezing import freeze
from orchestrator.playbook.loading import load_playbook
from orchestrator.playbook.reading import read_playbook
from tests.support.playbooks import NOW, minimal, record, source

CAREFUL = minimal(
    steps="- operation: factory\n- operation: reconf",
    more="""
    rescue:
      - operation: sync
    rollout:
      max_down: 10%
      max_down_per: {location_name: 1, "organization_id, type": 5}
      waves: [3, 10%, 6]
      spread_by: type
      between_waves: {soak: 5m, succeeded: 90%, approval: true}
      stop_when: {failed: 2, failure_rate: 33.3%, after: 10}
    window:
      opens: "0 1 * * sat"
      lasts: 4h
      timezone: America/Mexico_City
      timezone_field: location_timezone
    """,
)
VERSION_2 = Path(__file__).parents[1] / "support" / "plan_version_2.json"
"""Written by the program when plans had version 2."""
SPREAD = Spread(1.5, 2, 3.25)
FORECAST = Forecast(
    campaigns=50,
    begins_at=NOW + 0.1234567,
    devices=3,
    ends_at=Spread(NOW + 1, NOW + 2.5, NOW + 3),
    based_on=("reboot: nothing measured yet",),
    assumes=("approvals are given at once",),
    verdicts={"succeeded": SPREAD},
    waves=(WaveForecast(1, SPREAD, 1.0), WaveForecast(2, SPREAD, 0.5)),
    opening=(NOW, NOW + 14_400.0),
    fits=0.98,
    left_at_cutoff=Spread(0, 1, 2),
    stopped={"budget": 0.02},
    cut_short=0.1,
    peak_down=SPREAD,
    worst_group=GroupPeak("Seattle", SPREAD),
    requests=SPREAD,
    peak_rate=SPREAD,
    bindings=(Binding("max_down", 0.8, 25), Binding("devices", 0.2)),
    gain=Gain("max_down", 25, 40, NOW + 2, NOW + 1),
)
TEXT = minimal("{organization: 123, exclude: '@keep.csv', limit: '${n}'}", more="vars: {n: 1}\n")


PLAN = Plan(
    playbook=read_playbook(source(minimal())),
    source=source(minimal()),
    controller="https://c",
    created_at=NOW,
    devices=(),
    limits=Limits(2, 1, 20, 0.2, None),
)


@pytest.fixture
def plan():
    text = source(TEXT, variables={"n": "2"}, files={"keep.csv": "9\n"})
    records = [record(id=i, serial_number=None, username="joe", password="x") for i in range(1, 4)]
    playbook = read_playbook(text)
    return freeze(playbook, text, records, controller="https://c/api/v1", now=NOW + 0.123456)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "plan.json"


def test_a_plan_comes_back_as_it_was_written(plan, path):
    seal = write_plan(plan, path)

    again = read_plan(path)

    assert again == plan
    assert seal == digest(plan) == digest(again)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
AMOUNTS = st.none() | st.integers(0, 10_000)
SHARES = st.fractions(0, 1).map(Share)
LIMITS = st.builds(
    Limits,
    devices=st.integers(0, 10**6),
    max_down=st.integers(1, 10**6),
    in_flight=st.integers(1, 1000),
    delay=st.floats(0, 1e6),
    per_second=st.none() | st.floats(0.001, 1e6),
    max_down_per=st.lists(
        st.builds(
            GroupLimit, st.lists(TEXTS, min_size=1, max_size=3).map(tuple), st.integers(1, 99)
        ),
        max_size=3,
    ).map(tuple),
    waves=st.lists(st.builds(Wave, st.integers(1, 3), st.integers(0, 1)), max_size=12).map(tuple),
    budget=st.builds(
        Budget, AMOUNTS, AMOUNTS, AMOUNTS, st.none() | SHARES, after=st.integers(0, 10_000)
    ),
)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.lists(TEXTS, max_size=2)
)
DEVICES = st.lists(
    st.builds(
        PlannedDevice,
        st.integers(0, 2**53),
        st.none() | TEXTS,
        st.none() | TEXTS,
        st.lists(TEXTS, max_size=3).map(tuple),
        st.none() | TEXTS,
        st.lists(VALUES, max_size=3).map(tuple),
        st.none() | TEXTS,
        st.none() | TEXTS,
        st.integers(0, 9),
        st.booleans(),
        st.booleans(),
        st.none() | TEXTS,
    ),
    max_size=5,
).map(tuple)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    changes=st.fixed_dictionaries(
        {
            "limits": LIMITS,
            "devices": DEVICES,
            "expected": st.lists(st.integers(0, 10**9)).map(tuple),
            "expected_from": TEXTS,
            "attributes": st.lists(TEXTS, max_size=3).map(tuple),
            "goes_on_after": st.none() | TEXTS,
            "expires_at": st.none() | st.integers(0, 2**32).map(float),
            "forecast": st.none() | st.just(FORECAST),
        }
    )
)
def test_whatever_stands_in_a_plan_comes_back_the_same(plan, path, changes):
    full = dataclasses.replace(plan, **changes)

    seal = write_plan(full, path)

    again = read_plan(path)
    assert again == full
    assert seal == digest(full) == digest(again)


def test_a_careful_plan_comes_back_as_it_was_frozen(path):
    text = source(CAREFUL)
    records = [record(id=i, location_timezone="Asia/Tokyo", type=i % 3) for i in range(1, 41)]
    measured = {Operation.FACTORY: [61.5] * 12}
    plan = freeze(
        read_playbook(text), text, records, controller="https://c", now=NOW, measured=measured
    )

    write_plan(plan, path)

    assert read_plan(path) == plan
    assert (plan.devices[0].zone, len(plan.limits.waves)) == ("Asia/Tokyo", 8)


def test_everything_that_a_plan_foresees_comes_back(plan, path):
    told = dataclasses.replace(
        plan,
        attributes=("software_version", "organization_id"),
        made_at=NOW + 0.25,
        expires_at=NOW + 86_400.5,
        openings={"UTC": (Opening(NOW, NOW + 60.0),), "Asia/Tokyo": ()},
        goes_on_after="2026-09-20-0100-reboot-7f",
        forecast=FORECAST,
    )

    seal = write_plan(told, path)

    stored = read_stored(path)
    assert (stored.plan, stored.digest, stored.version) == (told, seal, 4)
    assert digest(stored.plan) == seal
    assert {type(each) for each in (stored.plan.forecast.opening, stored.plan.openings["UTC"])} == {
        tuple
    }


def test_a_device_takes_one_short_line_that_holds_nothing_empty(plan, path):
    bare = PlannedDevice(7, None, None)
    full = PlannedDevice(
        8, "SN8", "b", ("x",), "UTC", chosen_by=("2.3", None), kind="r", location="L", begins_at=1
    )

    write_plan(dataclasses.replace(plan, devices=(bare, full)), path)

    assert path.read_text().splitlines()[-3:-1] == [
        '{"id":7},',
        (
            '{"begins_at":1,"chosen_by":["2.3",null],"groups":["x"],"id":8,"kind":"r",'
            '"location":"L","name":"b","serial_number":"SN8","zone":"UTC"}'
        ),
    ]


def test_a_plan_that_was_only_laid_out_anew_is_still_the_same(plan, path):
    seal = write_plan(plan, path)
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()), option=orjson.OPT_INDENT_2))

    assert (read_plan(path), read_stored(path).digest) == (plan, seal)


def test_devices_are_written_one_by_one_so_that_a_million_fit_into_memory(plan, path):
    many = tuple(PlannedDevice(i, f"SN{i:08}", f"branch {i}") for i in range(20_000))
    told = dataclasses.replace(plan, devices=many)

    tracemalloc.start()
    write_plan(told, path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert path.stat().st_size > 1_000_000
    assert peak < 300_000


def test_a_plan_of_the_version_before_is_read_with_its_own_digest_and_not_carried_out(path):
    stored = read_stored(VERSION_2)

    kept = orjson.loads(VERSION_2.read_bytes())
    content = orjson.dumps(kept["plan"], option=orjson.OPT_SORT_KEYS)
    assert (stored.version, stored.digest) == (2, kept["digest"])
    assert stored.digest == hashlib.sha256(content).hexdigest()
    plan = stored.plan
    assert [device.id for device in plan.devices] == [1, 2]
    assert plan.devices[0] == PlannedDevice(1, "SN1", "branch-1", ("Seattle North",))
    assert [wave.devices for wave in plan.limits.waves] == [1, 1]
    assert (plan.attributes, plan.openings, plan.forecast, plan.expires_at) == ((), {}, None, None)
    with pytest.raises(RunError, match="made by an older version of this program; make a new one"):
        read_current(VERSION_2)


def test_a_plan_of_version_3_is_shown_and_resumed_and_not_begun(plan, path):
    write_plan(plan, path)

    def of_version_3(document):
        document["v"] = 3
        del document["plan"]["source"]["digests"]
        reseal(document)

    edited(path, of_version_3)

    stored = read_stored(path)
    assert (stored.version, stored.plan) == (3, plan)
    assert stored.digest == orjson.loads(path.read_bytes())["digest"]
    with pytest.raises(RunError, match="made by an older version of this program"):
        read_current(path)


ONBOARDING = """
    playbook: onboard
    devices: {with: "@new.csv"}
    steps:
      - create: {type: 15, name: "${row.site}", password: "${row.password}"}
        proof: {contact: true}
      - operation: reconf
      - update: {username: {generate: 24}, description: "at ${device.location_name}"}
      - done_if: {status: up}
      - operation: reboot
        attempts: 2
    rescue: [{escalate: "does not come up"}]
    notify: {to: noc}
    per_device: [{operation: reboot, at_most: 2, per: 1d}]
    snapshots: record
"""


def test_a_plan_of_new_devices_comes_back_without_the_secrets_of_its_table(path, tmp_path):
    (tmp_path / "new.csv").write_text(
        "serial_number;password;site\nSN1;hunter2;North\nSN2;;South\n"
    )
    book = tmp_path / "onboard.yaml"
    book.write_text(textwrap.dedent(ONBOARDING))
    playbook, text = load_playbook(book)
    new = PlannedDevice(2**48 + 7, "SN1", None, is_new=True)
    why = "2 reboots in 1d, and 2 are allowed"
    tired = PlannedDevice(5, "SN2", "b", exhausted=why, uses=(2, 0))
    plan = dataclasses.replace(PLAN, playbook=playbook, source=text, devices=(new, tired))

    seal = write_plan(plan, path)

    assert b"hunter2" not in path.read_bytes()
    stored = read_stored(path)
    assert (stored.plan, stored.digest) == (plan, seal)
    assert stored.plan.playbook.table.rows["SN1"]["password"] is True
    assert stored.plan.source.digests == text.digests != {}


def test_what_devices_had_before_is_kept_and_leaves_the_digest_as_it_is(path):
    before = dataclasses.replace(PLAN, devices=(PlannedDevice(5, "SN2", "b"),))
    counted = msgspec.structs.replace(before.devices[0], exhausted="2 reboots in 1d", uses=(2,))
    later = dataclasses.replace(before, devices=(counted,))

    assert write_plan(later, path) == digest(before)
    assert read_stored(path).plan == later
    assert read_stored(path).digest == digest(before)


def test_a_changed_plan_of_the_version_before_is_refused(path):
    document = orjson.loads(VERSION_2.read_bytes())
    document["plan"]["devices"].pop()
    path.write_bytes(orjson.dumps(document))

    with pytest.raises(RunError, match="was changed after it was made"):
        read_stored(path)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("plan.json", b'{"v": 3', True),
        ("PLAN.JSON", b"\n  {}", True),
        ("plan.json", b"", True),
        ("plan.json", b" []", True),
        ("playbook.json", b"playbook: x", False),
        ("plan.yaml", b"{playbook: x}", False),
        ("plan.json", None, True),
        ("plan.yaml", None, False),
    ],
)
def test_a_plan_is_known_by_its_name_and_its_first_sign(tmp_path, name, content, expected):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    assert is_plan(path) is expected


def test_a_folder_named_so_was_meant_to_be_one_and_a_pipe_is_not_waited_for(tmp_path):
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")

    assert is_plan(tmp_path / "folder.json")
    assert not is_plan(tmp_path / "pipe.json")


def test_a_plan_replaces_a_plan_and_nothing_else(plan, tmp_path):
    write_plan(plan, tmp_path / "plan.json")
    (tmp_path / "old.json").write_bytes(VERSION_2.read_bytes())
    (tmp_path / "empty.json").touch()
    (tmp_path / "package.json").write_text('{"name": "x"}')
    (tmp_path / "folder.json").mkdir()

    for name in ("plan.json", "old.json", "empty.json", "new.json"):
        check_place(tmp_path / name)
    for name, message in [
        ("package.json", "is there and is no plan; name another file"),
        ("folder.json", "it is there and no file"),
        ("no/plan.json", "there is no folder"),
        ("reboot.yaml", r"is kept in a file named \*.json"),
    ]:
        with pytest.raises(RunError, match=message):
            check_place(tmp_path / name)


def test_ten_thousand_waves_take_no_more_room_than_two(plan, path):
    write_plan(plan, path)
    size = path.stat().st_size
    waves = (Wave(1, 1), *[Wave(10, 9)] * 10_000)

    write_plan(
        dataclasses.replace(plan, limits=dataclasses.replace(plan.limits, waves=waves)), path
    )

    assert path.stat().st_size < size + 400
    assert read_plan(path).limits.waves == waves


def test_only_the_owner_can_read_a_plan_and_no_other_file_is_left(plan, path):
    write_plan(plan, path)
    write_plan(plan, path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_no_secret_of_a_record_is_in_a_plan(plan, path):
    write_plan(plan, path)

    assert b"joe" not in path.read_bytes()


def test_a_plan_that_differs_in_anything_has_another_digest(plan):
    changes = {
        "devices": plan.devices[:1],
        "controller": "https://other/api/v1",
        "created_at": NOW,
        "limits": dataclasses.replace(plan.limits, max_down=7),
        "expected": (1,),
        "expected_from": "elsewhere",
        "source": dataclasses.replace(plan.source, files={}),
        "warnings": ("x",),
        "listed": 99,
        "attributes": ("software_version",),
        "made_at": NOW,
        "expires_at": NOW,
        "openings": {"UTC": (Opening(1.0, 2.0),)},
        "goes_on_after": "night-1",
        "forecast": FORECAST,
    }
    limits = {
        "max_down_per": (GroupLimit(("type",), 1),),
        "waves": (Wave(1, 1), Wave(1, 1)),
        "budget": Budget(failed=1),
    }
    first = plan.devices[0]
    others = [
        *(dataclasses.replace(plan, **{k: v}) for k, v in changes.items()),
        *(
            dataclasses.replace(plan, limits=dataclasses.replace(plan.limits, **{k: v}))
            for k, v in limits.items()
        ),
        *(
            dataclasses.replace(
                plan, devices=(msgspec.structs.replace(first, **{k: v}), *plan.devices[1:])
            )
            for k, v in {
                "groups": ("north",),
                "zone": "UTC",
                "chosen_by": ("2.3",),
                "kind": "router",
                "location": "Seattle",
                "begins_at": 1,
            }.items()
        ),
    ]

    assert len({digest(other) for other in [plan, *others]}) == len(others) + 1


def test_the_digest_of_a_playbook_is_that_of_its_file(plan, path):
    path.write_text(plan.source.text)

    assert playbook_digest(plan.source) == hashlib.sha256(path.read_bytes()).hexdigest()


def edited(path, change):
    document = orjson.loads(path.read_bytes())
    change(document)
    path.write_bytes(orjson.dumps(document))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["plan"]["devices"].append({"id": 4, "serial_number": None, "name": None}),
        lambda d: d["plan"]["limits"].update(max_down=500),
        lambda d: d["plan"]["source"].update(text=TEXT.replace("reboot", "factory")),
        lambda d: d.update(digest="0" * 64),
    ],
)
def test_a_plan_changed_by_hand_is_refused(plan, path, change):
    write_plan(plan, path)
    edited(path, change)

    with pytest.raises(RunError, match="was changed after it was made"):
        read_plan(path)


def reseal(document):
    head = {name: value for name, value in document["plan"].items() if name != "devices"}
    found = document["plan"]["devices"]
    lines = [orjson.dumps(each, option=orjson.OPT_SORT_KEYS) for each in found]
    seal = b"\n".join([orjson.dumps(head, option=orjson.OPT_SORT_KEYS), *lines])
    document["digest"] = hashlib.sha256(seal).hexdigest()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d.update(v=5),
            "newer version of this program: it has version 5, this program reads version 4; use",
        ),
        (lambda d: d.update(v=0), "is not a plan of this program: its version is 0"),
        (lambda d: d.update(v="3"), "is not a plan of this program: its version is '3'"),
        (lambda d: d.update(v=True), "is not a plan of this program: its version is True"),
        (
            lambda d: d.update(v=1),
            "was made by an older version of this program; make a new one",
        ),
        (lambda d: (d["plan"]["limits"].pop("waves"), reseal(d)), "is damaged"),
        (lambda d: (d["plan"]["limits"].update(waves=[{"times": 1}]), reseal(d)), "is damaged"),
        (lambda d: (d["plan"]["limits"]["budget"].update(lost=1), reseal(d)), "is damaged"),
        (
            lambda d: (d["plan"]["limits"]["budget"].update(failure_rate="1/0"), reseal(d)),
            "is damaged",
        ),
        (lambda d: (d["plan"]["devices"][0].update(groups=[3]), reseal(d)), "is damaged"),
        (lambda d: (d["plan"].update(expected=7), reseal(d)), "is damaged"),
        (lambda d: d.pop("plan"), "is not a plan of this program"),
        (lambda d: (d["plan"].pop("limits"), reseal(d)), "is damaged"),
        (lambda d: d["plan"].update(devices=3), "is damaged"),
        (lambda d: d.update(plan=3), "is damaged"),
        (lambda d: (d["plan"].pop("made_at"), reseal(d)), "is damaged"),
        (lambda d: (d["plan"].update(openings={"UTC": [[1, 2]]}), reseal(d)), "is damaged"),
        (lambda d: (d["plan"].update(forecast={}), reseal(d)), "is damaged"),
        (
            lambda d: (d["plan"].update(source=3), reseal(d)),
            "is damaged: its part `source` does not hold what belongs there; make a new plan",
        ),
        (
            lambda d: (d["plan"]["source"].pop("digests"), reseal(d)),
            "is damaged: its part `source` does not hold what belongs there; make a new plan",
        ),
        (
            lambda d: (d["plan"]["source"].update(digests=["a"]), reseal(d)),
            "is damaged: its part `source` does not hold what belongs there; make a new plan",
        ),
        (lambda d: (d["plan"]["limits"].update(a=3), reseal(d)), "is damaged"),
        (lambda d: (d["plan"].update(created_at="x"), reseal(d)), "is damaged"),
        (
            lambda d: (d["plan"]["source"].update(text="playbook: x"), reseal(d)),
            "not one that this version takes",
        ),
    ],
)
def test_a_plan_that_cannot_be_understood_is_refused_in_one_sentence(plan, path, change, message):
    write_plan(plan, path)
    edited(path, change)

    with pytest.raises(RunError, match=message) as raised:
        read_plan(path)

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"{}"])
def test_what_is_no_plan_is_refused(path, raw):
    path.write_bytes(raw)

    with pytest.raises(RunError, match=r"damaged|not a plan"):
        read_plan(path)


def test_a_plan_that_does_not_exist_or_cannot_be_read_is_said_so(path, tmp_path):
    with pytest.raises(RunError, match="there is no plan"):
        read_plan(path)
    with pytest.raises(RunError, match="cannot be read: is a directory"):
        read_plan(tmp_path)


def test_a_plan_that_cannot_be_written_leaves_the_old_one_and_nothing_else(plan, path, monkeypatch):
    write_plan(plan, path)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnrecordedError, match="cannot be written: the disk is full"):
        write_plan(dataclasses.replace(plan, listed=7), path)

    assert read_plan(path) == plan
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_does_not_exist_is_said_so(plan, tmp_path):
    with pytest.raises(UnrecordedError, match="cannot be written: no such file"):
        write_plan(plan, tmp_path / "no" / "plan.json")


def streams(path):
    return plan_lines.read_lines(path, (3, 4)) is not None


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_plan_as_it_was_written_is_read_line_by_line(plan, path, count):
    devices = [PlannedDevice(each, f"SN{each}", "b", chosen_by=("2.4",)) for each in range(count)]
    plan = dataclasses.replace(plan, devices=devices)
    write_plan(plan, path)

    assert streams(path)
    assert read_plan(path) == plan


@pytest.mark.parametrize(
    "reform",
    [
        lambda document: orjson.dumps(document, option=orjson.OPT_INDENT_2),
        orjson.dumps,
        lambda document: json.dumps(document, sort_keys=True, indent=1).encode(),
    ],
    ids=["over many lines", "on one line", "sorted"],
)
def test_a_plan_that_somebody_laid_out_anew_is_the_same_plan(plan, path, reform):
    seal = write_plan(plan, path)
    path.write_bytes(reform(orjson.loads(path.read_bytes())))

    assert not streams(path)
    assert read_stored(path).plan == plan
    assert read_stored(path).digest == seal


def test_rows_whose_parts_stand_in_another_order_have_the_digest_that_they_had(plan, path):
    seal = write_plan(plan, path)
    lines = path.read_bytes().splitlines(keepends=True)
    begin = lines.index(b'"devices": [\n') + 1
    for place in range(begin, len(lines) - 1):
        row = orjson.loads(lines[place].rstrip(b",\n"))
        turned = orjson.dumps(dict(reversed(row.items())))
        lines[place] = turned + lines[place][-2:].lstrip(b"}")
    path.write_bytes(b"".join(lines))

    assert streams(path)
    stored = read_stored(path)
    assert (stored.plan, stored.digest, digest(stored.plan)) == (plan, seal, seal)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw + b"{}",
        lambda raw: raw.replace(b'},\n{"', b'}\n{"'),
        lambda raw: raw.replace(b"}\n]}}", b"},\n]}}"),
        lambda raw: raw.replace(b'"id":', b'"id" 5,'),
        lambda raw: raw.replace(b'"v": 4', b'"v": 2'),
    ],
    ids=["no end", "cut", "longer", "no comma", "a comma too many", "no colon", "old"],
)
def test_what_is_not_laid_out_as_it_was_written_is_left_to_the_reader_of_whole_documents(
    plan, path, damage
):
    two = dataclasses.replace(plan, devices=[PlannedDevice(1, "a"), PlannedDevice(2, "b")])
    write_plan(two, path)
    path.write_bytes(damage(path.read_bytes()))

    assert not streams(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw.replace(b'"plan": {', b'"plant": {'),
        lambda raw: raw.replace(b'"id":1', b'"id":9223372036854775808'),
    ],
    ids=["no plan", "an id beyond all numbers"],
)
def test_a_part_that_is_missing_or_too_large_is_refused_in_one_sentence(plan, path, damage):
    write_plan(dataclasses.replace(plan, devices=[PlannedDevice(1, "a")]), path)
    path.write_bytes(damage(path.read_bytes()))

    assert not streams(path)
    with pytest.raises(RunError, match=r"is damaged|not a plan|was changed"):
        read_plan(path)
