"""A playbook is read with the files beside it, and with nothing else."""

import hashlib
import os

import pytest

from orchestrator.model.errors import PlaybookError
from orchestrator.playbook.loading import MAX_FILE_BYTES, load_playbook, load_text
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
        "the playbook cannot be read: it is not UTF-8 text, line 2 has the byte 0xe9 and looks like"
        " Windows-1252; save it as UTF-8"
    )


def test_a_table_as_spreadsheets_export_it_in_utf_16_is_said_so(folder):
    (folder / "sites.csv").write_bytes("serial_number\nSN1\n".encode("utf-16"))

    assert message(write(folder, minimal('with: "@sites.csv"'))) == (
        "'sites.csv', beside the playbook, cannot be read: it looks like UTF-16; save it as UTF-8"
        " (in Excel: CSV UTF-8)"
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


SITES = "serial_number,password,site\r\nSN1,hunter2,North\r\nSN2,,South\r\n"


def test_the_secrets_of_a_table_are_not_kept_and_the_playbook_reads_the_same(folder):
    (folder / "sites.csv").write_bytes(("\ufeff" + SITES).encode())
    path = write(folder, minimal('with: "@sites.csv"', "- update: row\n- sleep: 1s"))

    playbook, source = load_playbook(path)

    assert "hunter2" not in repr(source)
    assert source.files == {"sites.csv": "serial_number,password,site\nSN1,***,North\nSN2,,South\n"}
    assert source.digests == {"sites.csv": hashlib.sha256(SITES.encode()).hexdigest()}
    path.unlink()
    assert read_playbook(source) == playbook
    assert playbook.table.rows["SN1"] == {"serial_number": "SN1", "password": True, "site": "North"}


def test_a_table_without_secrets_is_kept_whole_and_needs_no_digest(folder):
    (folder / "sites.csv").write_text("serial_number,site\nSN1,North\n")
    path = write(folder, minimal('with: "@sites.csv"', "- update: {name: '${row.site}'}"))

    source = load_playbook(path)[1]

    assert (source.files, source.digests) == ({"sites.csv": "serial_number,site\nSN1,North\n"}, {})


def test_a_table_that_was_kept_is_not_taken_for_the_one_it_was_made_from(folder):
    (folder / "sites.csv").write_text("serial_number,password\nSN1,***\n")
    path = write(folder, minimal('with: "@sites.csv"', "- update: row"))

    assert message(path) == "password is ***, which stands for a secret that was not kept"


def test_a_fault_of_a_table_stands_under_its_own_path_with_the_key_that_names_it(folder):
    (folder / "sites.csv").write_text("serial_number,type\nSN1,x\n")
    path = write(folder, minimal('with: "@sites.csv"', "- update: row"))

    with pytest.raises(PlaybookError) as raised:
        load_playbook(path)

    (found,) = raised.value.faults
    assert (found.path, found.line, found.column) == (str(folder / "sites.csv"), 2, 5)
    assert found.key == "devices.with"


def test_a_text_is_read_as_if_it_stood_beside_its_files(folder):
    (folder / "new.csv").write_text("serial_number\nSN1\n")
    text = minimal('with: "@new.csv"', "- create: {type: 15}")

    playbook, source = load_text(str(folder / "import.yaml"), text)

    assert playbook.creates
    assert source.files == {"new.csv": "serial_number\nSN1\n"}


def test_a_sealed_table_is_kept_as_it_is(folder):
    sealed = "orchestrator sealed table 1\ngAAAAABm-_x=\n"
    (folder / "new.sealed").write_text(sealed)
    steps = '- update: {password: {file: "@new.sealed"}}'

    playbook, source = load_playbook(write(folder, minimal(steps=steps)))

    assert source.files == {"new.sealed": sealed}
    assert read_playbook(source) == playbook
