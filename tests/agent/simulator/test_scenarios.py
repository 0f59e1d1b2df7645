"""The file of situations: what ships, what may stand in it, how a mistake is told."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from agent.cli import main
from agent.simulator import scenarios
from agent.simulator.echo import EchoLine
from agent.simulator.plan import Cue
from agent.simulator.scenarios import ScenarioError, Situation, joining
from agent.simulator.stretches import sounding
from pipelines.audio import FRAME_SECONDS
from tests.recordings import FOLDER

RECORDINGS = scenarios.DEFAULT.parent / "recordings"


def test_the_situations_that_ship() -> None:
    """All kinds are there, from recordings that are the same as the tests'."""
    found = scenarios.load()
    assert Counter(situation.kind for situation in found) == {
        "turn": 14, "pause": 30, "hesitation": 13, "goes-on": 18, "digits": 5, "spelling": 3,
        "answer": 20, "barge-in": 10, "backchannel": 9, "noise": 7, "background": 6, "echo": 3,
        "pick-up": 2,
    }  # fmt: skip
    for path in RECORDINGS.glob("*.wav"):
        original = FOLDER / path.name
        assert not original.exists() or original.read_bytes() == path.read_bytes()
    long, longer = (
        s.plan.turns[0].audio.seconds for s in found if s.name.startswith("desk, pause 1")
    )
    assert longer - long == pytest.approx(0.5)
    entries = {(s.kind, s.name.partition(",")[0]) for s in found}
    assert len({s.fingerprint for s in found}) == len(entries)


def made(tmp_path: Path, entry: str) -> list[Situation]:
    """Return the situations of one entry, from our recordings."""
    shutil.copytree(RECORDINGS, tmp_path / "recordings", dirs_exist_ok=True)
    (tmp_path / "own.yaml").write_text(f"situations: [{{{entry}}}]")
    return scenarios.load(tmp_path / "own.yaml")


def quiet(situation: Situation) -> list[float]:
    """Return the pauses of 100 ms or more that are heard in the first turn."""
    audio = situation.plan.turns[0].audio
    frames = np.flatnonzero(sounding(audio.pcm, audio.rate))
    gaps = (np.diff(frames) - 1) * FRAME_SECONDS
    return [round(float(gap), 2) for gap in gaps if gap >= 0.1]


def test_groups_are_as_far_apart_as_is_said(tmp_path: Path) -> None:
    """Recordings are joined without their own silence."""
    entry = 'name: n, kind: digits, groups: ["4 1", "5 5"], gap: 0.3, pauses: [0.5, 1.0]'
    short, long = made(tmp_path, entry)
    assert short.pause == 0.5
    assert [gap for gap in quiet(short) if gap > 0.2] == pytest.approx([0.3, 0.5, 0.3], abs=0.03)
    assert [gap for gap in quiet(long) if gap > 0.2] == pytest.approx([0.3, 1.0, 0.3], abs=0.03)


def test_a_filler_is_said_early_in_the_pause(tmp_path: Path) -> None:
    """After it the pause is as long as is said."""
    (one,) = made(
        tmp_path,
        "name: n, kind: hesitation, recording: which-folder, at: 1.21, filler: um, pauses: [1.0]",
    )
    long = [gap for gap in quiet(one) if gap >= 0.2]
    assert long[-1] == pytest.approx(1.0, abs=0.1)
    assert long[-2] == pytest.approx(joining.INTO_THE_PAUSE, abs=0.1)


def test_a_talker_is_so_far_below_the_caller(tmp_path: Path) -> None:
    """By the level of what sounds, and only once the reply has begun."""
    near, far = made(
        tmp_path,
        "name: n, kind: background, recording: hello, talker: press-one, below: [8, 20], after: 2",
    )
    assert near.plan.turns[1].cue == Cue(event="reply", seconds=2)

    def level(situation: Situation) -> float:
        samples = np.frombuffer(situation.plan.turns[1].audio.pcm, "<i2").astype(float)
        return 10 * float(np.log10(np.mean(np.square(samples))))

    assert level(near) - level(far) == pytest.approx(12, abs=0.2)


def test_an_answer_is_placed_when_the_opening_is_known(tmp_path: Path) -> None:
    """So many seconds after its first sound, from the first sound of the answer."""
    early, late = made(tmp_path, 'name: n, kind: answer, recording: "yes", offsets: [-0.15, 0.5]')
    assert early.answering(4.0).turns[0].cue == Cue(event="opening", seconds=3.85)
    assert late.answering(4.0).turns[0].cue == Cue(event="opening", seconds=4.5)
    audio = late.plan.turns[0].audio
    assert sounding(audio.pcm, audio.rate)[0]


def test_the_name_and_the_recordings_make_the_fingerprint(tmp_path: Path) -> None:
    """Not the rate: results of one file are compared whatever the line."""
    entry = "name: n, kind: turn, recording: hello"
    (before,) = made(tmp_path, entry)
    assert scenarios.load(tmp_path / "own.yaml", 16_000)[0].fingerprint == before.fingerprint
    shutil.copy(RECORDINGS / "goodbye.wav", tmp_path / "recordings" / "hello.wav")
    assert scenarios.load(tmp_path / "own.yaml")[0].fingerprint != before.fingerprint


def test_an_echo_comes_back_later_and_softer() -> None:
    """And nothing else is changed."""
    line = EchoLine(20, 0.04)
    loud, soft = np.full(160, 10_000, "<i2").tobytes(), np.full(160, 1_000, "<i2").tobytes()
    assert [line.carry(bytes(320), loud) for _ in range(3)] == [bytes(320), bytes(320), soft]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file: Input should be a valid dictionary"),
        ("situations: []", "situations: List should have at least 1 item"),
        ("situations: [{name: a, kind: b}]", "does not match any of the expected tags"),
        ("situations: [{name: a, kind: turn}]", "situations.0.turn.recording: Field required"),
        ("situations: [{name: a, kind: turn, recording: x}]", "No such file"),
        ("situations: [{name: a, kind: turn, recording: ../x}]", "without their folder"),
        ("situations: [{name: a, kind: noise, sound: hum, decibels: 5, after: 1}]", "decibels"),
        ("situations: [{name: a, kind: digits, groups: [x], pauses: [1]}]", "at least 2 items"),
        ("situations: [{name: a, kind: digits, groups: [x, ' '], pauses: [1]}]", "groups.1"),
        ("situations: [{name: a, kind: answer, recording: x, offsets: [9]}]", "offsets.0"),
        ("situations: [{name: a, kind: echo, below: [-3]}]", "below.0"),
        ("situations: [{name: a, kind: echo, below: [3], delay: 0}]", "delay"),
        ("situations: [{name: a, kind: background, recording: x, below: [8]}]", "talker: Field"),
        ("situations: [{name: a, kind: pick-up, recording: x}]", "at: Field required"),
        ("a: [", "no YAML"),
        ("\0", "no YAML"),
        (
            "situations: [&a {name: a, kind: noise, sound: hum, decibels: -9, after: 1}, *a]",
            "two situations are named 'a'",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command too, before anybody is called."""
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert main(["evaluate", "ws://127.0.0.1:1", "--scenarios", str(path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(ScenarioError, match=r"none\.yaml: No such file"):
        scenarios.load(tmp_path / "none.yaml")
