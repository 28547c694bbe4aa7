"""A wanted state says which devices should say what; whatever contradicts itself is a fault with its place."""

import textwrap

import pytest

from orchestrator.model.devices import Status
from orchestrator.model.errors import PlaybookError
from orchestrator.model.selections import AtLeast, Condition, Equals, NothingPending
from orchestrator.playbook.wanted import load_wanted

SITES = "serial_number,site,key\nSN1,Seattle,x\nSN2,Tacoma,\n"


@pytest.fixture
def wanted(tmp_path):
    def load(text, **files):
        path = tmp_path / "branch.yaml"
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        for name, content in files.items():
            (tmp_path / name.replace("_csv", ".csv")).write_text(content)
        return load_wanted(path)

    return load


def state(fields, devices="organization: 123"):
    return f"wanted: branch\ndevices: {{{devices}}}\nfields: {{{fields}}}\n"


@pytest.fixture
def fault(wanted):
    def load(text, **files):
        with pytest.raises(PlaybookError) as error:
            wanted(text, **files)
        [found] = error.value.faults
        return found

    return load


def test_devices_are_chosen_and_fields_demanded(wanted):
    found = wanted("""
        wanted: branch-standard
        description: Every branch router.
        devices:
          organization: 123
          where:
            location_name: {matches: "Sea*"}
        fields:
          is_active: true
          description: [a, b]
          software_version: {at_least: "2.5"}
          pending_settings: none
          status: up
    """)

    assert (found.name, found.description) == ("branch-standard", "Every branch router.")
    assert found.playbook.selection.organizations == (123,)
    assert found.playbook.selection.where[0].field == "location_name"
    assert found.conditions == (
        Condition("is_active", Equals((True,))),
        Condition("description", Equals(("a", "b"))),
        Condition("software_version", AtLeast("2.5")),
        Condition("pending_settings", NothingPending()),
        Condition("status", Equals((Status.UP,))),
    )


def test_a_field_can_be_drawn_from_the_devices_row(wanted):
    text = state('location_name: "${row.site}"', 'with: "@sites.csv"')
    found = wanted(text, sites_csv=SITES)

    assert found.columns == {"location_name": "site"}
    assert found.playbook.table.rows["SN1"]["site"] == "Seattle"


def test_the_order_of_the_keys_does_not_matter(wanted):
    found = wanted("fields: {debug: false}\ndevices:\n  type: 15\nwanted: x\n")

    assert (found.playbook.selection.types, found.conditions[0].field) == ((15,), "debug")


@pytest.mark.parametrize(
    ("devices", "fields", "said"),
    [
        ("where: {is_active: true}", "is_active: false", ("is_active true", "false")),
        ("status: up", "status: down", ("status up", "down")),
        ("where: {status: up}", "status: down", ("status up", "down")),
        (
            "where: {location_name: Seattle}",
            "location_name: Denver",
            ("location_name Seattle", "Denver"),
        ),
        ("type: [15, 16]", "type: 17", ("type 15 or 16", "17")),
        ("organization: 123", "organization_id: 5", ("organization_id 123", "5")),
        ("where: {name: {missing: true}}", "name: a", ("name missing", "a")),
        (
            "where: {pending_settings: any}",
            "pending_settings: none",
            ("pending_settings any", "none"),
        ),
        (
            "where: {software_version: {below: '2.5'}}",
            "software_version: {at_least: '2.10'}",
            ("software_version below 2.5", "at least 2.10"),
        ),
    ],
)
def test_a_state_that_nobody_who_is_chosen_can_have_is_a_fault(fault, devices, fields, said):
    found = fault(state(fields, devices))

    chosen, wanted = said
    assert found.message == (
        f"no device can be so: the selection chooses {chosen} and fields want {wanted}"
    )
    assert found.hint == "choose by something else"
    assert (found.line, found.key) == (3, "fields." + fields.partition(":")[0])


