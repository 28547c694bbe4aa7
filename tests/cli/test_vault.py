"""`vault`: make it, look into it, seal tables; values are shown to a terminal and to nobody else."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import NoKeyringError

from orchestrator.adapters.vault.hidden_text import Hidden
from orchestrator.adapters.vault.vault_entries import Entry, Origin, Owner, State
from orchestrator.adapters.vault.vault_file import VaultFile
from orchestrator.adapters.vault.vault_key import VaultKey

CONTROLLER = "https://c.example.com/api/v1"
CSV = "serial_number,password\nSN1,s3cret-one\nSN2,s3cret-two\n"
VAULT = Path("logs/vault")


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password


class NoRing(Ring):
    """A machine that has none."""

    def get_password(self, service, username):
        raise NoKeyringError

    def set_password(self, service, username, password):
        raise NoKeyringError


@pytest.fixture(autouse=True)
def ring():
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


@pytest.fixture
def no_ring(ring):
    keyring.set_keyring(NoRing())


@pytest.fixture
def key(cli, monkeypatch):
    key = VaultKey.new()
    monkeypatch.setenv("ORCHESTRATOR_VAULT_KEY", key.as_text())
    return key


def entry(value, *, serial="SN1", run="run-1", state=State.PREPARED, **changes) -> Entry:
    owner = Owner(changes.get("controller", CONTROLLER), serial, changes.get("field", "password"))
    origin = Origin(run, 1001, 0, owner.field)
    return Entry(state, owner, origin, Hidden(value), 1_790_000_000.0, 1001, "branch-1")


@pytest.fixture
def vault(key):
    return VaultFile.create(VAULT, key)


def add(vault, *entries):
    vault.store(lambda _book: entries)


@pytest.fixture
def changing(vault):
    add(vault, entry("s3cret-old", run="run-0", state=State.PRESENT))
    add(vault, entry("s3cret-present", run="run-1", state=State.PRESENT))
    add(vault, entry("s3cret-new", run="run-2"))


@pytest.fixture
def on_terminal(monkeypatch, cli):
    def call(*arguments):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        return cli(*arguments)

    monkeypatch.setenv("TERM", "dumb")
    return call


# --- init and key ---


def test_a_new_vault_has_its_key_in_the_keyring(cli, ring):
    ended = cli("vault", "init")

    assert (ended.code, ended.out) == (0, "")
    assert "The vault logs/vault is made; it is empty." in ended.err
    assert "Its key is in the system's keyring" in ended.err
    ((service, user),) = ring.kept
    assert (service, user) == ("orchestrator", str(VAULT.absolute()))
    assert cli("vault", "list").code == 0
    assert "the key from the system's keyring opens the vault logs/vault" in cli("vault", "key").out


def test_a_new_key_can_be_printed_once_for_the_environment(cli, ring, monkeypatch):
    ended = cli("vault", "init", "--print-key")

    assert ring.kept == {}
    monkeypatch.setenv("ORCHESTRATOR_VAULT_KEY", ended.out.strip())
    assert len(ended.out.strip()) == 44
    assert "from ORCHESTRATOR_VAULT_KEY opens" in cli("vault", "key").out


def test_a_key_that_is_there_already_is_used(cli, key, ring):
    ended = cli("vault", "init")

    assert "Its key is in ORCHESTRATOR_VAULT_KEY" in ended.err
    assert ring.kept == {}
    assert VaultFile.open(VAULT, key).read().holdings == {}


def test_a_second_key_is_not_made(cli, key):
    ended = cli("vault", "init", "--print-key")

    assert (ended.code, ended.out) == (2, "")
    assert "there is one already: ORCHESTRATOR_VAULT_KEY" in ended.err
    assert not VAULT.exists()


@pytest.mark.usefixtures("no_ring")
def test_a_machine_without_a_keyring_names_the_other_way(cli):
    ended = cli("vault", "init")

    assert ended.code == 2
    assert "vault init --print-key" in ended.err
    assert not VAULT.exists()


def test_a_vault_is_never_made_twice(cli, vault):
    ended = cli("vault", "init")

    assert ended.code == 2
    assert "there is a file logs/vault already; it was left as it is" in ended.err


def test_without_a_vault_every_command_names_the_one_that_makes_it(cli, key):
    for command in (["list"], ["compact"], ["key"], ["show", "SN1", "--force"]):
        ended = cli("vault", *command)
        assert (ended.code, ended.out) == (2, "")
        assert "make one with `orchestrator vault init`" in ended.err


@pytest.mark.usefixtures("no_ring")
def test_without_a_key_one_sentence_says_how_to_give_one(cli, vault, monkeypatch):
    monkeypatch.delenv("ORCHESTRATOR_VAULT_KEY")
    ended = cli("vault", "list")

    assert ended.code == 2
    assert "there is no key for the vault logs/vault" in ended.err
    assert "orchestrator vault init" in ended.err


def test_another_key_is_one_message(cli, vault, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_VAULT_KEY", VaultKey.new().as_text())
    ended = cli("vault", "list")

    assert ended.code == 2
    assert "logs/vault cannot be opened: the key is not the one it was made with" in ended.err


def test_the_key_is_refused_on_the_command_line(cli):
    ended = cli("vault", "list", "--vault-key", "abc")

    assert ended.code == 2
    assert "set ORCHESTRATOR_VAULT_KEY in the environment or in .env" in ended.err
    assert "--vault-key-file" in ended.err


def test_the_key_is_shown_to_a_terminal_only(cli, key, vault, on_terminal):
    assert cli("vault", "key", "--print-key").out == ""
    assert on_terminal("vault", "key", "--print-key").out.strip() == key.as_text()


def test_another_vault_and_a_file_for_its_key_can_be_named(cli, key, monkeypatch):
    monkeypatch.delenv("ORCHESTRATOR_VAULT_KEY")
    Path("key").write_text(key.as_text())
    Path("key").chmod(0o600)
    options = ["--vault-file", "other", "--vault-key-file", "key"]

    assert cli("vault", "init", *options).code == 0
    assert "the key from the file key opens the vault other" in cli("vault", "key", *options).out


# --- list and show ---


@pytest.mark.usefixtures("changing")
def test_the_list_names_devices_and_states_and_no_value(cli, vault):
    add(vault, entry("s3cret-two", serial="SN2", state=State.PRESENT))
    ended = cli("vault", "list")

    head, first, second = ended.out.splitlines()
    assert head.split() == ["DEVICE", "RECORD", "NAME", "FIELD", "STATE", "SINCE", "RUN"]
    assert first.split()[:5] == ["SN1", "1001", "branch-1", "password", "changing"]
    assert second.split()[:5] == ["SN2", "1001", "branch-1", "password", "present"]
    assert ended.err == "2 devices in the vault logs/vault\n"
    assert "s3cret" not in ended.out


@pytest.mark.usefixtures("changing")
def test_the_list_as_json_tells_each_value_that_is_kept_and_not_the_value(cli):
    ended = cli("vault", "list", "--json")

    told = json.loads(ended.out)
    assert told["state"] == "changing"
    assert [each["state"] for each in told["values"]] == ["previous", "present", "prepared"]
    assert [each["run"] for each in told["values"]] == ["run-0", "run-1", "run-2"]
    assert "s3cret" not in ended.out


def test_the_list_of_an_empty_vault_is_empty(cli, vault):
    ended = cli("vault", "list")

    assert (ended.out, ended.err) == ("", "0 devices in the vault logs/vault\n")


@pytest.mark.usefixtures("changing")
@pytest.mark.parametrize(
    ("options", "value"),
    [([], "s3cret-present"), (["--previous"], "s3cret-old"), (["--prepared"], "s3cret-new")],
)
@pytest.mark.parametrize("name", ["SN1", "1001", "branch-1"])
def test_one_value_is_shown_on_a_terminal(on_terminal, options, value, name):
    ended = on_terminal("vault", "show", name, *options)

    assert (ended.code, ended.out) == (0, f"{value}\n")
    assert ("--prepared" in ended.err) is ("--prepared" not in options)


@pytest.mark.usefixtures("changing")
def test_no_value_goes_into_a_pipe_unless_it_is_forced(cli):
    ended = cli("vault", "show", "SN1")

    assert (ended.code, ended.out) == (2, "")
    assert "confirm with --force" in ended.err
    assert cli("vault", "show", "SN1", "--force").out == "s3cret-present\n"


@pytest.mark.usefixtures("changing")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["SN7"], "the vault has nothing of device 'SN7'; see `orchestrator vault list`"),
        (["SN1", "--field", "username"], "no username of device 'SN1', only: password"),
        (["SN1", "--controller", "https://other"], "has nothing of device 'SN1'"),
        (["SN1", "--previous", "--prepared"], "exclude each other"),
    ],
)
def test_what_is_not_in_the_vault_is_one_message(cli, arguments, words):
    ended = cli("vault", "show", *arguments, "--force")

    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


def test_a_device_that_never_was_seen_with_its_password_points_to_the_prepared_one(cli, vault):
    add(vault, entry("s3cret-new"))
    ended = cli("vault", "show", "SN1", "--force")

    assert "the vault has no present password of device 'SN1'; see --prepared" in ended.err
    assert cli("vault", "show", "SN1", "--prepared", "--force").out == "s3cret-new\n"


def test_a_device_of_two_controllers_is_told_apart(cli, vault):
    other = "https://other.example.com/api/v1"
    for controller in (CONTROLLER, other):
        add(vault, entry(f"of {controller}", controller=controller, state=State.PRESENT))
    ended = cli("vault", "show", "SN1", "--force")

    assert f"more than once: say --controller {CONTROLLER} or {other}" in ended.err
    shown = cli("vault", "show", "SN1", "--force", "--controller", other)
    assert shown.out == f"of {other}\n"


def test_devices_of_one_name_are_told_apart_by_serial_number(cli, vault):
    for serial in ("SN1", "SN2"):
        add(vault, entry("x", serial=serial, state=State.PRESENT))
    ended = cli("vault", "show", "branch-1", "--force")

    assert "give one of the serial numbers SN1, SN2" in ended.err


# --- compact, seal, unseal ---


@pytest.mark.usefixtures("changing")
def test_compaction_tells_what_it_saved(cli):
    assert cli("vault", "compact").out == "logs/vault: 3 entries before, 3 now\n"


@pytest.mark.usefixtures("key")
def test_a_table_is_sealed_and_opened_again(cli, on_terminal):
    Path("new.csv").write_text(CSV)
    ended = cli("vault", "seal", "new.csv", "-o", "new.sealed")

    assert (ended.code, ended.out) == (0, "")
    assert "2 rows sealed; new.csv itself is still readable" in ended.err
    assert "s3cret" not in Path("new.sealed").read_text()
    assert Path("new.sealed").stat().st_mode & 0o777 == 0o600
    assert cli("vault", "unseal", "new.sealed").code == 2
    assert on_terminal("vault", "unseal", "new.sealed").out == CSV
    assert cli("vault", "unseal", "new.sealed", "-o", "again.csv").out == ""
    assert Path("again.csv").read_text() == CSV


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("new.csv", "serial_number,site\nSN1,Lyon\n", "has no secrets: a column such as password"),
        ("new.csv", "password\ns3cret\n", "no column 'serial_number'"),
        ("new.txt", CSV, "is no table that can be read"),
        ("new.csv", None, "new.csv cannot be read: no such file"),
    ],
)
def test_a_table_that_cannot_be_sealed_is_one_message(cli, name, text, words):
    if text is not None:
        Path(name).write_text(text)
    ended = cli("vault", "seal", name, "-o", "new.sealed")

    assert ended.code == 2
    assert words in ended.err
    assert "s3cret" not in ended.err
    assert not Path("new.sealed").exists()


@pytest.mark.usefixtures("key")
def test_a_sealed_table_never_replaces_the_table_itself(cli):
    Path("new.csv").write_text(CSV)

    assert cli("vault", "seal", "new.csv", "-o", "new.csv").code == 2
    assert Path("new.csv").read_text() == CSV


@pytest.mark.parametrize("command", ["init", "list", "show", "seal", "unseal", "compact", "key"])
def test_each_command_says_what_it_is_for(cli, command):
    ended = cli("vault", command, "--help")

    assert ended.code == 0
    assert "--vault-file" in ended.out
    assert "--vault-key " not in ended.out


# --- another device took the record ---


def test_a_device_whose_record_went_to_another_one_is_retired(on_terminal, vault):
    old = entry("s3cret-old", run="run-1", state=State.PRESENT)
    new = entry("s3cret-new", serial="SN9", run="run-2", state=State.PRESENT)
    add(vault, old, replace(old.unnamed, state=State.RETIRED), new)

    states = {row["device"]: row["state"] for row in listed(on_terminal)}
    assert states == {"SN1": "retired", "SN9": "present"}
    assert on_terminal("vault", "show", "1001").out == "s3cret-new\n"
    assert on_terminal("vault", "show", "SN9").out == "s3cret-new\n"
    assert on_terminal("vault", "show", "SN1", "--previous").out == "s3cret-old\n"
    gone = on_terminal("vault", "show", "SN1")
    assert gone.code == 2
    assert "its record is another device's now; see --previous" in gone.err


def listed(cli) -> list[dict]:
    return [json.loads(line) for line in cli("vault", "list", "--json").out.splitlines()]
