"""The sound of the browser phone, its modules one by one in a real browser, against numpy."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, Route

from agent.console.calls.waterfall_picture import LABELS
from agent.sinch_limits import RATES
from agent.stream.connect import Connect
from agent.stream.protocol import StreamProtocol
from pipelines.audio import SPEECH_RATE, Chunker, Resampler
from pipelines.listening.dtmf import KeypadDetector

STATIC = Path(__file__).parents[2] / "agent/console/static"
HERE = "http://phone.test/"

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """An empty page that can import the modules of the phone; there is no service."""

    def answer(route: Route) -> None:
        path = STATIC / route.request.url.removeprefix(HERE)
        if path.is_file():
            route.fulfill(body=path.read_text(), content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><title>empty</title>", content_type="text/html")

    page = browser.new_page()
    page.route("**/*", answer)
    page.goto(HERE)
    yield page
    page.close()


HELPERS = """
    const floats = (text) =>
        new Float32Array(Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer);
    const text = (pieces) => {
        const bytes = pieces.map((one) => new Uint8Array(one.slice().buffer));
        return bytes.map((one) => Array.from(one, (b) => String.fromCharCode(b)).join("")).join("");
    };
    const packed = (pieces) => btoa(text(pieces));
"""
"""Samples go to and fro as bytes in base64: a list of numbers takes seconds."""


def run(page: Page, module: str, body: str, given: Any = None) -> Any:
    """Return what ``body`` does with the exports of a module, ``m``, and ``given``."""
    load = f"{HELPERS} const m = await import('{HERE}phone/{module}.js');"
    return page.evaluate(f"async (given) => {{ {load} {body} }}", given)


def packed(samples: Floats) -> str:
    return base64.b64encode(samples.astype("<f4").tobytes()).decode()


def unpacked(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(float)


RESAMPLE = """
    const resampler = new m.Resampler(given.source, given.target);
    const sound = floats(given.sound);
    const out = [];
    let at = 0;
    for (let n = 0; at < sound.length; n += 1) {
        const size = given.cuts[n % given.cuts.length];
        out.push(resampler.feed(sound.subarray(at, at + size)).slice());
        at += size;
    }
    out.push(resampler.flush());
    return packed(out);
"""


def resampled(
    page: Page, sound: Floats, source: int, target: int, cuts: tuple[int, ...] = (128,)
) -> Floats:
    given = {"sound": packed(sound), "source": source, "target": target, "cuts": cuts}
    return unpacked(run(page, "resampler", RESAMPLE, given))


def sweep(rate: int, seconds: float, to: float) -> Floats:
    """Return a sine that rises from 0 to ``to`` hertz, at half of full scale."""
    t = np.arange(int(rate * seconds)) / rate
    return 0.5 * np.sin(math.pi * to / seconds * t * t)


def decibels(sound: Floats, against: float = 0.5 / math.sqrt(2)) -> float:
    return 20 * math.log10(math.sqrt(float(np.mean(sound**2))) / against + 1e-12)


LINES = [(48000, 8000), (44100, 16000), (48000, 24000), (8000, 48000), (16000, 44100)]


@pytest.mark.parametrize(("source", "target"), LINES)
def test_nothing_folds_back_and_nothing_is_lost(page: Page, source: int, target: int) -> None:
    """Of a sweep, what the lower rate can carry comes out as if made there, the rest 60 dB down."""
    seconds, lower = 1.0, min(source, target)
    top = source / 2
    out = resampled(page, sweep(source, seconds, top), source, target)
    assert abs(len(out) - seconds * target) <= 1
    made = sweep(target, seconds, top)[: len(out)]
    out = out[: len(made)]
    frequency = np.arange(len(out)) / target / seconds * top
    carried = frequency < 0.84 * lower / 2
    assert decibels((out - made)[carried]) < -60
    if target < source:
        folded = frequency > 1.02 * lower / 2  # a sweep is no pure tone: it has an edge
        assert decibels(out[folded]) < -60
    else:
        spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out)))) ** 2
        above = np.fft.rfftfreq(len(out), 1 / target) > 1.02 * lower / 2
        assert 10 * math.log10(spectrum[above].sum() / spectrum.sum()) < -60


def test_it_does_not_matter_how_a_stream_is_cut(page: Page) -> None:
    """There are no clicks at the edges of pieces: the samples are the same ones."""
    noise = np.random.default_rng(1).uniform(-1, 1, 6000)
    for source, target in ((48000, 8000), (44100, 8000), (8000, 44100), (16000, 16000)):
        whole = resampled(page, noise, source, target, (6000,))
        cut = resampled(page, noise, source, target, (1, 127, 128, 960, 3))
        assert whole.tolist() == cut.tolist()


def test_samples_are_bytes_and_bytes_samples(page: Page) -> None:
    """Loud ones are clipped; half a sample waits for the message with its other half."""
    samples = np.concatenate((np.random.default_rng(2).uniform(-1, 1, 500), [1.0, -1.0, 2.0, -2.0]))
    packed = run(
        page, "pcm", "return [...new Uint8Array(m.encoded(Float32Array.from(given)))];",
        samples.tolist(),
    )  # fmt: skip
    wanted = np.clip(np.floor(samples.astype(np.float32) * 32768.0 + 0.5), -32768, 32767)
    assert np.frombuffer(bytes(packed), "<i2").tolist() == wanted.tolist()

    decode = """
        const decoder = new m.Decoder();
        const bytes = Uint8Array.from(given.bytes);
        const out = [];
        let at = 0;
        for (let n = 0; at < bytes.length; n += 1) {
            const size = given.cuts[n % given.cuts.length];
            out.push(...decoder.decode(bytes.slice(at, at + size).buffer));
            at += size;
        }
        return out;
    """
    for cuts in ([1008], [1], [0, 3, 1, 5], [7, 2]):
        out = run(page, "pcm", decode, {"bytes": packed, "cuts": cuts})
        assert (np.array(out) * 32768).tolist() == wanted.tolist()


def test_frames_have_one_size(page: Page) -> None:
    """Whatever comes in: 128 samples at a time at 6:1 are no whole frames."""
    body = """
        const framer = new m.Framer(160);
        const sizes = [];
        const take = (frame) => sizes.push(frame.byteLength);
        for (const size of given) framer.feed(new Float32Array(size), take);
        return sizes;
    """
    assert run(page, "pcm", body, [21, 22, 21, 400, 0, 16, 1]) == [320, 320, 320]


JITTER = """
    const buffer = new m.JitterBuffer(48000, given.lead);
    const out = new Float32Array(128);
    const played = [];
    let count = 0;
    let made = 0;
    let deepest = 0;
    for (let quantum = 0; quantum < given.quanta; quantum += 1) {
        for (const one of given.arrivals[quantum] ?? []) {
            if (one === "clear") buffer.clear();
            else {
                const piece = new Float32Array(one);
                for (let n = 0; n < one && !given.silent; n += 1, made += 1)
                    piece[n] = 0.5 * Math.sin(made / 20);
                buffer.put(piece);
            }
        }
        count += buffer.take(out);
        deepest = Math.max(deepest, buffer.seconds);
        played.push(out.slice());
    }
    const { underruns, dropped, seconds } = buffer;
    return { played: packed(played), count, underruns, dropped, seconds, deepest };
