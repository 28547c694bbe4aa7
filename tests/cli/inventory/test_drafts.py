"""A composed playbook is put where its rows are found, and writes over nobody's file."""

from pathlib import Path

import pytest
import typer

from orchestrator.cli.inventory import drafts, sources
from orchestrator.cli.inventory.drafts import Draft
from orchestrator.model.errors import PlaybookError, RunError
from orchestrator.planning.drafting import composing
from orchestrator.playbook.loading import load_playbook


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()


def draft_of(text, file="data/sites.csv"):
    Path(file).write_text(text)
    rows = sources.read(file, "serial_number")
    text = composing.updating_from(rows.table, file=rows.table.name)
    return Draft("devices-update", text, rows)


PLAIN = "serial_number,name\nZN1,a\n"
SECRET = "serial_number,password\nZN1,hush\n"


@pytest.mark.parametrize("text", [PLAIN, SECRET], ids=["plain", "with secrets"])
def test_it_is_there_for_the_planning_only(text):
    with drafts.at_hand(draft_of(text), None) as path:
        playbook, _ = load_playbook(path)

    assert list(playbook.table.rows) == ["ZN1"]
    assert not path.exists()
    assert [each.name for each in Path("data").iterdir()] == ["sites.csv"]


def test_secrets_are_never_copied():
    with drafts.at_hand(draft_of(SECRET), None) as path:
        beside = [each.read_text() for each in path.parent.iterdir()]

    assert sum("hush" in each for each in beside) == 1


def test_a_run_finds_the_file_with_secrets_again():
    draft = draft_of(SECRET)

    with drafts.at_hand(draft, None) as path:
        source = draft.source_as_kept(load_playbook(path)[1])

    assert Path(source.path).parent == Path("data").resolve()


def test_a_kept_plan_has_its_playbook_and_rows_beside_it():
    with drafts.at_hand(draft_of(PLAIN), Path("plan.json")) as path:
        pass

    assert path == Path("plan.yaml")
    assert load_playbook(path)[0].table.name == "plan-rows.csv"
    assert Path("plan-rows.csv").read_text() == PLAIN


def test_rows_in_the_same_folder_are_used_where_they_are():
    with drafts.at_hand(draft_of(PLAIN), Path("data/plan.json")) as path:
        pass

    assert load_playbook(path)[0].table.name == "sites.csv"
    assert sorted(each.name for each in Path("data").iterdir()) == ["plan.yaml", "sites.csv"]


def test_a_playbook_that_somebody_wrote_is_not_written_over():
    Path("plan.yaml").write_text("playbook: mine\n")

    with (
        pytest.raises(RunError, match=r"plan\.yaml is there already"),
        drafts.at_hand(draft_of(PLAIN), Path("plan.json")),
    ):
        pass

    assert Path("plan.yaml").read_text() == "playbook: mine\n"


def test_one_that_a_command_made_before_is():
    for _ in range(2):
        with drafts.at_hand(draft_of(PLAIN), Path("plan.json")):
            pass

    assert Path("plan.yaml").read_text().startswith(composing.MARK)


def test_nothing_stays_when_no_plan_can_be_made():
    with pytest.raises(PlaybookError), drafts.at_hand(draft_of(PLAIN), Path("plan.json")):
        raise PlaybookError([])

    assert not Path("plan.yaml").exists()
    assert not Path("plan-rows.csv").exists()


def test_a_plan_with_secrets_stays_with_their_file():
    draft = draft_of(SECRET)

    with pytest.raises(typer.BadParameter, match="keep the plan in the same folder"):
        drafts.check_place(draft.rows, Path("plan.json"))

    drafts.check_place(draft.rows, Path("data/plan.json"))


def test_faults_of_a_composed_playbook_are_those_of_the_command_line():
    draft = Draft("devices-update", "playbook: x\n")

    with pytest.raises(PlaybookError) as raised, drafts.at_hand(draft, None) as path:
        load_playbook(path)

    assert {fault.path for fault in raised.value.faults} == {"command line"}


def test_a_folder_where_nothing_can_be_written_is_one_clear_message():
    draft = draft_of(SECRET)
    Path("data/sites.csv").unlink()
    Path("data").rmdir()

    with (
        pytest.raises(RunError, match="the playbook of this command cannot be written"),
        drafts.at_hand(draft, None),
    ):
        pass
