"""The optional endpoints' answers in the words of the model, for drivers that have no HTTP between.

Every function takes the moment of asking, and gives what comes back and the seconds until it does:
None where the world does not offer the endpoint.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from orchestrator.model.devices import DeviceId, as_moment
from orchestrator.model.errors import ControllerError
from orchestrator.model.moments import as_text
from orchestrator.model.readings import Reading, Testimony
from orchestrator.model.secrecy import masked
from orchestrator.model.steps import Witness
from orchestrator.simulator.answering import PATIENCE, ask, error_of, reading_of
from orchestrator.simulator.optional.device_log import BOOT, BOOTSTRAP
from orchestrator.simulator.optional.parameters import UP_TIME
from orchestrator.simulator.world import API, World

NOBODY = DeviceId(0)
"""Whom a reading is about when no device has that serial number or name."""
_MOST_ROWS = 500
_MISSING, _FORBIDDEN = 404, 403
_Rows = Sequence[Mapping[str, Any]] | ControllerError | None


class Asker:
    """Asks one world with one token; gives an answer up after `patience` seconds."""

    def __init__(
        self, world: World, token: str | None = None, *, patience: float = PATIENCE
    ) -> None:
        """Use the world's own token when none is given."""
        self._world = world
        self._token = token
        self._patience = patience

    def find(
        self, key: str, text: str, now: float
    ) -> tuple[Reading | ControllerError | None, float]:
        """Read the device with this `serial` or `name`."""
        resource = f"inventory_device_{key}"
        path = f"{API}{resource}/{quote(text, safe='')}/"
        response = ask(self._world, "GET", path, now, query={"pending": "true"}, token=self._token)
        found, delay = reading_of(self._world, response, NOBODY, now, self._patience)
        return (None if self._is_missing(resource, response.status) else found), delay

    def settings(
        self, device: DeviceId, now: float
    ) -> tuple[Mapping[str, object] | ControllerError | None, float]:
        """Give a device's settings by variable name, secret values masked."""
        query = {"parent_id": str(device)}
        rows, delay = self._rows("inventory_device_setting", query, now)
        return _values(rows, "variable_name"), delay

    def variables(
        self, device: DeviceId, names: Collection[str], refresh: bool, now: float
    ) -> tuple[Mapping[str, object] | ControllerError | None, float]:
        """Give a device's variables by name, all or these, secret values masked."""
        rows, delay = self._variables(device, names, refresh, now)
        return _values(rows, "name"), delay

    def types(self, now: float) -> tuple[Mapping[str, int] | ControllerError | None, float]:
        """Give the ids of device types, by name and by short name."""
        rows, delay = self._rows("inventory_type", {}, now)
        if rows is None or isinstance(rows, ControllerError):
            return rows, delay
        return {row[key]: row["id"] for row in rows for key in ("name", "short_name")}, delay

    def testimony(
        self, device: DeviceId, witnesses: Collection[Witness], since_at: float, now: float
    ) -> tuple[Testimony | ControllerError | None, float]:
        """Ask these witnesses; None where not one of them is offered."""
        testimony: Testimony | None = None
        passed = 0.0
        for witness in witnesses:
            if witness is Witness.UP_TIME:
                rows, delay = self._variables(device, (UP_TIME,), False, now + passed)
            else:
                rows, delay = self._log(device, since_at, now + passed)
            passed += delay
            if isinstance(rows, ControllerError):
                return rows, passed
            if rows is not None:
                tell = _with_up_time if witness is Witness.UP_TIME else _with_log
                testimony = tell(testimony or Testimony(), rows)
        return testimony, passed

    def _variables(
        self, device: DeviceId, names: Collection[str], refresh: bool, now: float
    ) -> tuple[_Rows, float]:
        query = {"parent_id": str(device), "dates": "true"}
        if names:
            query["parameter__variable_name"] = ",".join(names)
        if refresh:
            query["force_update"] = "true"
        return self._rows("inventory_device_variables", query, now)

    def _log(self, device: DeviceId, since_at: float, now: float) -> tuple[_Rows, float]:
        query = {"parent__id": str(device), "datetime__gte": as_text(float(int(since_at)))}
        return self._rows("inventory_device_log", query, now)

    def _rows(self, resource: str, query: Mapping[str, str], now: float) -> tuple[_Rows, float]:
        """Read every page of a listing."""
        rows: list[Mapping[str, object]] = []
        passed = 0.0
        wanted = {**query, "limit": str(_MOST_ROWS)}
        while True:
            response = ask(
                self._world,
                "GET",
                f"{API}{resource}/",
                now + passed,
                query=wanted,
                token=self._token,
            )
            passed += min(response.delay, self._patience)
            if self._is_missing(resource, response.status):
                return None, passed
            error = error_of(response, self._patience)
            if error is not None:
                return error, passed
            content = response.content
            assert isinstance(content, dict)  # a list that is no error has this shape
            rows += content["results"]
            if content["next"] is None:
                return rows, passed
            following = parse_qs(urlsplit(content["next"]).query)
            wanted = {name: values[0] for name, values in following.items()}
            wanted.pop("force_update", None)

    def _is_missing(self, resource: str, status: int) -> bool:
        is_offered = resource in self._world.rules.offers
        return status == _FORBIDDEN or (status == _MISSING and not is_offered)


def _values(rows: _Rows, key: str) -> Mapping[str, object] | ControllerError | None:
    if rows is None or isinstance(rows, ControllerError):
        return rows
    return {row[key]: masked(row[key], row["value"]) for row in rows}


def _with_up_time(testimony: Testimony, rows: Sequence[Mapping[str, Any]]) -> Testimony:
    for row in rows:
        taken_at = as_moment(row["datetime"])
        testimony = replace(testimony, up_time=float(row["value"]), up_time_at=taken_at)
    return testimony


def _with_log(testimony: Testimony, rows: Sequence[Mapping[str, Any]]) -> Testimony:
    """Tell from entries, the newest first, whether a command was applied, and a boot came after it."""
    commands = [row for row in rows if row["action"] == "command" and not row["is_pending"]]
    since = commands[0]["datetime"] if commands else ""
    booted = any(
        row["action"] == "event"
        and row["variable_name"] in (BOOT, BOOTSTRAP)
        and row["datetime"] >= since
        for row in rows
    )
    applied = commands[0]["is_applied"] if commands else None
    return replace(testimony, applied=applied, booted=booted if rows else None)
