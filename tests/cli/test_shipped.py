"""The playbooks that come with the program are found by name, and never hide a file that is here."""

from pathlib import Path

import pytest

from orchestrator.cli import shipped
from orchestrator.model.errors import RunError

FOLDER = Path(__file__).parents[2] / "playbooks"


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


TABLED = sorted(
    path.stem for path in FOLDER.glob("*.yaml") if "${table}" in path.read_text(encoding="utf-8")
)
BY_COMMAND = {
    "onboard": "`orchestrator devices import FILE.csv`",
    "update-fields": "`orchestrator devices update --from FILE.csv`",
    "hardware-replacement": "name your copy\n",
}


def test_these_shipped_playbooks_draw_on_a_table():
    assert set(TABLED) == set(BY_COMMAND)


@pytest.mark.parametrize("name", TABLED)
@pytest.mark.parametrize(
    "order",
    [("plan", "{}"), ("run", "{}", "--yes"), ("run", "playbooks/{}.yaml"), ("run", "{}", "--cron")],
    ids=" ".join,
)
def test_an_example_table_is_never_carried_out(cli, name, order):
    words = [word.format(name) for word in order]

    ended = cli(*words, "--base-url", "http://127.0.0.1:9/api/v1")

    assert ended.code == 2
    assert f"copy {FOLDER}/{name}.yaml and {name}.csv from there" in ended.err
    assert BY_COMMAND[name] in ended.err
    assert ended.err.count("\n") == 1


def test_an_example_table_can_be_checked(cli):
    assert cli("validate", "onboard").code == 0


def test_a_copy_of_such_a_playbook_is_the_one_that_is_meant(cli):
    for name in ("onboard.yaml", "onboard.csv"):
        Path(name).write_bytes((FOLDER / name).read_bytes())

    assert shipped.find_to_plan("onboard.yaml") == Path("onboard.yaml")


def test_any_other_shipped_playbook_is_planned_by_its_name(cli):
    assert shipped.find_to_plan("redeploy") == FOLDER / "redeploy.yaml"


def test_a_shipped_playbook_that_is_missing_says_how_to_mend_that():
    with pytest.raises(RunError, match="install it again"):
        shipped.playbook("nothing.yaml")
