"""Who gives orders: the person behind sudo, else the system's user, never what LOGNAME claims."""

import os
import pwd

from orchestrator.adapters.machine.os_user import user_name


def test_the_environment_cannot_make_somebody_another_person(monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    monkeypatch.delenv("SUDO_USER", raising=False)

    assert user_name() == pwd.getpwuid(os.getuid()).pw_name


def test_under_sudo_it_is_whoever_called_it():
    assert user_name(uid=0, environment={"SUDO_USER": "alice"}) == "alice"


def test_only_root_is_believed_to_be_somebody_else():
    known = pwd.getpwall()[-1]
    claimed = {"SUDO_USER": "alice"}

    assert user_name(uid=4_000_111, environment=claimed) == "user 4000111"
    assert user_name(uid=known.pw_uid or 4_000_111, environment=claimed) != "alice"


def test_a_user_without_a_name_is_a_number():
    assert user_name(uid=4_000_111, environment={}) == "user 4000111"
