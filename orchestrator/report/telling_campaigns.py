"""What happens to a run as a whole as sentences: windows, waves, people, notifications."""

from typing import assert_never

from orchestrator.model import moments
from orchestrator.model.events import (
    ApprovalAsked,
    ApprovalDenied,
    ApprovalGiven,
    CancelOrdered,
    ContinueOrdered,
    LimitOrdered,
    NotificationFailed,
    NotificationSent,
    PauseOrdered,
    WaveFinished,
    WaveJudged,
    WaveStarted,
    WindowClosed,
    WindowOpened,
)
from orchestrator.model.policies import Approver
from orchestrator.report.wording import (
    because,
    devices,
    in_words,
    limit_value,
    local_time,
    printable,
    tally,
)

WindowEvent = WindowOpened | WindowClosed
WaveEvent = WaveStarted | WaveFinished | WaveJudged
ActEvent = (
    ApprovalGiven | ApprovalDenied | PauseOrdered | ContinueOrdered | CancelOrdered | LimitOrdered
)
"""What a person did with the run, each with `by`, `host` and `why`."""
NoticeEvent = NotificationSent | NotificationFailed
CampaignEvent = WindowEvent | WaveEvent | ApprovalAsked | ActEvent | NoticeEvent

OUTCOMES = {
    "pass": "passed",
    "fail": "failed",
    "inconclusive": "inconclusive",
}
"""What the gate behind a wave says of it, by the word in the journal."""


def of_campaign(event: CampaignEvent) -> str:
    """Tell a turn of the campaign."""
    if isinstance(event, WindowEvent):
        return _of_window(event)
    if isinstance(event, WaveEvent):
        return _of_wave(event)
    if isinstance(event, ActEvent):
        return act(event)
    match event:
        case ApprovalAsked():
            return (
                f"{approval(event)} is asked for, and {event.what} does not begin without it:"
                f" {event.question}"
            )
        case NotificationSent():
            return f"{event.to} was notified ({in_words(event.about)})"
        case NotificationFailed():
            about = in_words(event.about)
            return f"{event.to} could not be notified ({about}): {event.reason}; the run goes on"
        case _:
            assert_never(event)


def _of_window(event: WindowEvent) -> str:
    match event:
        case WindowOpened():
            until = local_time(event.until_at, event.zone, where="there")
            return f"the window is open in {event.zone}: devices may be started until {until}"
        case WindowClosed():
            told = f"the window is closed in {event.zone}: nothing more is started there"
            if event.next_at is None:
                return f"{told} in this run, as it never opens again"
            return (
                f"{told} until it opens at {local_time(event.next_at, event.zone, where='there')}"
            )
        case _:
            assert_never(event)


def _of_wave(event: WaveEvent) -> str:
    match event:
        case WaveStarted():
            return f"wave {event.wave} begins with {devices(event.devices)}"
        case WaveFinished():
            told = f"wave {event.wave} is finished: {tally(event.verdicts)}"
            if event.until_at <= event.at:
                return told
            until = moments.as_short_text(event.until_at)
            return f"{told}; it is left alone until {until}, then it is judged"
        case WaveJudged():
            outcome = OUTCOMES.get(event.outcome, event.outcome)
            told = f"the gate behind wave {event.wave}: {outcome}, {event.detail}"
            return f"{told}; a person is asked" if event.outcome == "inconclusive" else told
        case _:
            assert_never(event)


def approval(event: ApprovalAsked) -> str:
    """Say what has to be approved, and by whom if not anybody may."""
    by = " by another person than the one who started the run"
    return f"approval of {event.what}{by if event.by == Approver.ANOTHER else ''}"


def person(event: ActEvent) -> str:
    """Name who gave an order, and from where."""
    return printable(f"{event.by} on {event.host}")


def act(event: ActEvent) -> str:
    """Tell what a person did with the run, and why."""
    return f"{person(event)} {deed(event)}{because(event.why)}"


def deed(event: ActEvent) -> str:
    """Say what a person did, to stand behind who did it."""
    match event:
        case ApprovalGiven():
            return f"approved {event.what}"
        case ApprovalDenied():
            return f"denied {event.what}"
        case PauseOrdered():
            return "paused the run; nothing new is started, chains once begun are finished"
        case ContinueOrdered():
            return "took the pause back; the run goes on"
        case CancelOrdered(abandon=True):
            return (
                "cancelled the run; nothing new is started ever, and devices in the middle of"
                " their chain are abandoned there"
            )
        case CancelOrdered():
            return "cancelled the run; nothing new is started ever, chains once begun are finished"
        case LimitOrdered():
            before = limit_value(event.limit, event.before)
            value = limit_value(event.limit, event.value)
            if value == before:
                return f"left {event.limit} at {value}"
            verb = "raised" if event.value > event.before else "lowered"
            return f"{verb} {event.limit} from {before} to {value}"
        case _:
            assert_never(event)
