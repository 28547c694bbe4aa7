"""A playbook that the clock starts is carried out once at a time."""

import pytest

from orchestrator.adapters.machine.playbook_lock import alone
from orchestrator.model.errors import RunError

BASE = "https://control.test/api/v1"


def test_the_second_one_is_told_that_it_is_not_alone(tmp_path):
    with (
        alone(tmp_path / "locks", "remediate", BASE) as first,
        alone(tmp_path / "locks", "remediate", BASE) as second,
    ):
        assert (first, second) == (True, False)

    with alone(tmp_path / "locks", "remediate", BASE) as again:
        assert again


def test_other_playbooks_and_other_controllers_are_no_hindrance(tmp_path):
    with (
        alone(tmp_path, "remediate", BASE),
        alone(tmp_path, "drift-sync", BASE) as other,
        alone(tmp_path, "remediate", "https://elsewhere.test") as elsewhere,
    ):
        assert other
        assert elsewhere


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "locks").write_text("no folder")

    with (
        pytest.raises(RunError, match="the folder for locks"),
        alone(tmp_path / "locks", "x", BASE),
    ):
        pass
