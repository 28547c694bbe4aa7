"""The lock: it pins every dependency that pyproject.toml asks for, inside the range it asks for."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
BENCH_LOCK = (ROOT / "requirements-bench.lock").read_text()


def pins_of(lock):
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", lock, re.MULTILINE))


PINS, BENCH_PINS = pins_of(LOCK), pins_of(BENCH_LOCK)
GROUPS = dict(PROJECT["dependency-groups"])
BENCH_WANTED = GROUPS.pop("bench")
WANTED = [
    *PROJECT["build-system"]["requires"],
    *PROJECT["project"]["dependencies"],
    *(entry for entry in chain(*GROUPS.values()) if isinstance(entry, str)),
]


@pytest.mark.parametrize(
    ("dependency", "pins"),
    [(each, PINS) for each in WANTED] + [(each, BENCH_PINS) for each in BENCH_WANTED],
    ids=[*WANTED, *BENCH_WANTED],
)
def test_every_range_of_the_project_is_satisfied_by_its_pin(dependency, pins):
    requirement = Requirement(dependency)

    assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_what_both_locks_pin_is_the_same_version_for_they_share_an_environment():
    shared = PINS.keys() & BENCH_PINS.keys()

    assert {name: BENCH_PINS[name] for name in shared} == {name: PINS[name] for name in shared}


@pytest.mark.parametrize("lock", [LOCK, BENCH_LOCK], ids=["requirements", "bench"])
def test_the_lock_names_no_index_and_no_file(lock):
    places = re.findall(r"^-.*|.*(?:://| @ ).*", lock, re.MULTILINE)

    assert places == []
