"""The vault's file: durable, private, shared by processes, and believed only as it was written."""

import multiprocessing
import os
import stat

import pytest

from orchestrator.adapters.vault.hidden_text import Hidden
from orchestrator.adapters.vault.vault_entries import Entry, Origin, Owner, State
from orchestrator.adapters.vault.vault_file import VaultFile, is_there
from orchestrator.adapters.vault.vault_key import VaultKey
from orchestrator.model.errors import SecretError

CONTROLLER = "https://c.example.com/api/v1"


def entry(serial, value="s3cret-value", *, run="run-1", state=State.PREPARED) -> Entry:
    owner = Owner(CONTROLLER, serial, "password")
    return Entry(state, owner, Origin(run, 1001, 0, "password"), Hidden(value), 100.0, 1001, None)


def add(vault, *entries, **how):
    return vault.store(lambda book: entries, **how)


def serials(vault):
    return [owner.device for owner in vault.read().holdings]


@pytest.fixture
def key():
    return VaultKey.new()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "vault"


@pytest.fixture
def vault(path, key):
    return VaultFile.create(path, key)


def test_what_was_stored_is_there_when_the_vault_is_opened_again(vault, path, key):
    add(vault, entry("SN1"), entry("SN2"))

    again = VaultFile.open(path, key)
    assert serials(again) == ["SN1", "SN2"]
    assert again.made_in("run-1", 1001, 0)["password"].value.reveal() == "s3cret-value"


def test_nothing_in_the_file_can_be_read_without_the_key(vault, path):
    add(vault, entry("SN1"))

    assert b"s3cret" not in path.read_bytes()
    assert b"SN1" not in path.read_bytes()


def test_only_its_owner_can_read_it(vault, path):
    add(vault, entry("SN1"))
    vault.compact()

    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}


def test_a_vault_is_never_made_in_the_place_of_a_file(vault, path, key):
    before = path.read_bytes()

    with pytest.raises(SecretError, match="already; it was left as it is"):
        VaultFile.create(path, key)
    assert path.read_bytes() == before


def test_the_same_value_twice_is_not_the_same_line(vault, path):
    add(vault, entry("SN1"), entry("SN1"))

    _, one, two = path.read_bytes().splitlines()
    assert one[20:] != two[20:]


def test_another_key_does_not_open_it(vault, path):
    with pytest.raises(SecretError, match="cannot be opened: the key is not the one it was made"):
        VaultFile.open(path, VaultKey.new())


@pytest.mark.parametrize("content", [b"", b"password: x\n", b"orchestrator-vault-1 zz zz\n"])
def test_another_file_is_no_vault(path, key, content):
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(SecretError, match="cannot be opened: the file is no vault"):
        VaultFile.open(path, key)


def test_a_missing_vault_names_the_command_that_makes_one(path, key):
    with pytest.raises(SecretError, match="make one with `orchestrator vault init`"):
        VaultFile.open(path, key)


def _edited(lines):
    lines[2] = lines[2][:30] + (b"A" if lines[2][30:31] != b"A" else b"B") + lines[2][31:]


def _swapped(lines):
    lines[2], lines[3] = lines[3], lines[2]


def _left_out(lines):
    del lines[2]


def _doubled(lines):
    lines.insert(2, lines[2])


def _foreign(lines):
    lines[2] = b"no line of a vault\n"


@pytest.mark.parametrize("harm", [_edited, _swapped, _left_out, _doubled, _foreign])
def test_a_line_that_is_not_as_and_where_it_was_written_is_named(vault, path, key, harm):
    add(vault, *(entry(f"SN{number}") for number in range(4)))
    lines = path.read_bytes().splitlines(keepends=True)
    harm(lines)
    path.write_bytes(b"".join(lines))

    with pytest.raises(SecretError, match=r"cannot be believed: line [34]: it was changed") as told:
        VaultFile.open(path, key)
    assert "s3cret" not in str(told.value)
    before = path.read_bytes()
    with pytest.raises(SecretError, match="cannot be believed"):
        add(VaultFile(path, key), entry("SN9"))
    assert path.read_bytes() == before


def test_a_line_of_another_vault_with_the_same_key_is_found(vault, path, key, tmp_path):
    other = VaultFile.create(tmp_path / "other", key)
    for each in (vault, other):
        add(each, entry("SN1"))
    header = path.read_bytes().splitlines(keepends=True)[0]
    line = (tmp_path / "other").read_bytes().splitlines(keepends=True)[1]
    path.write_bytes(header + line)

    with pytest.raises(SecretError, match="cannot be believed: line 2"):
        VaultFile.open(path, key)


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_torn_line_is_left_out_and_cut_off_by_the_next_writer(vault, path, key, cut):
    add(vault, entry("SN1"), entry("SN2"))
    path.write_bytes(path.read_bytes()[:-cut])

    again = VaultFile.open(path, key)
    assert serials(again) == ["SN1"]
    add(again, entry("SN3"))
    assert serials(VaultFile.open(path, key)) == ["SN1", "SN3"]


