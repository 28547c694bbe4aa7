"""Records become rows that a spreadsheet shows, and that can be taken back."""

import pytest
import typer

from orchestrator.cli.inventory import exporting
from orchestrator.cli.inventory.exporting import COLUMNS, Format
from orchestrator.model.devices import DETAIL_ONLY_FIELDS
from orchestrator.planning.drafting import refining
from tests.support.playbooks import record

DEVICE = record(
    customer_id="C-1",
    description="=1+1",
    latitude="47.606200",
    longitude="-122.332100",
    location=None,
)
SUFFIX = {Format.CSV: "csv", Format.JSONL: "jsonl", Format.YAML: "yaml"}


def written(form, *devices, columns=COLUMNS):
    write = exporting.writer_in(form)
    rows = [write(exporting.row_of(device, columns)) for device in devices]
    return exporting.head_in(form, columns) + "".join(rows) + exporting.end_in(form, len(rows))


def test_a_spreadsheet_runs_nothing_and_takes_degrees_for_numbers():
    cells = written(Format.CSV, DEVICE).splitlines()[1].split(",")

    assert cells[-1] == "'=1+1"
    assert cells[COLUMNS.index("longitude")] == "-122.332100"
    assert cells[COLUMNS.index("is_active")] == "true"
    assert cells[COLUMNS.index("location")] == ""


def test_json_lines_leave_out_what_the_record_does_not_say():
    assert '"location"' not in written(Format.JSONL, DEVICE)


@pytest.mark.parametrize("form", list(Format))
def test_what_is_exported_can_be_taken_back(form):
    text = written(form, DEVICE, record(id=1002, serial_number="SN2", name="- ü\t🙂"))

    table = refining.check(f"sites.{SUFFIX[form]}", text, "serial_number").table

    assert table.rows["SN1"]["description"] == "=1+1"
    assert table.rows["SN1"]["longitude"] == "-122.332100"
    assert table.rows["SN1"]["is_active"] is True
    assert table.rows["SN1"]["organization_id"] == 123
    assert table.rows["SN2"]["name"] == "- ü\t🙂"
    assert "location" not in table.rows["SN1"]


@pytest.mark.parametrize("form", list(Format))
def test_no_device_is_a_table_too(form):
    expected = {Format.CSV: "id,serial_number\r\n", Format.JSONL: "", Format.YAML: "[]\n"}

    assert written(form, columns=("id", "serial_number")) == expected[form]


def test_a_record_without_any_of_the_fields_is_a_row_all_the_same():
    assert written(Format.YAML, record(), columns=("site_code",)) == "- {}\n"


def test_lists_stand_in_one_cell():
    device = record(pending_settings=["wifi", "dns"])

    assert written(Format.CSV, device, columns=("id", "pending_settings")).splitlines()[1] == (
        '1001,"[""wifi"", ""dns""]"'
    )
    assert 'pending_settings: ["wifi", "dns"]' in written(
        Format.YAML, device, columns=("id", "pending_settings")
    )


def test_the_usual_columns_need_no_record_to_be_read_by_itself():
    assert not DETAIL_ONLY_FIELDS.intersection(COLUMNS)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("id,password", "password is secret"),
        ("username", "username is secret"),
        ("id,,name", "names of fields"),
        ("id,id", "id is named twice"),
        ("softwar_version", "did you mean 'software_version'"),
    ],
)
def test_columns_that_cannot_be_meant(given, sentence):
    with pytest.raises(typer.BadParameter, match=sentence):
        exporting.columns_from(given)


def test_columns_come_in_the_order_they_are_named():
    assert exporting.columns_from("name, id,site_code") == ("name", "id", "site_code")


@pytest.mark.parametrize(
    ("form", "output", "expected"),
    [
        (None, None, Format.CSV),
        (None, "fleet.jsonl", Format.JSONL),
        (None, "fleet.YML", Format.YAML),
        (None, "-", Format.CSV),
        ("csv", "fleet.txt", Format.CSV),
        ("yaml", "fleet.csv", Format.YAML),
    ],
)
def test_the_form_is_the_one_named_or_that_of_the_files_name(form, output, expected):
    assert exporting.format_of(form, output) is expected


def test_an_unknown_form_is_answered_with_the_known_ones():
    with pytest.raises(typer.BadParameter, match="'xls' is not one of 'csv', 'jsonl', 'yaml'"):
        exporting.format_of("xls", None)


@pytest.mark.parametrize("output", ["fleet.xlsx", "fleet", "csv", ".csv"])
def test_a_name_that_says_no_form_is_refused(output):
    with pytest.raises(typer.BadParameter, match=r"says no form; name it \*\.csv, \*\.jsonl"):
        exporting.format_of(None, output)


def seen(columns, *devices):
    found = exporting.Seen(columns)
    for device in devices:
        found.see(device)
    return found.warnings()


def test_a_column_that_no_record_has_is_told_with_the_nearest():
    devices = (record(), record(id=1002, site_code="N1"))

    assert seen(("id", "serial_number", "site_code"), *devices) == []
    assert seen(("site_cod", "qqqq"), *devices) == [
        "no record has a field site_cod; did you mean 'site_code'?",
        "no record has a field qqqq",
    ]


def test_without_records_nobody_can_tell_which_columns_there_are():
    assert seen(("site_cod",)) == []


@pytest.mark.parametrize(("value", "told"), [(True, "true"), (False, "false"), ("True", "True")])
def test_a_flag_reads_in_csv_as_it_does_in_json(value, told):
    assert exporting.cell(value) == told
