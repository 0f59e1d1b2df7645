"""Who is speaking, and when: on recorded speech, on noise, and beside one another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipelines
from pipelines.audio import SPEECH_RATE, Audio, Chunker, Resampler
from pipelines.listening.detectors import (
    DetectorSettings,
    GatedDetector,
    NewDetector,
    SileroDetector,
    detectors,
)
from pipelines.listening.gate import SpeechGate
from pipelines.listening.speech_events import SpeechEnded, SpeechEvent, SpeechStarted
from pipelines.onnx import Arrays, load_session
from tests import recordings
from tests.pipelines.listening.frames import FRAME, GATE, marked, speeches

LINE_RATE = 8_000
MODELS = Path(pipelines.__file__).parent / "models"


@cache
def default() -> NewDetector:
    """The default detectors, loaded once for all tests."""
    return detectors(DetectorSettings())


class Heard:
    """A detector that has a frame for voice if its bytes are not all zero; it notes what it got."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def voiced(self, frame: bytes) -> bool:
        self.frames.append(frame)
        return any(frame)


def line(*parts: Audio | float) -> bytes:
    """What the line carries: recordings, and seconds of its own faint noise."""
    rng = np.random.default_rng(1)
    pcm = b""
    for part in parts:
        if isinstance(part, Audio):
            pcm += part.pcm
        else:
            pcm += rng.normal(0, 4, round(part * LINE_RATE)).astype("<i2").tobytes()
    return pcm


def events(pcm: bytes, new: NewDetector, pieces: Sequence[int] = ()) -> list[SpeechEvent]:
    """Take a call's audio down the inbound path, cut into pieces of so many bytes."""
    resampler, chunker = Resampler(LINE_RATE, SPEECH_RATE), Chunker(len(FRAME))
    detector, gate = new(), SpeechGate(GATE, SPEECH_RATE)
    found: list[SpeechEvent] = []
    at = 0
    for size in (*pieces, len(pcm)):
        for frame in chunker.feed(resampler.feed(pcm[at : at + size])):
            found += gate.feed(frame, detector.voiced(frame))
        at += size
    return found


@pytest.mark.parametrize("name", sorted(recordings.TRANSCRIPTS))
def test_recorded_speech_is_heard(name: str) -> None:
    """Each recording, down to a single word, is one speech that starts and ends."""
    found = events(line(0.7, recordings.load(name), 1.0), default())
    bounds = [e for e in found if isinstance(e, SpeechStarted | SpeechEnded)]
    assert [type(e) for e in bounds] == [SpeechStarted, SpeechEnded]
    assert speeches(found)


def test_the_start_of_speech_is_known_within_a_fifth_of_a_second() -> None:
    """From the first sound to SpeechStarted, in audio time, no recording takes 0.2 s."""
    for name in recordings.TRANSCRIPTS:
        audio = recordings.load(name)
        levels = np.abs(np.frombuffer(audio.pcm, "<i2").astype(float))
        onset = 0.7 + np.flatnonzero(levels > levels.max() * 0.05)[0] / LINE_RATE
        resampler, chunker = Resampler(LINE_RATE, SPEECH_RATE), Chunker(len(FRAME))
        detector, gate = default()(), SpeechGate(GATE, SPEECH_RATE)
        frames = list(chunker.feed(resampler.feed(line(0.7, audio, 0.2))))
        started = next(
            number * 0.02
            for number, frame in enumerate(frames, 1)
            if list(gate.feed(frame, detector.voiced(frame)))
        )
        assert started - onset <= 0.2, name


@pytest.mark.parametrize("amplitude", [0, 4, 300, 3_000])
def test_noise_is_not_speech(amplitude: int) -> None:
    """Silence, line noise and loud white noise start nothing."""
    noise = np.random.default_rng(2).normal(0, amplitude, 5 * LINE_RATE)
    assert not events(noise.astype("<i2").tobytes(), default())


def test_clicks_are_not_speech() -> None:
    """Loud clicks of 1 to 10 ms start nothing."""
    rng = np.random.default_rng(3)
    pcm = rng.normal(0, 4, 10 * LINE_RATE)
    for at in range(LINE_RATE, len(pcm), LINE_RATE // 2):
        click = rng.normal(0, 10_000, rng.integers(8, 80))
        pcm[at : at + len(click)] += click[: len(pcm) - at]
    assert not events(np.clip(pcm, -32768, 32767).astype("<i2").tobytes(), default())


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 2_000), max_size=30))
def test_the_cut_of_the_audio_makes_no_difference(pieces: list[int]) -> None:
    """Any pieces, odd byte counts too, give the same events with the same audio."""
    pcm = line(0.3, recordings.load("hello"), 0.8, recordings.load("no"), 0.7)
    assert events(pcm, default(), pieces) == events(pcm, default())


def test_calls_do_not_hear_each_other() -> None:
    """Two calls on one loaded model, frame by frame in turn, are as if each were alone."""
    resampled = [
        Resampler(LINE_RATE, SPEECH_RATE).feed(line(0.3, recordings.load(name), 0.5))
        for name in ("goodbye", "thank-you")
    ]
    calls = [list(Chunker(len(FRAME)).feed(pcm)) for pcm in resampled]
    together = default()(), default()()
    verdicts: list[list[bool]] = [[], []]
    for pair in zip(*calls, strict=False):
        for verdict, detector, frame in zip(verdicts, together, pair, strict=True):
            verdict.append(detector.voiced(frame))
    for verdict, frames in zip(verdicts, calls, strict=True):
        alone = default()()
        assert verdict == [alone.voiced(frame) for frame in frames[: len(verdict)]]
        assert any(verdict)


