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
PINS = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", LOCK, re.MULTILINE))


WANTED = [
    *PROJECT["build-system"]["requires"],
    *PROJECT["project"]["dependencies"],
    *chain(*PROJECT["project"]["optional-dependencies"].values()),
    *(entry for entry in chain(*PROJECT["dependency-groups"].values()) if isinstance(entry, str)),
]


@pytest.mark.parametrize("dependency", WANTED)
def test_every_range_of_the_project_is_satisfied_by_its_pin(dependency):
    requirement = Requirement(dependency)

    assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)])


def test_the_lock_names_no_index_and_no_file():
    places = re.findall(r"^-.*|.*(?:://| @ ).*", LOCK, re.MULTILINE)

    assert places == []
