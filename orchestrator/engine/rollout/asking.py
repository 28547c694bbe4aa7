"""What a run asks of people, and what they answered."""

from orchestrator.model import events

UNASKED = "not asked any more: the run was stopped, and the device is brought back into service"


class Approvals:
    """The questions of a run; nothing is ever approved by waiting."""

    def __init__(self) -> None:
        self.open: dict[str, events.ApprovalAsked] = {}
        self.given: dict[str, events.ApprovalGiven] = {}
        self.announced: set[str] = set()
        """Asked in a decision that is not recorded yet, too."""
        self.is_closed = False
        """The run was stopped: nothing is asked any more."""

    def close(self) -> None:
        """The run was stopped: what is asked now, nobody has to answer."""
        self.is_closed = True
        self.open.clear()

    def why_passed(self, what: str, *, in_chain: bool) -> str | None:
        """Say why a device may pass this question; None while it has to wait for the answer."""
        given = self.given.get(what)
        if given is not None:
            return f"approved by {given.by}"
        return UNASKED if self.is_closed and in_chain else None

    def ask(self, what: str, question: str, by: str, at: float) -> list[events.ApprovalAsked]:
        """Give the event that asks, once."""
        if what in self.announced:
            return []
        self.announced.add(what)
        return [events.ApprovalAsked(at, what, question, by)]

    def after(
        self, event: events.ApprovalAsked | events.ApprovalGiven | events.ApprovalDenied
    ) -> None:
        """Fold what was asked or answered."""
        match event:
            case events.ApprovalAsked():
                self.open[event.what] = event
                self.announced.add(event.what)
            case events.ApprovalGiven():
                self.open.pop(event.what, None)
                self.given[event.what] = event
            case events.ApprovalDenied():
                self.open.pop(event.what, None)


def name_of_step(step: int) -> str:
    """Name the approval that a step waits for; people count steps from 1."""
    return f"step {step + 1}"
