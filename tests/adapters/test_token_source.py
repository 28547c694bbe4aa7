"""The token is read where it lies, may be replaced while we run, and is never shown."""

import pytest

from orchestrator.adapters.controller import token_source
from orchestrator.adapters.controller.token_source import TokenSource
from orchestrator.model.errors import SettingsError


def test_a_literal_token_becomes_the_header_and_never_changes():
    source = TokenSource("abc.DEF-1")

    assert source.header == "Bearer abc.DEF-1"
    assert source.refresh() is False


def test_its_text_never_shows_the_token(tmp_path):
    file = tmp_path / "token"
    file.write_text("abc.DEF-1")

    assert "abc" not in repr(TokenSource("abc.DEF-1")) + str(TokenSource.from_file(file))


UNUSABLE = {
    "empty": "",
    "blank": "  \n",
    "inner space": "abc def",
    "a second header": "abc\r\nX-Evil: 1",
    "a control character": "abc\x00",
    "no ASCII": "abcü",
}


@pytest.mark.parametrize("token", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_token_is_refused_without_being_repeated(token, tmp_path):
    file = tmp_path / "token"
    file.write_bytes(token.encode())

    with pytest.raises(SettingsError) as literal:
        TokenSource(token)
    with pytest.raises(SettingsError) as filed:
        TokenSource.from_file(file)
    assert "abc" not in f"{literal.value}"
    assert str(file) in f"{filed.value}"
    assert "abc" not in f"{filed.value}"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        TokenSource.from_file(tmp_path / "nothing")


def test_an_endless_file_is_refused(tmp_path):
    file = tmp_path / "token"
    file.write_text("a" * 100_000)

    with pytest.raises(SettingsError, match="longer"):
        TokenSource.from_file(file)


def test_space_and_line_ends_around_a_filed_token_do_not_count(tmp_path):
    file = tmp_path / "token"
    file.write_text("\n abc \r\n")

    assert TokenSource.from_file(file).header == "Bearer abc"


def test_refresh_says_whether_the_token_changed_and_remembers_both_as_secrets(tmp_path):
    file = tmp_path / "token"
    file.write_text("old")
    source = TokenSource.from_file(file)
    same = source.refresh()
    file.write_text("new")

    assert (same, source.refresh(), source.header) == (False, True, "Bearer new")
    assert source.secrets == ("old", "new")


def test_a_file_that_became_unusable_leaves_the_old_token(tmp_path):
    file = tmp_path / "token"
    file.write_text("old")
    source = TokenSource.from_file(file)
    file.write_text("")

    with pytest.raises(SettingsError, match="empty"):
        source.refresh()
    assert source.header == "Bearer old"


def test_a_replaced_file_is_noticed_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(token_source, "_LOOK_EVERY", 0.0)
    file = tmp_path / "token"
    file.write_text("old")
    source = TokenSource.from_file(file)
    unchanged = source.header
    fresh = tmp_path / "fresh"
    fresh.write_text("new")
    fresh.replace(file)

    assert (unchanged, source.header) == ("Bearer old", "Bearer new")


def test_a_file_that_is_gone_for_a_moment_does_no_harm(tmp_path, monkeypatch):
    monkeypatch.setattr(token_source, "_LOOK_EVERY", 0.0)
    file = tmp_path / "token"
    file.write_text("old")
    source = TokenSource.from_file(file)
    file.unlink()

    assert source.header == "Bearer old"
