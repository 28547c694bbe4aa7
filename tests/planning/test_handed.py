"""The journal names the devices that a message handed to a person, and they are found there again."""

import pytest

from orchestrator.planning.handed import about, devices_in


@pytest.mark.parametrize(
    ("devices", "told"),
    [
        ([1001], "step 3: device 1001"),
        ([1001, 2**48 + 7], "step 3: devices 1001, 281474976710663"),
    ],
)
def test_what_was_written_is_read_back(devices, told):
    assert about(2, devices) == told
    assert devices_in(told) == (2, tuple(devices))


@pytest.mark.parametrize("told", ["step 3", "paused", "step 3: device", "step 3: device 1 and 2"])
def test_a_message_about_anything_else_names_nobody(told):
    assert devices_in(told) is None
