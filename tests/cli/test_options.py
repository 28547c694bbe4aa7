"""What the log must not show, and how a run is named."""

import re
from dataclasses import replace
from pathlib import Path

import structlog

from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.cli import campaign
from orchestrator.cli.options import configure_log
from orchestrator.model import moments
from orchestrator.settings import load
from tests.support.recorded_runs import plan_of


def test_a_token_from_a_file_is_masked_in_the_log(cli):
    Path("token").write_text("s3cret-t0ken-value\n")

    configure_log(load({"token_file": "token", "log_file": "own.log"}))
    structlog.get_logger().warning("the header was Bearer s3cret-t0ken-value")

    log = Path("own.log").read_text()
    assert "the header was" in log
    assert "s3cret" not in log


def test_a_token_file_that_cannot_be_read_does_not_keep_the_log_from_opening(cli):
    configure_log(load({"token_file": "nowhere", "log_file": "own.log"}))

    assert Path("own.log").exists()


def test_a_run_is_named_by_the_time_of_this_machine_and_not_of_the_controller(cli):
    plan = replace(plan_of(1001), created_at=0.0, read_at=0.0)

    before, made = SystemClock().now(), campaign.new_run_id(load(), plan)

    days = {moments.as_text(each)[:10] for each in (before, SystemClock().now())}
    assert made[:10] in days
    assert re.fullmatch(r"[\d-]{10}-\d{4}-.+", made)
