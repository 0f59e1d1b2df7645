"""The browser phone, with a recorded human voice as its microphone, and all that can go wrong."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import wave
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, Playwright, Request, Route, WebSocketRoute, expect

from pipelines.audio import SPEECH_RATE, Audio, at_rate
from pipelines.providers import moonshine
from tests.browser.call_page import loudness, stored, wait_until
from tests.browser.conftest import (
    DESKTOP,
    PHONE,
    Looking,
    Served,
    assert_accessible,
    launched,
    shot,
)

RECORDINGS = Path(__file__).parents[1] / "recordings"

SAID = [(4.5, "which-folder"), (12.5, "not-in-service")]
"""What the caller says, and when: seconds after the microphone was opened. The answer to the first
is 13 s long, so the second is said over it, also where it comes late."""


def microphone(path: Path) -> Path:
    """Write what the caller says, and silence, as a sound file."""
    sound = np.zeros(24 * 8000, "<i2")
    for at, name in SAID:
        with wave.open(str(RECORDINGS / f"{name}.wav")) as recording:
            speech = np.frombuffer(recording.readframes(recording.getnframes()), "<i2")
        sound[int(at * 8000) :][: len(speech)] = speech
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(sound.tobytes())
    return path


# What is really played: what a page connects to its loudspeaker, it also connects to a recorder.
RECORD = """
    const played = (globalThis.played = []);
    const commands = (globalThis.commands = []);
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (to, ...more) {
        const { context } = this;
        if (to === context.destination) record(context, this);
        return connect.call(this, to, ...more);
    };
    async function record(context, node) {
        globalThis.context = context;
        const recorder = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
        const [track] = recorder.stream.getAudioTracks();
        const frames = new MediaStreamTrackProcessor({ track, maxBufferSize: 10000 });
        connect.call(node, recorder);
        globalThis.began = context.currentTime;
        for await (const frame of frames.readable) {
            const sound = new Float32Array(frame.numberOfFrames);
            frame.copyTo(sound, { planeIndex: 0, format: "f32-planar" });
            globalThis.rate = frame.sampleRate;
            frame.close();
            played.push(sound);
        }
    }
    const WebSocket = globalThis.WebSocket;
    globalThis.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", ({ data }) => {
                if (typeof data !== "string") return;
                commands.push([JSON.parse(data).command, context.currentTime]);
            });
        }
    };
