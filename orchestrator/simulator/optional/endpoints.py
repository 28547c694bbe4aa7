"""What the API answers about logs, settings, variables and types (api.md 1.8)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase

from orchestrator.simulator.devices import SimulatedDevice
from orchestrator.simulator.exchange import Request, Response, detail
from orchestrator.simulator.fleet import TYPES
from orchestrator.simulator.optional.device_log import PER_DEVICE, Entry, entries_of
from orchestrator.simulator.optional.parameters import settings_of, variables_of
from orchestrator.simulator.population import Population
from orchestrator.simulator.queries import FALSE, TRUE, address, moment, not_allowed, paged, whole
from orchestrator.simulator.rules import Rules

_MISSING = "Not found."
_LOG_LIMIT = 20


class OptionalEndpoints:
    """The endpoints that only some controllers have; all of them only read."""

    def __init__(self, population: Population, rules: Rules) -> None:
        self._population = population
        self._rules = rules

    def answer(self, kind: str, identity: int | None, request: Request, now: float) -> Response:
        """Answer an authorised request about a `log`, a `setting`, `variables` or a `type`."""
        if request.method != "GET":
            return not_allowed(request.method, "GET")
        match kind:
            case "log":
                return self._log(identity, request, now)
            case "type":
                return self._types(identity, request)
        parent = request.query.get("parent_id", "")
        if not parent:
            return Response(400, {"parent_id": ["This field is required."]})
        if whole(parent) is None:
            return Response(400, {"parent_id": ["Enter a number."]})
        device = self._device(int(parent), now)
        if kind == "setting":
            return self._settings(device, request)
        return self._variables(device, request, now)

    def _device(self, identity: int, now: float) -> SimulatedDevice | None:
        """Give a device that the token may see; a filter on any other finds nothing."""
        device = self._population.device(identity, now)
        allowed = self._rules.organizations
        if device is None or (
            allowed is not None and device.fields["organization_id"] not in allowed
        ):
            return None
        return device

    # The device log

    def _log(self, identity: int | None, request: Request, now: float) -> Response:
        if identity is not None:
            for entry in self._entries(str(identity // PER_DEVICE), now):
                if entry.id == identity:
                    return Response(200, entry.record())
            return detail(404, _MISSING)
        query = request.query
        faults = {
            name: ["Enter a valid date/time."]
            for name in ("datetime__gte", "datetime__lte")
            if name in query and moment(query[name]) is None
        }
        if faults:
            return Response(400, faults)
        try:
            before = _place(query.get("cursor"))
        except ValueError:
            return detail(404, "Invalid cursor")
        fits = _log_filter(query)
        entries = sorted(
            (
                each
                for each in self._entries(query.get("parent__id"), now)
                if fits(each) and (before is None or (int(each.at), each.id) < before)
            ),
            key=lambda each: (int(each.at), each.id),
            reverse=True,
        )
        limit = min(whole(query.get("limit")) or _LOG_LIMIT, self._rules.max_limit)
        shown = entries[:limit]
        following = None
        if len(entries) > limit:
            following = address(request, {**query, "cursor": _cursor(shown[-1])})
        results = [each.record() for each in shown]
        return Response(200, {"next": following, "previous": None, "results": results})

    def _entries(self, parent: str | None, now: float) -> Iterator[Entry]:
        if parent:
            device = self._device(whole(parent) or 0, now)
            chosen = [] if device is None else [device]
        else:
            chosen = list(self._population.group(self._rules.organizations, None, None))
        for each in chosen:
            each.advance(now)
            yield from entries_of(each, self._population)

    # Settings and variables

    def _settings(self, device: SimulatedDevice | None, request: Request) -> Response:
        query = request.query
        wanted, pending = query.get("parameter__variable_name"), query.get("pending")
        rows = [
            each.record()
            for each in (() if device is None else settings_of(device, self._population.seed))
            if wanted in (None, "", each.parameter.variable_name)
            and (pending not in TRUE or each.is_pending)
            and (pending not in FALSE or not each.is_pending)
        ]
        return Response(200, paged(request, rows, self._rules))

    def _variables(self, device: SimulatedDevice | None, request: Request, now: float) -> Response:
        query = request.query
        if device is None:
            return Response(200, paged(request, (), self._rules))
        refreshes = query.get("force_update") in TRUE
        delay = self._population.refresh(device, now) if refreshes else 0.0
        named = query.get("parameter__variable_name", "").split(",")
        wanted = [name.strip() for name in named if name.strip()]
        takes_patterns = query.get("wildcard") in TRUE
        shows_dates = query.get("dates") not in FALSE
        rows = [
            {"name": name, "value": value, **({"datetime": said_at} if shows_dates else {})}
            for name, value, said_at in variables_of(device, self._population)
            if not wanted or _is_named(name, wanted, takes_patterns)
        ]
        return Response(200, paged(request, rows, self._rules), delay=delay)

    # Types

    def _types(self, identity: int | None, request: Request) -> Response:
        rows = [
            {
                "id": type_id,
                "name": f"{manufacturer} {model}",
                "short_name": short_name,
                "description": f"{manufacturer} {model} devices",
            }
            for type_id, short_name, manufacturer, model, _ in TYPES
        ]
        if identity is None:
            wanted = request.query.get("name")
            rows = [each for each in rows if wanted in (None, "", each["name"])]
            return Response(200, paged(request, rows, self._rules))
        for each in rows:
            if each["id"] == identity:
                return Response(200, each)
        return detail(404, _MISSING)


def _is_named(name: str, wanted: list[str], takes_patterns: bool) -> bool:
    if takes_patterns:
        return any(fnmatchcase(name, pattern) for pattern in wanted)
    return name in wanted


def _log_filter(query: Mapping[str, str]) -> Callable[[Entry], bool]:
    since, until = moment(query.get("datetime__gte")), moment(query.get("datetime__lte"))
    words = [(name, query[name]) for name in ("action", "variable_name") if query.get(name)]
    flags = [
        (name, query[name] in TRUE)
        for name in ("is_pending", "is_applied")
        if query.get(name) in (*TRUE, *FALSE)
    ]

    def fits(entry: Entry) -> bool:
        at = int(entry.at)
        return (
            (since is None or at >= since)
            and (until is None or at <= until)
            and all(getattr(entry, name) == value for name, value in (*words, *flags))
        )

    return fits


def _cursor(entry: Entry) -> str:
    return urlsafe_b64encode(f"{int(entry.at)} {entry.id}".encode()).decode()


def _place(cursor: str | None) -> tuple[int, int] | None:
    """Give after which entry a page goes on; raises ValueError for what is no cursor."""
    if not cursor:
        return None
    at, identity = urlsafe_b64decode(cursor).decode().split(" ")
    return int(at), int(identity)
