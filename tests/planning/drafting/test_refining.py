"""A file of rows is checked whole, and its types are looked up where the controller tells them."""

import json

import pytest

from orchestrator.model.errors import PlaybookError
from orchestrator.planning.drafting import refining

TYPES = {"Branch Router": 15, "router": 15, "ap": 3}


def check(text, *, path="data/sites.csv", key="serial_number"):
    return refining.check(path, text, key)


def faults(doing, *given):
    with pytest.raises(PlaybookError) as raised:
        doing(*given)
    return [(f.line, f.column, f.message, f.hint) for f in raised.value.faults]


NEEDED = ("name", "customer_id", "type", "organization_id")
NEEDS = "a new device needs serial_number, name, customer_id, type and organization_id"


def test_needed_columns_that_are_missing_and_empty_cells_of_others_are_all_told_at_once():
    text = "serial_number,name,type\nZN1,,router\nZN2,b, \n"

    assert faults(refining.check, "sites.csv", text, "serial_number", NEEDED) == [
        (1, 1, "there are no columns customer_id, organization_id", NEEDS),
        (2, 5, "the name of this row is empty", NEEDS),
        (3, 7, "the type of this row is empty", NEEDS),
    ]


def test_a_row_that_lacks_a_needed_column_is_told_where_the_row_begins_or_its_null_stands():
    rows = (
        {
            "serial_number": "ZN1",
            "name": "a",
            "customer_id": None,
            "type": 15,
            "organization_id": 1,
        },
        {"serial_number": "ZN2", "name": None, "customer_id": "C", "type": 15},
    )
    text = "".join(json.dumps(row) + "\n" for row in rows)

    found = faults(refining.check, "sites.jsonl", text, "serial_number", NEEDED)

    assert [(line, message) for line, _, message, _ in found] == [
        (1, "the customer_id of this row is empty"),
        (2, "this row has no organization_id"),
        (2, "name: name cannot be null"),
    ]


def test_a_misspelt_column_is_told_as_such_and_not_as_a_missing_one_too():
    text = "serial_number,name,custmer_id,type,organization_id\nZN1,a,C,15,123\n"

    [(line, column, message, _)] = faults(
        refining.check, "sites.csv", text, "serial_number", NEEDED
    )

    assert (line, column, message) == (1, 20, "'custmer_id' is no field of a record")


def test_no_line_of_a_table_with_secrets_is_shown_for_an_empty_cell():
    text = "serial_number,name,customer_id,type,organization_id,password\nZN1,,C,15,123,hush\n"

    with pytest.raises(PlaybookError) as raised:
        refining.check("sites.csv", text, "serial_number", NEEDED)

    [fault] = raised.value.faults
    assert (fault.line, fault.column, fault.source) == (2, 5, "")


def test_ten_thousand_empty_cells_are_told_by_the_first_of_them():
    rows = "".join(f"ZN{number},,C,15,123\n" for number in range(10_000))
    text = f"serial_number,name,customer_id,type,organization_id\n{rows}"

    found = faults(refining.check, "sites.csv", text, "serial_number", NEEDED)

    assert len(found) == 21
    assert found[-1][2] == "and 9980 more faults in this file"


def test_types_may_have_names_in_upper_or_lower_case():
    found = refining.resolved(
        check("serial_number,type\nZN1,ROUTER\nZN2,3\nZN3,Branch Router\n"), TYPES
    )

    assert [row["type"] for row in found.table.rows.values()] == [15, 3, 15]
    assert found.table.name == "sites.csv"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("sites.csv", 'serial_number;type;name\nZN1;"router";a\nZN2;ap;b\n'),
        ("sites.jsonl", '{"serial_number": "ZN1", "type": "router", "name": "a"}\n'),
        ("sites.yaml", "- serial_number: ZN1\n  type: router\n  name: a\n"),
        ("sites.yaml", "- {serial_number: ZN1, type: 'router', name: a}\n"),
    ],
)
def test_names_of_types_are_replaced_where_they_stand(path, text):
    found = refining.resolved(check(text, path=path), TYPES)

    assert found.table.rows["ZN1"] == {"serial_number": "ZN1", "type": 15, "name": "a"}
    assert found.text.count("\n") == text.count("\n")


def test_a_number_longer_than_the_name_it_replaces_moves_nothing_before_it():
    found = refining.resolved(check("type,serial_number,name\nap,ZN1,x\n"), {"ap": 12345})

    assert found.table.rows["ZN1"] == {"serial_number": "ZN1", "type": 12345, "name": "x"}


