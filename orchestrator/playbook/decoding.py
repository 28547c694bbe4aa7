"""Bytes of a file become text, or a sentence that says what they look like instead."""

import re

AS_UTF8 = "save it as UTF-8 (in Excel: CSV UTF-8)"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of spreadsheets begin, the newer and the older ones."""
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SAMPLE = 1000


def decoded(raw: bytes, *, is_table: bool = False) -> str:
    """Give the text of a file in UTF-8, without its byte order mark.

    Raises OSError with one sentence: what the file looks like, and how to save it.
    """
    look = _look(raw, is_table=is_table)
    if look:
        raise OSError(look)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"it is not UTF-8 text, line {line} has the byte {raw[error.start]:#04x}"
        guess = "" if _NO_TEXT.search(raw) else " and looks like Windows-1252"
        raise OSError(f"{what}{guess}; {_remedy(is_table=is_table)}") from error


def _look(raw: bytes, *, is_table: bool) -> str:
    """Say what other kind of file this is; "" when nothing speaks against UTF-8."""
    if raw.startswith(_WORKBOOKS):
        return "it is a workbook; save it as CSV UTF-8" if is_table else "it is a workbook, no text"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or _is_wide(raw[:_SAMPLE]):
        return f"it looks like UTF-16; {_remedy(is_table=is_table)}"
    return ""


def _is_wide(sample: bytes) -> bool:
    """Say whether most signs are two bytes, one of which is zero."""
    return any(2 * half.count(0) > len(half) > 0 for half in (sample[::2], sample[1::2]))


def _remedy(*, is_table: bool) -> str:
    return AS_UTF8 if is_table else "save it as UTF-8"
