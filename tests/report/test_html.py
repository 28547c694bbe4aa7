"""The report as a page: whole in itself, true, and harmless whatever devices call themselves."""

import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from msgspec import structs

from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    ApprovalGiven,
    CancelOrdered,
    RetryScheduled,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStopped,
    WaveStarted,
)
from orchestrator.model.forecasts import Forecast, Spread, WaveForecast
from orchestrator.model.plans import PlannedDevice
from orchestrator.report.page.document import as_html
from orchestrator.report.summary import Summary
from tests.support.histories import (
    T0,
    accepted,
    careful_story,
    finished,
    intended,
    planned,
    rewritten,
    run_started,
    succeeded,
)
from tests.support.recorded_runs import careful_plan

EVIL = (
    "<script>alert(1)</script>",
    "$<script>$",
    "]]>",
    "--><b>",
    "a\x00b\x1b[31m\u202ec",
    '"&amp;"',
)


class Page(HTMLParser):
    """Collects tags, attributes and text, and insists that every tag is closed in its place."""

    def __init__(self, html):
        super().__init__()
        self.html = html
        self.tags, self.attributes, self.texts, self.heads, self._open = [], [], [], [], []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] == "h2":
            self.heads.append(data)
        if "svg" not in self._open and "style" not in self._open:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    @property
    def drawings(self):
        return [ET.fromstring(each) for each in re.findall(r"<svg.*?</svg>", self.html, re.DOTALL)]


def page(*events, head="f" * 64, driven=False, verification=None, **given):
    summary = Summary(**({"planned": planned(1, 2), "titles": ("factory",), "max_down": 2} | given))
    for event in events:
        summary.after(event)
    html = as_html(summary, run_id="night-1", head=head, driven=driven, verification=verification)
    return Page(html)


CAMPAIGN = (
    run_started(),
    intended(1),
    intended(2, at=T0 + 1),
    succeeded(1, at=T0 + 100),
    finished(1, at=T0 + 100),
    finished(2, at=T0 + 200, verdict="unconfirmed", reason="no return within 20m"),
)
ENDED = (
    *CAMPAIGN,
    finished(3, at=T0 + 300, verdict="skipped", reason="Down"),
    RunFinished(T0 + 300, {}),
)


def test_the_page_tells_what_was_done_and_what_came_of_it():
    text = page(*ENDED, description="Wipe branch routers.").text

    assert "Report of run night-1 redeploy Wipe branch routers. finished" in text
    assert "1 of 3 devices succeeded; 1 needs somebody to look: 1 unconfirmed; 1 skipped." in text
    assert "1 succeeded 1 unconfirmed 1 skipped Controller" in text
    assert "Controller https://control.example.com/api/v1 Devices 3 Steps factory" in text
    assert "Started 2026-11-22 04:15:00Z by ana on noc-1" in text
    assert "Ended 2026-11-22 04:20:00Z, after 5m" in text
    assert "not over" not in text


def test_devices_in_trouble_are_named_below_what_happened_to_them():
    places = {
        each: PlannedDevice(DeviceId(each), f"ZN{each}", f"branch {each}", location="Boise")
        for each in (1, 2, 3, 4)
    }
    ends = [
        finished(1, verdict="failed", reason="404"),
        finished(2, verdict="unconfirmed", reason="no return"),
        finished(3, verdict="unconfirmed", reason="no return"),
        finished(4, verdict="skipped", reason="Down"),
    ]

    text = page(run_started(devices=4), *ends, planned=places).text

    assert (
        "3 devices ended in trouble, the commonest reason first."
        " device id serial number location where when"
        " unconfirmed: no return 2 devices"
        " branch 2 2 ZN2 Boise step 1 (factory) 2026-11-22 04:16:01Z"
        " branch 3 3 ZN3 Boise step 1 (factory) 2026-11-22 04:16:01Z"
        " failed: 404 1 device"
        " branch 1 1 ZN1 Boise step 1 (factory) 2026-11-22 04:16:01Z"
    ) in text
    assert "branch 4" not in text


def test_what_no_row_tells_has_no_column():
    text = page(*CAMPAIGN).text

    assert "device id serial number where when unconfirmed" in text


def test_a_run_without_its_plan_still_names_its_devices():
    assert "2 step 1 2026-11-22 04:18:20Z" in page(*CAMPAIGN, planned={}, titles=()).text


def test_the_page_says_when_everything_was_skipped():
    skipped = [finished(each, verdict="skipped", reason="Down") for each in (1, 2, 3)]

    text = page(run_started(), *skipped, RunFinished(T0 + 300, {})).text

    assert "nothing was done: all 3 devices were skipped" in text


