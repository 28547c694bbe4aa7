"""The vault's key: what is derived from it, where it is kept, and how it stays out of sight."""

import base64
import binascii
import hmac
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from orchestrator.adapters.runs.journal_reading import why
from orchestrator.model import tokens
from orchestrator.model.errors import SecretError

SERVICE = "orchestrator"
"""Under this name the system's keyring keeps keys of vaults, by the path of the vault."""
_BYTES = 32
_FINGERPRINT_DIGITS = 12
_SETTINGS = "ORCHESTRATOR_VAULT_KEY or ORCHESTRATOR_VAULT_KEY_FILE"


class Keyring(Protocol):
    """What the system's keyring offers; the module `keyring` has just these two functions."""

    def get_password(self, service_name: str, username: str) -> str | None:
        """Give what is kept under this name; None when nothing is."""
        ...

    def set_password(self, service_name: str, username: str, password: str) -> None:
        """Keep it."""
        ...


@final
class VaultKey:
    """Thirty-two random bytes; nothing is encrypted with them, only with what is derived."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    @classmethod
    def new(cls) -> "VaultKey":
        """Make a key with the system's generator."""
        return cls(os.urandom(_BYTES))

    @classmethod
    def from_text(cls, text: str, where: str) -> "VaultKey":
        """Read a key; raises SecretError naming where it stands, and never what stands there."""
        try:
            raw = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != _BYTES:
            raise SecretError(
                f"{where} is not a key of a vault: 44 characters as `orchestrator vault init` makes them"
            )
        return cls(raw)

    def as_text(self) -> str:
        """Give the key as people and keyrings keep it."""
        return base64.urlsafe_b64encode(self._raw).decode()

    def derived(self, purpose: str, salt: bytes = b"") -> bytes:
        """Give the 32 bytes for one purpose (HKDF-SHA256); they tell nothing of the key."""
        return derived(self._raw, purpose, salt)

    def __repr__(self) -> str:
        return "<key of a vault>"

    def __reduce__(self) -> str:
        raise TypeError("the key of a vault is never copied out of memory")


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key and the place it was found in, in words."""

    key: VaultKey
    where: str


def derived(secret: bytes, purpose: str, salt: bytes) -> bytes:
    """Give 32 bytes for one purpose (HKDF-SHA256)."""
    info = f"orchestrator {purpose}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=_BYTES, salt=salt, info=info).derive(secret)


def fingerprint(key: bytes, value: str) -> str:
    """Give what stands for a secret in journals and reports: the same value has the same one."""
    return "fp:" + hmac.digest(key, value.encode(), "sha256").hex()[:_FINGERPRINT_DIGITS]


def find_key(
    vault: Path, *, text: str | None, file: Path | None, keyring: Keyring | None = None
) -> FoundKey | None:
    """Look for the key in the environment, else in its file, else in the system's keyring.

    None when it is in none of them. Raises SecretError when what is there is no key.
    """
    if text is not None:
        where = "ORCHESTRATOR_VAULT_KEY"
        return FoundKey(VaultKey.from_text(text, where), where)
    if file is not None:
        return FoundKey(_from_file(file), f"the file {file}")
    kept = _kept(vault, keyring)
    if kept is None:
        return None
    where = f"what the system's keyring keeps for {vault}"
    return FoundKey(VaultKey.from_text(kept, where), "the system's keyring")


def require_key(
    vault: Path, *, text: str | None, file: Path | None, keyring: Keyring | None = None
) -> FoundKey:
    """Give the key as `find_key` does; raises SecretError naming `vault init` when there is none."""
    found = find_key(vault, text=text, file=file, keyring=keyring)
    if found is None:
        raise SecretError(
            f"there is no key for the vault {vault}: make both with `orchestrator vault init`,"
            f" or give the key it was made with in {_SETTINGS}"
        )
    return found


def keep_key(vault: Path, key: VaultKey, keyring: Keyring | None = None) -> None:
    """Give the key to the system's keyring; raises SecretError saying what else can be done."""
    ring = _system_keyring() if keyring is None else keyring
    try:
        ring.set_password(SERVICE, _name_of(vault), key.as_text())
        kept = ring.get_password(SERVICE, _name_of(vault))
    except Exception as error:  # noqa: BLE001 - backends raise what they like
        raise SecretError(_no_keyring(error)) from None
    if kept != key.as_text():
        raise SecretError(_no_keyring(None))


def _kept(vault: Path, keyring: Keyring | None) -> str | None:
    """Ask the keyring; where there is none, nothing is in it."""
    ring = _system_keyring() if keyring is None else keyring
    try:
        return ring.get_password(SERVICE, _name_of(vault))
    except Exception as error:  # noqa: BLE001 - backends raise what they like
        # A machine without a keyring is no reason to fail here.
        if type(error).__name__ == "NoKeyringError":
            return None
        raise SecretError(
            f"the system's keyring did not answer ({type(error).__name__});"
            f" unlock it, or give the key in {_SETTINGS}"
        ) from None


def _no_keyring(error: Exception | None) -> str:
    kind = "it did not keep it" if error is None else type(error).__name__
    return (
        f"the system's keyring does not take the key ({kind}); say `orchestrator vault init"
        f" --print-key` and keep the key that it prints in {_SETTINGS}"
    )


def _system_keyring() -> Keyring:
    import keyring  # noqa: PLC0415 - it looks for its backends, which takes a while

    return keyring


def _name_of(vault: Path) -> str:
    return str(vault.absolute())


def _from_file(path: Path) -> VaultKey:
    where = f"the vault's key file {path}"
    try:
        with path.open("rb") as file:
            word = tokens.one_word(file.read(tokens.LONGEST + 1))
    except OSError as error:
        raise SecretError(f"{where} cannot be read: {why(error)}") from None
    except ValueError as error:
        raise SecretError(f"{where}: {error}") from None
    return VaultKey.from_text(word, where)
