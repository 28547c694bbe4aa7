"""The files of a plan's playbook are found again and read as they are now."""

from dataclasses import replace

import pytest

from orchestrator.adapters.plans.kept_playbook import playbook_of, source_now
from orchestrator.model.errors import RunError
from orchestrator.playbook.loading import load_playbook
from tests.support.playbooks import minimal

TEXT = minimal("{organization: 123, exclude: '@keep.csv', limit: '${n}'}", more="vars: {n: 1}\n")


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "plans").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "branch.yaml").write_text(TEXT)
    (tmp_path / "keep.csv").write_text("9\n")
    return tmp_path


@pytest.fixture
def kept(place):
    return load_playbook("branch.yaml", {"n": "2"})[1]


def test_what_is_unchanged_is_read_as_it_was(place, kept):
    assert source_now(kept, place / "plan.json") == kept


def test_a_changed_text_and_a_changed_file_are_read_as_they_are(place, kept):
    (place / "keep.csv").write_text("8\n")

    assert source_now(kept, place / "plan.json").files == {"keep.csv": "8\n"}


def test_what_is_no_playbook_any_more_is_read_as_text(place, kept):
    (place / "branch.yaml").write_bytes(b"\xef\xbb\xbfplaybook: [\xff\r\n")

    found = source_now(kept, place / "plan.json")

    assert found == replace(kept, text="playbook: [�\r\n")


def test_it_is_looked_for_from_here_and_then_beside_the_plan(place, kept, monkeypatch):
    monkeypatch.chdir(place / "plans")

    assert playbook_of(kept, place / "plan.json") == place / "branch.yaml"
    (place / "plans" / "branch.yaml").write_text("x")
    assert playbook_of(kept, place / "plan.json").read_text() == "x"


def test_a_playbook_that_is_gone_is_said_so(place, kept):
    (place / "branch.yaml").unlink()

    with pytest.raises(RunError, match=r"branch.yaml of the plan .* is gone; put it back or make"):
        source_now(kept, place / "plan.json")


def test_a_file_it_names_that_is_gone_is_said_so(place, kept):
    (place / "keep.csv").unlink()

    with pytest.raises(RunError, match=r"'keep.csv', beside the playbook, does not exist; put it"):
        source_now(kept, place / "plan.json")