"""
PLAYED = """() => {
    const text = played.map((sound) =>
        Array.from(new Uint8Array(sound.buffer), (one) => String.fromCharCode(one)).join(""));
    return { began, rate, sound: btoa(text.join("")), commands };
}"""


def heard_in(samples: NDArray[np.float32], rate: int) -> str:
    """Transcribe by the local model, in lower case."""
    pcm = np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()

    async def speech() -> AsyncIterator[Audio]:
        yield at_rate([Audio(pcm, rate)], SPEECH_RATE)

    async def main() -> str:
        transcriber = moonshine.Transcriber(moonshine.Transcriber.Options())
        await transcriber.start()
        try:
            return await transcriber.transcribe(speech())
        finally:
            await transcriber.aclose()

    with ThreadPoolExecutor(1) as other:  # in this thread runs Playwright's loop
        return other.submit(lambda: asyncio.run(main())).result().lower()


def loud(samples: NDArray[np.float32]) -> float:
    """Return the loudness in dBFS."""
    return 10 * float(np.log10(np.mean(samples.astype(float) ** 2) + 1e-12))


def seen_in_the_console(page: Page, served: Served, address: str) -> None:
    """The call is in the list, and on its page: its words, its sound, where its time went."""
    record = stored(served, address.removeprefix("/console/calls/"))
    page.goto(f"{served.base}/console/calls")
    page.locator(f"#calls a[href^='{address}']").first.click()
    page.wait_for_selector("#wave[data-drawn]")
    transcript = page.get_by_role("region", name="Transcript")
    expect(transcript.locator(".said.caller").first).to_contain_text("Which folder should I")
    cut = transcript.locator(".said.agent", has_text="cut off").first
    expect(cut).to_contain_text("blue folder")
    answers = transcript.locator(".answered", has_text="until it answered")
    expect(answers.first.locator("svg.waterfall")).to_be_visible()
    wait_until(page, "document.getElementById('player-status').textContent === ''")
    asked = next(one for one in record["events"] if one["kind"] == "caller")
    answer = next(one for one in record["events"] if one["kind"] == "agent" and one["cut_off"])
    for side, spoken in enumerate((asked, answer)):
        there = spoken["at"] + 0.2, spoken["until"] - 0.2
        assert loudness(page, *there, side) > 4 * loudness(page, *there, 1 - side)
    shot(page, "phone-recorded")


def test_a_call_with_a_human_voice(
    served: Served, looking: Looking, playwright: Playwright, tmp_path: Path
) -> None:
    """It is asked and answers, is interrupted and silent, is told keys, is hung up on, and kept."""
    voice = microphone(tmp_path / "caller.wav")
    with launched(playwright, f"--use-file-for-fake-audio-capture={voice}%noloop") as browser:
        page = looking(DESKTOP, browser).page()
        page.add_init_script(RECORD)
        page.goto(f"{served.base}/?agent=archive&call")
        expect(page.locator("#greeting")).to_contain_text("this is the archive")
        assert page.locator("#state").inner_text() == "Ready"  # no page calls by itself
        page.locator("#call").press("Enter")
        expect(page.locator("#state")).to_have_text("Talking to archive")
        said = page.locator("#said")
        expect(said.locator(".said.caller").first).to_contain_text("Which folder should I")
        expect(page.locator("#agent-level")).not_to_have_attribute("aria-valuetext", "silent")
        expect(page.locator(".answer").first).to_contain_text("heard here")
        expect(page.locator(".answer").first).to_contain_text("by the service")
        cut = said.locator(".said.agent", has_text="cut off")
        expect(cut).to_contain_text("blue folder")
        expect(cut.locator("del")).to_contain_text("need it")
        expect(said).to_contain_text("Interrupted")
        expect(said.locator(".said.agent").last).to_contain_text("letter")
        shot(page, "phone-talking")
        assert_accessible(page)
        page.locator("#mute").click()  # keys are heard all the same
        for key in "12#":
            page.keyboard.press(key)
        expect(said).to_contain_text("Keypad: 12#")
        heard = page.evaluate(PLAYED)
        page.locator("#call").click()
        expect(page.locator("#state")).to_have_text("You hung up.")
        expect(said).to_contain_text("The caller hung up")
        link = page.locator("#record-link")
        expect(link).to_be_visible()
        shot(page, "phone-over")
        seen_in_the_console(page, served, link.get_attribute("href") or "")
        browser.close()
    sound = np.frombuffer(base64.b64decode(heard["sound"]), "<f4")
    rate, began = int(heard["rate"]), heard["began"]
    words = heard_in(sound, rate)
    greeting = words.partition("please")[0]  # its words are easily heard as others
    assert SequenceMatcher(None, "hello, this is the archive. ", greeting).ratio() > 0.6, words
    assert "blue folder" in words
    assert "need it" not in words
    cleared = next(at for command, at in heard["commands"] if command == "clear")
    before = sound[int((cleared - began - 1.0) * rate) : int((cleared - began) * rate)]
    after = sound[int((cleared - began + 0.2) * rate) : int((cleared - began + 0.7) * rate)]
    assert loud(before) > -40
    assert loud(after) < -70


Answering = Callable[[WebSocketRoute], None]


def answering(*commands: str, code: int | None = None) -> Answering:
    """Return a service that says this to a ``connect``, and closes."""

    def serve(socket: WebSocketRoute) -> None:
        def received(message: str | bytes) -> None:
            if isinstance(message, str):
                assert json.loads(message)["command"] == "connect"
                for command in commands:
                    socket.send(json.dumps({"command": command}))
                if code is not None:
                    socket.close(code=code)

        socket.on_message(received)

    return serve


EVENTS = [
    ("line", {"kind": "call", "at": 0, "agent": "archive"}),
    ("line", {"kind": "agent", "turn": 1, "at": 0.1, "until": 1.0, "text": "Hello <b>you</b>.",
              "cut_off": True, "unheard": "How are you?", "said": "greeting"}),
    ("line", {"kind": "held", "turn": 1, "at": 2.0}),
    ("line", {"kind": "resumed", "turn": 1, "at": 2.5, "after": 0.5, "by": "noise"}),
    ("line", {"kind": "timing", "turn": 2, "at": 4.0, "speech_end": 3.0, "transcript": 3.1,
              "decided": 3.3, "first_token": 3.4, "first_sentence": 3.5, "first_audio": 3.6,
              "heard": 3.62}),
    ("over", {"record": "20260101T000000Z-1"}),
]  # fmt: skip


def telling(events: Sequence[tuple[str, object]]) -> Callable[[Route], None]:
    """Return what answers as the service does that follows a call."""
    text = "".join(f"event: {kind}\ndata: {json.dumps(data)}\n\n" for kind, data in events)
    return lambda route: route.fulfill(body=text, content_type="text/event-stream")


captions = telling(EVENTS)


def refusing(name: str) -> str:
    """Return a script after which there is no microphone, by the name of the error."""
    return (
        "navigator.mediaDevices.getUserMedia = "
        f"() => Promise.reject(new DOMException('', '{name}'));"
    )


REFUSED = [
    ("Allow it beside the address", refusing("NotAllowedError"), None),
    ("There is no microphone", refusing("NotFoundError"), None),
    ("another program may hold it", refusing("NotReadableError"), None),
    ("The line is busy", "", answering("busy", code=1000)),
    ("turned the call away", "", answering("reject", code=1008)),
    ("does not get through", "", answering(code=1011)),
    ("The service failed in this call", "", answering("answer", code=1011)),
    ("The service is stopping", "", answering("answer", code=1001)),
]


def test_whatever_goes_wrong_is_told_in_words(served: Served, looking: Looking) -> None:
    """And what to do; the phone can be used again at once, on a telephone, in the dark."""
    looked = looking(PHONE, color_scheme="dark")
    for n, (words, script, serve) in enumerate(REFUSED):
        page = looked.page()
        page.route("**/console/live/*/events", captions)
        page.add_init_script(script)
        if serve is not None:
            page.route_web_socket("**/stream/**", serve)
        page.goto(served.base)
        page.locator("#call").click()
        expect(page.locator("#problem")).to_contain_text(words)
        expect(page.locator("#call")).to_have_text("Call")
        expect(page.locator("#agent")).to_be_enabled()
        if n == 0:
            assert_accessible(page)
            shot(page, "phone-denied")
        page.close()


def test_a_browser_that_cannot_call_says_so(served: Served, looking: Looking) -> None:
    """An old one; and any one where the page came from another machine without HTTPS."""
    page = looking(PHONE).page()
    page.add_init_script("delete window.AudioWorkletNode;")
    page.goto(served.base)
    expect(page.locator("#problem")).to_contain_text("no AudioWorklet")
    expect(page.locator("#call")).to_be_disabled()

    def elsewhere(route: Route) -> None:
        path = route.request.url.removeprefix("http://agent.test")
        answer = route.fetch(url=served.base + path)
        # What holds for secure pages alone is an error in the console of others.
        headers = {k: v for k, v in answer.headers.items() if k != "cross-origin-opener-policy"}
        route.fulfill(response=answer, headers=headers)

    other = looking(PHONE).page()
    other.route("http://agent.test/**", elsewhere)
    other.goto("http://agent.test/")
    expect(other.locator("#problem")).to_contain_text("HTTPS")
    expect(other.locator("#call")).to_be_disabled()
    assert_accessible(other)
    shot(other, "phone-insecure")


def test_what_the_lines_of_a_call_look_like(served: Served, looking: Looking) -> None:
    """Cut off is struck through, texts stay texts, stages are a bar with numbers; and its page."""
    for size, scheme in ((DESKTOP, "dark"), (PHONE, "light")):
        page = looking(size, color_scheme=scheme).page()
        page.route("**/console/live/*/events", captions)
        page.route_web_socket("**/stream/**", answering("heartbeat", "answer", "new", "heartbeat"))
        page.goto(served.base)
        page.locator("#call").click()
        said = page.locator("#said")
        expect(said.locator("del")).to_have_text("How are you?")
        expect(said).to_contain_text("Hello <b>you</b>.")
        expect(said).to_contain_text("a noise")
        expect(page.locator(".answer")).to_contain_text("0.62 s by the service")
        expect(page.locator(".answer .bar")).to_have_attribute(
            "aria-label",
            "waiting for the end of the turn 0.30 s, the model’s first word 0.10 s, "
            "its first sentence 0.10 s, the voice’s first sound 0.10 s, "
            "the way to the caller 0.02 s",
        )
        expect(page.locator(".answer")).to_contain_text("ready by then: the transcript")
        expect(page.locator("#record-link")).to_have_attribute(
            "href", "/console/calls/20260101T000000Z-1"
        )
        page.locator("#pad").click()
        page.locator("summary").click()
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        expect(page.locator("#call")).to_be_in_viewport()
        assert_accessible(page)
        shot(page, f"phone-lines-{size[0]}")


def test_who_ended_a_call_is_told(served: Served, looking: Looking) -> None:
    """The line is closed alike whoever did; the record knows. What is said scrolls no page."""
    said = [
        ("line", {"kind": "caller", "turn": n, "at": n, "until": n + 0.5, "text": "Once more."})
        for n in range(20)
    ]
    for line, told in (
        ({"hung_up_by": "operator", "reason": "the operator hung up"}, "An operator hung up."),
        (
            {"hung_up_by": "service", "reason": "it was too long"},
            "ended the call: it was too long.",
        ),
        ({"hung_up_by": "agent", "reason": "the agent hung up"}, "The agent hung up."),
    ):
        page = looking((390, 500)).page()
        pushed = [*said, ("line", {"kind": "ended", "at": 30.0, **line}), ("over", {"record": "r"})]
        page.route("**/console/live/*/events", telling(pushed))
        page.route_web_socket("**/stream/**", answering("answer", code=1000))
        page.goto(served.base)
        page.locator("#call").click()
        expect(page.locator("#state")).to_contain_text(told)
        expect(page.locator("#said .said")).to_have_count(20)
        assert page.evaluate("scrollY") == 0
        page.close()


def ended(served: Served) -> int:
    """Return how many calls have ended because the caller hung up."""
    log = (served.folder / "log").read_text()
    return sum('"the caller hung up"' in line for line in log.splitlines() if "call ended" in line)


def test_keys_tabs_and_leaving(served: Served, looking: Looking) -> None:
    """Pressed twice in a hurry it still calls; two tabs have two calls; a page left hangs up."""
    looked = looking(PHONE)
    one, two = looked.page(), looked.page()
    sizes: list[int] = []
    one.on("requestfinished", lambda request: sizes.append(transferred(request)))
    one.goto(served.base, wait_until="networkidle")
    assert 20_000 < sum(sizes) < 200_000
    before = ended(served)
    for page in (one, two):
        page.goto(served.base)
        page.locator("#call").dblclick()
        expect(page.locator("#state")).to_have_text("Talking to reception")
        page.keyboard.press("Escape")  # a slip hangs nobody up
    reached = set()
    for _ in range(6):
        one.keyboard.press("Tab")
        reached.add(one.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert reached >= {"mute", "pad", "volume", "SUMMARY", "said"}
    two.close(run_before_unload=False)
    until(lambda: ended(served) == before + 1)
    expect(one.locator("#state")).to_have_text("Talking to reception")
    one.goto("about:blank")
    until(lambda: ended(served) == before + 2)


def transferred(request: Request) -> int:
    """Return the bytes of an answer, as they came over the network."""
    sizes = request.sizes()
    return sizes["responseBodySize"] + sizes["responseHeadersSize"]


def until(true: Callable[[], bool], within: float = 30.0) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
