"""People are told in order and in bounded time, and whatever comes of it is an event."""

import dataclasses
from dataclasses import dataclass
from itertools import pairwise

import anyio
import pytest
import structlog

from orchestrator.adapters.memory.memory_messenger import MemoryMessenger, Message
from orchestrator.model.commands import SendNotice
from orchestrator.model.events import (
    EVENTS,
    ApprovalAsked,
    NotificationFailed,
    NotificationSent,
    RunContinued,
    RunFinished,
    RunPaused,
    RunStopped,
)
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.policies import Notify, Occasion
from orchestrator.model.steps import EscalateStep
from orchestrator.planning.handed import devices_in
from orchestrator.report.notices import Notices
from orchestrator.runtime.heralding import Herald, missing_targets
from tests.support.histories import T0, run_started
from tests.support.virtual import LoopClock, fleet_ids, plan_for
from tests.support.worlds import START

pytestmark = pytest.mark.looptime
EVERYTHING = tuple(Occasion)


@pytest.fixture(autouse=True)
def _log_is_left_as_it_was():
    yield
    structlog.reset_defaults()


OCCASIONS = {
    "RunStarted": Occasion.STARTED,
    "RunPaused": Occasion.PAUSED,
    "RunFinished": Occasion.FINISHED,
}


@dataclass
class Note:
    occasion: Occasion
    title: str
    body: str = ""


class Plain:
    """Names the occasion and counts what it has seen; `RunStopped` is more than it can tell."""

    heeded = frozenset(EVENTS.values())

    def __init__(self):
        self.seen = []

    def of(self, event):
        self.seen.append(event)
        if isinstance(event, RunStopped):
            raise KeyError("no words")
        occasion = OCCASIONS.get(type(event).__name__)
        return occasion and Note(occasion, f"{occasion} {len(self.seen)}", "body")


class SlowMessenger(MemoryMessenger):
    """Takes its time for each message."""

    def __init__(self, names, seconds):
        super().__init__(names)
        self.seconds = seconds
        self.at_once = self.most_at_once = 0

    async def send(self, to, title, body):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await anyio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        return await super().send(to, title, body)


class Stage:
    """A herald with everything around it."""

    def __init__(self, to=("noc",), on=EVERYTHING, messenger=None, notices=None, **given):
        self.clock = LoopClock()
        self.messenger = messenger or MemoryMessenger(["noc", "mail"])
        self.notices = notices or Plain()
        self.events = []
        plan = plan_for(fleet_ids(3))
        notify = to and Notify(tuple(to), tuple(on))
        self.plan = dataclasses.replace(
            plan,
            devices=tuple(PlannedDevice(number, f"ZN{number}", None) for number in range(30)),
            playbook=dataclasses.replace(plan.playbook, notify=notify or None),
        )
        self.herald = Herald(
            self.plan, self.notices, self.messenger, self.clock, self.events.append, **given
        )

    @property
    def titles(self):
        return [message.title for message in self.messenger.sent]

    async def serving(self, act, seconds=600.0):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.herald.serve)
            await act()
            await anyio.sleep(seconds)
            tasks.cancel_scope.cancel()

    async def hearing(self, *events):
        async def act():
            self.herald.hear(events)

        await self.serving(act)


async def test_what_people_want_to_hear_is_delivered_in_order_and_journalled():
    stage = Stage()
    await stage.hearing(run_started(), RunContinued(T0), RunPaused(T0, "token", "no"))

    assert stage.messenger.sent == [
        Message("noc", "started 1", "body"),
        Message("noc", "paused 3", "body"),
    ]
    assert stage.events == [
        NotificationSent(START, "started", "noc"),
        NotificationSent(START, "paused", "noc"),
    ]


async def test_everybody_named_is_told_once():
    stage = Stage(to=("noc", "mail", "noc"))
    await stage.hearing(run_started())

    assert [message.to for message in stage.messenger.sent] == ["noc", "mail"]


async def test_what_nobody_asked_for_is_not_sent():
    stage = Stage(on=(Occasion.PAUSED,))
    await stage.hearing(run_started(), RunPaused(T0, "token", "no"), RunFinished(T0, {}))

    assert stage.titles == ["paused 2"]