def test_a_run_that_goes_on_says_so_first():
    driven, left = page(*CAMPAIGN, driven=True).text, page(*CAMPAIGN).text

    told = "This run is not over. The page shows it as it was at 2026-11-22 04:18:20Z"
    assert f"running {told}; figures and pictures go on changing until its end." in driven
    assert f"interrupted {told}; nobody drives it now, and it can be resumed." in left
    assert "1 of 3 devices succeeded so far" in driven
    assert "1 without a verdict yet" in driven
    assert "Last event 2026-11-22 04:18:20Z, after 3m20s" in driven


def test_a_paused_run_says_why():
    text = page(run_started(), RunPaused(T0, "token", "401")).text

    assert "paused because of the token: 401" in text


def test_nothing_is_fetched_and_nothing_runs():
    made = careful_page()

    assert not {"script", "link", "img", "image", "iframe", "object", "a"} & set(made.tags)
    names = {name for name, _ in made.attributes}
    assert not {"src", "xlink:href", "onclick", "onload", "xmlns"} & names
    assert all(value.startswith("#") for name, value in made.attributes if name == "href")
    assert "http:" not in made.html
    assert "@import" not in made.html
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", made.html)


def test_what_devices_and_people_are_called_is_only_text():
    clean = page(*_hostile("harmless"), titles=("harmless",), description="harmless")
    for evil in EVIL:
        named = {each: PlannedDevice(DeviceId(each), evil, evil, location=evil) for each in (1, 2)}
        made = page(
            *_hostile(evil),
            titles=(evil,),
            description=evil,
            planned=named,
            head=evil,
            verification=evil,
        )

        assert not set(made.tags) - set(clean.tags)
        assert {name for name, _ in made.attributes} == {name for name, _ in clean.attributes}
        assert made.text.count(shown(evil)) > 8
        assert made.html.encode().isascii() or "\x00" not in made.html
        assert all(part not in made.html for part in "\x00\x1b\u202e")


def test_foreign_text_in_a_picture_is_drawn_as_it_is():
    for evil in EVIL:
        named = {1: PlannedDevice(DeviceId(1), "ZN1", evil)}
        drawings = page(*CAMPAIGN, planned=named).drawings
        drawn = [each.text or "" for drawing in drawings for each in drawing.iter("text")]

        assert shown(evil) in [" ".join(each.split()) for each in drawn]


def _hostile(text):
    return (
        structs.replace(run_started(), playbook=text, started_by=text, host=text, controller=text),
        intended(1),
        RetryScheduled(T0 + 1, 1, 0, 1, T0 + 2, text),
        finished(1, verdict="failed", reason=text),
        CancelOrdered(T0 + 70, text, text, text),
        RunStopped(T0 + 70, "person", text),
    )


def shown(text):
    return " ".join(
        "".join(character if character.isprintable() else " " for character in text).split()
    )


def test_the_wildest_journal_makes_a_page():
    text = "x" * 20_000
    made = page(*_hostile(text), titles=(text,))

    assert len(made.html) < 1_000_000


@pytest.mark.parametrize(
    ("section", "without", "more"),
    [
        ("To look at", [finished(1)], [finished(2, verdict="failed", reason="404")]),
        ("Devices out of service", [finished(1)], [intended(2)]),
        ("Progress", [], [finished(1)]),
        ("How long each step took", [intended(1)], [succeeded(1)]),
        ("Where their time went", [finished(1)], [intended(2)]),
        ("Operation requests", [finished(1)], [intended(2)]),
        ("When nothing new was begun", [finished(1)], [RunPaused(T0 + 70, "token", "401")]),
        ("Who did what", [finished(1)], [CancelOrdered(T0 + 70, "ana", "noc-1")]),
    ],
)
def test_a_section_is_there_when_and_only_when_it_has_something(section, without, more):
    assert section not in page(run_started(), *without).heads
    assert section in page(run_started(), *without, *more).heads


def test_a_careful_campaign_has_every_section():
    assert careful_page(foreseen=True).heads == [
        "To look at",
        "Devices out of service",
        "Progress",
        "Forecast and outcome",
        "Waves and gates",
        "When nothing new was begun",
        "Who did what",
        "Budgets",
        "Window",
        "How long each step took",
        "Where their time went",
        "Operation requests",
        "Notifications",
        "Audit log",
    ]


def test_a_run_in_which_nothing_happened_yet_has_no_empty_sections():
    assert page().heads == page(run_started()).heads == ["Audit log"]


def careful_html(*more, forecast=None):
    plan = replace(careful_plan(), forecast=forecast)
    summary = Summary.of(plan, (*careful_story(), *more))
    return as_html(summary, run_id="night-1", head="f" * 64, driven=True)


