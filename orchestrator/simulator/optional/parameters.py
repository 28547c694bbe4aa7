"""A device's settings and variables: what the controller wants, and what the device has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.simulator.chance import salt
from orchestrator.simulator.devices import SimulatedDevice
from orchestrator.simulator.exchange import timestamp
from orchestrator.simulator.optional.device_log import last_boot
from orchestrator.simulator.population import Population

UP_TIME = "Device.DeviceInfo.UpTime"
"""Seconds since the last boot, counted by the device."""


class Parameter(NamedTuple):
    """One thing that can be set on every device."""

    id: int
    variable_name: str
    name: str
    short_name: str
    group: str | None
    """The name under which pending_settings says that it waits; None: it never does alone."""
    default: object
    """What a device has after a factory kind."""


PARAMETERS = (
    Parameter(1, "Device.WiFi.SSID.1.SSID", "WiFi name", "ssid", "wifi_config", "setup"),
    Parameter(
        2,
        "Device.WiFi.AccessPoint.1.Security.KeyPassphrase",
        "WiFi KeyPassphrase",
        "wifi_key",
        "wifi_config",
        "",
    ),
    Parameter(3, "Device.Time.NTPServer1", "NTP server", "ntp", "ntp_servers", ""),
    Parameter(
        4, "Device.DNS.Client.Server.1.DNSServer", "DNS server", "dns", "dns_servers", "192.0.2.53"
    ),
    Parameter(
        5,
        "Device.NAT.PortMapping.1.ExternalPort",
        "Forwarded port",
        "port",
        "port_forwarding",
        0,
    ),
    Parameter(
        6,
        "Device.ManagementServer.PeriodicInformInterval",
        "PeriodicInformInterval",
        "interval",
        None,
        300,
    ),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the controller wants of one parameter of a device."""

    device: int
    parameter: Parameter
    value: object
    is_pending: bool
    """Whether the device has something else."""

    def record(self) -> dict[str, object]:
        """Give it as JSON."""
        return {
            "id": self.device * 100 + self.parameter.id,
            "parent_id": self.device,
            "parameter_id": self.parameter.id,
            "variable_name": self.parameter.variable_name,
            "name": self.parameter.name,
            "short_name": self.parameter.short_name,
            "value": self.value,
            "is_pending": self.is_pending,
        }


def settings_of(device: SimulatedDevice, seed: int) -> Sequence[Setting]:
    """Give every setting of a device that has been advanced."""
    return tuple(
        Setting(
            device.id,
            each,
            _wanted(each, device, seed),
            not device.is_configured or each.group in device.settings,
        )
        for each in PARAMETERS
    )


def variables_of(
    device: SimulatedDevice, population: Population
) -> Iterator[tuple[str, object, str]]:
    """Give what a device said at its last contact: name, value and when; nothing if it never did."""
    if device.last_contact is None:
        return
    said_at = timestamp(int(device.last_contact))
    booted_at = last_boot(device, population)
    yield UP_TIME, int(device.last_contact - booted_at), said_at
    for name, field in _FROM_RECORD:
        yield name, device.fields[field], said_at
    yield "Device.ManagementServer.Username", device.credentials.present.username, said_at
    for setting in settings_of(device, population.seed):
        yield setting.parameter.variable_name, _present(setting, device, population.seed), said_at


_FROM_RECORD = (
    ("Device.DeviceInfo.SoftwareVersion", "software_version"),
    ("Device.DeviceInfo.HardwareVersion", "hardware_version"),
    ("Device.DeviceInfo.Manufacturer", "manufacturer"),
    ("Device.DeviceInfo.SerialNumber", "serial_number"),
)


def _wanted(parameter: Parameter, device: SimulatedDevice, seed: int) -> object:
    bits = salt(f"{seed}/{device.id}/settings/{parameter.id}")
    match parameter.short_name:
        case "ssid":
            return f"net-{device.id}-{bits % 1000:03d}"
        case "wifi_key":
            return f"{bits:016x}"
        case "ntp":
            return f"ntp{1 + bits % 4}.example.net"
        case "dns":
            return f"192.0.2.{1 + bits % 40}"
        case "port":
            return 8000 + bits % 1000
    return int(device.frequency)


def _present(setting: Setting, device: SimulatedDevice, seed: int) -> object:
    """Give what the device has: the factory's defaults, what it had before, or what is wanted."""
    if not setting.is_pending:
        return setting.value
    if not device.is_configured:
        return setting.parameter.default
    bits = salt(f"{seed}/{device.id}/before/{setting.parameter.id}")
    if isinstance(setting.value, int):
        return 7000 + bits % 1000
    return f"{bits:08x}"
