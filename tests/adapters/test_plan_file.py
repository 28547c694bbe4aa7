"""A plan is kept whole, durable and private, and a changed one is never believed."""

import dataclasses
import errno
import hashlib
import os
import stat

import orjson
import pytest

from orchestrator.adapters.plan_file import digest, playbook_digest, read_plan, write_plan
from orchestrator.model.errors import RunError, UnrecordedError
from orchestrator.planning.freezing import freeze
from orchestrator.playbook.reading import read_playbook
from tests.support.playbooks import NOW, minimal, record, source

TEXT = minimal("{organization: 123, exclude: '@keep.csv', limit: '${n}'}", more="vars: {n: 1}\n")


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
        "source": dataclasses.replace(plan.source, files={}),
        "warnings": ("x",),
        "listed": 99,
    }
    digests = {digest(dataclasses.replace(plan, **{k: v})) for k, v in changes.items()}

    assert len(digests | {digest(plan)}) == len(changes) + 1


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
    content = orjson.dumps(document["plan"], option=orjson.OPT_SORT_KEYS)
    document["digest"] = hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(v=2), "has version 2, this program reads version 1"),
        (lambda d: d.pop("plan"), "is not a plan of this program"),
        (lambda d: (d["plan"].pop("limits"), reseal(d)), "is damaged"),
        (lambda d: (d["plan"].update(devices=3), reseal(d)), "is damaged"),
        (lambda d: (d["plan"].update(source=3), reseal(d)), "is damaged"),
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
