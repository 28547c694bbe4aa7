"""Where secret values come from, and that no error ever repeats one."""

import os
import sys
from pathlib import Path

import anyio
import pytest

from orchestrator.adapters.vault import secret_sources
from orchestrator.adapters.vault.password_command import asked
from orchestrator.adapters.vault.sealed_table import Opened, seal, unseal
from orchestrator.adapters.vault.secret_sources import (
    SIGNS,
    SecretSources,
    Subject,
    generated,
    read_text,
    rows_of,
)
from orchestrator.adapters.vault.vault_key import VaultKey
from orchestrator.model.errors import SecretError
from orchestrator.model.playbooks import PlaybookSource
from orchestrator.model.values import Secret, SecretKind
from orchestrator.playbook.loading import text_digest
from orchestrator.playbook.tables.tables import table_of

DEVICE = Subject(1001, "SN1", "branch-1", "SN1")
OTHER = Subject(1002, "SN2", "branch-2", "SN2")
NEW_DEVICE = Subject(None, "SN1", None, "SN1")

CSV = "serial_number,site,password\nSN1,Lyon,s3cret-one\nSN2,Nantes,\n"


def sources(folder=Path(), *, files=None, digests=None, table=None, **given) -> SecretSources:
    source = PlaybookSource(str(folder / "branch.yaml"), "", {}, files or {}, digests or {})
    given = {"key": None, "command": None, "environment": {}} | given
    return SecretSources(source, table, **given)


async def value_of(found: SecretSources, secret: Secret, subject=DEVICE, field="password") -> str:
    return (await found.value_of(field, secret, subject)).reveal()


def script(folder, text) -> str:
    """Write a program that runs as a password command, and give its command line."""
    path = folder / "give.py"
    path.write_text(text)
    return f"{sys.executable} '{path}'"


# --- generated ---


@pytest.mark.parametrize("length", [1, 2, 3, 8, 24, 256])
def test_a_generated_secret_is_as_long_as_wanted_and_easily_read_aloud(length):
    for _ in range(50):
        made = generated(length)
        assert len(made) == length
        assert set(made) <= set(SIGNS)
        assert made.isalnum()
        assert not set(made) & set("0O1lI")


def test_a_generated_secret_has_letters_of_both_sizes_and_digits():
    for _ in range(200):
        made = generated(4)
        assert any(c.isdigit() for c in made)
        assert any(c.isupper() for c in made)
        assert any(c.islower() for c in made)


async def test_every_generated_secret_is_another():
    secret = Secret(SecretKind.GENERATE, length=24)

    assert len({await value_of(sources(), secret) for _ in range(100)}) == 100


# --- the environment ---


async def test_a_secret_of_the_environment_is_the_same_for_every_device():
    found = sources(environment={"NEW_PASSWORD": "s3cret"})
    secret = Secret(SecretKind.ENV, "NEW_PASSWORD")

    found.check([secret])
    assert await value_of(found, secret) == await value_of(found, secret, OTHER) == "s3cret"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "is not set"),
        ("", "is not set"),
        (" ", "is empty"),
        ("s3cret\nline", "is not one line"),
        ("s3cret\x00", "is not one line"),
        (" s3cret", "begins or ends with a blank"),
        ("s3cret" * 100, "is longer than 256"),
    ],
)
def test_an_unusable_variable_is_named_before_anything_is_sent(value, words):
    found = sources(environment={} if value is None else {"NEW_PASSWORD": value})

    with pytest.raises(
        SecretError, match=f"^the environment variable NEW_PASSWORD {words}"
    ) as told:
        found.check([Secret(SecretKind.ENV, "NEW_PASSWORD")])
    assert "s3cret" not in str(told.value)


# --- the command ---

COMMAND = Secret(SecretKind.COMMAND)


