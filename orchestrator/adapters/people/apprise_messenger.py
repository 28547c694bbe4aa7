"""Chat, mail and webhooks through Apprise; its URLs are secrets and stay in here.

Apprise is slow to import, so that happens when somebody is to be told and not before.
"""

import asyncio
import logging
import threading
import warnings
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import anyio

from orchestrator.adapters.people.notify_file import Targets
from orchestrator.model import durations
from orchestrator.model.errors import SettingsError

_MOST_STUCK = 8
_QUIET = logging.CRITICAL + 100


@dataclass(slots=True)
class _Attempt:
    """One message on its way to one place."""

    kind: str
    """The URL's scheme: all of it that is told."""
    taken: bool | None = None


class AppriseMessenger:
    """The messenger port over Apprise, for the names in `targets`.

    Raises SettingsError when Apprise cannot use one of the URLs. Its text never shows any.
    """

    def __init__(self, targets: Targets, *, patience: float = 15.0) -> None:
        self._patience = patience
        self._threads: dict[str, list[threading.Thread]] = {}
        self._places: dict[str, list[tuple[str, Any]]] = {}
        apprise = _quiet_apprise() if targets else None
        faults = []
        for name, urls in targets.items():
            self._places[name] = []
            self._threads[name] = []
            for number, url in enumerate(urls, start=1):
                place = _place(apprise, url.get_secret_value())
                kind = url.get_secret_value().partition("://")[0].lower()
                if place is None:
                    faults.append(
                        f"{name!r} leads to a {kind}:// URL (its number {number}) that Apprise cannot"
                        " use; compare it with https://github.com/caronc/apprise/wiki"
                    )
                self._places[name].append((kind, place))
        if faults:
            raise SettingsError("\n".join(faults))

    def __repr__(self) -> str:
        return f"<messenger for {', '.join(self._places) or 'nobody'}>"

    async def send(self, to: str, title: str, body: str) -> str | None:
        places = self._places.get(to)
        if places is None:
            return f"{to!r} leads nowhere in the settings"
        stuck = self._threads[to] = [each for each in self._threads[to] if each.is_alive()]
        if len(stuck) >= _MOST_STUCK:
            return f"{len(stuck)} earlier messages are stuck on their way"
        attempts = [_Attempt(kind) for kind, _ in places]
        done = anyio.Event()
        loop = asyncio.get_running_loop()

        def conclude(attempt: _Attempt, taken: bool) -> None:
            attempt.taken = taken
            if all(each.taken is not None for each in attempts):
                done.set()

        def deliver(attempt: _Attempt, place: Any) -> None:
            taken = _is_taken(place, title, body)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(conclude, attempt, taken)

        for attempt, (_, place) in zip(attempts, places, strict=True):
            # Daemons of our own: a place that never answers must not keep the process alive.
            thread = threading.Thread(target=deliver, args=(attempt, place), daemon=True)
            stuck.append(thread)
            thread.start()
        with anyio.move_on_after(self._patience):
            await done.wait()
        return self._told([(each.kind, each.taken) for each in attempts])

    def _told(self, ends: list[tuple[str, bool | None]]) -> str | None:
        refused = _counted(kind for kind, taken in ends if taken is False)
        silent = _counted(kind for kind, taken in ends if taken is None)
        what = []
        if refused:
            what.append(f"{refused} did not take the message")
        if silent:
            what.append(f"{silent} gave no answer within {durations.as_text(self._patience)}")
        if not what:
            return None
        reached = sum(taken is True for _, taken in ends)
        return ", and ".join(what) + (f"; {reached} of {len(ends)} took it" if reached else "")


def _is_taken(place: Any, title: str, body: str) -> bool:
    with suppress(Exception):  # whatever it says, it might say it with the URL
        return bool(place.notify(body=body, title=title, body_format="text"))
    return False


def _counted(kinds: Iterable[str]) -> str:
    counts = Counter(kinds)
    return ", ".join(kind if count == 1 else f"{kind} ({count})" for kind, count in counts.items())


def _place(apprise: Any, url: str) -> Any:
    """Give something that notifies this one URL; None when Apprise does not understand it."""
    asset = apprise.AppriseAsset(
        app_id="orchestrator",
        app_desc="bulk maintenance",
        async_mode=False,
        http_redirects=False,  # a login page that answers 200 has told nobody
        secure_logging=True,
        service_timeout=0,  # the time is ours to keep: no thread pool that is waited for at exit
    )
    with suppress(Exception):
        service = apprise.Apprise.instantiate(url, asset=asset)
        if service is not None:
            place = apprise.Apprise(asset=asset)
            place.add(service)
            return place
    return None


def _quiet_apprise() -> Any:
    """Import Apprise and keep it, and what it speaks HTTP with, from writing URLs anywhere."""
    for name in ("apprise", "requests", "urllib3"):
        logger = logging.getLogger(name)
        logger.setLevel(_QUIET)
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", module=r"(apprise|requests|urllib3)(\.|$)")
    import apprise  # noqa: PLC0415 - half a second that most commands need not wait

    return apprise
