"""How devices behave when they are disturbed: each trap of api.md 2.6 has a temperament."""

from collections.abc import Mapping
from dataclasses import dataclass

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Temperament:
    """One way to behave; spans are in seconds, a value is drawn for each occasion."""

    name: str
    boot: Span = (25.0, 50.0)
    """From power-down to the first contact after a reboot; factory kinds take longer."""
    delivery: Span = (1.0, 30.0)
    """From acceptance to the session that a connection request brings about."""
    answers_requests: bool = True
    """False: connection requests do not arrive, commands wait for the next periodic inform."""
    outlasts_overdue: bool = False
    """True: a boot takes so long that the controller shows Down."""
    contacts_twice: bool = False
    """True: a second contact 0.4 s after delivery, before the boot (api.md 2.1)."""
    returns_from_factory: bool = True
    """False: never heard of again after a factory kind."""
    flaps: bool = False
    """True: drops once more soon after its return."""
    busy_after_boot: Span | None = None
    """Operations are answered 422 while booting and for so long after the return."""
    upgrades_after_factory: bool = False
    """True: a firmware upgrade of its own accord, with a second boot, follows a factory kind."""
    obeys: bool = True
    """False: takes delivery and does nothing; gentle operations stay pending for ever."""
    takes_images: bool = True
    """False: a firmware image it was given fails; it returns with its old version."""
    returns_from_upgrade: bool = True
    """False: never heard of again after taking a firmware image."""
    takes_new_id: bool = False
    """True: after a factory kind it is onboarded as a new record with the same serial number."""
    leaves_record: bool = True
    """Where it takes a new id: whether its old record stays, silent; False: it is gone."""


FAST = Temperament("fast")
SLOW = Temperament("slow", boot=(60.0, 120.0), outlasts_overdue=True)
NAT = Temperament("nat", answers_requests=False)
DOUBLE_CONTACT = Temperament("double_contact", boot=(40.0, 90.0), contacts_twice=True)
NEVER_BACK = Temperament("never_back", returns_from_factory=False)
FLAPPING = Temperament("flapping", flaps=True)
LATE = Temperament("late", boot=(7200.0, 18000.0))
BUSY_BOOTING = Temperament("busy_booting", boot=(60.0, 120.0), busy_after_boot=(60.0, 240.0))
AUTO_FIRMWARE = Temperament("auto_firmware", upgrades_after_factory=True)
IGNORES = Temperament("ignores", obeys=False)
UPGRADE_FAILS = Temperament("upgrade_fails", takes_images=False)
LOST_IN_UPGRADE = Temperament("lost_in_upgrade", returns_from_upgrade=False)
NEW_ID = Temperament("new_id", takes_new_id=True)
NEW_ID_ONLY = Temperament("new_id_only", takes_new_id=True, leaves_record=False)

TEMPERAMENTS: Mapping[str, Temperament] = {
    each.name: each
    for each in (
        FAST,
        SLOW,
        NAT,
        DOUBLE_CONTACT,
        NEVER_BACK,
        FLAPPING,
        LATE,
        BUSY_BOOTING,
        AUTO_FIRMWARE,
        IGNORES,
        UPGRADE_FAILS,
        LOST_IN_UPGRADE,
        NEW_ID,
        NEW_ID_ONLY,
    )
}
"""Every temperament by its name."""

NORMAL_MIX: Mapping[str, float] = {
    "fast": 0.58,
    "slow": 0.16,
    "nat": 0.15,
    "double_contact": 0.03,
    "busy_booting": 0.02,
    "auto_firmware": 0.015,
    "flapping": 0.015,
    "never_back": 0.01,
    "late": 0.01,
    "ignores": 0.01,
}
"""Shares of an ordinary fleet; they add up to one. What is not here, a fleet has to ask for."""


def drawn(mix: Mapping[str, float], chance: float) -> Temperament:
    """Choose by shares; the rest is `fast`. Raises KeyError for an unknown name."""
    reached = 0.0
    for name, share in mix.items():
        reached += share
        if chance < reached:
            return TEMPERAMENTS[name]
    return FAST
