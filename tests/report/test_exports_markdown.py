"""A run as Markdown for a ticket: complete where it matters, and foreign text stays text."""

import re
from dataclasses import replace

from orchestrator.model.events import (
    PauseOrdered,
    RunFinished,
    RunPaused,
    RunStopped,
    WaveStarted,
)
from orchestrator.model.forecasts import Spread
from orchestrator.report.exports.as_markdown import as_markdown, escaped
from tests.support.histories import T0, finished, planned, run_started
from tests.support.recorded_runs import careful_plan
from tests.support.reported import (
    ENDED,
    FORECAST,
    HOSTILE,
    careful_report,
    hostile_report,
    reported,
)


def text(report):
    return "".join(as_markdown(report))


def tables(report):
    return re.findall(r"(?:^\|.*\n)+", text(report), re.MULTILINE)


def test_a_campaign_is_told_with_all_that_a_reader_of_a_ticket_asks_for():
    told = text(careful_report(ENDED))

    assert told.startswith(
        "## Run night-1: finished\n"
        "\n"
        "Playbook redeploy for 20 devices of https://control.example.com/api/v1\n"
        "\n"
        "Started 2026-11-22 04:15:00Z by ana on noc-1, ended 2026-11-22 04:43:20Z after 28m20s\n"
        "\n"
        "| verdict | devices |\n"
        "| --- | --: |\n"
        "| succeeded | 5 |\n"
        "| unconfirmed | 2 |\n"
        "| skipped | 1 |\n"
        "| without a verdict yet | 12 |\n"
    )
    assert "| 2 | unconfirmed | no return within 20m |\n" in told
    assert (
        "| device 5 (ZN5) | step 1 (factory) | unconfirmed | no return within 20m |"
        " 2026-11-22 04:30:20Z |\n"
    ) in told
    assert "| 1 | 2 | 2026-11-22 04:16:00Z | 2 succeeded; passed: 2 of 2 succeeded |\n" in told
    assert "| unconfirmed | 2 | 2 |\n" in told
    assert "| alice on noc-2 | lowered max\\_down from 5 to 2 | the night shift is thin |" in told
    assert "| step 2 (reconf) | 5 | 39s | 39s | 39s |\n" in told
    assert "Out of service through the run: 3 at most of 5 allowed\n" in told
    assert (
        "Forecast: 16m40s (P50), 25m (P90); it took 28m20s, 170% of P50, beyond P90;"
        " a person paused it; a person changed a limit\n"
    ) in told
    assert f"its last hash is `{'f' * 64}`\n" in told


def test_a_run_that_goes_on_says_when_it_stood_so():
    told = text(careful_report(driven=True))

    assert "## Run night-1: waiting for approval (wave 3)\n" in told
    assert "> waiting for approval of wave 3 by another person" in told
    assert ", as it stood at 2026-11-22 04:37:01Z\n" in told
    assert "Forecast: 16m40s (P50), 25m (P90)\n" in told


def test_a_run_that_kept_to_its_forecast_is_within_it():
    plan = replace(careful_plan(), forecast=FORECAST)
    report = reported(run_started(), RunFinished(T0 + 900, {}), plan=plan)

    assert "; it took 15m, 90% of P50, within P90\n" in text(report)


def test_what_stopped_or_holds_a_run_stands_at_the_top():
    stopped = reported(run_started(), RunStopped(T0, "person", "enough"), ENDED)
    paused = reported(run_started(), RunPaused(T0, "token", "401"), driven=True)

    assert "> stopped by a person: enough\n" in text(stopped)
    assert "> paused because of the token: 401\n" in text(paused)


def test_a_run_that_skipped_everybody_says_so():
    report = reported(run_started(devices=1), finished(1, verdict="skipped"), ENDED)

    assert "> nothing was done: the only device was skipped\n" in text(report)


def test_what_did_not_happen_has_no_heading():
    assert re.findall(r"^#+ .*", text(reported(run_started())), re.MULTILINE) == [
        "## Run night-1: interrupted"
    ]