"""


def jittered(page: Page, arrivals: dict[int, list[Any]], quanta: int, **more: Any) -> Any:
    given = {"lead": 1.0, "quanta": quanta, "silent": False, **more}
    one = run(page, "jitter_buffer", JITTER, {**given, "arrivals": arrivals})
    return {**one, "played": unpacked(one["played"])}


QUANTUM, FRAME = 128 / 48000, 0.02


def arrivals(seconds: float, lead: float, late: dict[float, float] | None = None) -> dict[int, Any]:
    """Return frames as the service sends them, ``lead`` ahead; from a time on they may be late."""
    found: dict[int, list[Any]] = {}
    for n in range(int(seconds / FRAME)):
        due = max(0.0, n * FRAME - lead)
        for start, delay in (late or {}).items():
            if start <= due < start + delay:
                due = start + delay
        found.setdefault(int(due / QUANTUM), []).append(960)
    return found


def smooth(played: Floats) -> bool:
    """Return whether there is no click: a fade takes 64 samples, the tone moves 0.025 in one."""
    return float(np.abs(np.diff(played)).max()) < 0.05


def test_a_normal_line_plays_without_a_gap(page: Page) -> None:
    """It begins at once with what is sent ahead; frames that wobble by 40 ms are not heard."""
    rng = np.random.default_rng(3)
    one = jittered(page, arrivals(2.0, lead=1.0), 900)
    assert (one["underruns"], one["count"]) == (0, 96000)
    assert 0.9 < one["deepest"] < 1.1
    assert smooth(one["played"])
    wobbling: dict[int, list[Any]] = {}
    for n in range(200):  # nothing sent ahead
        at = n * FRAME + rng.uniform(0, 0.04)
        wobbling.setdefault(int(at / QUANTUM), []).append(960)
    two = jittered(page, wobbling, 1600)
    assert (two["underruns"], two["count"]) == (0, 192000)
    assert two["deepest"] < 0.15
    begins = int(np.flatnonzero(two["played"])[0]) / 48000
    assert begins < 0.1


def test_a_line_that_stands_still_is_heard_as_silence_and_no_click(page: Page) -> None:
    """What comes late is played; where it is silent, it is left out until we are with the rest."""
    late = jittered(page, arrivals(2.0, lead=0.1, late={1.0: 0.25}), 1100)
    assert (late["underruns"], late["count"]) == (1, 96000)
    assert smooth(late["played"])
    behind = arrivals(8.0, lead=0.2, late={1.0: 3.0})
    spoken = jittered(page, behind, 2000, lead=0.2)
    assert (spoken["dropped"], spoken["deepest"] > 2) == (0, True)
    silent = jittered(page, behind, 2000, lead=0.2, silent=True)
    assert silent["dropped"] > 1.5 * 48000
    flood = jittered(page, {0: [48000] * 100}, 10)
    assert flood["deepest"] <= 30
    assert flood["dropped"] >= 70 * 48000


def test_clear_is_silence_in_the_next_quantum(page: Page) -> None:
    """Whatever was sent ahead; what comes after it is played."""
    found = arrivals(2.0, lead=5.0)
    found[100] = ["clear"]
    found[300] = [960] * 5
    one = jittered(page, found, 400)
    played = one["played"].reshape(-1, 128)
    assert np.abs(played[99]).max() > 0.4
    assert np.abs(played[100, 64:]).max() == 0  # a fade of 1.3 ms
    assert np.abs(played[101:300]).max() == 0
    assert np.abs(played[300:380]).max() > 0.4
    assert one["seconds"] == 0
    assert smooth(one["played"])


def test_keys_are_heard_by_the_service(page: Page) -> None:
    """Each once, twice where it is pressed twice, at any rate of the line; nothing else sounds."""
    keys = "0123456789*#11"
    body = """
        const tones = new m.KeyTones(48000);
        for (const key of given) tones.press(key);
        tones.press("A");
        tones.press("12");
        const out = [];
        const piece = new Float32Array(128);
        while (tones.fill(piece)) out.push(piece.slice());
        return packed(out);
    """
    sound = unpacked(run(page, "key_tones", body, list(keys)))
    assert abs(len(sound) / 48000 - 0.2 * len(keys)) < 0.01
    assert abs(20 * math.log10(np.sqrt(np.mean(sound[960:4000] ** 2))) + 10) < 0.3  # dBFS
    for rate in (8000, 16000):
        line = resampled(page, sound, 48000, rate)
        pcm = np.rint(line * 32767).astype("<i2").tobytes() + bytes(rate // 2)
        heard, chunks = KeypadDetector(), Chunker(2 * SPEECH_RATE // 50)
        frames = chunks.feed(Resampler(rate, SPEECH_RATE).feed(pcm))
        assert "".join(map(heard.feed, frames)) == keys


def test_the_first_message_is_what_the_service_takes(page: Page) -> None:
    """At every rate; and commands are read in whatever case they come."""
    body = "return m.connectMessage(given);"
    for rate in RATES:
        given = {"callId": "browser-1", "rate": rate, "caller": "browser"}
        said = StreamProtocol().receive(run(page, "line", body, given))
        assert isinstance(said, Connect)
        assert (said.call_id, said.rate, said.headers["caller"]) == ("browser-1", rate, "browser")
    texts = ['{"command": "Clear"}', "[1]", "nonsense", '{"command": 3}', "null"]
    commands = run(page, "line", "return given.map(m.commandOf);", texts)
    assert commands == ["clear", "", "", "", ""]


def test_stages_add_up_to_what_was_waited(page: Page) -> None:
    """What was ready before its turn costs nothing; what nobody waited for has no stages.

    They are named as on the page of a call.
    """
    times = {"speech_end": 1.0, "transcript": 1.1, "first_sentence": 1.2, "decided": 1.4}
    times |= {"first_token": 1.15, "first_audio": 1.5, "heard": 1.52}
    body = "return m.stages(given);"
    parts = run(page, "answer_times", body, times)
    steps = [key for _, seconds, key in parts if seconds > 0.001]
    assert steps == ["decided", "first_audio", "heard"]
    assert [(key, name) for name, _, key in parts] == list(LABELS.items())
    assert sum(seconds for _, seconds, _ in parts) == pytest.approx(0.52)
    assert run(page, "answer_times", body, {"decided": 1.0, "heard": 2.0}) == []


def test_what_people_hear_is_measured_from_their_last_sound(page: Page) -> None:
    """Not what the agent says unasked, nor its next sentence."""
    body = """
        const watch = new m.Stopwatch();
        watch.began(11, 1);  // the greeting
        watch.loud(13.0);
        watch.loud(13.4);
        watch.began(14.0, 4);
        watch.began(16.0, 6);
        return [1, 4.1, 6].map((since) => watch.after(since));
    """
    greeting, answer, more = run(page, "answer_times", body)
    assert (greeting, more) == (None, None)
    assert answer == pytest.approx(0.6)


def test_a_voice_is_loud_and_what_is_there_all_the_time_is_not(page: Page) -> None:
    """Times are exact to 10 ms, whatever hums meanwhile."""
    rng = np.random.default_rng(4)
    hum = 0.003 * rng.standard_normal(3 * 16000)  # -50 dBFS
    hum[16000:24000] += 0.1 * np.sin(np.arange(8000) / 5)
    body = """
        const level = new m.Level(16000);
        const sound = floats(given);
        const reports = [];
        for (let at = 0; at < sound.length; at += 128) {
            const report = level.feed(sound.subarray(at, at + 128), at / 16000);
            if (report !== null) reports.push(report);
        }
        return { until: level.loudUntil, reports };
    """
    one = run(page, "level", body, packed(hum))
    assert one["until"] == pytest.approx(1.5, abs=0.02)
    assert len(one["reports"]) == pytest.approx(60, abs=8)
    assert max(one["reports"]) == pytest.approx(-23, abs=1)
    assert max(one["reports"][-10:]) < -45
