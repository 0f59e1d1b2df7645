"""A recording from its first block to its file: cut off anywhere, finished by whoever is there."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.records.journals import locks
from agent.records.recordings import recording_files, stereo
from agent.records.recordings.audio_log import ENDING, AudioLog, DamagedError, LogHead, read_log
from agent.records.recordings.encoding import SEALED, about, finish
from agent.records.recordings.finishing import RecordingFinisher
from agent.records.recordings.kept import NoRecordingError, Recordings
from agent.records.recordings.recording_files import RecordingWriter
from agent.records.recordings.sides import PlacedAudio
from agent.records.recordings.silences import Silence
from agent.records.seals import NoSeal, Seal, SealError

RATE = 8000
HEAD = LogHead(rate=RATE, begin=RATE // 2)


class Masked(NoSeal):
    """Hides bytes so that a test sees them hidden, and finds what was changed."""

    def hide_bytes(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        yield b"masked"
        yield from (bytes(255 - one for one in block) for block in blocks)

    def show_bytes(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        whole = b"".join(blocks)
        if not whole.startswith(b"masked"):
            raise SealError("not masked")
        yield bytes(255 - one for one in whole[6:])


class AtOnce(Executor):
    """A thread that is this one."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def noise(seconds: float, seed: int = 1) -> bytes:
    numbers = np.random.default_rng(seed).integers(-9000, 9000, round(seconds * RATE))
    return numbers.astype("<i2").tobytes()


def write(path: Path, seal: Seal, *, ended: bool = True) -> None:
    """Six seconds, the caller's from 1 to 3 and 4 to 5, the agent's from 2 to 2.5 and 2.7."""
    log = AudioLog(path, HEAD, seal)
    log.add("caller", PlacedAudio(1 * RATE, noise(1.0, 1)))
    log.add("agent", PlacedAudio(2 * RATE, noise(0.5, 2)))
    log.add("caller", PlacedAudio(2 * RATE, noise(1.0, 3)))
    log.add("agent", PlacedAudio(round(2.7 * RATE), noise(0.1, 4)))
    log.add("caller", PlacedAudio(4 * RATE, noise(1.0, 5)))
    if ended:
        log.add("end", PlacedAudio(round(6.5 * RATE), b""))
    log.close()


def side(audio: stereo.StereoAudio, name: str) -> np.ndarray:
    return np.frombuffer(getattr(audio, name).pcm, "<i2")