def test_wherever_a_write_was_cut_off_the_whole_lines_before_it_are_there(vault, path, key):
    add(vault, *(entry(f"SN{number}") for number in range(3)))
    whole = path.read_bytes()
    ends = [end + 1 for end, byte in enumerate(whole) if byte == ord("\n")]

    for length in range(ends[0], len(whole) + 1, 7):
        path.write_bytes(whole[:length])
        lines = sum(end <= length for end in ends[1:])
        assert serials(VaultFile(path, key)) == [f"SN{number}" for number in range(lines)]


def test_two_vaults_on_one_file_see_what_the_other_stored(vault, path, key):
    other = VaultFile.open(path, key)
    add(vault, entry("SN1"))
    add(other, entry("SN2"))
    add(vault, entry("SN3"))

    assert serials(vault) == serials(other) == ["SN1", "SN2", "SN3"]


def test_whoever_stores_sees_first_what_others_stored(vault, path, key):
    other = VaultFile.open(path, key)
    add(vault, entry("SN1"))
    met = []

    other.store(lambda book: met.extend(book.holdings) or [])
    assert [owner.device for owner in met] == ["SN1"]


def test_lines_that_others_took_back_are_forgotten(vault, path, key):
    other = VaultFile.open(path, key)
    add(vault, entry("SN1"))
    whole = path.read_bytes()
    add(vault, entry("SN2"))
    assert serials(other) == ["SN1", "SN2"]
    path.write_bytes(whole)
    add(VaultFile.open(path, key), entry("SN3-with-a-longer-name"), entry("SN4"))

    assert serials(other) == ["SN1", "SN3-with-a-longer-name", "SN4"]


def test_many_processes_lose_nothing_of_each_other(vault, path, key):
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_write_many, args=(path, key.as_text(), name)) for name in "abc"
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(40)

    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert sorted(serials(vault)) == sorted(f"{name}{n}" for name in "abc" for n in range(20))


def _write_many(path, key, name):
    vault = VaultFile.open(path, VaultKey.from_text(key, "the test"))
    for number in range(20):
        add(vault, entry(f"{name}{number}"))


def test_who_does_not_want_to_wait_is_told_that_somebody_writes(vault, path, key):
    other = VaultFile.open(path, key)

    def meanwhile(book):
        assert add(other, entry("SN2"), wait=False) is False
        return [entry("SN1")]

    assert vault.store(meanwhile) is True
    assert add(other, entry("SN2"), wait=False) is True
    assert serials(vault) == ["SN1", "SN2"]


def test_a_vault_that_cannot_be_written_says_so_and_stays_as_it_was(vault, path, key, monkeypatch):
    add(vault, entry("SN1"))
    before = path.read_bytes()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SecretError, match="cannot be written: the disk is full"):
        add(vault, entry("SN2"))
    monkeypatch.undo()

    assert path.read_bytes() == before
    add(vault, entry("SN3"))
    assert serials(VaultFile.open(path, key)) == ["SN1", "SN3"]


def test_a_place_that_nobody_may_look_into_is_one_sentence(tmp_path):
    assert not is_there(tmp_path / "vault")
    with pytest.raises(SecretError, match=r"vault .+ cannot be read: file name too long"):
        is_there(tmp_path / ("v" * 300))


def test_compaction_keeps_what_is_needed_and_drops_the_rest(vault, path, key):
    other = VaultFile.open(path, key)
    for run in "abc":
        add(vault, entry("SN1", run, run=run))
        add(vault, entry("SN1", run, run=run, state=State.PRESENT))
    add(vault, entry("SN1", "d", run="d"))

    assert vault.compact() == (7, 3)
    for each in (vault, other, VaultFile.open(path, key)):
        (holding,) = each.read().holdings.values()
        assert [kept.value.reveal() for kept in holding.entries] == ["b", "c", "d"]
        assert holding.is_changing
    add(other, entry("SN2"))
    assert serials(vault) == ["SN1", "SN2"]


def test_a_compaction_that_fails_leaves_the_vault_as_it_was(vault, path, key, monkeypatch):
    add(vault, entry("SN1"))
    before = path.read_bytes()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SecretError, match="the disk is full"):
        vault.compact()

    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["vault", "vault.lock"]
