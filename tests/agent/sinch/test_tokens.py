"""One-use tokens."""

from __future__ import annotations

import asyncio
import base64
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings.database import DatabaseUrl
from agent.sinch.tokens import Claims, StreamTokens, TokenError
from agent.store.errors import StoreError
from agent.store.store import opened
from tests.databases import inline_store
from tests.virtual_time import run

KEY = b"k" * 32
CLAIMS = Claims(call="c1", agent="reception", rate=16000, expires=1000)


@pytest.fixture
def tokens(tmp_path: Path) -> StreamTokens:
    return StreamTokens(KEY, inline_store(tmp_path).claims)


def test_a_token_says_what_it_was_made_for_once(tokens: StreamTokens) -> None:
    """Call, agent and rate come back; the second time it is used."""
    token = tokens.mint(CLAIMS)
    assert token == tokens.mint(CLAIMS)
    assert run(tokens.redeem(token, 999.0)) == CLAIMS
    with pytest.raises(TokenError, match="used"):
        run(tokens.redeem(token, 999.0))


def test_a_token_fits_where_it_has_to_go(tokens: StreamTokens) -> None:
    """A path of an address, and a call header of version 2, which has 255 characters."""
    longest = Claims(
        call="3b0a1a2c-1a2b-4c3d-8e4f-5a6b7c8d9e0f",
        agent="a-rather-long-name-of-an-agent",
        rate=16000,
        expires=2000000000,
        dialled="",
    )
    token = tokens.mint(longest)
    assert len(token) <= 255
    assert all(c.isascii() and (c.isalnum() or c in "._-") for c in token)


def test_a_token_expires(tokens: StreamTokens) -> None:
    """And is not used up by being late."""
    with pytest.raises(TokenError, match="expired"):
        run(tokens.redeem(tokens.mint(CLAIMS), 1001.0))
    assert run(tokens.redeem(tokens.mint(CLAIMS), 1000.0)) == CLAIMS


def test_a_call_has_one_stream(tokens: StreamTokens) -> None:
    """Two tokens of one call, of two callbacks, are one."""
    run(tokens.redeem(tokens.mint(CLAIMS), 0))
    later = Claims(call="c1", agent="reception", rate=16000, expires=1010)
    with pytest.raises(TokenError, match="used"):
        run(tokens.redeem(tokens.mint(later), 0))


def test_what_a_token_says_can_be_read_without_using_it_up(tokens: StreamTokens) -> None:
    """Before the call is known; what is not ours says nothing."""
    token = tokens.mint(CLAIMS)
    assert tokens.read(token) == tokens.read(token) == CLAIMS
    assert run(tokens.redeem(token, 999.0)) == tokens.read(token)
    with pytest.raises(TokenError, match="not ours"):
        tokens.read(token + "A")


def test_a_token_of_another_key_is_none(tokens: StreamTokens, tmp_path: Path) -> None:
    """Nor is one that was changed in a single character."""
    other = StreamTokens(b"o" * 32, inline_store(tmp_path).claims)
    with pytest.raises(TokenError, match="not ours"):
        run(tokens.redeem(other.mint(CLAIMS), 0))
    token = tokens.mint(CLAIMS)
    for at in range(len(token)):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(TokenError):
            run(tokens.redeem(changed, 0))


@given(
    token=st.text(st.characters())
    | st.from_regex(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", fullmatch=True)
)
def test_anything_else_is_no_token(token: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """And raises nothing else."""
    tokens = StreamTokens(KEY, inline_store(tmp_path_factory.getbasetemp()).claims)
    with pytest.raises(TokenError):
        run(tokens.redeem(token, 0))
    with pytest.raises(TokenError):
        tokens.read(token)


@given(body=st.binary() | st.from_type(dict).map(lambda value: repr(value).encode()))
def test_a_token_of_another_version_of_ours_is_an_error_of_that_kind(
    body: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Sealed by us, with anything in it."""
    tokens = StreamTokens(KEY, inline_store(tmp_path_factory.getbasetemp()).claims)
    text = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    with pytest.raises(TokenError):
        run(tokens.redeem(f"{text}.{tokens._seal(text)}", 0))


PROCESSES, TOKENS = 4, 200


def _redeem(url: str, tokens: list[str], results: multiprocessing.Queue[list[int]]) -> None:
    """Redeem all tokens, some at once; tell the numbers of those that were new."""

    async def main() -> list[int]:
        async with opened(DatabaseUrl(url)) as store:
            redeemer, room = StreamTokens(KEY, store.claims), asyncio.Semaphore(5)

            async def one(number: int, token: str) -> int:
                async with room:
                    try:
                        await redeemer.redeem(token, 0)
                    except TokenError:
                        return -1
                return number

            return await asyncio.gather(*(one(n, token) for n, token in enumerate(tokens)))

    results.put([number for number in asyncio.run(main()) if number >= 0])


def test_several_processes_redeem_each_token_once(database_url: DatabaseUrl) -> None:
    """All of them try all tokens, and each goes to exactly one; they start at once, too."""
    minter = StreamTokens(KEY, Silent())  # type: ignore[arg-type]
    tokens = [
        minter.mint(Claims(call=f"c{n}", agent="reception", rate=8000, expires=1000))
        for n in range(TOKENS)
    ]
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    arguments = (database_url.get_secret_value(), tokens, results)
    processes = [context.Process(target=_redeem, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    redeemed = [results.get(timeout=100) for _ in processes]
    for process in processes:
        process.join(10)
        process.close()
    results.close()
    results.join_thread()
    assert sorted(number for numbers in redeemed for number in numbers) == list(range(TOKENS))


class Silent:
    """Claims in a database that does not answer."""

    async def claim(self, _name: str) -> None:
        raise StoreError("no answer within 2 s")


def test_a_database_that_fails_is_a_refusal_of_its_own() -> None:
    """It is told apart from a token that was used, and the token is not in it."""
    tokens = StreamTokens(KEY, Silent())  # type: ignore[arg-type]
    with pytest.raises(TokenError, match="the database fails: no answer within 2 s"):
        run(tokens.redeem(tokens.mint(CLAIMS), 0))