@pytest.mark.parametrize("seal", [NoSeal(), Masked()])
@pytest.mark.parametrize("killed", [True, False])
def test_what_is_to_be_silenced_is_in_no_finished_recording(
    tmp_path: Path, seal: Seal, killed: bool
) -> None:
    """Nobody finishes it before all of that is known; what was not sure counts after a kill."""
    writer = RecordingWriter(
        tmp_path, seal, limit_mb=1000, min_free_mb=0, threads=AtOnce(), silenced=True
    )
    recording = writer.begin("a.1.flac", HEAD)
    recording.add([("caller", PlacedAudio(RATE, noise(4.0, 1)))])
    recording.add([("agent", PlacedAudio(RATE, noise(4.0, 2)))])
    writer.silence("another", Silence(who="caller", start=0.0, end=9.0))
    writer.silence("a.1", Silence(who="caller", start=1.5, end=2.0))
    writer.silence("a.1", Silence(who="agent", start=4.0, end=4.5, sure=False))
    part = tmp_path / f"a.1.flac{ENDING}"
    if killed:
        cut_off = part.read_bytes()
        recording.close(0)
        writer.settle("a.1")
        part.write_bytes(cut_off)
    else:
        recording.close(5 * RATE)
        with part.open("rb") as file:
            assert not locks.hold(file)  # so another process lets it be, too
        writer.settle("a.1")
    to = tmp_path / ("a.1.flac" + (SEALED if isinstance(seal, Masked) else ""))
    finish(part, to, seal, lambda _: True)
    (tmp_path / "shown.flac").write_bytes(b"".join(seal.show_bytes([to.read_bytes()])))
    audio = stereo.read(tmp_path / "shown.flac")
    for name, seed in (("caller", 1), ("agent", 2)):
        expected = np.frombuffer(bytes(RATE) + noise(4.0, seed), "<i2").copy()
        expected[RATE : RATE * 3 // 2] = 0
        if killed:
            expected[round(3.5 * RATE) : 4 * RATE] = 0
        assert np.array_equal(side(audio, name), expected)


@pytest.mark.parametrize("seal", [NoSeal(), Masked()])
def test_each_side_is_where_it_was(tmp_path: Path, seal: Seal) -> None:
    """To the sample, counted from the first that is in it; silence elsewhere."""
    part = tmp_path / f"a.flac{ENDING}"
    write(part, seal)
    to = tmp_path / ("a.flac" + (SEALED if isinstance(seal, Masked) else ""))
    done = finish(part, to, seal, lambda _: True)
    assert (done.began, done.seconds) == (0.5, 6.0)
    (tmp_path / "shown.flac").write_bytes(b"".join(seal.show_bytes([to.read_bytes()])))
    audio = stereo.read(tmp_path / "shown.flac")
    left, right = side(audio, "caller"), side(audio, "agent")
    assert len(left) == len(right) == 6 * RATE
    at = RATE // 2
    assert left[at : at + 2 * RATE].tobytes() == noise(1.0, 1) + noise(1.0, 3)
    assert not left[:at].any()
    assert not left[at + 2 * RATE : at + 3 * RATE].any()
    assert right[3 * at : 4 * at].tobytes() == noise(0.5, 2)
    assert not right[4 * at : round(2.2 * RATE)].any()
    with (tmp_path / "shown.flac").open("rb") as file:
        assert about(file) == done


@pytest.mark.parametrize("seal", [NoSeal(), Masked()])
def test_cut_off_anywhere_what_was_written_is_there(tmp_path: Path, seal: Seal) -> None:
    """Up to the block that was cut, in its place."""
    whole = tmp_path / f"whole.flac{ENDING}"
    write(whole, seal)
    content = whole.read_bytes()
    with whole.open("rb") as file:
        blocks = read_log(file)[1]
        begun = blocks[0].offset - 17
    for cut in [*range(0, len(content), 997), begun, len(content) - 1]:
        part = tmp_path / f"cut.flac{ENDING}"
        part.write_bytes(content[:cut])
        if cut < begun:
            with part.open("rb") as file, pytest.raises(DamagedError):
                read_log(file)
            continue
        done = finish(part, tmp_path / "cut.flac", seal, lambda _: True)
        left = [one for one in blocks if one.offset + one.length <= cut and one.side == "caller"]
        if left:
            assert done.seconds >= (left[-1].start + RATE) / RATE - 0.5
            audio = stereo.read(tmp_path / "cut.flac")
            assert side(audio, "caller")[RATE // 2 : 3 * RATE // 2].tobytes() == noise(1.0, 1)


def test_what_is_changed_or_nonsense_is_not_taken_for_audio(tmp_path: Path) -> None:
    """It ends there; zeroes, which a power cut leaves, are no blocks either."""
    part = tmp_path / f"a.flac{ENDING}"
    write(part, NoSeal())
    content = bytearray(part.read_bytes())
    content[-20_000:] = bytes(20_000)
    part.write_bytes(content)
    assert finish(part, tmp_path / "a.flac", NoSeal(), lambda _: True).seconds == 2.0
    for nonsense in (b"", b"{}", b"\0" * 100, b'{"rate": 0, "begin": 1}\n', os.urandom(5000)):
        part.write_bytes(nonsense)
        with pytest.raises(DamagedError):
            finish(part, tmp_path / "b.flac", NoSeal(), lambda _: True)
    assert part.exists()


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100, 48000, 96000])
@pytest.mark.parametrize("ending", [".flac", ".opus"])
def test_every_rate_of_the_platform_in_every_format(tmp_path: Path, rate: int, ending: str) -> None:
    """A tone begins where it began, within two milliseconds."""
    part = tmp_path / f"a{ending}{ENDING}"
    log = AudioLog(part, LogHead(rate=rate, begin=0), NoSeal())
    tone = 9000 * np.sin(2 * np.pi * 400 * np.arange(rate) / rate)
    log.add("agent", PlacedAudio(rate, tone.astype("<i2").tobytes()))
    log.add("end", PlacedAudio(3 * rate, b""))
    log.close()
    finish(part, tmp_path / f"a{ending}", NoSeal(), lambda _: True)
    audio = stereo.read(tmp_path / f"a{ending}")
    heard = side(audio, "agent")
    assert abs(np.flatnonzero(np.abs(heard.astype(int)) > 900)[0] / audio.agent.rate - 1) < 0.002
    assert abs(audio.agent.seconds - 3.0) < 0.001