def test_long_lists_are_cut_and_say_so():
    ends = [finished(n, verdict="failed", reason=f"reason {n}") for n in range(60)]
    pauses = [PauseOrdered(T0, f"person {n}", "h", "x") for n in range(60)]
    waves = [WaveStarted(T0, n, 5) for n in range(1, 61)]

    told = text(reported(run_started(devices=60), *ends, *pauses, *waves))

    for more in (
        "and 40 more reasons",
        "and 10 more devices",
        "and 10 more orders before these",
        "and 10 more waves before these",
    ):
        assert f"\n{more}\n" in told


def test_every_row_has_as_many_cells_as_its_head():
    for report in (careful_report(ENDED), hostile_report()):
        found = tables(report)
        assert found
        for table in found:
            head, *rows = (re.sub(r"\\.", "", line).count("|") for line in table.splitlines())
            assert set(rows) == {head}


def test_hostile_text_is_no_tag_no_link_no_code_and_calls_nobody():
    told = text(hostile_report())
    bare = re.sub(r"\\.", "", told).replace("@<!-- -->", "").replace(f"`{'f' * 64}`", "")

    assert not re.search(r"[<`\[\]@]", bare)
    assert "\x1b" not in told
    assert re.findall(r"^#+ ", told, re.MULTILINE) == ["## ", "### ", "### "]


def test_escaping_leaves_plain_words_alone():
    assert escaped("branch 5 (Madrid), 12:30 - ok") == "branch 5 (Madrid), 12:30 - ok"
    assert escaped("a|b <i> & @ana #1") == "a\\|b &lt;i&gt; &amp; @<!-- -->ana \\#1"
    assert escaped(HOSTILE).count("\n") == 0


def test_who_was_skipped_or_deferred_is_named_with_the_reason():
    told = text(
        reported(
            run_started(devices=4),
            finished(1, verdict="skipped", reason="status is Down"),
            finished(2, verdict="skipped", reason="changed | since"),
            finished(3, verdict="skipped", reason="status is Down"),
            finished(4, verdict="deferred", reason="the window closed"),
            planned=planned(1, 2, 3, 4),
            titles=("factory",),
        )
    )

    assert (
        "### Skipped and deferred\n"
        "\n"
        "| devices | verdict | reason |\n"
        "| --: | --- | --- |\n"
        "| 2 | skipped | status is Down |\n"
        "| 1 | skipped | changed \\| since |\n"
        "| 1 | deferred | the window closed |\n"
        "\n"
        "| device | where | verdict | reason |\n"
        "| --- | --- | --- | --- |\n"
        "| device 1 (ZN1) | step 1 (factory) | skipped | status is Down |\n"
    ) in told
    assert "| device 4 (ZN4) | step 1 (factory) | deferred | the window closed |\n" in told


def test_of_many_skipped_devices_and_reasons_some_are_named_and_the_others_counted():
    ends = [finished(n, verdict="skipped", reason=f"reason {n}") for n in range(1, 61)]
    told = text(reported(run_started(devices=60), *ends))

    assert "### Skipped\n" in told
    assert "and 40 more reasons\n" in told
    assert "and 10 more devices\n" in told
    assert told.count("| device ") == 1 + 50


def test_without_skipped_devices_nothing_is_said_of_them():
    assert "kipped" not in text(reported(run_started(devices=1), finished(1)))


def test_an_end_that_was_not_foreseen_is_no_duration_and_not_judged():
    sixty = T0 + 60 * 86_400
    forecast = replace(FORECAST, cut_short=0.2, ends_at=Spread(T0 + 600, sixty, sixty))
    report = reported(
        run_started(), RunFinished(T0 + 900, {}), plan=replace(careful_plan(), forecast=forecast)
    )
    never = replace(forecast, cut_short=0.6, ends_at=Spread(sixty, sixty, sixty))

    assert "Forecast: 10m (P50), not within 60 days (P90); it took 15m, 150% of P50\n" in text(
        report
    )
    report.summary.forecast = never
    assert "Forecast: not within 60 days (P50), not within 60 days (P90)\n" in text(report)
