"""Which values are secret by their name, and what stands in their place wherever something is kept."""

import re
from functools import lru_cache

MASK = "***"
NEVER_SHOWN = "never shown"
"""What is told of a secret as it was: it may have been there or not, and the controller does not say."""

_ANYWHERE = re.compile(r"(?i)password|passphrase|secret|token|presharedkey|wepkey|username$")
_RUN_TOGETHER = re.compile(
    r"pass(?:word|phrase|code)|preshared|(?:wep|pass)key|username\d*$|pincode"
    r"|(?:wifi|wlan|user|admin|root|login|pppoe|ppp|ftp|sip|smtp|mqtt|vpn|db)pass\d*$"
    r"|(?:api|auth|private|priv|shared|access|encryption|wifi|wlan|wpa\d?)keys?\d*$"
)
"""Names without the signs between their words: `pre_shared_key`, `userName`, `apikey`."""

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_ALWAYS = re.compile(r"(?:\w*(?:passwd|pwd|psk)|credentials?|puk)\d*")
_WHICH_KEY = frozenset(
    {
        "access", "aes", "api", "app", "auth", "authentication", "cipher", "crypt", "crypto",
        "enc", "encr", "encryption", "hmac", "ike", "ipsec", "link", "master", "network", "nwk",
        "pass", "preshared", "priv", "private", "radius", "security", "session", "shared",
        "sign", "signing", "snmp", "ssh", "ssl", "tls", "vpn", "wep", "wifi", "wireguard",
        "wlan", "wpa",
    }
)  # fmt: skip
"""What a key is of that nobody may read; a public one is for everybody."""
_OF_KEYS = frozenset(
    {
        "algorithm", "bits", "count", "enabled", "fingerprint", "id", "index", "interval",
        "length", "mode", "size", "status", "type", "version",
    }
)  # fmt: skip
"""What is told of a key, and is not the key."""
_NO_PASS = frozenset(
    ["all", "band", "by", "first", "high", "low", "multi", "second", "single", "test"]
)
_NO_PIN = frozenset({"adc", "clock", "data", "gpio", "header", "io", "led", "reset", "rx", "tx"})
_SAYS_MORE = frozenset(
    {
        "ascii", "code", "confirm", "confirmation", "current", "encrypted", "hash", "hex",
        "new", "old", "plain", "ro", "rw", "string", "text", "value",
    }
)  # fmt: skip
"""What may follow a secret's word and leave it one."""


@lru_cache(maxsize=8192)
def is_secret(name: str) -> bool:
    """Say whether a field, column, setting or variable of this name holds what nobody may read.

    Names are judged by their words, however these are put together: `wifi_key`, `SharedKey`,
    `WEPKey1`. A public key is no secret, and neither is what only sounds like one, as `keyboard`.
    """
    if _ANYWHERE.search(name):
        return True
    words = [word.lower() for word in _WORD.findall(name)]
    if _RUN_TOGETHER.search("".join(words)) and "public" not in words:
        return True
    return any(_is_secret_word(words, place) for place in range(len(words)))


def _is_secret_word(words: list[str], place: int) -> bool:
    word, before = words[place], words[place - 1] if place else ""
    if _ALWAYS.fullmatch(word):
        return True
    if word in ("key", "keys"):
        if before.isdigit() and place > 1:  # the number of wpa2
            before = words[place - 2]
        is_told_of = place + 1 < len(words) and words[place + 1] in _OF_KEYS
        return before in _WHICH_KEY and not is_told_of
    if word == "pass":
        return before not in _NO_PASS and _is_the_end(words[place + 1 :])
    if word == "pin":
        return before not in _NO_PIN and _is_the_end(words[place + 1 :])
    if word in ("community", "communities"):
        return _is_the_end([each for each in words[place + 1 :] if each != "name"])
    return False


def _is_the_end(rest: list[str]) -> bool:
    return all(word in _SAYS_MORE or word.isdigit() for word in rest)


def masked(name: str, value: object) -> object:
    """Give a value as it may be kept and shown: a secret one that is there as `***`."""
    return MASK if is_secret(name) and value not in (None, "") else value