# Within bounds


def writer(folder: Path, *, limit_mb: float = 1000, min_free_mb: float = 0) -> RecordingWriter:
    return RecordingWriter(
        folder, NoSeal(), limit_mb=limit_mb, min_free_mb=min_free_mb, threads=AtOnce()
    )


def test_a_folder_at_its_limit_takes_no_more(tmp_path: Path) -> None:
    """What was written stays, and can be finished."""
    writing = writer(tmp_path, limit_mb=0.1)
    file = writing.begin("a.flac", HEAD)
    assert file.failed is None
    writing._looked_at = writing._counted_at = -100.0
    for n in range(10):
        file.add([("caller", PlacedAudio(n * RATE, noise(1.0)))])
        writing._looked_at = -100.0
    assert file.failed == "limit"
    size = (tmp_path / f"a.flac{ENDING}").stat().st_size
    assert 100_000 < size < 130_000
    file.close(10 * RATE)
    other = writer(tmp_path, limit_mb=0.1).begin("b.flac", HEAD)
    assert other.failed == "limit"
    other.discard()
    assert writing.counts.stopped == {"limit": 1}
    finish(tmp_path / f"a.flac{ENDING}", tmp_path / "a.flac", NoSeal(), lambda _: True)


def test_a_disk_that_is_nearly_full_is_left_to_others(tmp_path: Path) -> None:
    """By free space."""
    file = writer(tmp_path, min_free_mb=1e12).begin("a.flac", HEAD)
    assert file.failed == "disk"
    file.discard()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_costs_the_recording_alone(tmp_path: Path) -> None:
    """Here a file is in its place."""
    (tmp_path / "file").write_text("")
    file = writer(tmp_path / "file").begin("a.flac", HEAD)
    file.add([("caller", PlacedAudio(RATE, noise(1.0)))])
    file.close(RATE)
    assert file.failed == "disk"


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_disk_that_is_full_costs_the_recording_alone(tmp_path: Path) -> None:
    """A write that fails, in the middle of a call."""
    writing = writer(tmp_path)
    file = writing.begin("a.flac", HEAD)
    assert file._log is not None
    file._log._file.close()
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123 - as the log has it
        file._log._file = full
        file.add([("caller", PlacedAudio(RATE, noise(1.0)))])
    assert file.failed == "disk"
    assert writing.counts.stopped == {"disk": 1}


def test_a_disk_that_does_not_keep_up_costs_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it is bounded, for all calls together."""
    monkeypatch.setattr(recording_files, "MOST_WAITING", 100_000)

    class Hanging(AtOnce):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            return Future()

    writing = RecordingWriter(tmp_path, NoSeal(), limit_mb=1, min_free_mb=0, threads=Hanging())
    file = writing.begin("a.flac", HEAD)
    for n in range(20):
        file.add([("caller", PlacedAudio(n * RATE, noise(1.0)))])
    assert file.failed == "slow"
    assert writing._waiting <= 100_000


# Finished by whoever comes next


def finished(recordings: Recordings, **counts: Any) -> list[tuple[str, Mapping[str, object]]]:
    """Have a process that starts see to all that there is; return what it tells."""
    told: list[tuple[str, Mapping[str, object]]] = []

    async def main() -> None:
        finisher = RecordingFinisher(
            recordings, "flac", recording_files.RecordingCounts(), lambda *one: told.append(one)
        )
        await finisher._see_to_all()
        await finisher.aclose()

    asyncio.run(main())
    return told


WRITES = """
import sys, time
from pathlib import Path
from agent.records.recordings.audio_log import AudioLog, LogHead
from agent.records.seals import NoSeal
from agent.records.recordings.sides import PlacedAudio
from agent.records.recordings.silences import Silence
log = AudioLog(Path(sys.argv[1]), LogHead(rate=8000, begin=0), NoSeal())
for n in range(100_000):
    log.add("caller", PlacedAudio(n * 800, bytes([n % 250 + 1, 1]) * 800))
    if n == 50:
        print("written", flush=True)