async def test_a_command_is_told_the_device_and_prints_its_secret(tmp_path):
    command = script(
        tmp_path,
        "import json, sys\n"
        "device = json.load(sys.stdin)\n"
        "print('pw', device['id'], device['serial_number'], device['name'], device['field'])\n",
    )
    found = sources(command=command)

    found.check([COMMAND])
    assert await value_of(found, COMMAND) == "pw 1001 SN1 branch-1 password"
    assert await value_of(found, COMMAND, NEW_DEVICE, "username") == "pw None SN1 None username"


async def test_a_command_need_not_read_what_it_is_told(tmp_path):
    assert await asked(script(tmp_path, "print('s3cret')"), {"name": "x" * 200_000}) == "s3cret"


async def test_a_command_is_no_shell_line(tmp_path):
    command = script(tmp_path, "import sys\nprint(sys.argv[1])") + " '$HOME;`id`'"

    assert await asked(command, {}) == "$HOME;`id`"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("print('s3cret'); raise SystemExit(3)", "failed with exit code 3"),
        ("", "printed nothing"),
        ("print('s3cret'); print('s3cret')", "printed more than one line"),
        ("import sys; sys.stdout.buffer.write(b's3cret\\xff')", "printed what is not text"),
        ("print('s3cret' * 10_000)", "printed far too much"),
        ("while True: print('s3cret')", "printed far too much"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "failed with exit code -15"),
    ],
)
async def test_a_command_that_gives_no_secret_is_told_without_what_it_printed(
    tmp_path, program, words
):
    with pytest.raises(SecretError, match=f"^the password command .+ {words}$") as told:
        await asked(script(tmp_path, program), {})
    assert "s3cret" not in repr(told.value) + repr(told.value.__cause__)


@pytest.mark.parametrize(
    ("printed", "words"),
    [("' s3cret'", "begins or ends with a blank"), ("'s3cret' * 50", "is longer than 256")],
)
async def test_what_a_command_prints_must_be_usable(tmp_path, printed, words):
    found = sources(command=script(tmp_path, f"print({printed})"))

    with pytest.raises(SecretError, match=f"printed for device SN1 {words}") as told:
        await value_of(found, COMMAND)
    assert "s3cret" not in str(told.value)


async def test_a_command_that_hangs_is_ended(tmp_path):
    mark = tmp_path / "pid"
    program = (
        f"import os, pathlib, time\npathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\n"
        "print('s3cret', flush=True)\ntime.sleep(60)\n"
    )

    with pytest.raises(SecretError, match=r"took longer than 1\.5s"):
        await asked(script(tmp_path, program), {}, patience=1.5)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


async def test_a_command_that_is_given_up_is_ended(tmp_path):
    with anyio.move_on_after(0.5) as scope:
        await asked(script(tmp_path, "import time; time.sleep(60)"), {})

    assert scope.cancelled_caught


async def test_a_command_that_is_not_there_is_named():
    with pytest.raises(SecretError, match="the password command nowhere cannot be run: no such"):
        await asked("/opt/nowhere --for s3cret", {})


def test_a_playbook_that_needs_a_command_names_the_setting():
    with pytest.raises(SecretError, match="name one in ORCHESTRATOR_PASSWORD_COMMAND"):
        sources().check([COMMAND])


# --- sealed tables ---

FILE = Secret(SecretKind.FILE, "new.sealed")


async def test_a_sealed_table_gives_each_device_its_secret_by_its_serial_number():
    key = VaultKey.new()
    found = sources(files={"new.sealed": seal(Opened("new.csv", CSV), key)}, key=key)

    found.check([FILE])
    assert await value_of(found, FILE) == "s3cret-one"
    for subject in (OTHER, Subject(7, "SN7", None, None), Subject(7, None, None, None)):
        with pytest.raises(SecretError, match=rf"^new\.sealed has no password for {subject}$"):
            await value_of(found, FILE, subject)


def test_a_sealed_table_shows_nothing_and_opens_as_it_was():
    key = VaultKey.new()
    sealed = seal(Opened("new.csv", CSV), key)

    assert "SN1" not in sealed
    assert max(map(len, sealed.splitlines())) <= 76
    assert unseal(sealed, key, "new.sealed") == Opened("new.csv", CSV)
    assert unseal(sealed.replace("\n", "\r\n"), key, "new.sealed").text == CSV
    assert "s3cret" not in repr(unseal(sealed, key, "new.sealed"))


