"""What a shell is offered after <Tab>."""

from pathlib import Path

from orchestrator.cli import completing


def test_runs_are_offered_newest_first_after_the_word_for_the_newest(tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_RUNS_DIR", str(tmp_path))
    for name in ("2026-a", "2027-b"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()

    assert completing.run_ids("") == ["last", "2027-b", "2026-a"]
    assert completing.run_ids("2026") == ["2026-a"]


def test_without_a_folder_for_runs_only_the_word_is_offered(tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_RUNS_DIR", str(tmp_path / "none"))

    assert completing.run_ids("") == ["last"]


def test_playbooks_and_the_folders_on_the_way_are_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("books").mkdir()
    for name in ("books/a.yaml", "books/b.yml", "books/c.txt", "books/.d.yaml"):
        Path(name).touch()

    assert completing.playbook_files("") == ["books/"]
    assert completing.playbook_files("books/") == ["books/a.yaml", "books/b.yml"]
    assert completing.playbook_files("books/b") == ["books/b.yml"]
    assert completing.playbook_files("none/") == []
