"""What a secret has to look like: one word that can stand in a header line."""

import re

LONGEST = 16384
"""Characters; a file is read no further than one more."""
_WHOLE = re.compile(r"[\x21-\x7e]+")


def one_word(text: str | bytes) -> str:
    """Give a secret without the space and line ends around it.

    Raises ValueError with a sentence that goes on after the secret's name and never repeats it.
    """
    if isinstance(text, bytes):
        text = _decoded(text)
    word = text.strip()
    if not word:
        raise ValueError("it is empty")
    if len(word) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    if _WHOLE.fullmatch(word) is None:
        # Anything else could end the header line and begin another one.
        raise ValueError("it must be one word of plain characters, on one line")
    return word


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        # The error of the codec would show the bytes of the secret.
        raise ValueError("it is not text") from None