"""


def test_a_process_that_is_killed_loses_nothing_that_it_wrote(tmp_path: Path) -> None:
    """Nobody else finishes what one that lives is writing; the next process does, after kill -9."""
    part = tmp_path / f"killed.flac{ENDING}"
    process = subprocess.Popen([sys.executable, "-c", WRITES, str(part)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    assert finished(Recordings(tmp_path, NoSeal())) == []
    process.kill()
    process.wait()
    process.stdout.close()
    size = part.stat().st_size
    ((record, fields),) = finished(Recordings(tmp_path, NoSeal()))
    assert (record, fields["status"], fields["file"]) == ("killed", "stored", "killed.flac")
    blocks = size // (800 * 2 + 17)
    assert fields["seconds"] == pytest.approx(blocks / 10, abs=0.11)
    heard = side(stereo.read(tmp_path / "killed.flac"), "caller")
    assert heard.all()
    assert not part.exists()


def test_what_is_no_recording_is_told_of_once_and_let_be(tmp_path: Path) -> None:
    """It is not looked at again."""
    (tmp_path / f"a.flac{ENDING}").write_bytes(b"nonsense")
    recordings = Recordings(tmp_path, NoSeal())
    assert finished(recordings) == [("a", {"status": "failed"})]
    assert finished(recordings) == []
    assert [one.name for one in tmp_path.iterdir()] == [f"a.flac{ENDING}.damaged"]


# Read, deleted, silenced


@pytest.mark.parametrize("seal", [NoSeal(), Masked()])
def test_a_recording_is_read_silenced_and_deleted_by_its_name(tmp_path: Path, seal: Seal) -> None:
    """Hidden or not, its record knows it by one name."""
    write(tmp_path / f"a.flac{ENDING}", seal)
    recordings = Recordings(tmp_path, seal)
    with pytest.raises(NoRecordingError, match="not finished yet"):
        recordings.find("a.flac")
    finished(recordings)
    place = recordings.find("a.flac")
    assert place.sealed == isinstance(seal, Masked)
    assert place.content_type == "audio/flac"
    recordings.silence("a.flac", [(0.5, 1.0), (5.9, 99.0)])
    again = recordings.find("a.flac")
    (tmp_path / "heard.flac").write_bytes(b"".join(recordings.read(again)))
    left = side(stereo.read(tmp_path / "heard.flac"), "caller")
    assert not left[RATE // 2 : RATE].any()
    assert left[RATE : RATE + RATE // 2].any()
    with (tmp_path / "heard.flac").open("rb") as file:
        assert about(file).began == 0.5
    (tmp_path / "heard.flac").unlink()
    recordings.delete("a.flac")
    recordings.delete("a.flac")
    assert not list(tmp_path.iterdir())
    with pytest.raises(NoRecordingError, match="deleted"):
        recordings.find("a.flac")


@pytest.mark.parametrize("name", ["../a.flac", "/etc/passwd", "a.wav", "", ".flac", "x/a.flac"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Whatever a record says."""
    with pytest.raises(NoRecordingError):
        Recordings(tmp_path, NoSeal()).delete(name)


def test_one_that_is_deleted_while_it_is_finished_is_gone(tmp_path: Path) -> None:
    """And what was made of it."""
    part = tmp_path / f"a.flac{ENDING}"
    write(part, NoSeal())

    def rest(_: float) -> bool:
        part.unlink(missing_ok=True)
        return True

    with pytest.raises(FileNotFoundError):
        finish(part, tmp_path / "a.flac", NoSeal(), rest)
    assert not list(tmp_path.iterdir())


def test_links_and_pipes_are_no_recordings(tmp_path: Path) -> None:
    """No link is followed, no pipe waited for, and what lies beside them is finished."""
    folder, outside = tmp_path / "recordings", tmp_path / "outside"
    write(folder / f"good.flac{ENDING}", NoSeal())
    write(outside, NoSeal())
    (folder / f"evil.flac{ENDING}").symlink_to(outside)
    os.mkfifo(folder / f"fifo.flac{ENDING}")
    (folder / "link.flac").symlink_to(outside)
    os.mkfifo(folder / "pipe.flac")
    recordings = Recordings(folder, NoSeal(), "memory:///")
    told = [(name, fields["status"]) for name, fields in finished(recordings)]
    assert told == [
        ("evil", "failed"),
        ("fifo", "failed"),
        ("good", "stored"),
        ("good", "stored"),
    ]
    assert outside.exists()
    for name in ("link.flac", "pipe.flac"):
        with pytest.raises(NoRecordingError, match="no file"):
            recordings.find(name)
