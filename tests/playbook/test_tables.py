"""A table is read whole and checked whole: every fault has its file, line and column."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.errors import PlaybookError
from orchestrator.model.secrecy import MASK
from orchestrator.playbook.faults import render_faults
from orchestrator.playbook.loading import load_table, text_digest
from orchestrator.playbook.tables.tables import MOST_FAULTS, kept_text, secret_cells, table_of


def rows(text, key="serial_number", name="sites.csv"):
    return dict(table_of(name, text, key).rows)


def found(text, key="serial_number", name="sites.csv", **given):
    with pytest.raises(PlaybookError) as raised:
        table_of(name, text, key, **given)
    return raised.value.faults


@pytest.mark.parametrize(
    "text",
    [
        "serial_number,site\nSN1,North\nSN2,\n",
        "\ufeffserial_number;site\r\nSN1;North\r\nSN2;\r\n",
        "serial_number\tsite\nSN1\tNorth\nSN2\t\n",
        'sep=;\n"serial_number";"site"\n"SN1";"North"\n SN2 ; \n',
        "# who moves\n\nserial_number,site\n\n SN1 , North \n,,\n#SN9,x\nSN2,",
        "serial_number,site\rSN1,North\rSN2,",
    ],
)
def test_a_table_may_look_as_spreadsheets_write_it(text):
    assert rows(text.replace(",,\n", ",\n")) == {
        "SN1": {"serial_number": "SN1", "site": "North"},
        "SN2": {"serial_number": "SN2"},
    }


def test_cells_of_documented_fields_have_their_types_and_others_stay_text():
    text = (
        "serial_number,type,is_active,debug,latitude,longitude,name,update_frequency,floor\n"
        "SN1,15,TRUE,0,47.60,-122.3,007,300,12\n"
    )

    assert rows(text)["SN1"] == {
        "serial_number": "SN1",
        "type": 15,
        "is_active": True,
        "debug": False,
        "latitude": "47.60",
        "longitude": "-122.3",
        "name": "007",
        "update_frequency": 300,
        "floor": "12",
    }


JSONL = """\
{"id": 7, "floor": 12, "high": 2.5, "lit": true, "description": null, "name": 42}

{"name": "x", "id": "8", "description": "", "floor": "12"}
"""
YAML = """\
# rows
- {id: 7, floor: 12, high: 2.5, lit: true, description: , name: 42}
- name: x
  id: 8
  description: ''
  floor: '12'
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", JSONL),
        ("a.yaml", YAML),
    ],
)
def test_jsonl_and_yaml_keep_their_types_null_means_null_and_a_missing_name_leaves_it(name, text):
    assert rows(text, "id", name) == {
        "7": {
            "id": "7",
            "floor": 12,
            "high": 2.5,
            "lit": True,
            "description": None,
            "name": "42",
        },
        "8": {"id": "8", "name": "x", "description": "", "floor": "12"},
    }


def test_a_table_tells_its_columns_and_the_line_of_each_row():
    table = table_of("a.csv", 'name,note\nA,"two\nlines"\nB,x\n', "name")

    assert (table.name, table.key, table.columns) == ("a.csv", "name", ("name", "note"))
    assert table.lines == {"A": 2, "B": 4}
    assert table.row_of("A") == {"name": "A", "note": "two\nlines"}