@cache
def careful_page(foreseen=False):
    return Page(careful_html(forecast=FORESEEN if foreseen else None))


def test_the_page_tells_how_the_campaign_was_led():
    text = careful_page().text

    assert "waiting for approval of wave 3 by another person" in text
    assert "Rescue sync" in text
    assert "2 of 3 begun. wave devices began finished verdicts soaked gate" in text
    assert (
        "1 2 2026-11-22 04:16:00Z 2026-11-22 04:19:20Z 2 succeeded 5m passed : 2 of 2 succeeded"
    ) in text
    assert "inconclusive : 3 of 5 succeeded; 1 may be missing" in text
    assert "failed 0 2 unconfirmed 2 2 in any trouble (25%) 2 2" in text
    assert "Limits now: max_down 2 (plan 5), delay 1s (plan 200ms)." in text
    assert (
        "alice noc-2 paused the run; nothing new is started, chains once begun are finished"
        " smoke in the data centre"
    ) in text
    assert (
        "On the clocks of America/Mexico_City and in UTC 2026-11-21 22:16 2026-11-22 02:16"
        " 2026-11-22 04:16:00Z"
    ) in text
    assert "By order 2 are allowed now." in text
    assert "devices that came through the rescue 1" in text
    assert "1 sent, 1 failed, last to noc-mail: connection refused" in text


def test_the_page_tells_when_nothing_new_was_begun_and_why():
    assert (
        "window closed 2026-11-22 04:15:00Z 2026-11-22 04:16:00Z 1m America/Mexico_City"
        " paused by a person 2026-11-22 04:26:20Z 2026-11-22 04:27:40Z 1m20s"
        " alice on noc-2: smoke in the data centre"
        " waiting for approval 2026-11-22 04:37:01Z wave 3"
    ) in careful_page().text


def test_only_the_last_wave_has_no_gate_to_wait_for():
    begun = [run_started(), WaveStarted(T0, 1, 2), WaveStarted(T0 + 1, 2, 6)]
    begun.append(WaveStarted(T0 + 2, 3, 12))
    summary = Summary.of(careful_plan(), begun)

    text = Page(as_html(summary, run_id="night-1", head="f" * 64)).text

    assert "0 of 2 finished 2 must succeed" in text
    assert "0 of 6 finished 5 must succeed" in text
    assert "0 of 12 finished none behind the last wave" in text


def test_what_people_type_is_only_text():
    evil = "<script>alert(1)</script>"
    made = Page(careful_html(ApprovalGiven(T0 + 2000, evil, evil, evil, evil)))

    assert "script" not in made.tags
    assert made.text.count(evil) == 4


FORESEEN = Forecast(
    campaigns=50,
    begins_at=T0 - 3600,
    devices=20,
    ends_at=Spread(T0 + 1800, T0 + 2400, T0 + 3000),
    based_on=("durations of 3 earlier runs", "shares of failure by default."),
    verdicts={"succeeded": Spread(18, 20, 20), "unconfirmed": Spread(0, 1, 3)},
    waves=(
        WaveForecast(1, Spread(T0 + 200, T0 + 300, T0 + 400), 1.0),
        WaveForecast(2, Spread(T0 + 600, T0 + 700, T0 + 900), 0.9),
    ),
    opening=(T0 + 60, T0 + 14_460),
    fits=0.96,
    peak_down=Spread(4, 5, 5),
    requests=Spread(40, 42, 48),
)


def test_the_forecast_stands_beside_what_came_of_it():
    text = Page(careful_html(RunFinished(T0 + 2100, {}), forecast=FORESEEN)).text

    assert "The plan imagined 50 campaigns before the first request. 96% of them were over" in text
    assert "durations of 3 earlier runs. shares of failure by default." in text
    assert "a person paused it, a person changed a limit. The times are judged" in text
    assert "end 2026-11-22 04:45:00Z 2026-11-22 04:55:00Z 2026-11-22 04:50:00Z yes" in text
    assert "duration 30m 40m 35m yes" in text
    assert "wave 2 ends 2026-11-22 04:25:00Z 2026-11-22 04:26:40Z 2026-11-22 04:32:01Z no" in text
    assert "most devices down at once 4 5 3 yes" in text
    assert "succeeded 18 20 5 unconfirmed 0 1 2 no skipped 0 0 1 no" in text


def test_the_forecast_of_a_run_that_goes_on_is_not_judged_too_early():
    text = careful_page(foreseen=True).text

    assert "end 2026-11-22 04:45:00Z 2026-11-22 04:55:00Z not known yet wave 1 ends" in text
    assert "duration 30m 40m not known yet most" in text
    assert "operation requests sent 40 42 13 succeeded" in text
    assert "unconfirmed 0 1 2 no" in text