async def test_without_people_to_tell_nothing_is_sent():
    stage = Stage(to=())
    await stage.hearing(run_started(), RunFinished(T0, {}))

    assert (stage.messenger.sent, stage.events) == ([], [])


async def test_who_could_not_be_told_is_journalled_and_the_others_are_told():
    stage = Stage(
        to=("noc", "mail"),
        messenger=MemoryMessenger(["noc", "mail"], broken={"noc": "slack did not take it"}),
    )
    await stage.hearing(run_started())

    assert stage.events == [
        NotificationFailed(START, "started", "noc", "slack did not take it"),
        NotificationSent(START, "started", "mail"),
    ]


async def test_a_messenger_that_breaks_its_promise_ends_nothing_and_shows_nothing():
    class Broken(MemoryMessenger):
        async def send(self, to, title, body):
            if title.startswith("started"):
                raise RuntimeError("https://hooks.example.com/s3cret")
            return await super().send(to, title, body)

    stage = Stage(messenger=Broken(["noc"]))
    with structlog.testing.capture_logs() as logs:
        await stage.hearing(run_started(), RunFinished(T0, {}))

    assert [type(event).__name__ for event in stage.events] == [
        "NotificationFailed",
        "NotificationSent",
    ]
    assert "for a reason of our own" in stage.events[0].reason
    assert logs == [{"event": "messenger.failed", "error": "RuntimeError", "log_level": "error"}]


async def test_a_notice_that_cannot_be_written_silences_no_other():
    stage = Stage()
    with structlog.testing.capture_logs() as logs:
        await stage.hearing(RunStopped(T0, "budget", "6 failed"), RunFinished(T0, {}))

    assert stage.titles == ["finished 2"]
    assert [entry["event"] for entry in logs] == ["notice.lost"]


async def test_messages_about_messages_are_never_sent():
    stage = Stage()
    await stage.hearing(NotificationSent(T0, "x", "noc"), NotificationFailed(T0, "x", "noc", "y"))

    assert stage.notices.seen == []


async def test_one_message_is_on_its_way_at_once(looptime):
    messenger = SlowMessenger(["noc"], 15)
    stage = Stage(messenger=messenger)
    await stage.hearing(*[RunPaused(T0, "token", "no")] * 4)

    assert messenger.most_at_once == 1
    assert [event.at - START for event in stage.events] == [15, 30, 45, 60]


async def test_what_was_heard_before_a_resume_is_counted_and_not_sent_again():
    stage = Stage()
    stage.herald.hear_history([run_started(), RunPaused(T0, "token", "no")])
    await stage.hearing(RunFinished(T0, {}))

    assert stage.titles == ["finished 3"]


async def test_more_messages_than_there_is_room_for_are_given_up_at_once():
    stage = Stage(room=2)
    stage.herald.hear([RunPaused(T0, "token", "no")] * 5)

    assert (
        stage.events == [NotificationFailed(START, "paused", "noc", "2 messages wait already")] * 3
    )
    await stage.hearing()
    assert stage.titles == ["paused 1", "paused 2"]


def _arrive(stage, *devices, step=3):
    for device in devices:
        stage.herald.notice(SendNotice(device, step, "half way there"))


async def test_devices_that_come_to_a_notify_step_together_are_told_together():
    stage = Stage()

    async def act():
        _arrive(stage, 1, 2)
        await anyio.sleep(3)
        _arrive(stage, 3)

    await stage.serving(act)

    assert stage.messenger.sent == [
        Message(
            "noc",
            "test: step 4",
            "half way there\n3 devices came here: 1 (ZN1), 2 (ZN2), 3 (ZN3)",
        )
    ]
    assert stage.events == [NotificationSent(START + 5, "step 4", "noc")]


async def test_ten_devices_are_named_and_the_others_counted():
    stage = Stage()

    async def act():
        _arrive(stage, *range(25), 777)

    await stage.serving(act)

    (message,) = stage.messenger.sent
    assert message.body.count("ZN") == 10
    assert message.body.startswith("half way there\n26 devices came here: 0 (ZN0), ")
    assert message.body.endswith("9 (ZN9), and 16 more")


