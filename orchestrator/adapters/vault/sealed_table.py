"""A table of secrets as a text that may lie anywhere: encrypted with the vault's key."""

import base64
import json
import textwrap
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken

from orchestrator.adapters.vault.vault_key import VaultKey
from orchestrator.model.errors import SecretError

_TITLE = "orchestrator sealed table 1"
_WIDTH = 76


@dataclass(frozen=True, slots=True)
class Opened:
    """The table as it was before it was sealed."""

    name: str
    """Its file's name then, whose ending says how it is written."""
    text: str = field(repr=False)


def seal(table: Opened, key: VaultKey) -> str:
    """Give the sealed text: a title and lines that only the key opens."""
    whole = json.dumps({"name": table.name, "text": table.text}).encode()
    token = _cipher(key).encrypt(whole).decode()
    return "\n".join([_TITLE, *textwrap.wrap(token, _WIDTH, break_on_hyphens=False), ""])


def unseal(text: str, key: VaultKey, where: str) -> Opened:
    """Open a sealed table; raises SecretError when it is none, was changed, or has another key."""
    title, _, token = text.strip().partition("\n")
    if title.strip() != _TITLE:
        raise SecretError(f"{where} is no sealed table: make one with `orchestrator vault seal`")
    try:
        whole = json.loads(_cipher(key).decrypt("".join(token.split())))
        return Opened(whole["name"], whole["text"])
    except (InvalidToken, ValueError):
        raise SecretError(
            f"{where} cannot be opened: it was sealed with another key, or changed since"
        ) from None


def _cipher(key: VaultKey) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(key.derived("sealed tables")))
