"""One-use tokens, and the folder that processes share."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sinch.tokens import Claims, StreamTokens, TokenError
from agent.store.folder import KEPT, FolderStore

KEY = b"k" * 32
CLAIMS = Claims(call="c1", agent="reception", rate=16000, expires=1000)


@pytest.fixture
def tokens(tmp_path: Path) -> StreamTokens:
    return StreamTokens(KEY, FolderStore(tmp_path))


def test_a_token_says_what_it_was_made_for_once(tokens: StreamTokens) -> None:
    """Call, agent and rate come back; the second time it is used."""
    token = tokens.mint(CLAIMS)
    assert token == tokens.mint(CLAIMS)
    assert tokens.redeem(token, 999.0) == CLAIMS
    with pytest.raises(TokenError, match="used"):
        tokens.redeem(token, 999.0)


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
        tokens.redeem(tokens.mint(CLAIMS), 1001.0)
    assert tokens.redeem(tokens.mint(CLAIMS), 1000.0) == CLAIMS


def test_a_call_has_one_stream(tokens: StreamTokens) -> None:
    """Two tokens of one call, of two callbacks, are one."""
    tokens.redeem(tokens.mint(CLAIMS), 0)
    later = Claims(call="c1", agent="reception", rate=16000, expires=1010)
    with pytest.raises(TokenError, match="used"):
        tokens.redeem(tokens.mint(later), 0)


def test_what_a_token_says_can_be_read_without_using_it_up(tokens: StreamTokens) -> None:
    """Before the call is known; what is not ours says nothing."""
    token = tokens.mint(CLAIMS)
    assert tokens.read(token) == tokens.read(token) == CLAIMS
    assert tokens.redeem(token, 999.0) == tokens.read(token)
    with pytest.raises(TokenError, match="not ours"):
        tokens.read(token + "A")


def test_a_token_of_another_key_is_none(tokens: StreamTokens, tmp_path: Path) -> None:
    """Nor is one that was changed in a single character."""
    other = StreamTokens(b"o" * 32, FolderStore(tmp_path))
    with pytest.raises(TokenError, match="not ours"):
        tokens.redeem(other.mint(CLAIMS), 0)
    token = tokens.mint(CLAIMS)
    for at in range(len(token)):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(TokenError):
            tokens.redeem(changed, 0)


@given(
    token=st.text(st.characters())
    | st.from_regex(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", fullmatch=True)
)
def test_anything_else_is_no_token(token: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """And raises nothing else."""
    tokens = StreamTokens(KEY, FolderStore(tmp_path_factory.getbasetemp() / "any"))
    with pytest.raises(TokenError):
        tokens.redeem(token, 0)
    with pytest.raises(TokenError):
        tokens.read(token)


@given(body=st.binary() | st.from_type(dict).map(lambda value: repr(value).encode()))
def test_a_token_of_another_version_of_ours_is_an_error_of_that_kind(
    body: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Sealed by us, with anything in it."""
    tokens = StreamTokens(KEY, FolderStore(tmp_path_factory.getbasetemp() / "any"))
    text = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    with pytest.raises(TokenError):
        tokens.redeem(f"{text}.{tokens._seal(text)}", 0)


def _redeem(folder: str, token: str, results: multiprocessing.Queue[bool]) -> None:
    tokens = StreamTokens(KEY, FolderStore(Path(folder)))
    time.sleep(max(0.0, 0.3 - time.process_time()))
    try:
        tokens.redeem(token, 0)
    except TokenError:
        results.put(False)
    else:
        results.put(True)


def test_several_processes_redeem_a_token_once(tmp_path: Path, tokens: StreamTokens) -> None:
    """Any of them may, and exactly one does."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    arguments = (str(tmp_path), tokens.mint(CLAIMS), results)
    processes = [context.Process(target=_redeem, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    redeemed = [results.get(timeout=30) for _ in processes]
    for process in processes:
        process.join(10)
        process.close()
    results.close()
    results.join_thread()
    assert sorted(redeemed) == [False, False, False, True]


def test_a_claim_is_made_once_and_told_its_age(tmp_path: Path) -> None:
    """By any object on the same folder; it can be given back."""
    one, other = FolderStore(tmp_path), FolderStore(tmp_path)
    assert one.claim("a/../b\0\ud800") is None
    age = other.claim("a/../b\0\ud800")
    assert age is not None
    assert 0 <= age < 10
    assert one.claimed("a/../b\0\ud800")
    other.release("a/../b\0\ud800")
    assert one.claim("a/../b\0\ud800") is None


def test_notes_are_whole_and_private(tmp_path: Path) -> None:
    """What is kept replaces what was there; nobody but the owner reads it."""
    store = FolderStore(tmp_path)
    assert store.noted("x") is None
    store.note("x", {"a": 1})
    store.note("x", {"a": 2})
    assert FolderStore(tmp_path).noted("x") == {"a": 2}
    files = list((tmp_path / "notes").iterdir())
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600]


def test_a_note_that_was_cut_off_is_none(tmp_path: Path) -> None:
    """A host that lost power may leave an empty file; that is no reason for a 500."""
    store = FolderStore(tmp_path)
    store.note("x", {"a": 1})
    (file,) = (tmp_path / "notes").iterdir()
    file.write_text("")
    assert store.noted("x") is None
    store.note("x", {"a": 2})
    assert store.noted("x") == {"a": 2}


def test_orders_reach_the_process_that_has_the_call(tmp_path: Path) -> None:
    """In their order, once; the rest wait."""
    one, other = FolderStore(tmp_path), FolderStore(tmp_path)
    for number in range(3):
        one.order("c1", {"n": number})
    one.order("c2", {"n": 9})
    assert list(other.orders([])) == []
    assert list(other.orders(["c1", "c3"])) == [("c1", {"n": n}) for n in range(3)]
    assert list(other.orders(["c1"])) == []
    assert list(one.orders(["c2"])) == [("c2", {"n": 9})]


def test_what_is_old_is_thrown_away(tmp_path: Path) -> None:
    """After a day, by the next process that starts."""
    store = FolderStore(tmp_path)
    store.claim("old")
    store.note("old", {})
    store.order("old", {})
    for path in tmp_path.glob("*/*"):
        os.utime(path, (time.time() - KEPT - 1, time.time() - KEPT - 1))
    store.note("new", {})
    FolderStore(tmp_path)
    assert [json.loads(path.read_text()) for path in tmp_path.glob("*/*")] == [{}]


def test_a_folder_that_cannot_be_written_is_an_error_at_once(tmp_path: Path) -> None:
    """Not in the first call."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        FolderStore(tmp_path / "file")
