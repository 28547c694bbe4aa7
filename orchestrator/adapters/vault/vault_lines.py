"""The lines of a vault: encrypted one by one, and each bound to its place and to the line before it."""

import base64
import binascii
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from orchestrator.adapters.vault.vault_entries import Entry, decoded
from orchestrator.adapters.vault.vault_key import VaultKey
from orchestrator.model.errors import SecretError

_MAGIC = b"orchestrator-vault-1"
_SALT = 16
_NONCE = 12
_TAG = 16


class WrongKeyError(SecretError):
    """The key is another one than the vault was made with."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: what the keys of this file are derived with, and a check of the key."""

    salt: bytes
    check: bytes
    origin: bytes
    """The salt of the vault's first file: it stays the same when the vault is written anew."""

    @classmethod
    def new(cls, key: VaultKey, origin: bytes | None = None) -> "Header":
        """Make the header of a new file; with an origin it is of the vault that has it."""
        salt = os.urandom(_SALT)
        return cls(salt, _check_of(key, salt), salt if origin is None else origin)

    @classmethod
    def from_line(cls, line: bytes) -> "Header":
        """Read it; raises ValueError when the file is no vault."""
        magic, *rest = line.split(b" ")
        if magic != _MAGIC or len(rest) not in (2, 3):
            raise ValueError("it is no vault")
        salt, check, *origin = (bytes.fromhex(each.decode("ascii")) for each in rest)
        return cls(salt, check, origin[0] if origin else salt)

    def line(self) -> bytes:
        """Give it as it stands in the file."""
        parts = [self.salt, self.check, *([] if self.origin == self.salt else [self.origin])]
        return b" ".join((_MAGIC, *(each.hex().encode() for each in parts))) + b"\n"

    def identity(self, key: VaultKey) -> str:
        """Give what tells this vault and key from any other, and tells nothing of the key."""
        return key.derived("vault identity", self.origin).hex()

    def cipher(self, key: VaultKey) -> AESGCM:
        """Give what encrypts the lines of this file; raises WrongKeyError for another key."""
        if not hmac.compare_digest(self.check, _check_of(key, self.salt)):
            raise WrongKeyError("the key is not the one it was made with")
        return AESGCM(key.derived("vault lines", self.salt))


def _check_of(key: VaultKey, salt: bytes) -> bytes:
    return key.derived("vault check", salt)[:_TAG]


@dataclass(slots=True)
class Chain:
    """Where the lines of a file end, so that the next one can be read or written.

    Each line is encrypted with its number and the end of the one before as associated data
    (AES-256-GCM): none can be edited, moved, left out or brought in from another file. Whole lines
    that are cut off at the end cannot be missed by it.
    """

    cipher: AESGCM
    lines: int
    tail: bytes

    @classmethod
    def of(cls, header: Header, key: VaultKey) -> "Chain":
        """Begin right behind the header; raises WrongKeyError for another key."""
        return cls(header.cipher(key), 0, header.line())

    def encrypted(self, entries: Iterable[Entry]) -> tuple[bytes, "Chain"]:
        """Give the next lines and where the file ends after them."""
        end = Chain(self.cipher, self.lines, self.tail)
        lines = [end._encrypted(entry.encoded()) for entry in entries]
        return b"".join(lines), end

    def _encrypted(self, text: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        sealed = self.cipher.encrypt(nonce, text, self._place())
        self._go_on(sealed)
        return base64.b64encode(nonce + sealed) + b"\n"

    def decrypted(self, line: bytes) -> Entry:
        """Read the next line; raises ValueError when it is not the one that was written here."""
        try:
            raw = base64.b64decode(line, validate=True)
            text = self.cipher.decrypt(raw[:_NONCE], raw[_NONCE:], self._place())
        except (InvalidTag, binascii.Error, ValueError):
            raise ValueError("it was changed, moved, or one before it is missing") from None
        self._go_on(raw)
        return decoded(text)

    def _place(self) -> bytes:
        return self.lines.to_bytes(8) + self.tail

    def _go_on(self, sealed: bytes) -> None:
        self.lines += 1
        self.tail = sealed[-_TAG:]
