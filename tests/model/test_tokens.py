"""What a secret has to look like."""

import pytest

from orchestrator.model import tokens


@pytest.mark.parametrize("text", ["abc.DEF-1", " abc.DEF-1\r\n", b"abc.DEF-1\n"])
def test_a_secret_is_one_word_and_the_space_around_it_does_not_count(text):
    assert tokens.one_word(text) == "abc.DEF-1"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("  \n", "it is empty"),
        ("a" * (tokens.LONGEST + 1), "it is longer than 16384 characters"),
        ("abc def", "it must be one word of plain characters, on one line"),
        ("abc\r\nX-Evil: 1", "it must be one word of plain characters, on one line"),
        ("abc\x00", "it must be one word of plain characters, on one line"),
        ("abc\u00fc", "it must be one word of plain characters, on one line"),
        (b"abc\xff", "it is not text"),
    ],
)
def test_what_is_no_secret_is_refused_without_being_repeated(text, reason):
    with pytest.raises(ValueError, match=f"^{reason}$") as refused:
        tokens.one_word(text)

    assert refused.value.__context__ is None or refused.value.__suppress_context__
