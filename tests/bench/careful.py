"""What a careful user of `requests` writes for one device: look, send, wait for the proof, note it.

A session belongs to one thread, keeps its connection alive, and needs a pool of no more than that
one. Every status is checked and every request has a timeout. A GET is repeated after a passing fault,
the PUT never: nobody knows whether it was applied. A line for each device goes to a file as soon as
it is done. Both yardsticks of part (b) are this under another roof.
"""

import json
import threading
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import IO, Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

TIMEOUT = (5.0, 30.0)
"""Seconds for a connection, and for an answer."""
POLL = 1.0
"""Seconds between two looks at a device that is not back yet."""
PATIENCE = 600.0
"""Seconds until a device that is not back is given up."""


def new_session() -> requests.Session:
    """Make a session that repeats GETs only."""
    retry = Retry(
        total=3, backoff_factor=0.5, status_forcelist=(429, 502, 503, 504), allowed_methods=["GET"]
    )
    session = requests.Session()
    session.headers["Authorization"] = "Bearer bench"
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


class Sessions:
    """A session for each thread: sessions are not made to be shared. All are closed at the end."""

    def __init__(self) -> None:
        self._of_thread = threading.local()
        self._all: list[requests.Session] = []

    def mine(self) -> requests.Session:
        """Give the session of the calling thread."""
        if not hasattr(self._of_thread, "session"):
            self._of_thread.session = new_session()
            self._all.append(self._of_thread.session)
        return self._of_thread.session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for session in self._all:
            session.close()


class Notes:
    """A JSON line for each device; threads take turns."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.proven = 0

    def write(self, device: int, verdict: str) -> None:
        """Write one line down at once."""
        line = json.dumps({"at": time.time(), "device": device, "verdict": verdict})  # noqa: TID251 - a program of its own
        with self._lock:
            self.proven += verdict == "succeeded"
            self._file.write(line + "\n")
            self._file.flush()


def redeploy(session: requests.Session, base_url: str, device: int) -> str:
    """Bring the operation about on one device; give its verdict. Raises RequestException."""
    url = f"{base_url}/inventory_device/{device}/"
    record = _read(session, url)
    if record["status"] != "Up" or not record["is_active"]:
        return "skipped"
    answer = session.put(
        f"{base_url}/inventory_device_operation/{device}/",
        json={"operation": "sync"},
        timeout=TIMEOUT,
    )
    answer.raise_for_status()
    accepted = parsedate_to_datetime(answer.headers["Date"])
    until = time.monotonic() + PATIENCE
    while not _is_back(_read(session, url), accepted):
        if time.monotonic() > until:
            return "unconfirmed"
        time.sleep(POLL)
    return "succeeded"


def _read(session: requests.Session, url: str) -> dict[str, Any]:
    answer = session.get(url, timeout=TIMEOUT)
    answer.raise_for_status()
    return answer.json()


def _is_back(record: dict[str, Any], accepted: datetime) -> bool:
    if record["status"] != "Up" or record["pending_settings"] != "none":
        return False
    return datetime.fromisoformat(record["last_configuration"]) > accepted
