"""The report as a page: whole in itself, true, and harmless whatever devices call themselves."""

from html.parser import HTMLParser

from orchestrator.model.events import ApprovalGiven, RunFinished, RunPaused, RunStopped
from orchestrator.report.html import as_html
from orchestrator.report.summary import Summary
from tests.support.histories import (
    T0,
    careful_story,
    finished,
    intended,
    planned,
    run_started,
    succeeded,
)
from tests.support.recorded_runs import careful_plan

VOID = {"meta", "line"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and insists that every tag is closed in its place."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.texts, self._open = [], [], [], []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def page(*events, head="f" * 64, **given):
    summary = Summary(**({"planned": planned(1, 2), "titles": ("factory",), "max_down": 2} | given))
    for event in events:
        summary.after(event)
    return Page(as_html(summary, run_id="night-1", head=head))


CAMPAIGN = (
    run_started(),
    intended(1),
    intended(2, at=T0 + 1),
    succeeded(1, at=T0 + 100),
    finished(1, at=T0 + 100),
    finished(2, at=T0 + 200, verdict="unconfirmed", reason="no return within 20m"),
)


def test_the_page_tells_the_run():
    text = page(*CAMPAIGN, RunFinished(T0 + 300, {})).text

    assert "night-1 finished redeploy for 3 devices" in text
    assert "1 succeeded 1 unconfirmed 1 without a verdict yet" in text
    assert "unconfirmed no return within 20m 1" in text
    assert "device 2 (ZN2) step 1 (factory) unconfirmed" in text
    assert "At most 2 of 2 allowed at once, 0 at the end." in text
    assert "step 1 (factory) 1 1m40s 1m40s 1m40s" in text
    assert "f" * 64 in text


def test_the_page_says_when_everything_was_skipped():
    skipped = [finished(each, verdict="skipped", reason="Down") for each in (1, 2, 3)]

    text = page(run_started(), *skipped, RunFinished(T0 + 300, {})).text

    assert "finished nothing was done: all 3 devices were skipped redeploy for 3 devices" in text


def test_nothing_is_fetched_and_nothing_runs():
    made = page(*CAMPAIGN)

    assert not {"script", "link", "img", "iframe", "object"} & set(made.tags)
    assert not {"src", "href", "onclick", "onload", "style"} & {name for name, _ in made.attributes}


def test_what_devices_and_people_are_called_is_only_text():
    evil = '<script>alert("1")</script>'
    made = page(
        run_started(),
        finished(1, verdict="failed", reason=evil),
        RunStopped(T0, "person", evil),
        titles=(evil,),
        head=evil,
    )

    assert "script" not in made.tags
    assert made.text.count(evil) == 5


def test_a_run_without_trouble_or_outage_has_no_empty_sections():
    text = page(run_started(), finished(1)).text

    assert "To look at" not in text
    assert "Out of service" not in text
    assert "From request to proof" not in text


def test_a_paused_run_says_why():
    assert (
        "paused because of the token: 401"
        in page(run_started(), RunPaused(T0, "token", "401")).text
    )


def careful_page(*more):
    summary = Summary.of(careful_plan(), (*careful_story(), *more))
    return Page(as_html(summary, run_id="night-1", head="f" * 64, driven=True))


def test_the_page_tells_how_the_campaign_was_led():
    text = careful_page().text

    assert "night-1 waiting for approval (wave 3) waiting for approval of wave 3 by another" in text
    assert "Waves 2 of 3 begun wave devices must succeed" in text
    assert "1 2 2 2026-11-22 04:16:00Z 2026-11-22 04:19:20Z 2 succeeded; passed: 2 of 2" in text
    assert "inconclusive: 3 of 5 succeeded; 1 may be missing" in text
    assert "failed 0 2 unconfirmed 2 2 in any trouble (25%) 2 2" in text
    assert "Limits now: max_down 2 (plan 5), delay 1s (plan 200ms)" in text
    assert (
        "alice on noc-2 paused the run; nothing new is started, chains once begun are finished"
        " smoke in the data centre"
    ) in text
    assert "opened open until closed 2026-11-21 22:16 in America/Mexico_City (2026" in text
    assert "By order 2 are allowed in the end." in text
    assert "devices that came through the rescue 1" in text
    assert "Notifications: 1 sent, 1 failed, last to noc-mail: connection refused" in text


def test_what_people_type_is_only_text():
    evil = "<script>alert(1)</script>"
    made = careful_page(ApprovalGiven(T0 + 2000, evil, evil, evil, evil))

    assert "script" not in made.tags
    assert made.text.count(evil) == 4


def test_a_run_that_never_began_still_has_a_page():
    assert page().text.startswith("Run night-1 night-1 new")


def test_a_thousand_failures_are_counted_and_some_are_named():
    ends = [finished(device, verdict="failed", reason="404") for device in range(1000)]
    made = page(run_started(devices=1000), *ends)

    assert "failed 404 1,000" in made.text
    assert "and 800 more" in made.text
    assert made.tags.count("tr") < 250


def test_the_limit_is_drawn_where_it_is_near():
    near, far = page(*CAMPAIGN), page(*CAMPAIGN, max_down=1000)

    assert ("class", "limit") in near.attributes
    assert ("class", "limit") not in far.attributes


def test_the_curve_stays_inside_its_picture():
    (path,) = [value for name, value in page(*CAMPAIGN).attributes if name == "d"]
    numbers = [part for part in path.replace(",", " ").split() if part[0] in "HV"]

    assert all(0 <= float(part[1:]) <= 720 for part in numbers if part[0] == "H")
    assert all(10 <= float(part[1:]) <= 130 for part in numbers if part[0] == "V")
