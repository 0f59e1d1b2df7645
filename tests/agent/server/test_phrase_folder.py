"""Sentences in files: whole or not at all, private, bounded, and no burden on the loop."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr
from structlog.testing import capture_logs

from agent.server import phrase_folder
from agent.server.phrase_folder import PhraseFolder, voice_identity
from pipelines.audio import Audio

KEY = ("Hello, who is this?", 8000)
AUDIO = Audio(bytes(range(250)) * 64, 16_000)


def folder_of(path: Path, voice: str = "joe", most_bytes: int = 10**6) -> PhraseFolder:
    return PhraseFolder(path / "phrases", voice, most_bytes)


def files(path: Path) -> list[Path]:
    return sorted((path / "phrases").iterdir())


def test_what_is_saved_is_there_for_another_process(tmp_path: Path) -> None:
    """For the same voice, rate and text, and for no other."""

    async def main() -> None:
        await folder_of(tmp_path).save(KEY, AUDIO)
        others = [("Hello.", 8000), (KEY[0], 16_000)]
        assert await folder_of(tmp_path).load([KEY, *others]) == {KEY: AUDIO}
        assert await folder_of(tmp_path, voice="amy").load([KEY]) == {}

    asyncio.run(main())


def test_files_are_their_owners_alone_and_say_nothing_by_their_names(tmp_path: Path) -> None:
    """A greeting may be private."""
    asyncio.run(folder_of(tmp_path).save(KEY, AUDIO))
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "hello" not in file.name.lower()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_no_sentence_and_is_made_anew(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Cut off or changed anywhere, or something else altogether."""
    tmp_path = tmp_path_factory.mktemp("damaged")
    asyncio.run(folder_of(tmp_path).save(KEY, AUDIO))
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(1, 255))
    changed = whole[:at] + bytes([whole[at] ^ other]) + whole[at + 1 :]
    damaged = data.draw(st.sampled_from([whole[:at], changed, whole + b"\0\0", b"", changed[:40]]))
    file.write_bytes(damaged)

    async def main() -> None:
        assert KEY not in await folder_of(tmp_path).load([KEY]) or damaged == whole
        await folder_of(tmp_path).save(KEY, AUDIO)
        assert await folder_of(tmp_path).load([KEY]) == {KEY: AUDIO}

    asyncio.run(main())


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    """However many agents come and go, the folder is bounded; what a crash left goes with them."""

    async def main() -> None:
        kept = folder_of(tmp_path, most_bytes=5 * (len(AUDIO.pcm) + 100))
        (tmp_path / "phrases").mkdir()
        left = tmp_path / "phrases" / "tmp123.phrase"
        left.write_bytes(bytes(1000))
        os.utime(left, (0, 0))
        for number in range(12):
            await kept.save((f"Sentence {number}.", 8000), AUDIO)
            for at, path in enumerate(sorted(files(tmp_path), key=lambda one: one.stat().st_mtime)):
                os.utime(path, (number + at / 100, number + at / 100))
            assert await kept.load([("Sentence 0.", 8000)])
        assert len(files(tmp_path)) <= 5
        assert not left.exists()

    asyncio.run(main())


def test_a_disk_that_fails_costs_no_call(tmp_path: Path) -> None:
    """It is logged once, and again only after it has worked."""
    (tmp_path / "phrases").write_text("a file where the folder should be")

    async def main() -> None:
        kept = folder_of(tmp_path)
        for _ in range(3):
            await kept.save(KEY, AUDIO)
            assert await kept.load([KEY]) == {}
        (tmp_path / "phrases").unlink()
        await kept.save(KEY, AUDIO)
        assert await kept.load([KEY]) == {KEY: AUDIO}

    with capture_logs() as logs:
        asyncio.run(main())
    assert [line["event"] for line in logs] == ["phrases cannot be kept"]


def test_a_disk_that_hangs_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The voice is asked after a moment, and nothing piles up behind the disk."""
    monkeypatch.setattr(phrase_folder, "WITHIN", 0.05)

    async def main() -> None:
        kept = folder_of(tmp_path)
        (tmp_path / "phrases").mkdir()
        os.mkfifo(tmp_path / "phrases" / "pipe")
        path = kept._path(KEY)
        (tmp_path / "phrases" / "pipe").rename(path)  # opening it waits for somebody who writes
        assert await kept.load([KEY]) == {}
        began = asyncio.get_running_loop().time()
        for _ in range(100):
            assert await kept.load([KEY]) == {}
        assert asyncio.get_running_loop().time() - began < 1.0
        os.close(os.open(path, os.O_WRONLY))
        kept.close()

    with capture_logs():
        asyncio.run(main())


class _Options(BaseModel):
    model: str = "a"
    api_key: SecretStr | None = None


def test_a_voice_is_what_its_settings_make_it_and_no_key() -> None:
    """Another model is another voice; another key is the same."""
    first = voice_identity("mine", _Options(api_key=SecretStr("one")))
    assert first == voice_identity("mine", _Options(api_key=SecretStr("two")))
    assert first != voice_identity("mine", _Options(model="b"))
    assert first != voice_identity("other", _Options(api_key=SecretStr("one")))
    assert "one" not in first
