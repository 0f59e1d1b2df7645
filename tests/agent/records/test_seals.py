"""What is stored is shown to nobody without the key, and to whoever has it as it was."""

from __future__ import annotations

import asyncio
import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.records.sealing import give_up, take_up
from agent.records.seals import BLOCK, KeySeal, NoSeal, SealError
from agent.settings.database import DatabaseUrl
from agent.settings.errors import SettingsError
from agent.settings.sealing_keys import SealingKey, read_keys
from agent.store.store import opened


def key(name: str, seed: int = 0) -> SealingKey:
    """Return a key that is the same each time."""
    return SealingKey(name=name, secret=bytes((seed + 7 * n) % 256 for n in range(32)))


OLD, NEW = key("old", 1), key("new", 2)


@given(st.text(), st.text())
def test_texts_come_back_as_they_were(text: str, place: str) -> None:
    """Whatever is in them."""
    seal = KeySeal([NEW])
    stored = seal.hide(text, place)
    assert seal.show(stored, place) == text
    assert stored.isascii()


def test_half_characters_are_sealed_too() -> None:
    """A tool of somebody else's gives them."""
    assert KeySeal([NEW]).show(KeySeal([NEW]).hide("\ud83d!")) == "\ud83d!"


def test_the_same_text_is_never_stored_alike() -> None:
    """Or whoever reads the file knows who said the same."""
    assert KeySeal([NEW]).hide("yes") != KeySeal([NEW]).hide("yes")


def test_all_keys_open_and_the_first_seals() -> None:
    """Which is how a key is replaced."""
    stored = KeySeal([OLD]).hide("hello")
    both = KeySeal([NEW, OLD])
    assert both.show(stored) == "hello"
    assert both.hide("hello").startswith("sealed:new:")
    with pytest.raises(SealError, match="'old'"):
        KeySeal([NEW]).show(stored)
    with pytest.raises(SealError, match="'old'"):
        NoSeal().show(stored)


def test_what_was_stored_before_there_was_a_key_is_shown() -> None:
    """Encryption can be turned on at any time."""
    assert KeySeal([NEW]).show('{"text": "hello"}') == '{"text": "hello"}'
    assert b"".join(KeySeal([NEW]).show_bytes([b"fLaC", b"..."])) == b"fLaC..."


@pytest.mark.parametrize(
    "stored",
    [
        "sealed:",
        "sealed:new",
        "sealed:new:",
        "sealed:new:AAAA",
        "sealed:new:no base64",
        "sealed:new:" + base64.b64encode(bytes(64)).decode(),
    ],
)
def test_what_was_changed_is_not_shown(stored: str) -> None:
    """Nor does it end in anything but the one error."""
    with pytest.raises(SealError):
        KeySeal([NEW]).show(stored)


def test_what_was_moved_is_not_shown() -> None:
    """If it was hidden for one place."""
    stored = KeySeal([NEW]).hide("hello", "a:1")
    with pytest.raises(SealError):
        KeySeal([NEW]).show(stored, "a:2")


def test_numbers_are_found_without_being_told() -> None:
    """By every key that there is, and from before there was one."""
    seal = KeySeal([NEW, OLD])
    number = "+12025550123"
    assert number not in seal.look_up(number)
    assert seal.look_up(number) in seal.look_ups(number)
    assert KeySeal([OLD]).look_up(number) in seal.look_ups(number)
    assert NoSeal().look_up(number) in seal.look_ups(number)
    assert len(seal.look_up(number)) == 64
    assert seal.look_up("") == ""


SIZES = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("piece", [1000, 70_000])
def test_files_come_back_as_they_were(size: int, piece: int) -> None:
    """Of any length, read and written in pieces of any size."""
    given = bytes(n % 251 for n in range(size))
    stored = b"".join(
        KeySeal([OLD]).hide_bytes(given[at : at + piece] for at in range(0, size, piece))
    )
    assert size < BLOCK - 1 or given[:100] not in stored
    pieces = (stored[at : at + piece] for at in range(0, len(stored), piece))
    assert b"".join(KeySeal([NEW, OLD]).show_bytes(pieces)) == given


def test_files_that_were_changed_are_not_shown() -> None:
    """Cut off, with two blocks exchanged, with one byte changed, or of another key."""
    seal = KeySeal([NEW])
    stored = b"".join(seal.hide_bytes([bytes(3 * BLOCK)]))
    sealed = BLOCK + 16
    head = len(stored) - 3 * sealed
    wrong = [
        stored[:-sealed],
        stored[:-1],
        stored[:head]
        + stored[head + sealed : head + 2 * sealed]
        + stored[head : head + sealed]
        + stored[head + 2 * sealed :],
        stored[:-1] + bytes([stored[-1] ^ 1]),
    ]
    for one in wrong:
        with pytest.raises(SealError, match="'new'"):
            b"".join(seal.show_bytes([one]))
    for other in (KeySeal([OLD]), NoSeal()):
        with pytest.raises(SealError, match="'new'"):
            b"".join(other.show_bytes([stored]))


def _written(key: SealingKey) -> str:
    return f"{key.name}:{base64.b64encode(key.secret).decode()}"


def test_keys_are_read_as_people_write_them() -> None:
    """With blanks, lines or commas between."""
    for between in (" ", "\n", ", "):
        assert read_keys(_written(NEW) + between + _written(OLD)) == (NEW, OLD)
    assert read_keys("  ") == ()


@pytest.mark.parametrize(
    "text",
    [
        "no-colon",
        "a:short",
        "a:" + base64.b64encode(bytes(16)).decode(),
        "a:" + base64.b64encode(bytes(32)).decode(),
        f"{_written(NEW)} {_written(NEW)}",
        _written(NEW).replace("new", "a name with blanks"),
        _written(NEW).replace("new", "ä"),
    ],
)
def test_wrong_keys_are_refused_and_not_quoted(text: str) -> None:
    """In one line that says which it is."""
    with pytest.raises(ValueError, match=r"^key ") as refused:
        read_keys(text)
    assert text.rpartition(":")[2] not in str(refused.value)


def test_a_service_without_its_key_does_not_write(database_url: DatabaseUrl) -> None:
    """Nor with another of that name; a new one before the old is how it goes on."""

    async def main() -> None:
        async with opened(database_url) as store:
            database = store.database
            await take_up(database, ())
            await take_up(database, (OLD,))
            await take_up(database, (OLD,))
            with pytest.raises(SettingsError, match="'old' is missing"):
                await take_up(database, ())
            with pytest.raises(SettingsError, match="'old' is missing"):
                await take_up(database, (NEW,))
            with pytest.raises(SettingsError, match="'old' is another"):
                await take_up(database, (key("old", 9),))
            await take_up(database, (NEW, OLD))
            with pytest.raises(SettingsError, match="'new' is missing"):
                await take_up(database, (OLD,))
            assert await give_up(database, "old")
            assert not await give_up(database, "old")
            await take_up(database, (NEW,))

    asyncio.run(main())