async def test_a_device_without_a_serial_number_is_its_id():
    stage = Stage()

    async def act():
        _arrive(stage, 777)

    await stage.serving(act)

    assert stage.messenger.sent[0].body.endswith("1 device came here: 777")


async def test_a_step_sends_at_most_one_message_in_a_minute_and_loses_nobody():
    stage = Stage()

    async def act():
        for device in range(20):
            _arrive(stage, device)
            await anyio.sleep(10)

    await stage.serving(act)

    times = [event.at - START for event in stage.events]
    counts = [int(message.body.split("\n")[1].split()[0]) for message in stage.messenger.sent]
    assert times[0] == 5
    assert all(later - earlier >= 60 for earlier, later in pairwise(times))
    assert sum(counts) == 20


async def test_other_news_do_not_send_a_steps_message_before_its_time():
    stage = Stage()

    async def act():
        _arrive(stage, 1)
        await anyio.sleep(2)
        stage.herald.hear([RunPaused(T0, "token", "no")])
        await anyio.sleep(2)
        _arrive(stage, 2)

    await stage.serving(act)

    assert [(event.about, event.at - START) for event in stage.events] == [
        ("paused", 2),
        ("step 4", 5),
    ]
    assert "2 devices came here" in stage.messenger.sent[1].body


async def test_two_steps_do_not_wait_for_each_other():
    stage = Stage()

    async def act():
        _arrive(stage, 1, step=1)
        _arrive(stage, 2, step=2)

    await stage.serving(act)

    assert [event.at - START for event in stage.events] == [5, 5]


async def test_a_faster_clock_waits_less(looptime):
    stage = Stage()
    stage.clock.speed = 60.0
    moments = []

    async def act():
        _arrive(stage, 1)
        stage.clock.now = lambda: START + looptime * 60
        await anyio.sleep(1)
        moments.extend(event.at - START for event in stage.events)

    await stage.serving(act)

    assert moments == [pytest.approx(5, abs=0.5)]


async def test_at_the_end_everything_that_waits_is_delivered_at_once(looptime):
    stage = Stage()
    _arrive(stage, 1)
    stage.herald.hear([RunFinished(T0, {})])
    await stage.herald.flush(10)

    assert looptime == 0
    assert stage.titles == ["finished 1", "test: step 4"]


async def test_the_end_does_not_wait_longer_than_it_may(looptime):
    stage = Stage(messenger=SlowMessenger(["noc"], 4))
    stage.herald.hear([RunPaused(T0, "token", "no")] * 4)
    await stage.herald.flush(10)

    assert looptime == 10
    assert stage.titles == ["paused 1", "paused 2"]
    assert [getattr(event, "reason", None) for event in stage.events] == [
        None,
        None,
        "the run ended before it was known to have arrived",
        "the run ended and no time was left for it",
    ]


async def test_the_end_waits_for_a_message_that_is_on_its_way(looptime):
    stage = Stage(messenger=SlowMessenger(["noc"], 4))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stage.herald.serve)
        stage.herald.hear([RunPaused(T0, "token", "no"), RunFinished(T0, {})])
        await anyio.sleep(2)
        await stage.herald.flush(10)
        tasks.cancel_scope.cancel()

    assert looptime == 8
    assert stage.titles == ["paused 1", "finished 2"]
    assert stage.messenger.most_at_once == 1


async def test_the_end_waits_for_the_very_last_message(looptime):
    stage = Stage(messenger=SlowMessenger(["noc"], 4))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stage.herald.serve)
        stage.herald.hear([RunFinished(T0, {})])
        await anyio.sleep(2)
        await stage.herald.flush(10)
        tasks.cancel_scope.cancel()

    assert looptime == 4
    assert stage.titles == ["finished 1"]