def test_an_end_that_too_few_campaigns_came_to_is_no_moment_and_not_judged():
    begin, horizon = FORESEEN.begins_at, FORESEEN.begins_at + 60 * 86_400
    cut = replace(
        FORESEEN, cut_short=0.2, ends_at=Spread(begin + 1800, horizon, horizon), opening=None
    )
    text = Page(careful_html(RunFinished(T0 + 2100, {}), forecast=cut)).text

    assert "20% of them were not over within 60 days." in text
    assert "not within 60 days 2026-11-22 04:50:00Z wave 1 ends" in text
    assert "duration 30m not within 60 days 35m most" in text


def test_without_a_forecast_nothing_is_held_against_it():
    assert "Forecast and outcome" not in careful_page().heads


def test_the_audit_log_can_be_verified_from_the_page():
    made = page(*ENDED, verification="sound: 9 events in 9 commits, chained by SHA-256").text
    keyed = page(run_started(chain="hmac-sha256"), finished(1)).text

    assert f"Head: {'f' * 64}" in made
    assert "Verified for this page: sound: 9 events in 9 commits" in made
    assert f"orchestrator audit verify night-1 --head {'f' * 64}" in made
    assert "a SHA-256 hash chain" in made
    assert "keyed with the audit key (HMAC)" in keyed
    assert "Verified for this page" not in keyed


def test_the_page_says_what_made_it():
    assert "as it stood at 2026-11-22 04:20:00Z, carried out with orchestrator 0.1.0" in (
        page(*ENDED).text
    )


def test_a_thousand_failures_are_counted_and_some_are_named():
    ends = [finished(device, verdict="failed", reason="404") for device in range(1000)]
    made = page(run_started(devices=1000), *ends)

    assert "1,000 devices, 800 of them not named here" in made.text
    assert made.tags.count("tr") < 250


def test_a_thousand_different_reasons_are_no_thousand_lines():
    ends = [finished(device, verdict="failed", reason=f"no {device}") for device in range(1000)]
    made = page(run_started(devices=1000), *ends)

    assert "and 950 more reasons" in made.text
    assert made.tags.count("tr") < 250


def test_ten_thousand_restless_devices_make_a_page_well_under_a_megabyte():
    summary = Summary(planned=planned(*range(10_000)), titles=("reboot", "sync"), max_down=500)
    summary.after(run_started(devices=10_000))
    for device in range(10_000):
        at = T0 + device
        summary.after(intended(device, at=at))
        for turn in range(6):
            summary.after(accepted(device, at=at + 10 * turn))
            summary.after(RetryScheduled(at + 10 * turn + 5, device, 0, 1, at, "409"))
        summary.after(succeeded(device, at=at + 60 + device % 97))
        summary.after(intended(device, at=at + 170, step=1, operation="sync"))
        trouble = device % 3 == 0
        if not trouble:
            summary.after(succeeded(device, at=at + 200 + device % 31, step=1))
        verdict, reason = ("failed", f"refused {device % 90}") if trouble else ("succeeded", "")
        summary.after(finished(device, at=at + 240, verdict=verdict, reason=reason))
    made = Page(as_html(summary, run_id="night-1", head="f" * 64))

    assert len(made.html) < 600_000
    assert all(float(at) < 1000 for at in re.findall(r'(?<= x=")[\d.]+', made.html))


def test_the_same_run_makes_the_same_page():
    assert careful_html(forecast=FORESEEN) == careful_page(foreseen=True).html


def test_every_picture_is_whole_and_no_two_share_a_name():
    made = careful_page(foreseen=True)
    ids = [value for name, value in made.attributes if name == "id"]
    referred = re.findall(r"url\(#([^)]+)\)", made.html)
    referred += [value[1:] for name, value in made.attributes if name == "href"]

    assert len(made.drawings) == 6
    assert len(ids) == len(set(ids))
    assert set(referred) == set(ids)
    assert all(drawing.get("aria-label") for drawing in made.drawings)


def test_every_colour_of_a_picture_is_the_pages():
    made = careful_page(foreseen=True)
    style, drawn = made.html.split("</style>", 1)
    painted = re.findall(r"(?:fill|stroke|background|border-color|color): ?([^;\"]+)", drawn)

    assert {each for each in painted if not each.startswith("var(")} <= {"none"}
    named = set(re.findall(r"var\((--[\w-]+)\)", drawn))
    assert named
    light, dark = style.split("@media screen and (prefers-color-scheme: dark)")
    for variable in named:
        assert f"{variable}:" in light
        assert f"{variable}:" in dark.split("}", 1)[0]


