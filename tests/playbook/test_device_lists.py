"""Devices named one by one, or in a file beside the playbook."""

import pytest

from tests.support.playbooks import fault, faults, minimal, playbook


def named(content, item='"@list.csv"'):
    return playbook(minimal(f"include: {item}"), files={"list.csv": content}).selection.include


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("1001\n1002\n", {"1001", "1002"}),
        ("\ufeffserial_number\r\nSN1\r\nSN2\r\n", {"SN1", "SN2"}),
        ("name,ID\na,1001\nb,1002", {"1001", "1002"}),
        ("name;serial_number;note\na;SN1;x,y\n", {"SN1"}),
        ("name\tid\na\t7\n", {"7"}),
        ('id\n"SN,1"\n', {"SN,1"}),
        ("# who stays\n\n SN1 , kept\n;;\n", {"SN1"}),
        ("serial_number,id\nSN1,1\n", {"1"}),
        ("0007\n", {"0007"}),
        ("name,note\nbranch 1,b\n", {"branch 1"}),
    ],
)
def test_a_file_may_look_as_spreadsheets_write_it(content, names):
    assert named(content) == names


def test_files_and_single_names_add_up():
    assert named("1\n2\n", '["@list.csv", 3, SN4]') == {"1", "2", "3", "SN4"}


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("type,note\na,b\n", 1, "the header names no id, serial_number or name"),
        ("id,password\n1,x\n", 1, "must not hold secrets, and this has a column 'password'"),
        ("name,id\na,1\nb\n", 3, "this row names no device in its column"),
        ("name,id\na,1\nb,\n", 3, "this row names no device in its column"),
        ('1\n"2\n', 2, "not closed"),
        ("1\n\x07\n", 2, "names no device"),
    ],
)
def test_a_fault_in_a_file_names_the_file_and_its_line(content, line, message):
    found = fault(minimal('{type: 1, exclude: "@list.csv"}'), files={"list.csv": content})

    assert (found.path, found.line) == ("list.csv", line)
    assert message in found.message
    assert found.key == "devices.exclude"


def test_a_file_of_rubbish_does_not_bury_the_reader():
    found = faults(minimal('include: "@list.csv"'), files={"list.csv": "id\n" + ",x\n" * 1000})

    assert len(found) == 20


@pytest.mark.parametrize(
    "name",
    [
        "../x.csv",
        "/etc/passwd",
        "a/../../x",
        "C:\\\\x.csv",
        "\\\\\\\\host\\\\x",
        "~/x.csv",
        "",
        " ",
    ],
)
def test_a_file_name_cannot_leave_the_folder_of_the_playbook(name):
    found = fault(minimal(f'include: "@{name}"'))

    assert found.key == "devices.include"
    assert "own folder" in found.hint


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("[]", "no device"),
        ('"@list.csv"', "no device"),
        ("{a: 1}", "found a mapping"),
        ("[[1]]", "found a list"),
        ("['']", "is no id, no serial number and no name"),
        ("", "no value"),
    ],
)
def test_naming_nobody_is_a_fault_of_include(item, message):
    found = faults(minimal(f"{{include: {item}}}"), files={"list.csv": "id\n"})

    assert message in found[0].message


def test_excluding_nobody_is_none():
    assert playbook(minimal("{type: 1, exclude: []}")).selection.exclude == frozenset()


def test_the_rows_of_a_list_with_secrets_are_never_shown():
    found = fault(minimal('include: "@list.csv"'), files={"list.csv": "id,password\n,hunter2\n"})

    assert "hunter2" not in repr(found)