def test_an_unknown_type_is_a_fault_with_its_place_and_the_nearest_name():
    rows = check("serial_number,type\nZN1,router\nZN2,ruter\nZN3,99\n")

    assert faults(refining.resolved, rows, TYPES) == [
        (3, 5, "there is no type 'ruter'", "did you mean 'router'?"),
        (4, 5, "there is no type '99'", "known here: Branch Router, router, ap"),
    ]


def test_twenty_unknown_types_are_named_and_the_others_counted():
    text = "serial_number,type\n" + "".join(f"ZN{n},nothing\n" for n in range(50))

    found = faults(refining.resolved, check(text), TYPES)

    assert len(found) == 21
    assert found[-1][2] == "and 30 more faults in this file"


def test_names_of_types_need_a_controller_that_tells_them():
    rows = check("serial_number,type\nZN1,15\nZN2,router\n")

    assert faults(refining.unnamed, rows) == [
        (3, 5, "this controller does not tell the names of types", "write the type's number")
    ]


def test_a_number_that_no_listed_device_has_is_a_warning_there():
    rows = refining.unnamed(check("serial_number,type\nZN1,15\nZN2,99\nZN3,99\n"))

    (warning,) = refining.untold_types(rows, {15})

    assert warning.startswith("no listed device is of type 99 (data/sites.csv, line 3);")


def test_in_a_file_with_secrets_types_have_to_be_numbers():
    rows = check("serial_number,type,password\nZN1,router,hush\n")

    ((_, _, message, hint),) = faults(refining.resolved, rows, TYPES)

    assert message == "types have to be numbers in a file with secret columns"
    assert hint == "write 15 for router"


def test_all_faults_of_a_file_are_told_at_once_with_their_places():
    text = "serial_number,type,debug\nZN1,router,maybe\nZN1,15,true\n"

    assert [(line, column) for line, column, _, _ in faults(check, text)] == [(2, 12), (3, 1)]


def test_a_line_is_shown_as_it_stands_in_the_file_unless_it_may_hold_a_secret():
    def lines(text):
        with pytest.raises(PlaybookError) as raised:
            refining.resolved(check(text), TYPES)
        return [fault.source for fault in raised.value.faults]

    assert lines("serial_number,type,debug\nZN1,router,maybe\n") == ["ZN1,router,maybe"]
    assert lines("serial_number,type\nZN1,ruter\n") == ["ZN1,ruter"]
    assert lines("serial_number,type,password\nZN1,ruter,hush\n") == [""]


def test_one_bad_row_among_ten_thousand_is_found():
    rows = [f"ZN{n},15,300" for n in range(10_000)]
    rows[9_000] = "ZN9000,15,often"

    ((line, column, message, _),) = faults(
        check, "serial_number,type,update_frequency\n" + "\n".join(rows) + "\n"
    )

    assert (line, column) == (9_002, 11)
    assert "'often' is not a whole number" in message


def test_a_flag_is_no_column():
    ((line, column, message, _),) = faults(check, "serial_number,reboot\nZN1,true\n")

    assert (line, column) == (1, 15)
    assert message == "reboot asks for an operation and is no value of a record"


def test_what_an_export_led_by_an_apostrophe_is_text_again():
    found = check("serial_number,name,description\nZN1,'=1+1,\"'@home, 2nd\"\nZN2,'tis,x\n")

    assert found.table.rows["ZN1"]["name"] == "=1+1"
    assert found.table.rows["ZN1"]["description"] == "@home, 2nd"
    assert found.table.rows["ZN2"]["name"] == "'tis"
    assert "'=1+1" not in found.text


def test_the_apostrophe_is_a_fault_where_the_file_cannot_be_written_anew():
    ((line, column, message, _),) = faults(check, "serial_number,name,password\nZN1,'=1+1,hush\n")

    assert (line, column) == (2, 5)
    assert "apostrophe" in message


def test_the_organizations_of_the_rows_narrow_the_listing():
    rows = check("serial_number,organization_id\nZN1,456\nZN2,123\nZN3,456\n")

    assert rows.organizations == (123, 456)


def test_a_row_without_an_organization_leaves_the_listing_wide():
    assert check("serial_number,organization_id\nZN1,456\nZN2,\n").organizations == ()


def test_columns_that_cannot_be_written_are_left_out_where_rows_are_written_whole():
    found = refining.narrowed(check("id,serial_number,name,status\n7,ZN1,a,Up\n8,ZN2,,Down\n"))

    assert found.table.columns == ("serial_number", "name")
    assert found.table.lines == {"ZN1": 2, "ZN2": 3}


def test_a_file_with_secrets_is_never_written_anew():
    rows = check("serial_number,status,name,password\nZN1,Up,a,hush\nZN2,Down,,hush\n")

    ((line, column, message, hint),) = faults(refining.narrowed, rows)

    assert (line, column) == (1, 15)
    assert message.startswith("status: ")
    assert hint == "remove the column"