HEAD = "serial_number,site,is_active\n"


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        ("", 1, 1, "this table has no row", "one row a device"),
        ("serial_number\n", 1, 1, "this table has no row", ""),
        ("serial_number,,a\nSN1,x,y\n", 1, 15, "column 2 has no name in the header", "name it"),
        ("serial_number,a,a\nSN1,x,y\n", 1, 17, "the column 'a' stands twice in the header", ""),
        ("site,name\nx,y\n", 1, 1, "no column 'serial_number' names the devices", "has: name"),
        ("Serial_Number,a\nx,y\n", 1, 1, "'Serial_Number' is no field", "'serial_number'"),
        (HEAD + "SN1,x\n", 2, 1, "this row has 2 cells, the header 3", "cut at the comma"),
        (HEAD + "SN1,x,1,\n", 2, 1, "this row has 4 cells, the header 3", "needs quotes"),
        (HEAD + ",x,1\n", 2, 1, "the serial_number of this row is empty", ""),
        (
            HEAD + "SN1,x,1\nSN2,,\nSN1,y,0\n",
            *(4, 1, "serial_number 'SN1' stands twice, in lines 2 and 4", "keep one"),
        ),
        (HEAD + "SN1,x,maybe\n", 2, 7, "is_active: 'maybe' is not true or false", "true or false"),
        (HEAD + "SN1,x,yes\n", 2, 7, "is_active: 'yes' is not true or false", "write true"),
        (
            HEAD + 'SN1,"two\nlines, one",nope\n',
            *(3, 13, "is_active: 'nope' is not true or false", ""),
        ),
        (HEAD + 'SN1,"x,1\nSN2,y,0\n', 2, 5, "a quote is opened here and never closed", "close"),
        (HEAD + 'SN1,"x"y,1\n', 2, 5, "something stands behind the closing quote", "twice"),
        (HEAD + "SN1,\x00,1\n", 2, 5, "the control character U+0000 must not stand", "UTF-8"),
        ("serial_number,type\nS,1.5\n", 2, 3, "type: '1.5' is not a whole number", "15"),
        ("serial_number,organization_id\nS,x\n", 2, 3, "'x' is not a whole number", ""),
        ("serial_number,location\nS,-1\n", 2, 3, "'-1' is not a whole number", ""),
        ("serial_number,update_frequency\nS,0\n", 2, 3, "'0' is below the least possible, 1", ""),
        ("serial_number;latitude\nS;47,6\n", 2, 3, "not a number of degrees", "write 47.6"),
        ("serial_number,latitude\nS,90.1\n", 2, 3, "'90.1' is not between -90 and 90", ""),
        ("serial_number,longitude\nS,-181\n", 2, 3, "'-181' is not between -180 and 180", ""),
        ("serial_number,descripton\nS,x\n", 1, 15, "'descripton' is no field", "'description'?"),
    ],
)
def test_each_fault_of_a_csv_has_its_line_and_column(text, line, column, message, hint):
    fault = found(text)[0]

    assert (fault.path, fault.line, fault.column) == ("sites.csv", line, column)
    assert message in fault.message
    assert hint in fault.hint


@pytest.mark.parametrize(
    ("name", "text", "line", "column", "message"),
    [
        ("a.jsonl", '{"id": 1}\nid: 2\n', 2, 1, "this line is no JSON object"),
        ("a.jsonl", '[{"id": 1}]', 1, 1, "this line is no JSON object"),
        ("a.jsonl", '{"id": 1, "a": [2]}', 1, 16, "a cell holds one value, not a list"),
        ("a.jsonl", '{"id": 1, "a": NaN}', 1, 16, "this is no JSON value"),
        ("a.jsonl", '{"id": 1, "a": 1e5}', 1, 16, "this number is too long"),
        ("a.jsonl", '{"id": 1, "a": "x}', 1, 16, "this text is not valid JSON"),
        ("a.jsonl", '{"id": 1, "id": 2}', 1, 11, "'id' stands twice in this line"),
        ("a.jsonl", '{"id": 1} x', 1, 11, "something stands behind the object"),
        ("a.jsonl", '{"id": 1 "a": 2}', 1, 10, "expected } here"),
        ("a.jsonl", '{"id": 1}\n  {"a": 2}', 2, 3, "this row has no id"),
        ("a.jsonl", '{"id": 1, "type": "x"}', 1, 19, "type: 'x' is not a whole number"),
        ("a.jsonl", '{"id": 1, "is_active": null}', 1, 24, "is_active: is_active cannot be null"),
        ("a.jsonl", '{"id": "1x"}', 1, 8, "'1x' is no id"),
        ("a.jsonl", '{"id": "01"}', 1, 8, "'01' is no id"),
        ("a.jsonl", '{"id": 1, "a": "\\u0000"}', 1, 16, "a: the control character U+0000"),
        ("a.yaml", "id: 1\n", 1, 1, "this is no list of rows"),
        ("a.yaml", "- 1\n", 1, 3, "this row is no mapping"),
        ("a.yaml", "- {id: 1, a: [2]}\n", 1, 11, "a cell holds one value"),
        ("a.yaml", "- id: 1\n  type: x\n", 2, 9, "type: 'x' is not a whole number"),
        ("a.yaml", "- id: 1\n- id: 1\n", 2, 7, "id '1' stands twice, in lines 1 and 2"),
        (
            *("a.yaml", "[{id: 1}, {id: 1}]\n", 1, 16),
            "id '1' stands twice, in line 1, at columns 7 and 16",
        ),
        ("a.yaml", "- x: 1\n  id: 1\n- x: 2\n  id: 1\n", 4, 7, "twice, in lines 2 and 4"),
        ("a.yaml", "- id: &a 1\n- id: *a\n", 2, 3, "id '1' stands twice, in lines 1 and 2"),
        ("a.yaml", "- &a {id: 1}\n\n- *a\n", 3, 3, "id '1' stands twice, in lines 1 and 3"),
        ("a.yaml", "- {id: 1, id: 2}\n", 1, 11, "the key 'id' stands twice here"),
        ("a.yaml", "- {id: 1\n", 2, 1, "this is not valid YAML"),
        ("a.yaml", "", 1, 1, "the file is empty"),
        ("a.txt", "id\n1\n", 1, 1, "'a.txt' is no table that can be read"),
    ],
)
def test_each_fault_of_jsonl_and_yaml_has_its_line_and_column(name, text, line, column, message):
    fault = found(text, "id", name)[0]

    assert (fault.path, fault.line, fault.column) == (name, line, column)
    assert message in fault.message


