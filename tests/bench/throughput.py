"""Part (a): the engine with its journal beside the plainest correct aiohttp loop.

Both sides send the same requests, a bounded number in flight, to the same server in another
process; they take turns, each time in a process of its own.

* Careful: the record of each device is read, then it gets its operation PUT. Else: PUTs alone.
* Plain: from before the first connection until the last answer is read. Nothing else is done.
* Engine: `orchestrator run` without its screen: intents, answers, evidence and verdicts in a
  journal on disk (hash chain, fdatasync), log, summary. Counted is its whole work: from the moment
  RunStarted is durable until the last answer is, and from the first request of the round of
  reading that brings the proof until RunFinished is durable. The idle time between the two, when
  nothing is left but to wait for that round, is not counted; it is a line of the table. Its
  requests are counted as the plain side's are; the pages that prove the work come on top.
* CPU is that of the process with its threads, over the same time, waiting included.
* Peak memory is that of the whole process (getrusage): interpreter, imports, plan and all.

Every round is checked: the server saw exactly one PUT for each device; where the sides are careful
each device was read before; no PUT arrived before the fdatasync that made its intent durable had
returned; every device is proven; the journal is sound.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.bench import judging, sides
from tests.bench.asking import Asked, CheckFailedError
from tests.bench.figures import Figure, compared

PLAIN = "plain aiohttp loop"


@dataclass(frozen=True, slots=True)
class Case:
    """One way to measure it."""

    is_careful: bool
    in_flight: int
    seconds: float
    """What the server takes for an answer."""
    devices: int
    at_least: float | None
    """The goal for the ratio of requests a second."""

    @property
    def name(self) -> str:
        """Say it in a few words."""
        what = "GET+PUT" if self.is_careful else "PUT"
        server = f", {self.seconds * 1000:g} ms" if self.seconds else ""
        return f"{what}, {self.in_flight} in flight{server}"

    @property
    def requests(self) -> int:
        """Give how many requests bring the work about."""
        return self.devices * (2 if self.is_careful else 1)


CASES = (
    Case(is_careful=True, in_flight=50, seconds=0.0, devices=3_000, at_least=0.80),
    Case(is_careful=True, in_flight=200, seconds=0.0, devices=3_000, at_least=0.80),
    Case(is_careful=True, in_flight=50, seconds=0.020, devices=1_500, at_least=0.95),
    Case(is_careful=False, in_flight=50, seconds=0.0, devices=3_000, at_least=0.80),
    Case(is_careful=False, in_flight=200, seconds=0.0, devices=3_000, at_least=0.80),
    Case(is_careful=False, in_flight=50, seconds=0.020, devices=1_500, at_least=0.95),
)


@dataclass(slots=True)
class Rounds:
    """What the rounds of a case gave."""

    plain: list[judging.Plain] = field(default_factory=list)
    engine: list[judging.Engine] = field(default_factory=list)
    leads: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def measure(asked: Asked) -> list[Figure]:
    """Measure every case; raises CheckFailedError."""
    of_cases = [(case, _rounds(case, asked)) for case in CASES]
    figures = [figure for case, rounds in of_cases for figure in _figures(case, rounds)]
    figures += _sidelights(of_cases)
    faults = [f"{case.name}, {fault}" for case, rounds in of_cases for fault in rounds.faults]
    if faults:
        raise CheckFailedError(faults, figures)
    return figures


def _rounds(case: Case, asked: Asked) -> Rounds:
    devices = case.devices // 5 if asked.quick else case.devices
    sized = Case(case.is_careful, case.in_flight, case.seconds, devices, case.at_least)
    rounds = Rounds()
    with sides.serving(devices, case.seconds) as served:
        for number in range(asked.rounds):
            for side in sides.in_turn(number, "bare", "engine"):
                found = _one(side, sized, served, asked.loop, rounds)
                rounds.faults += [f"round {number + 1}, {side}: {fault}" for fault in found]
    return rounds


def _one(side: str, case: Case, served: sides.Served, loop: str, rounds: Rounds) -> Iterator[str]:
    """Let one side take its turn, keep what it measured, and give what is wrong with it."""
    wanted = {
        "base_url": served.base_url,
        "devices": case.devices,
        "in_flight": case.in_flight,
        "is_careful": case.is_careful,
    }
    if side == "engine":
        wanted["expected"] = judging.expected_sending(rounds.plain, rounds.engine, case.requests)
    figures = sides.run_side(side, loop, **wanted)
    arrivals = served.arrivals()
    operations = [(moment, device) for moment, device in arrivals["operations"]]
    readings = [(moment, device) for moment, device in arrivals["readings"]]
    yield from judging.faults_of_requests(operations, case.devices)
    if case.is_careful:
        yield from judging.faults_of_care(operations, readings)
    if side == "bare":
        rounds.plain.append(judging.plain_round(figures, case.requests))
        return
    rounds.engine.append(judging.engine_round(figures, readings, case.requests))
    rounds.leads.append(judging.shortest_lead(operations, figures["intents"]))
    yield from figures["faults"]
    if rounds.leads[-1] < 0:
        yield "a PUT arrived before its intent was durable"


def _figures(case: Case, rounds: Rounds) -> list[Figure]:
    def beside(
        what: str, unit: str, measured: str, of_plain: str, at_least: float | None = None
    ) -> Figure:
        return compared(
            "a",
            f"{case.name}: {what}",
            unit=unit,
            ours=[getattr(each, measured) for each in rounds.engine],
            yardstick=PLAIN,
            theirs=[getattr(each, of_plain) for each in rounds.plain],
            at_least=at_least,
        )

    return [
        beside("requests", "/s", "per_second", "per_second", case.at_least),
        beside("only sending", "/s", "sent_per_second", "per_second"),
        beside("CPU a request", "µs", "cpu_micros", "cpu_micros"),
    ]


def _sidelights(of_cases: Sequence[tuple[Case, Rounds]]) -> list[Figure]:
    """What else the rounds told: of the first case, and the worst of all."""
    case, rounds = of_cases[0]
    lead = min(lead for _, each in of_cases for lead in each.leads)
    idle = max(each.idle for _, every in of_cases for each in every.engine)
    events = median(each.events for each in rounds.engine)
    syncs = median(each.syncs for each in rounds.engine)
    memory = compared(
        "a",
        f"{case.name}: peak memory",
        unit="MB",
        ours=[each.peak_memory for each in rounds.engine],
        yardstick=PLAIN,
        theirs=[each.peak_memory for each in rounds.plain],
    )
    return [
        memory,
        Figure("a", f"{case.name}: events to one fdatasync", events / syncs, "", at_least=1.0),
        Figure("a", "least time from durable intent to PUT", lead * 1000, "ms", at_least=0.0),
        Figure("a", "longest wait for reading, not counted", idle, "s"),
    ]
