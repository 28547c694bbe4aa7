"""The key of a vault: where it is looked for, what is made of it, and that it never shows."""

import pickle

import pytest

from orchestrator.adapters.vault.vault_key import (
    SERVICE,
    VaultKey,
    find_key,
    fingerprint,
    keep_key,
    require_key,
)
from orchestrator.model.errors import SecretError


class Ring(dict):
    """A keyring in memory."""

    def get_password(self, service_name, username):
        return self.get((service_name, username))

    def set_password(self, service_name, username, password):
        self[service_name, username] = password


class NoKeyringError(RuntimeError):
    """As the library says that a machine has none."""


class Broken:
    """A keyring that raises."""

    def __init__(self, error):
        self.error = error

    def get_password(self, service_name, username):
        raise self.error

    def set_password(self, service_name, username, password):
        raise self.error


@pytest.fixture
def vault(tmp_path):
    return tmp_path / "vault"


def find(vault, text=None, file=None, ring=None):
    return find_key(vault, text=text, file=file, keyring=Ring() if ring is None else ring)


def test_the_environment_goes_before_the_file_and_the_file_before_the_keyring(vault, tmp_path):
    one, two, three = VaultKey.new(), VaultKey.new(), VaultKey.new()
    file = tmp_path / "key"
    file.write_text(f"{two.as_text()}\n")
    ring = Ring()
    keep_key(vault, three, ring)

    found = [
        find(vault, one.as_text(), file, ring),
        find(vault, None, file, ring),
        find(vault, None, None, ring),
    ]
    assert [each.key.as_text() for each in found] == [k.as_text() for k in (one, two, three)]
    assert [each.where for each in found] == [
        "ORCHESTRATOR_VAULT_KEY",
        f"the file {file}",
        "the system's keyring",
    ]
    assert list(ring) == [(SERVICE, str(vault))]


def test_without_a_key_one_sentence_names_the_command_that_makes_one(vault):
    with pytest.raises(SecretError, match="make both with `orchestrator vault init`"):
        require_key(vault, text=None, file=None, keyring=Ring())


@pytest.mark.parametrize("text", ["", "s3cret", "s3cret" * 20, "ü" * 44, "A" * 44])
def test_what_is_no_key_is_refused_and_not_repeated(vault, text):
    with pytest.raises(SecretError, match="ORCHESTRATOR_VAULT_KEY is not a key") as refused:
        find(vault, text)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no such file"), (b"", "it is empty"), (b"a b", "one word"), (b"s3cret", "not a key")],
)
def test_a_key_file_that_holds_no_key_is_named_without_its_content(vault, tmp_path, content, words):
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SecretError, match=words) as refused:
        find(vault, None, file)
    assert str(file) in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_machine_without_a_keyring_simply_has_no_key_in_it(vault):
    assert find(vault, ring=Broken(NoKeyringError("none"))) is None


def test_a_keyring_that_is_locked_says_what_can_be_done(vault):
    with pytest.raises(SecretError, match=r"did not answer \(RuntimeError\); unlock it, or give"):
        find(vault, ring=Broken(RuntimeError("dbus s3cret")))


def test_a_keyring_that_takes_nothing_names_the_other_way(vault):
    class Forgetful(Ring):
        def set_password(self, service_name, username, password):
            pass

    for ring in (Broken(NoKeyringError("none")), Forgetful()):
        with pytest.raises(SecretError, match="--print-key` and keep the key"):
            keep_key(vault, VaultKey.new(), ring)


def test_each_purpose_has_its_own_bytes():
    key = VaultKey.new()

    assert key.derived("lines") == key.derived("lines")
    assert len({key.derived("lines"), key.derived("tables"), key.derived("lines", b"x")}) == 3


def test_a_key_shows_nowhere():
    key = VaultKey.new()

    assert f"{key} {key!r}" == "<key of a vault> <key of a vault>"
    with pytest.raises(TypeError, match="never copied"):
        pickle.dumps(key)


def test_a_fingerprint_tells_two_values_apart_and_neither_of_them():
    key = VaultKey.new().derived("fingerprints")

    assert fingerprint(key, "a") == fingerprint(key, "a") != fingerprint(key, "b")
    assert fingerprint(key, "a").startswith("fp:")
    assert len(fingerprint(key, "a")) == 15
    assert fingerprint(VaultKey.new().derived("fingerprints"), "a") != fingerprint(key, "a")