def test_the_judge_sleeps_until_the_gate_hears_something() -> None:
    """It then hears the latest frames first, every later one once, and in the end none."""
    judges: list[Heard] = []

    def new_judge() -> Heard:
        judges.append(Heard())
        return judges[-1]

    detector = GatedDetector(Heard(), new_judge)
    silence, context = 50, GatedDetector.CONTEXT
    for _ in range(silence):
        assert not detector.voiced(FRAME)
    assert not judges
    assert detector.voiced(marked(1))
    for _ in range(silence):
        assert not detector.voiced(FRAME)
    (judge,) = judges
    assert judge.frames == [FRAME] * context + [marked(1)] + [FRAME] * (GatedDetector.HOLD - 1)


def test_a_new_judge_hears_nothing_that_another_heard() -> None:
    """After a sleep shorter than the context, it is given that sleep and no more."""
    judges: list[Heard] = []

    def new_judge() -> Heard:
        judges.append(Heard())
        return judges[-1]

    detector = GatedDetector(Heard(), new_judge)
    for number in (0, 0, *range(1, 6), *[0] * (GatedDetector.HOLD + 2), 6):
        detector.voiced(marked(number))
    assert judges[1].frames == [FRAME] * 3 + [marked(6)]


def test_silero_is_given_each_sample_once_and_its_context() -> None:
    """Its windows are 512 samples end to end, each after the 64 before it; state goes round."""

    class Session:
        """Counts its runs in the state it hands back."""

        def __init__(self) -> None:
            self.windows: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = []

        def run(self, inputs: Arrays, outputs: Arrays) -> None:
            assert inputs["input"].shape == (1, 576)
            assert np.all(inputs["h"] == len(self.windows))
            assert np.all(inputs["c"] == -len(self.windows))
            self.windows.append(inputs["input"][0].copy())
            outputs["hn"][:], outputs["cn"][:] = inputs["h"] + 1, inputs["c"] - 1

    session = Session()
    detector = SileroDetector(lambda *arrays: partial(session.run, *arrays))
    samples = np.arange(1, 16 * 320 + 1, dtype="<i2")
    for frame in samples.reshape(16, 320):
        detector.voiced(frame.tobytes())
    assert len(session.windows) == 10
    stream = np.concatenate((np.zeros(64), samples / 32768)).astype(np.float32)
    for number, window in enumerate(session.windows):
        assert np.array_equal(window, stream[512 * number : 512 * number + 576])


def test_silero_written_anew_answers_as_the_one_that_is_published() -> None:
    """Window by window over all recordings, but for the noise of float32; several calls at once."""
    published = load_session(MODELS / "silero_vad_16k_sequence.onnx")
    ours = load_session(MODELS / "silero_vad_16k_products.onnx")
    pcm = b"".join(recordings.load(name).pcm for name in sorted(recordings.TRANSCRIPTS))
    sound = Resampler(LINE_RATE, SPEECH_RATE).feed(pcm)
    samples = np.frombuffer(sound, "<i2").astype(np.float32) / 32768
    windows = np.lib.stride_tricks.sliding_window_view(samples, 576)[::512]
    windows = windows[: len(windows) // 2 * 2].reshape(2, -1, 576)
    none = np.zeros((1, 1, 128), np.float32)
    expected = [published.run(None, {"input": of, "h": none, "c": none})[0] for of in windows]
    state = {"h": none[0].repeat(2, axis=0), "c": none[0].repeat(2, axis=0)}
    for number in range(windows.shape[1]):
        answers, state["h"], state["c"] = ours.run(None, {"input": windows[:, number], **state})
        assert np.allclose(answers, [one[number] for one in expected], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("gate", "judge"), [("webrtcvad", "none"), ("none", "silero"), ("none", f"{__name__}:Heard")]
)
def test_one_detector_may_decide_alone(gate: str, judge: str) -> None:
    """With the other one `none`, a word is still heard, by a class from elsewhere too."""
    quiet = Audio(bytes(LINE_RATE), LINE_RATE)
    found = events(
        line(quiet, recordings.load("hello"), quiet, quiet),
        detectors(DetectorSettings(gate=gate, judge=judge)),
    )
    assert len(speeches(found)) >= 1


@pytest.mark.parametrize(
    ("gate", "judge", "says"),
    [
        ("nobody", "silero", "known are none, silero, webrtcvad"),
        ("webrtcvad", "Silero", "known are none, silero, webrtcvad"),
        ("none", "none", "cannot both be none"),
        ("none", "nowhere_at_all:Detector", "'nowhere_at_all' is missing"),
        ("none", f"{__name__}:Missing", "has no Missing"),
    ],
)
def test_an_unknown_detector_is_named(gate: str, judge: str, says: str) -> None:
    """A wrong name is one line that says what there is."""
    with pytest.raises(LookupError, match=says) as error:
        detectors(DetectorSettings(gate=gate, judge=judge))
    assert "\n" not in str(error.value)