def test_a_sealed_table_opens_with_its_own_key_only_and_only_unchanged():
    key = VaultKey.new()
    sealed = seal(Opened("new.csv", CSV), key)

    for text, other in ((sealed, VaultKey.new()), (sealed[:-40] + sealed[-39:], key)):
        with pytest.raises(SecretError, match="sealed with another key, or changed since"):
            sources(files={"new.sealed": text}, key=other).check([FILE])


def test_another_file_is_no_sealed_table():
    found = sources(files={"new.sealed": CSV}, key=VaultKey.new())

    with pytest.raises(SecretError, match=r"new\.sealed is no sealed table: make one with") as told:
        found.check([FILE])
    assert "s3cret" not in str(told.value)


def test_a_sealed_table_cannot_be_opened_without_a_key():
    with pytest.raises(SecretError, match="it or the vault's key is missing"):
        sources(files={"new.sealed": "x"}).check([FILE])


# --- the playbook's table ---

ROW = Secret(SecretKind.ROW, "password")


def with_table(folder, text=CSV) -> SecretSources:
    (folder / "sites.csv").write_text(text)
    table = table_of("sites.csv", CSV, "serial_number")
    return sources(folder, table=table, digests={"sites.csv": text_digest(CSV)})


async def test_a_secret_column_is_read_again_from_the_file(tmp_path):
    found = with_table(tmp_path)

    found.check([ROW])
    assert await value_of(found, ROW) == "s3cret-one"
    with pytest.raises(SecretError, match=r"^sites\.csv has no password for device SN2$"):
        await value_of(found, ROW, OTHER)


async def test_a_byte_order_mark_makes_no_other_table(tmp_path):
    assert await value_of(with_table(tmp_path, "\ufeff" + CSV), ROW) == "s3cret-one"


def test_a_table_that_changed_since_the_plan_is_refused(tmp_path):
    with pytest.raises(
        SecretError, match=r"^sites\.csv changed since the plan was made; make a new"
    ):
        with_table(tmp_path, CSV + "SN3,Brest,x\n").check([ROW])


def test_a_table_that_is_gone_is_named(tmp_path):
    found = with_table(tmp_path)
    (tmp_path / "sites.csv").unlink()

    with pytest.raises(SecretError, match=r"sites\.csv cannot be read: no such file"):
        found.check([ROW])


async def test_a_playbook_without_a_table_has_no_secret_column():
    with pytest.raises(SecretError, match="from its table, and has none"):
        await value_of(sources(), ROW)


# --- files ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("site,password\nLyon,s3cret\n", "new.csv:1:1: no column 'serial_number'"),
        ("serial_number,password\n,s3cret\n", "new.csv:2:1: .* is empty"),
        ("serial_number,password\nA,s3cret\nA,x\n", "new.csv:3:1: .* stands twice"),
        ('serial_number,password\nA,"s3cret\n', "new.csv:2:3: a quote is opened"),
    ],
)
def test_a_table_that_is_wrong_is_told_with_its_place_and_without_its_secrets(text, words):
    with pytest.raises(SecretError, match=words) as told:
        rows_of("new.csv", text, "serial_number")
    assert "s3cret" not in str(told.value)


def test_what_is_no_text_file_is_named_without_its_content(tmp_path, monkeypatch):
    file = tmp_path / "new.csv"
    file.write_bytes(b"s3cret\xff")
    with pytest.raises(SecretError, match="it is not UTF-8 text") as told:
        read_text(file)
    assert "s3cret" not in repr(told.value) + repr(told.value.__cause__)
    with pytest.raises(SecretError, match="it is not a file"):
        read_text(tmp_path)
    monkeypatch.setattr(secret_sources, "MAX_FILE_BYTES", 3)
    with pytest.raises(SecretError, match="it is larger than"):
        read_text(file)
