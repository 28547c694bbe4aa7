"""What a listing has brought so far: which rows are new, and whether any went missing.

Offset paging over a set that changes repeats and skips rows (api.md 1.1-5, design 6.2).
"""

from dataclasses import dataclass

from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.readings import Page


@dataclass(frozen=True, slots=True)
class ListingSummary:
    """What was read, and how far it can be trusted."""

    count: int | None
    """Devices there should be, as the controller says; None when it never said."""
    unique: int
    """Different devices that were read."""
    duplicates: int
    """Rows that came more than once: within one reading, or in several listings."""
    missing: int
    """Devices that were announced and never came."""
    moved: bool
    """The set changed, or rows went missing, while it was read."""
    warnings: tuple[str, ...]
    """What an operator should know, one sentence each."""


class PageLedger:
    """Every id that several listings brought, over several readings each; never a record."""

    def __init__(self) -> None:
        self._seen: dict[DeviceId, int] = {}
        self._reading = 0
        self._listing_began = 0
        self._duplicates = 0
        self._reset()

    def _reset(self) -> None:
        self._unique = 0
        self._unreadable = 0
        self._repeats = 0
        self._complaint = ""
        self._counts: list[int] = []
        self._pages: set[int] = set()

    def begin_listing(self) -> None:
        """From here on another filter is read: what it brings again was seen, but not moved."""
        self._listing_began = self._reading + 1

    def begin_reading(self) -> None:
        """From here on the present listing is read from its start."""
        self._reading += 1
        self._reset()

    def take(self, page: Page) -> tuple[Device, ...]:
        """Note a page and give the devices that no page brought before."""
        if page.count is not None and page.count not in self._counts[-1:]:
            self._counts.append(page.count)
        self._unreadable += page.rows - len(page.devices)
        if page.unreadable and not self._complaint:
            self._complaint = page.unreadable[0]
        fresh: list[Device] = []
        for device in page.devices:
            before = self._seen.get(device.id)
            if before == self._reading:
                self._repeats += 1
                self._duplicates += 1
                continue
            self._unique += 1
            self._seen[device.id] = self._reading
            if before is None:
                fresh.append(device)
            elif before < self._listing_began:
                self._duplicates += 1
        return tuple(fresh)

    def is_repeated(self, page: Page) -> bool:
        """Say whether this reading had the very same page before; to be asked once a page."""
        if page.rows == 0:
            return False
        mark = hash(tuple(device.id for device in page.devices))
        if mark in self._pages:
            return True
        self._pages.add(mark)
        return False

    @property
    def unique(self) -> int:
        """Different devices so far, over all listings."""
        return len(self._seen)

    @property
    def duplicates(self) -> int:
        """Rows that came again, within one reading or from another listing."""
        return self._duplicates

    @property
    def count(self) -> int | None:
        """The last count of this reading."""
        return self._counts[-1] if self._counts else None

    @property
    def unreadable(self) -> int:
        """Rows of this reading that are no device records."""
        return self._unreadable

    @property
    def complaint(self) -> str:
        """What is wrong with the first of them."""
        return self._complaint

    @property
    def missing(self) -> int:
        """Devices that this reading should have brought and did not."""
        if self.count is None:
            return 0
        return max(0, self.count - self._unique - self._unreadable)

    @property
    def has_moved(self) -> bool:
        """True when this reading does not agree with itself or with the controller's count."""
        if self.count is None:
            return self._repeats > 0
        return len(self._counts) > 1 or self._unique + self._unreadable != self.count
