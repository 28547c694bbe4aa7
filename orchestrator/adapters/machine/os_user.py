"""Who sits in front of this machine, as the system knows it and not as the environment says."""

import os
import pwd
import socket
from collections.abc import Mapping


def user_name(*, uid: int | None = None, environment: Mapping[str, str] = os.environ) -> str:
    """Name the person: whoever called sudo, else the user of this process.

    LOGNAME and USER are not asked: anybody can set them, and approvals compare people.
    """
    uid = os.getuid() if uid is None else uid
    behind = environment.get("SUDO_USER", "")
    if uid == 0 and behind:  # only root could make it up, and root can do anything
        return behind
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def host_name() -> str:
    """Name this machine."""
    return socket.gethostname()
