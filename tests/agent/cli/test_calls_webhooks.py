"""``voice-agent calls webhooks``: what waits, what was given up, and who is there."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from agent.cli import main
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from tests.agent.records.webhooks.receiver import SECRET, process, short_call
from tests.databases import FILE


def settings(url: str) -> None:
    Path("voice-agent.toml").write_text(
        f'database = "sqlite:///{FILE}"\n'
        f'[webhooks.crm]\nurl = "{url}"\nsecret = "${{CRM}}"\nevents = ["call.ended"]\n'
    )


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM", SECRET)


@pytest.fixture
def receiver() -> Iterator[http.server.ThreadingHTTPServer]:
    """A server that takes what it can verify."""

    class Take(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            read = Webhook(SECRET).verify(body, dict(self.headers.items()))
            self.send_response(200 if read["type"] == "ping" else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Take) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_waits_is_listed_and_sent_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its call and why it is not sent; never where to."""
    settings("http://127.0.0.1:1/hidden")

    async def story() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/{FILE}")) as store:
            one = process(store.database, {"crm": "http://127.0.0.1:1/"}, ["call.ended"])
            for name in "abc":
                await one.stored.add(short_call(name))
            first = await one.outbox.take("crm")
            assert first is not None
            await one.outbox.give_up(first, "HTTP 400")
            second = await one.outbox.take("crm")
            assert second is not None
            await one.outbox.postpone(second, 300, "HTTP 503")

    asyncio.run(story())
    capsys.readouterr()
    assert main(["calls", "webhooks"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].endswith("crm  call.ended  a  attempts 1  given up  HTTP 400")
    assert "  b  attempts 1  due " in out[1]
    assert out[1].endswith("  HTTP 503")
    assert "  c  attempts 0  due " in out[2]
    assert out[3] == "# webhooks: 3"
    assert main(["calls", "webhooks", "--given-up", "--endpoint", "crm"]) == 0
    assert capsys.readouterr().out.splitlines() == [out[0], "# webhooks: 1"]
    for arguments, count in (
        (["--again", "--endpoint", "other"], 0),
        (["--again"], 1),
        (["--again", "2", "3", "999"], 2),
    ):
        assert main(["calls", "webhooks", *arguments]) == 0
        assert capsys.readouterr().out == f"# to be sent now, by the service: {count}\n"
    assert main(["calls", "webhooks", "--given-up"]) == 0
    assert capsys.readouterr().out == "# webhooks: 0\n"


@pytest.mark.usefixtures("tmp_path")  # its database is where it is
def test_an_endpoint_is_tried_out(
    receiver: http.server.ThreadingHTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a message of no call, signed as all are."""
    settings(f"http://127.0.0.1:{receiver.server_port}/")
    assert main(["calls", "webhooks", "--ping"]) == 0
    assert capsys.readouterr().out == "crm: taken\n"
    settings("http://127.0.0.1:1/hidden")
    assert main(["calls", "webhooks", "--ping", "--endpoint", "crm"]) == 1
    assert capsys.readouterr().out == "crm: no connection\n"
    assert main(["calls", "webhooks", "--ping", "--endpoint", "other"]) == 1
    assert "there is no such endpoint" in capsys.readouterr().err
    assert main(["calls", "webhooks", "--ping", "--again"]) == 2
