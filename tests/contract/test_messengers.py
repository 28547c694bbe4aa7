"""What every messenger promises, the one over Apprise and its twin in memory alike."""

from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from orchestrator.adapters.memory.memory_messenger import MemoryMessenger
from orchestrator.adapters.people.apprise_messenger import AppriseMessenger
from tests.support.fake_api import FakeApi, answer


@asynccontextmanager
async def _messenger(kind):
    """Give one that knows `noc`, who takes messages, and `mail`, who does not."""
    if kind == "memory":
        yield MemoryMessenger(["noc", "mail"], broken={"mail": "json did not take the message"})
        return
    async with FakeApi(answer(200)) as good, FakeApi(answer(503)) as bad:
        yield AppriseMessenger(
            {
                "noc": (SecretStr(f"json://127.0.0.1:{good.port}/a"),),
                "mail": (SecretStr(f"json://127.0.0.1:{bad.port}/b"),),
            }
        )


@pytest.fixture(params=["apprise", "memory"])
async def messenger(request):
    async with _messenger(request.param) as made:
        yield made


async def test_a_message_that_was_taken_has_nothing_to_tell(messenger):
    assert await messenger.send("noc", "title", "body") is None


async def test_a_message_that_was_not_taken_has_a_reason(messenger):
    assert await messenger.send("mail", "title", "body") == "json did not take the message"


async def test_a_name_that_nobody_configured_has_a_reason(messenger):
    assert await messenger.send("ops", "title", "body") == "'ops' leads nowhere in the settings"


async def test_a_failure_is_none_of_the_next_messages_business(messenger):
    await messenger.send("mail", "title", "body")

    assert await messenger.send("noc", "title", "body") is None