@pytest.mark.parametrize("name", ["software_version", "status", "id", "reboot"])
def test_a_column_that_is_not_written_is_harmless_until_it_is_written(name):
    text = f"serial_number,{name}\nSN1,x\n"

    assert "SN1" in rows(text)
    fault = found(text, is_written=True)[0]
    assert (fault.line, fault.column) == (1, 15)
    assert name in fault.message


def test_of_many_faults_twenty_are_told_and_the_others_counted():
    faults = found("serial_number,type\n" + "".join(f"SN{i},x\n" for i in range(100)))

    assert len(faults) == MOST_FAULTS + 1
    assert [fault.line for fault in faults[:2]] == [2, 3]
    assert faults[-1].message == "and 80 more faults in this file"


def test_ten_thousand_good_rows_and_a_bad_one_are_one_fault():
    lines = [f"SN{i:05},branch {i},15,123,true,47.6" for i in range(10_000)]
    lines[7_000] = "SN07000,branch,fifteen,123,true,47.6"
    text = "serial_number,name,type,organization_id,is_active,latitude\n" + "\n".join(lines)

    faults = found(text)

    assert [(f.line, f.column) for f in faults] == [(7_002, 16)]


SECRET = {
    "a.csv": 'serial_number,password,site\n# SN0,hunter0\nSN1,hunter2,"N\nS"\nSN2,,x\n"S;3","hu,""nter",#\n',
    "a.jsonl": '{"serial_number": "SN1", "password": "hunter2", "n": 2.50}\n\n{"serial_number": "é\\u2028",'
    ' "password": null, "token": 42, "ok": false}\n',
    "a.yaml": "# SN0: hunter0\n- serial_number: &s SN1\n  password: &p hunter2\n  wifi_secret: *p\n"
    "  note: 'a: b'\n\n"
    "- {serial_number: SN2, password: '', note: 0123, lit: yes}\n",
}


@pytest.mark.parametrize(("name", "text"), SECRET.items())
def test_what_is_kept_of_a_table_with_secrets_reads_the_same_and_holds_none(name, text):
    table = table_of(name, text, "serial_number")

    kept = kept_text(table, text, name)

    assert "hunt" not in kept
    assert MASK in kept
    assert table_of(name, kept, "serial_number") == table
    assert table.rows["SN1"]["password"] is True


def test_a_table_without_secrets_is_kept_as_it_is():
    text = "# note\nserial_number , a\nSN1,b\n"

    assert kept_text(table_of("a.csv", text, "serial_number"), text, "a.csv") == text


def test_the_secrets_themselves_can_be_read_from_the_file_when_they_are_needed():
    assert secret_cells("a.csv", SECRET["a.csv"], "serial_number") == {
        "SN1": {"password": "hunter2"},
        "SN2": {},
        "S;3": {"password": 'hu,"nter'},
    }


def test_a_kept_text_is_no_table_to_begin_with():
    text = f"serial_number,password\nSN1,{MASK}\n"

    with pytest.raises(PlaybookError) as raised:
        kept_text(table_of("a.csv", text, "serial_number"), text, "b/a.csv")

    fault = raised.value.faults[0]
    assert (fault.path, fault.line, fault.column) == ("b/a.csv", 2, 5)
    assert fault.message == "password is ***, which stands for a secret that was not kept"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"serial_number": "SN1" "password": "hunter2"}'),
        ("a.yaml", '- serial_number: SN1\n  password: "hunter2\n'),
        ("a.csv", 'serial_number,password\nSN1,"hunter2\n'),
    ],
)
def test_no_fault_of_the_form_shows_the_line_of_a_secret(name, text):
    assert "hunter2" not in render_faults(found(text, name=name))


@pytest.mark.parametrize("name", SECRET)
def test_no_fault_shows_the_line_of_a_secret(name):
    text = {
        "a.csv": "serial_number,type,password\nSN1,x,hunter2\nSN2,hunter2\n",
        "a.jsonl": '{"serial_number": "SN1", "type": "x", "password": "hunter2"}\n{"password": "hunter2"}\n',
        "a.yaml": "- {serial_number: SN1, type: x, password: hunter2}\n- {password: hunter2}\n",
    }[name]

    assert "hunter2" not in render_faults(found(text, name=name))


def test_a_secret_of_two_lines_is_a_fault_that_does_not_show_it():
    (fault,) = found('serial_number,password\nSN1,"hun\nter"\n')

    assert (fault.line, fault.message) == (2, "password: a secret is one line of printable text")


