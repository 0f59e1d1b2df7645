"""What a line does to a caller's voice."""

from __future__ import annotations

from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest

from agent.cli.options import LINES, line_name
from agent.simulator.call_in_progress import CallInProgress
from agent.simulator.echo import EchoLine
from agent.simulator.line import QUALITIES, Kind, LineQuality, TelephoneLine, on_line
from agent.simulator.plan import LineName, Plan

CLEAN = LineQuality(noise=-120, echo=None, loss=0.0)
RATE = 8000
SILENCE = bytes(320)


def tone(frequency: float, seconds: float = 1.0, level: float = 0.3) -> bytes:
    samples = level * 32767 * np.sin(2 * np.pi * frequency * np.arange(RATE * seconds) / RATE)
    return bytes(samples.astype("<i2").tobytes())


def carried(line: TelephoneLine, pcm: bytes, played: bytes = b"") -> npt.NDArray[np.float64]:
    frames = range(0, len(pcm), 320)
    out = [line.carry(pcm[at : at + 320], played[at : at + 320] or SILENCE) for at in frames]
    return np.frombuffer(b"".join(out), "<i2") / 32767


def decibels(samples: npt.NDArray[np.float64]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples[2000:]))) + 1e-9))


@pytest.mark.parametrize(("frequency", "least", "most"), [(1000, -1, 1), (60, -90, -40)])
def test_only_the_band_of_a_telephone_passes(frequency: float, least: float, most: float) -> None:
    """A voice does, the mains do not; frames join without a click."""
    pcm = tone(frequency)
    change = decibels(carried(TelephoneLine(CLEAN, RATE), pcm)) - decibels(
        np.frombuffer(pcm, "<i2") / 32767
    )
    assert least <= change <= most


def test_eight_bits_leave_a_voice_clean() -> None:
    """G.711 keeps noise some 37 dB below whatever is said."""
    out = carried(TelephoneLine(CLEAN, RATE), tone(1000))[2000:]
    angle = 2 * np.pi * 1000 * np.arange(len(out)) / RATE
    basis = np.stack((np.sin(angle), np.cos(angle)), axis=1)
    rest = out - basis @ np.linalg.lstsq(basis, out)[0]
    assert -45 < 10 * np.log10(np.mean(rest**2) / np.mean(out**2)) < -33


def test_what_the_phone_plays_comes_back_later_and_softer() -> None:
    """120 ms, 25 dB."""
    line = TelephoneLine(LineQuality(noise=-120, echo=-25, loss=0.0), RATE)
    out = carried(line, bytes(2 * RATE), tone(1000))
    assert not np.any(np.abs(out[: 6 * 160]) > 1e-3)
    assert decibels(out) == pytest.approx(20 * np.log10(0.3 / 2**0.5) - 25, abs=1)


def test_packets_are_lost_as_often_as_it_says_and_made_up_for() -> None:
    """In bursts, and with no hole as long as they are short."""
    line = TelephoneLine(LineQuality(noise=-120, echo=None, loss=0.04, burst=0.5), RATE)
    out = carried(line, tone(1000, 40)).reshape(-1, 160)
    levels = np.sqrt(np.square(out).mean(axis=1))[5:]
    lost = levels < 0.75 * np.median(levels)
    assert 0.05 < lost.mean() < 0.10  # 0.04 / (0.04 + 0.5) is 0.074
    assert levels[lost].max() > 0.05


@pytest.mark.parametrize("kind", QUALITIES)
def test_two_calls_over_one_kind_of_line_are_the_same(kind: Kind) -> None:
    """What is measured can be measured again; the recording has what was said, not what arrived."""

    def held() -> tuple[bytes, bytes]:
        call = CallInProgress(on_line(Plan(rate=RATE), kind), lambda _at, _line: None)
        return b"".join(call.frame() for _ in range(50)), bytes(call.caller_channel)

    sent, said = held()
    assert (sent, said) == held()
    assert said == bytes(50 * 320)
    assert sent != said


def test_a_clean_line_is_none() -> None:
    """Nothing is changed, and SciPy is not needed."""
    assert on_line(Plan(), "clean").line is None


def test_packets_are_late_in_bunches_and_none_is_lost() -> None:
    """A stall of 40 to 200 ms, and all of it at once: the same sound, later."""
    spoken = tone(1000, 20)
    line = TelephoneLine(LineQuality(noise=-120, echo=None, loss=0.0, late=0.02), RATE)
    arrived = [line.carry(spoken[at : at + 320], SILENCE) for at in range(0, len(spoken), 320)]
    sizes = [len(piece) // 320 for piece in arrived]
    bunches = [size for size in sizes if size > 1]
    assert 5 <= len(bunches) <= 40
    assert 2 < min(bunches) <= max(bunches) <= 11
    steady = TelephoneLine(LineQuality(noise=-120, echo=None, loss=0.0), RATE)
    whole = b"".join(steady.carry(spoken[at : at + 320], SILENCE) for at in range(0, 320_000, 320))
    found = b"".join(arrived)
    assert len(spoken) - len(found) < 11 * 320
    same = np.frombuffer(found, "<i2").astype(int) - np.frombuffer(whole[: len(found)], "<i2")
    assert np.abs(same).max() < 50  # their noise is not the same


def test_a_line_stands_behind_the_one_of_a_plan() -> None:
    """An echo that a situation has is heard over a telephone, too."""
    plan = Plan(rate=RATE, line=lambda: EchoLine(10, 0.02))
    made = on_line(plan, "landline").line
    assert made is not None
    line, frame = made(), tone(1000, 0.02)
    out = [np.frombuffer(line.carry(SILENCE, frame), "<i2") for _ in range(20)]
    assert np.abs(out[-1]).max() > 1000
    assert on_line(plan, "clean").line is plan.line


@pytest.mark.parametrize("name", LINES)
def test_every_line_has_its_name(name: str) -> None:
    """The list of the options is that of the plan; what was `clear` is still taken."""
    assert line_name(name) == name
    assert set(LINES) == set(get_args(LineName)) == {"clean", *QUALITIES}
    assert line_name("clear") == "clean"