def test_what_a_coarse_phone_shows_is_drawn_for_it():
    made = page(*CAMPAIGN)
    boxes = [each.get("viewBox").split()[2] for each in made.drawings]

    assert boxes == ["912", "358"] * (len(boxes) // 2)


def test_the_limit_is_drawn_where_it_is_near():
    assert "allowed at once" in page(*CAMPAIGN).texts
    assert "allowed at once" not in page(*CAMPAIGN, max_down=1000).texts
    assert "At most 2 of 1,000 allowed at once, 0 now." in page(*CAMPAIGN, max_down=1000).text


def test_an_absent_process_is_marked():
    text = page(
        *CAMPAIGN, RunInterrupted(T0 + 210, "Ctrl-C"), RunResumed(T0 + 900, 2, "ben", "noc-2")
    ).text

    assert "nobody drove it 2026-11-22 04:18:30Z 2026-11-22 04:30:00Z 11m30s Ctrl-C" in text


def test_no_command_loads_the_plotting_library_before_it_draws():
    code = (
        "import sys, orchestrator.report.page.document, orchestrator.adapters.runs.kept_run;"
        "assert not {'matplotlib', 'numpy'} & set(sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert ended.returncode == 0, ended.stderr


def test_somebodys_own_looks_do_not_leak_in_or_out():
    import matplotlib as mpl  # noqa: PLC0415 - dear, and only here

    expected = page(*CAMPAIGN).html
    with mpl.rc_context():
        mpl.rcParams["font.size"] = 40
        mpl.rcParams["axes.edgecolor"] = "red"
        made = page(*CAMPAIGN).html

        assert mpl.rcParams["font.size"] == 40
    assert made == expected


def test_what_was_changed_is_shown_field_by_field():
    text = page(
        run_started(), rewritten(1), accepted(1), succeeded(1), rewritten(2), accepted(2)
    ).text

    assert (
        "What was changed Records of 2 devices were changed."
        " field before after how sure"
        " device 1 (ZN1) branch 1"
        " description 'old' 'new'"
        " password never shown fp:12ab34cd56ef"
        " device 2 (ZN2) branch 2"
        " description 'old' 'new' accepted, not proven"
        " password never shown fp:12ab34cd56ef accepted, not proven"
    ) in text


def test_a_run_that_changed_no_record_has_no_such_section():
    assert "What was changed" not in page(*CAMPAIGN).text


def test_of_many_changes_the_first_are_shown_and_the_command_for_the_others_is_named():
    events = [each for n in range(1, 61) for each in (rewritten(n), accepted(n), succeeded(n))]

    made = page(run_started(devices=60), *events, planned=planned(*range(1, 61)))

    assert "and 10 more; all of them: orchestrator diff night-1" in made.text
    assert made.text.count("fp:12ab34cd56ef") == 50


def test_a_created_and_a_deleted_record_are_told_as_such():
    new = rewritten(1, action="create", before={}, after={"serial_number": "SN9"})
    gone = rewritten(2, action="delete", before={}, after={})

    text = page(run_started(), new, accepted(1), succeeded(1), gone, accepted(2), succeeded(2)).text

    assert "branch 1 the record was created serial_number 'SN9'" in text
    assert "branch 2 the record was deleted" in text


def test_what_records_say_is_only_text_on_the_page():
    made = page(run_started(), rewritten(1, after={"description": EVIL[0]}), accepted(1))

    assert "<script" not in made.html


def test_devices_that_were_already_ok_are_good_news():
    ends = [finished(1), finished(2, verdict="already_ok"), finished(3, verdict="already_ok")]
    made = page(run_started(), *ends, RunFinished(T0 + 300, {}))
    nothing = page(run_started(), finished(1, verdict="already_ok"), RunFinished(T0 + 300, {}))

    assert "1 of 3 devices succeeded, 2 were already ok." in made.text
    assert '<li class="good"><b>2</b>already ok</li>' in made.html
    assert "1 of 3 devices was already ok." in nothing.text


def test_reasons_that_are_too_many_to_be_kept_are_counted_with_where_they_stand(monkeypatch):
    monkeypatch.setattr("orchestrator.report.summary.TROUBLES_KEPT", 2)
    ends = [finished(device, verdict="failed", reason=f"no {device}") for device in range(5)]

    made = page(run_started(devices=5), *ends, keeps_rows=False)

    assert "5 devices ended in trouble" in made.text
    assert "3 devices had yet other reasons; orchestrator report --format csv" in made.text
