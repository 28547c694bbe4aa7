"""The playbooks that come with the program are found by name, and never hide a file that is here."""

from pathlib import Path

import pytest

from orchestrator.cli import shipped
from orchestrator.model.errors import RunError


@pytest.mark.parametrize(
    "given",
    [
        "maintenance-reboot",
        "maintenance-reboot.yaml",
        "playbooks/maintenance-reboot",
        "playbooks/maintenance-reboot.yaml",
    ],
)
def test_a_shipped_playbook_is_found_by_its_name_from_any_folder_and_that_is_said(cli, given):
    ended = cli("validate", given)

    assert (ended.code, ended.out) == (0, f"{given}: valid\n")
    assert ended.err == "The playbook maintenance-reboot is the one that comes with orchestrator.\n"


def test_a_file_that_is_here_is_the_one_that_is_meant(cli):
    Path("redeploy.yaml").write_text("stepz: 1\n")

    ended = cli("validate", "redeploy.yaml")

    assert ended.code == 2
    assert "stepz" in ended.err


@pytest.mark.parametrize("given", ["no-such-playbook", "elsewhere/redeploy.yaml", "a\0b"])
def test_what_neither_is_here_nor_ships_is_left_as_it_was_given(cli, given):
    assert shipped.find(given) == Path(given)


def test_a_shipped_playbook_that_is_missing_says_how_to_mend_that():
    with pytest.raises(RunError, match="install it again"):
        shipped.playbook("nothing.yaml")