@pytest.mark.parametrize(
    ("devices", "fields"),
    [
        ("where: {is_active: true}", "is_active: true"),
        ("type: [15, 16]", "type: 16"),
        ("where: {location_name: {matches: 'Sea*'}}", "location_name: Denver"),
        ("where: {software_version: {below: '2.5'}}", "software_version: {at_least: '2.4'}"),
        ("where: {is_active: false}", "debug: true"),
    ],
)
def test_what_chosen_devices_can_be_may_be_wanted(wanted, devices, fields):
    assert len(wanted(state(fields, devices)).conditions) == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("type: {at_least: 3, below: 2}", "nothing is at least 3 and below 2"),
        ("name: {missing: true, matches: 'a'}", "what is missing cannot be anything else"),
        ("pending_settings: [none, wifi]", "none and any stand alone"),
        ("password: x", "password is a secret: no record ever shows it"),
        ("wifi_password: x", "wifi_password is a secret"),
        ("descripton: x", "'descripton' is no documented field"),
        ("name: 'a ${site}'", "only a column of the device's row is known here"),
        ("name: '${row.site}'", "${row.site} is a column, and there is no table"),
    ],
)
def test_what_cannot_be_wanted_is_a_fault_with_its_place(fault, fields, message):
    found = fault(state(fields))

    assert message in found.message
    assert (found.line, found.key.split(".")[0]) == (3, "fields")


def test_the_same_field_wanted_twice_is_a_fault(fault):
    found = fault("wanted: x\ndevices: {type: 1}\nfields:\n  debug: true\n  debug: false\n")

    assert (found.line, found.message) == (5, "the key 'debug' stands twice here, first in line 4")


def test_an_id_that_never_changes_cannot_be_wanted_otherwise(fault):
    found = fault(state("id: 6", "where: {id: 5}"))

    assert found.message.startswith("no device can be so: the selection chooses id 5 and")
    assert found.hint == "id never changes; remove it"
    assert (found.line, found.key) == (3, "fields.id")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ('location_name: "${row.siet}"', "sites.csv has no column 'siet'"),
        ("serial_number: SN9", "the rows of sites.csv name devices by serial_number"),
        ('serial_number: "${row.site}"', "the rows of sites.csv name devices by serial_number"),
    ],
)
def test_a_table_and_what_is_wanted_have_to_fit(fault, fields, message):
    found = fault(state(fields, 'with: "@sites.csv"'), sites_csv=SITES)

    assert message in found.message
    assert found.line == 3


def test_a_secret_column_is_never_compared(fault):
    files = {"sites_csv": "serial_number,password\nSN1,abc\n"}
    found = fault(state('name: "${row.password}"', 'with: "@sites.csv"'), **files)

    assert found.message == "password is a secret column: no record ever shows its value"


def test_faults_of_devices_and_of_fields_are_told_at_once_in_their_order(wanted):
    text = """
        wanted: branch
        devices:
          organisation: 123
          type: 15
        fields:
          debug: perhaps
        steps: []
    """
    with pytest.raises(PlaybookError) as error:
        wanted(text)

    places = [(fault.line, fault.key) for fault in error.value.faults]
    assert places == [(3, "devices.organisation"), (6, "fields.debug"), (7, "steps")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("- a\n", "expected a wanted state"),
        ("wanted: x\nfields: {debug: true}\n", "the key 'devices' is missing"),
        ("wanted: x\ndevices: {type: 1}\n", "the key 'fields' is missing"),
        ("wanted: x\ndevices: {type: 1}\nfields: {}\n", "expected fields of the record"),
        ("wanted: x\ndevices: {}\nfields: {debug: true}\n", "the selection has no condition"),
        ("{wanted: x, devices: {type: 1}, fields: {debug: true}}", "begins a line of its own"),
        ("wanted: x\n\tdevices: {}\n", "this is not valid YAML"),
    ],
)
def test_what_is_no_wanted_state_says_what_is_missing(wanted, text, message):
    with pytest.raises(PlaybookError) as error:
        wanted(text)

    assert message in str(error.value)


def test_a_file_that_is_not_there_or_no_text_is_a_fault(tmp_path):
    with pytest.raises(PlaybookError, match=r"gone\.yaml:1:1: the wanted state does not exist"):
        load_wanted(tmp_path / "gone.yaml")
    with pytest.raises(PlaybookError, match="the wanted state cannot be read: it is not a file"):
        load_wanted(tmp_path)
    (tmp_path / "odd.yaml").write_bytes(b"wanted: \xff\n")
    with pytest.raises(PlaybookError, match="cannot be read: disk trouble"):
        load_wanted(tmp_path / "gone.yaml", _trouble)
    with pytest.raises(PlaybookError, match="it is not UTF-8 text"):
        load_wanted(tmp_path / "odd.yaml")


def _trouble(path):
    raise OSError(5, "disk trouble")


def test_a_huge_file_is_not_read(tmp_path):
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(20_000_000)

    with pytest.raises(PlaybookError, match="cannot be read: it is too large"):
        load_wanted(tmp_path / "huge.yaml")