async def test_a_message_that_is_cut_off_on_its_way_is_told_of_once():
    stage = Stage(messenger=SlowMessenger(["noc"], 40))
    await stage.hearing(*[RunPaused(T0, "token", "no")] * 15)
    await stage.herald.flush(0)

    assert len(stage.events) == 15
    assert isinstance(stage.events[-1], NotificationFailed)


async def test_the_reports_own_notices_are_delivered():
    stage = Stage(notices=Notices(Stage().plan, "night-1"))
    await stage.hearing(run_started(), ApprovalAsked(T0, "wave 2", "go on?"))

    assert [event.about for event in stage.events] == ["started", "approval_needed"]
    assert "night-1" in stage.messenger.sent[1].body


@pytest.mark.parametrize(
    ("notify", "missing"),
    [
        (None, []),
        (Notify(("noc",)), []),
        (Notify(("noc", "mail")), ["mail"]),
        (Notify(("b", "a", "b")), ["b", "a"]),
    ],
)
def test_names_that_nobody_configured_are_found_before_the_run(notify, missing):
    assert missing_targets(notify, {"noc": ()}) == missing


class Escalation:
    """A herald of a playbook whose second step hands devices to a person."""

    def __init__(self):
        self.stage = Stage(on=(Occasion.PAUSED,))
        plan = self.stage.plan
        playbook = dataclasses.replace(
            plan.playbook, steps=(*plan.playbook.steps, EscalateStep("look at it"))
        )
        self.step = len(playbook.steps) - 1
        plan = dataclasses.replace(plan, playbook=playbook)
        self.stage.herald = Herald(
            plan,
            Notices(plan, "night-1"),
            self.stage.messenger,
            self.stage.clock,
            self.stage.events.append,
        )

    async def hand_over(self, *moments, seconds=300.0):
        """Escalate so many devices at each of these moments."""

        async def act():
            for number, pause in moments:
                for device in range(number):
                    history = (f"rebooted at {device}",)
                    self.stage.herald.notice(
                        SendNotice(device, self.step, "it stays away", history)
                    )
                await anyio.sleep(pause)

        await self.stage.serving(act, seconds)
        return self.stage


async def test_each_device_that_is_handed_to_a_person_has_a_message_of_its_own():
    stage = await Escalation().hand_over((2, 0.0))

    assert len(stage.messenger.sent) == 2
    assert stage.titles[0].endswith("device 0 (ZN0) is handed to a person")
    assert stage.messenger.sent[1].body == "it stays away\n- rebooted at 1\nRun night-1"
    assert [event.about for event in stage.events] == ["step 3: device 0", "step 3: device 1"]
    assert [event.at - START for event in stage.events] == [5.0, 5.0]


async def test_more_than_twenty_in_a_minute_are_told_in_one_message_with_all_of_them():
    stage = await Escalation().hand_over((21, 0.0))

    assert [title.split(": ", 1)[1] for title in stage.titles] == [
        "21 devices are handed to a person"
    ]
    body = stage.messenger.sent[0].body
    assert all(f"device {device} (ZN{device})" in body for device in range(21))
    assert "- rebooted at 20" in body
    assert devices_in(stage.events[0].about) == (2, tuple(range(21)))


async def test_those_of_the_same_minute_count_together():
    stage = await Escalation().hand_over((15, 20.0), (15, 0.0))

    assert len(stage.messenger.sent) == 15 + 1


async def test_after_one_message_of_many_the_next_ones_wait_for_a_minute():
    stage = await Escalation().hand_over((25, 20.0), (1, 0.0))

    assert [event.at - START for event in stage.events] == [5.0, 65.0]


async def test_what_is_still_gathered_at_the_end_is_told():
    escalation = Escalation()
    escalation.stage.herald.notice(SendNotice(1, escalation.step, "it stays away"))
    await escalation.stage.herald.flush(10.0)

    assert len(escalation.stage.messenger.sent) == 1


async def test_where_nobody_is_told_nothing_is_put_into_words():
    stage = Stage(to=())
    stage.herald.hear_history([run_started()])
    await stage.hearing(RunPaused(T0, "token", "no"))

    assert stage.notices.seen == []
    assert stage.messenger.sent == []
