"""Where requests go and how the documented filters are written: pure (api.md 1.1)."""

import math
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import quote

from yarl import URL

from orchestrator.model.devices import Status
from orchestrator.model.errors import SettingsError
from orchestrator.model.readings import DeviceFilter

_STATUS_FORMS = {Status.UP: "1", Status.DOWN: "0"}


def checked_base_url(text: str, *, plain_http_allowed: bool) -> URL:
    """Give the API's address without a slash at the end.

    Raises SettingsError for what is no plain http(s) address, for one that holds credentials, and
    for `http://` to anything but this machine, because the token would travel in clear.
    """
    try:
        url = URL(text.strip())
        whole = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
    except ValueError:
        whole = False
    if not whole:
        # Not repeated here: who pastes the token into the wrong setting would read it in a log.
        raise SettingsError("the base URL has to be a whole address, such as https://host/api/v1")
    if url.user is not None or url.password is not None:
        raise SettingsError("the base URL must not hold a user name or password")
    if url.query_string or url.fragment:
        raise SettingsError("the base URL must not hold a query or a fragment")
    if url.scheme == "http" and not plain_http_allowed and not _is_this_machine(url.host or ""):
        raise SettingsError(
            f"plain http:// to {url.host} would send the token in clear;"
            " use https:// or allow it by name"
        )
    return url.with_path(url.raw_path.rstrip("/"), encoded=True)


def listing_query(wanted: DeviceFilter, *, offset: int, limit: int) -> str:
    """Write the query of one list page; only documented names, in their documented forms."""
    query = f"?limit={limit}&offset={offset}&pending=true"
    if wanted.organization is not None:
        query += f"&organization={wanted.organization:d}"
    if wanted.type is not None:
        query += f"&type={wanted.type:d}"
    if wanted.status in _STATUS_FORMS:
        query += f"&status={_STATUS_FORMS[wanted.status]}"
    if wanted.last_status_change_from is not None:
        query += "&last_status_change_from=" + moment_in_query(wanted.last_status_change_from)
    return query


def moment_in_query(moment: float) -> str:
    """Write a moment as filters take it; earlier rather than later, as answers are sorted out here."""
    text = datetime.fromtimestamp(math.floor(moment), UTC).strftime("%Y-%m-%d %H:%M:%S+00:00")
    return quote(text, safe="")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
