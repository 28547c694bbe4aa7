"""A playbook is read with the files beside it, and with nothing else."""

import os

import pytest

from orchestrator.model.errors import PlaybookError
from orchestrator.playbook.loading import MAX_FILE_BYTES, load_playbook
from orchestrator.playbook.reading import read_playbook
from tests.support.playbooks import minimal


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "books" / "lists").mkdir(parents=True)
    return tmp_path / "books"


def write(folder, text):
    path = folder / "branch.yaml"
    path.write_text(text)
    return path


def message(path):
    with pytest.raises(PlaybookError) as raised:
        load_playbook(path)
    return raised.value.faults[0].message


def test_what_was_loaded_can_be_read_again_without_the_files(folder):
    (folder / "lists" / "keep.csv").write_text("\ufeffid\n1007\n")
    (folder / "wanted.csv").write_text("SN1\n")
    text = minimal("{include: '@wanted.csv', exclude: '@lists/keep.csv', limit: '${n}'}")
    path = write(folder, text + "vars: {n: 1}\n")

    playbook, source = load_playbook(path, {"n": "5"})

    assert playbook.selection.exclude == {"1007"}
    assert source.variables == {"n": "5"}
    assert source.files == {"wanted.csv": "SN1\n", "lists/keep.csv": "id\n1007\n"}
    path.unlink()
    assert read_playbook(source) == playbook


def test_a_file_named_twice_is_read_once(folder):
    (folder / "l.csv").write_text("1\n")
    path = write(folder, minimal("include: ['@l.csv', '@l.csv']"))
    asked = []

    load_playbook(path, read_file=lambda p: asked.append(p.name) or p.read_bytes())

    assert asked == ["branch.yaml", "l.csv"]


def test_a_playbook_that_does_not_exist_is_said_so(folder):
    assert message(folder / "nope.yaml") == "the playbook does not exist"


def test_a_folder_is_no_playbook(folder):
    assert "not a file" in message(folder)


def test_a_playbook_in_another_encoding_is_said_so(folder):
    path = folder / "latin.yaml"
    path.write_bytes("playbook: a\ndescription: caf\xe9\n".encode("latin-1"))

    assert message(path) == (
        "the playbook cannot be read: it is not UTF-8 text, line 2 has the byte 0xe9"
    )


def test_a_missing_file_is_named_where_the_playbook_names_it(folder):
    path = write(folder, minimal("include: '@nope.csv'"))

    with pytest.raises(PlaybookError) as raised:
        load_playbook(path)

    found = raised.value.faults[0]
    assert (found.line, found.column, found.key) == (3, 12, "devices.include")
    assert found.message == "'nope.csv', beside the playbook, does not exist"


def test_a_fault_in_a_file_beside_is_shown_under_its_own_path(folder):
    (folder / "l.csv").write_text("name,id\nx,\n")
    path = write(folder, minimal("include: '@l.csv'"))

    with pytest.raises(PlaybookError) as raised:
        load_playbook(path)

    assert raised.value.faults[0].path == str(folder / "l.csv")


def test_a_link_cannot_lead_out_of_the_folder(folder, tmp_path):
    (tmp_path / "secret.csv").write_text("1\n")
    (folder / "l.csv").symlink_to(tmp_path / "secret.csv")

    assert "leads out of the playbook's folder" in message(
        write(folder, minimal("include: '@l.csv'"))
    )


def test_a_pipe_is_never_waited_for(folder):
    os.mkfifo(folder / "l.csv")

    assert "not a file" in message(write(folder, minimal("include: '@l.csv'")))


def test_a_file_that_would_fill_the_memory_is_refused(folder):
    with (folder / "l.csv").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)

    assert "larger than 64 MB" in message(write(folder, minimal("include: '@l.csv'")))
