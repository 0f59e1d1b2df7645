"""Who is served: tokens in either place, development on this machine, and nobody else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from agent.server.admission import Admission, Admitted, Caller, NotAdmittedError
from agent.settings import Settings
from agent.sinch.tokens import Claims, StreamTokens
from agent.stream.connect import Connect
from tests.agent.personas.inline import agents_in
from tests.agent.sinch.credentials import V1
from tests.databases import inline_store
from tests.virtual_time import run

HERE, THERE = "127.0.0.1", "203.0.113.7"
SINCH = {
    "application_key": V1.key_id,
    "application_secret": V1.secret,
    "public_url": "https://agent.example.com",
}
AGENT = """---
greeting: "Hello {{caller or 'you'}}{{headers['x-order']}}."
transfers: [{name: desk, to: sip:desk@example.com}]
---
Be brief.
"""


@pytest.fixture
def tokens(tmp_path: Path) -> StreamTokens:
    return StreamTokens(b"k" * 32, inline_store(tmp_path).claims)


def admission(folder: Path, tokens: StreamTokens | None = None, **given: Any) -> Admission:
    prompts = folder / "prompts"
    prompts.mkdir(exist_ok=True)
    for name in ("reception", "sales"):
        (prompts / f"{name}.md").write_text(AGENT)
    settings = Settings(**given)
    return Admission(
        server=settings.server,
        open_to_loopback=settings.open_to_loopback,
        agents=agents_in(prompts),
        usual=settings.agent,
        tokens=tokens,
        call_control=None,
    )


def come(
    to: Admission,
    path_token: str = "",
    *,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    remote: str | None = THERE,
    proxied: bool = False,
) -> Admitted:
    caller = Caller(query=query or {}, path_token=path_token, remote=remote, proxied=proxied)
    connect = Connect(call_id="leg", application_id="", headers=headers or {}, rate=8000)
    return run(to.admit(caller, connect))


def minted(tokens: StreamTokens, agent: str = "sales", lives: float = 60) -> str:
    expires = int(time.time() + lives)
    return tokens.mint(Claims(call="phone", agent=agent, rate=8000, expires=expires))


@pytest.mark.parametrize("place", ["path", "query", "header"])
def test_a_routed_call_brings_its_token(tmp_path: Path, tokens: StreamTokens, place: str) -> None:
    """The token says which call and agent it is, wherever it stands; no template sees it."""
    to, token = admission(tmp_path, tokens, sinch=SINCH), minted(tokens)
    headers = {"caller": "+15550000001", "agent": "reception", "x-order": "7"}
    match place:
        case "path":
            admitted = come(to, token, headers=headers)
        case "query":
            admitted = come(to, query={"token": token}, headers=headers)
        case _:
            admitted = come(to, headers=headers | {"token": token})
    assert (admitted.call_id, admitted.agent, admitted.name) == ("phone", "sales", "phone")
    assert admitted.script.greeting == "Hello +155500000017."
    assert token not in str(admitted)


def test_a_token_knows_the_rate_that_was_asked_for(tmp_path: Path, tokens: StreamTokens) -> None:
    """A `connect` of version 1 does not say; the settings of this process may be others."""
    to = admission(tmp_path, tokens, sinch=SINCH, server={"rate": 16000})
    claims = Claims(call="phone", agent="sales", rate=48000, expires=0)
    for token, query, rate in (
        (tokens.mint(claims), {}, 48000),
        ("", {"token": tokens.mint(claims), "rate": "24000"}, 48000),
        ("forged", {"rate": "24000"}, 24000),
        ("", {"rate": "1e9"}, 16000),
        ("", {}, 16000),
    ):
        caller = Caller(query=query, path_token=token, remote=THERE, proxied=False)
        assert to.rate(caller) == rate


@pytest.mark.parametrize("remote", [HERE, THERE])
def test_what_is_not_trusted_is_not_served(
    tmp_path: Path, tokens: StreamTokens, remote: str
) -> None:
    """No token, a wrong one, a late one, a used one: from anywhere."""
    to, token = admission(tmp_path, tokens, sinch=SINCH), minted(tokens)
    come(to, token)
    for wrong in ("", "x", token, minted(tokens, lives=-5)):
        with pytest.raises(NotAdmittedError, match="token"):
            come(to, wrong, remote=remote)


@pytest.mark.parametrize(
    ("remote", "proxied", "served"),
    [
        (HERE, False, True),
        ("::1", False, True),
        (HERE, True, False),
        (THERE, False, False),
        (None, False, False),
        ("a name", False, False),
    ],
)
def test_development_is_for_this_machine_only(
    tmp_path: Path, remote: str | None, proxied: bool, served: bool
) -> None:
    """Without any token in the settings, and not through a proxy on this machine."""
    to = admission(tmp_path)
    if served:
        assert come(to, query={"agent": "sales"}, remote=remote, proxied=proxied).agent == "sales"
        return
    with pytest.raises(NotAdmittedError):
        come(to, remote=remote, proxied=proxied)


def test_it_can_be_allowed_or_forbidden(tmp_path: Path, tokens: StreamTokens) -> None:
    """Whatever else is set."""
    server = {"open_to_loopback": True}
    to = admission(tmp_path, tokens, sinch=SINCH, server=server)
    assert come(to, remote=HERE).agent == "reception"
    with pytest.raises(NotAdmittedError):
        come(admission(tmp_path, server={"open_to_loopback": False}), remote=HERE)


def test_a_token_of_ones_own_opens_it_from_anywhere(tmp_path: Path, tokens: StreamTokens) -> None:
    """Beside one-use tokens, for calls that are routed by hand."""
    fixed = "a-long-random-text"
    to = admission(tmp_path, tokens, sinch=SINCH, server={"token": fixed})
    assert come(to, query={"token": fixed}).agent == "reception"
    assert come(to, minted(tokens)).agent == "sales"


def test_nobody_is_passed_on_without_a_way_to(tmp_path: Path, tokens: StreamTokens) -> None:
    """The agent's transfers are not offered on such a call."""
    for admitted in (
        come(admission(tmp_path), remote=HERE),
        come(admission(tmp_path, tokens, sinch=SINCH), minted(tokens)),
    ):
        assert admitted.script.numbers == {}
        assert admitted.script.brief.destinations == ()


def test_an_agent_that_is_gone_is_told_in_our_log(tmp_path: Path, tokens: StreamTokens) -> None:
    """The file was deleted between the callback and the stream."""
    to, token = admission(tmp_path, tokens, sinch=SINCH), minted(tokens, "gone")
    with pytest.raises(NotAdmittedError, match="no such file"):
        come(to, token)
