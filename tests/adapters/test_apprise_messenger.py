"""Messages over Apprise to a real server: what came of each, in bounded time, and never its URL."""

import json
import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from orchestrator.adapters.people.apprise_messenger import AppriseMessenger
from orchestrator.model.errors import SettingsError
from tests.support.fake_api import FakeApi, answer, hang_up, say, silence

ROOT = Path(__file__).parents[2]
SECRET = "s3cret-t0ken"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)


def _url(port, path=SECRET):
    return f"json://ana:{SECRET}@127.0.0.1:{port}/hook/{path}"


def _messenger(*urls, patience=5.0):
    return AppriseMessenger({"noc": tuple(map(SecretStr, urls))}, patience=patience)


async def _told(messenger, to="noc"):
    return await messenger.send(to, "redeploy: wave 2 finished", "12 succeeded\nnobody failed")


async def test_a_message_arrives_as_it_was_written():
    async with FakeApi(answer(200)) as server:
        told = await _told(_messenger(_url(server.port)))

    (request,) = server.requests
    body = json.loads(request.body)
    assert told is None
    assert request.target.startswith(f"/hook/{SECRET}")
    assert (body["title"], body["message"]) == (
        "redeploy: wave 2 finished",
        "12 succeeded\nnobody failed",
    )


async def test_every_place_of_a_name_gets_the_message():
    async with FakeApi(answer(200)) as server:
        told = await _told(_messenger(_url(server.port, "one"), _url(server.port, "two")))

    assert told is None
    assert {request.target.split("/")[2].strip("/") for request in server.requests} == {
        "one",
        "two",
    }


@pytest.mark.parametrize(
    "act",
    [
        answer(500, {"error": SECRET}),
        answer(404),
        answer(302, Location="http://127.0.0.1:9/login"),
        hang_up,
        say(b"nonsense\r\n\r\n"),
    ],
    ids=["500", "404", "redirected", "hung up", "nonsense"],
)
async def test_a_place_that_does_not_take_the_message_is_named_by_its_kind_only(act, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    async with FakeApi(act) as server:
        told = await _told(_messenger(_url(server.port)))

    out, err = capfd.readouterr()
    assert told == "json did not take the message"
    assert len(server.requests) == 1
    assert (out, err) == ("", "")
    assert [record for record in caplog.records if record.name != "asyncio"] == []


async def test_a_redirection_is_not_followed_to_a_page_that_takes_anything():
    async with FakeApi(answer(200)) as login:
        there = answer(302, Location=f"http://127.0.0.1:{login.port}/login")
        async with FakeApi(there) as server:
            told = await _told(_messenger(_url(server.port)))

    assert told == "json did not take the message"
    assert login.requests == []


async def test_a_place_that_refuses_the_connection_did_not_take_it(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    async with FakeApi(answer(200)) as server:
        port = server.port
    told = await _told(_messenger(_url(port)))

    assert told == "json did not take the message"
    assert SECRET not in caplog.text + "".join(capfd.readouterr())


async def test_a_place_that_hangs_is_given_up_in_time():
    async with FakeApi(silence) as server:
        began = time.monotonic()
        told = await _told(_messenger(_url(server.port), patience=0.3))
        took = time.monotonic() - began

    assert told == "json gave no answer within 300ms"
    assert 0.25 < took < 2


async def test_what_became_of_each_place_is_told_together():
    async with FakeApi(answer(200)) as good, FakeApi(answer(500)) as bad, FakeApi(silence) as slow:
        told = await _told(
            _messenger(
                _url(good.port),
                _url(bad.port, "a"),
                _url(bad.port, "b"),
                _url(slow.port),
                patience=0.7,
            )
        )

    assert told == (
        "json (2) did not take the message, and json gave no answer within 700ms; 1 of 4 took it"
    )


async def test_places_that_hang_forever_do_not_pile_up_nor_silence_others():
    async with FakeApi(silence) as server, FakeApi(answer(200)) as good:
        noc = tuple(SecretStr(_url(server.port, f"{number}")) for number in range(10))
        mail = (SecretStr(_url(good.port)),)
        messenger = AppriseMessenger({"noc": noc, "mail": mail}, patience=0.4)
        told = [await _told(messenger, to) for to in ("noc", "noc", "mail")]

    assert told == [
        "json (10) gave no answer within 400ms",
        "10 earlier messages are stuck on their way",
        None,
    ]


async def test_a_service_that_crashes_did_not_take_it_and_shows_nothing(capfd):
    class Crashing:
        def notify(self, **_):
            raise RuntimeError(SECRET)

    messenger = _messenger(_url(1))
    messenger._places["noc"] = [("json", Crashing())]

    assert await _told(messenger) == "json did not take the message"
    assert tuple(capfd.readouterr()) == ("", "")


async def test_a_name_that_nobody_configured_is_no_crash():
    assert await _told(AppriseMessenger({}), "mail") == "'mail' leads nowhere in the settings"


@pytest.mark.parametrize("url", [f"slak://{SECRET}", f"slack://{SECRET}", "mailto://"])
def test_a_url_that_apprise_cannot_use_is_named_at_the_start_without_its_secret(url, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SettingsError) as error:
        _messenger("json://127.0.0.1/x", url)

    kind = url.partition(":")[0]
    assert str(error.value).startswith(
        f"'noc' leads to a {kind}:// URL (its number 2) that Apprise"
    )
    assert SECRET not in repr(error.value) + caplog.text + "".join(capfd.readouterr())
    assert error.value.__context__ is None


def test_its_text_shows_names_only():
    assert repr(_messenger(_url(1))) == "<messenger for noc>"
    assert repr(AppriseMessenger({})) == "<messenger for nobody>"


def test_a_command_that_tells_nobody_does_not_wait_for_apprise():
    code = (
        "import sys; from orchestrator.adapters.people.apprise_messenger import AppriseMessenger;"
        " AppriseMessenger({}); sys.exit('apprise' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_place_that_hangs_does_not_keep_the_process_alive():
    code = """
import anyio, socket, time
from pydantic import SecretStr
from orchestrator.adapters.people.apprise_messenger import AppriseMessenger

deaf = socket.create_server(("127.0.0.1", 0))
url = f"json://127.0.0.1:{deaf.getsockname()[1]}/x?rto=50"
messenger = AppriseMessenger({"noc": (SecretStr(url),)}, patience=0.2)
print(anyio.run(messenger.send, "noc", "title", "body"))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        check=True,
        timeout=20,
        capture_output=True,
        text=True,
    )

    assert (ended.stdout, ended.stderr) == ("json gave no answer within 200ms\n", "")