def test_a_table_is_read_from_its_file(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("\ufeffserial_number,type\nSN1,15\n")

    assert load_table(path, is_written=True).rows["SN1"]["type"] == 15


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (None, "the table does not exist"),
        (
            b"serial_number\nSN\xe9\n",
            "line 2 has the byte 0xe9 and looks like Windows-1252; save it as UTF-8 (in Excel: CSV",
        ),
        (b"serial_number\nSN\xe9\x01\n", "line 2 has the byte 0xe9; save it as UTF-8 (in Excel"),
        ("serial_number\n".encode("utf-16-be"), "it looks like UTF-16; save it as UTF-8 (in Excel"),
        ("serial_number\n".encode("utf-16-le"), "it looks like UTF-16; save it as UTF-8 (in Excel"),
        ("serial_number\n".encode("utf-16"), "it looks like UTF-16; save it as UTF-8 (in Excel"),
        (b"serial_number\nSN\x00\n", "the control character U+0000"),
        (b"PK\x03\x04\x14\x00\xff", "it is a workbook; save it as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1", "it is a workbook; save it as CSV UTF-8"),
    ],
)
def test_a_file_in_another_encoding_is_said_so(tmp_path, raw, message):
    path = tmp_path / "new.csv"
    if raw is not None:
        path.write_bytes(raw)

    with pytest.raises(PlaybookError) as raised:
        load_table(path)

    assert message in raised.value.faults[0].message


@pytest.mark.parametrize("key", ["serial_number", "name"])
def test_two_rows_that_differ_only_in_case_are_a_fault_that_names_both_lines(key):
    [fault] = found(f"{key},site\nIMP0001,x\nB,y\nimp0001,z\n", key)

    assert (fault.line, fault.column) == (4, 1)
    assert fault.message == (
        f"{key} 'IMP0001' and 'imp0001' differ only in upper and lower case, in lines 2 and 4"
    )


def test_a_column_whose_name_is_huge_is_not_told_whole():
    huge = "a" * 100_000
    texts = {
        "a.csv": f"serial_number,{huge},{huge}\nA,1,2\n",
        "a.jsonl": f'{{"serial_number": 1, "{huge}": 1, "{huge}": 2}}\n',
    }

    for name, text in texts.items():
        assert all(len(fault.message) < 200 for fault in found(text, name=name))


def test_the_digest_of_a_text_is_the_same_with_and_without_a_byte_order_mark():
    assert text_digest("\ufeffa") == text_digest("a")


PIECES = [
    *("serial_number", "password", "type", "is_active", "SN1", "SN2", "15", "x", MASK, "é"),
    *(
        ",",
        ";",
        "\t",
        '"',
        '""',
        "\n",
        "\r\n",
        "\r",
        "\u2028",
        "\x85",
        "#",
        "sep=;\n",
        "\ufeff",
        " ",
    ),
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        "- ",
        "null",
        "~",
        "true",
        "&a ",
        "*a",
        "!!x ",
        "\\u0000",
        "1e9",
        "-",
    ),
    *('{"serial_number": "SN1", "password": ', "- serial_number: SN1\n  password: ", "\x07"),
    "serial_number,password,a\nSN1,",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=60)
NAMES = st.sampled_from(["a.csv", "a.jsonl", "a.yaml", "a.yml", "a.txt"])
KEYS = st.sampled_from(["id", "serial_number", "name"])


@settings(max_examples=400, deadline=None)
@given(TEXTS, NAMES, KEYS)
def test_every_text_gives_a_table_that_can_be_kept_or_faults_with_a_place(text, name, key):
    table, faults = told(text, name, key)

    for fault in faults:
        assert fault.line >= 1
        assert fault.column >= 1
        assert 1 <= fault.length <= max(1, len(fault.source))
        assert fault.message
    assert render_faults(faults).count("\n\n") >= max(0, len(faults) - 1)
    if table is not None and MASK not in text:
        assert table_of(name, kept_text(table, text, name), key) == table


def told(text, name, key):
    try:
        return table_of(name, text, key), ()
    except PlaybookError as error:
        return None, error.faults


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["password", "note", "wifi_token", "floor"]),
            CELLS | st.integers(-(10**9), 10**9) | st.booleans() | st.none(),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(["a.jsonl", "a.yaml"]),
)
def test_whatever_stands_in_the_cells_it_is_kept_with_the_same_meaning(cells, name):
    whole = [{"serial_number": f"SN{i}", **row} for i, row in enumerate(cells)]
    mark = "- " if name == "a.yaml" else ""
    text = "".join(f"{mark}{json.dumps(row)}\n" for row in whole)
    table, _ = told(text, name, "serial_number")

    if table is not None and MASK not in text:
        assert table_of(name, kept_text(table, text, name), "serial_number") == table
