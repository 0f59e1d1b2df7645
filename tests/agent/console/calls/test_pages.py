"""The page of a call: who sees what of it, what it says, and what can be taken along."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.console.calls.turn_ends import weighed
from agent.console.visitor import Role
from agent.records.seals import KeySeal
from agent.settings.sealing_keys import SealingKey
from pipelines.turn_taking.end_of_turn import WAITED_FOR
from tests.agent.console.recorded import (
    CALLED,
    CALLER,
    LINES,
    MARKUP,
    PASSED_ON,
    journal,
    keep_recording,
    shown_calls,
)

ID = "20261126T100000.000-abcdef01"
ONE = f"/console/calls/{ID}"


def page_of(
    folder: Path,
    role: Role = Role.EDIT,
    lines: Sequence[tuple[str, float | None, dict[str, Any]]] = LINES,
    **call: Any,
) -> str:
    """Return the page of a call, as somebody with a role sees it."""

    async def main() -> str:
        async with shown_calls(folder, role) as shown:
            await shown.stored.add(journal(ID, lines, **call))
            return await shown.text(ONE)

    return asyncio.run(main())


def words_of(page: str) -> str:
    """Return what of a page is read, with one space between words."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_what_was_said_to_others_is_marked(tmp_path: Path) -> None:
    """On a line of several: so that it is seen why nothing answered it."""
    told = {"to": "others", "told_by": "another name"}
    aside = ("caller", 40.0, {"turn": 9, "until": 41.0, "text": "Wait, Ben.", **told})
    page = page_of(tmp_path / "1", lines=[*LINES, aside])
    assert "Caller to others on the line Wait, Ben." in words_of(page)
    assert 'title="told by: another name"' in page
    asked = (*aside[:2], aside[2] | {"to": "agent"})
    assert "to others" not in words_of(page_of(tmp_path / "2", lines=[*LINES, asked]))


def test_each_is_told_of_who_heard_that_a_machine_talks(tmp_path: Path) -> None:
    """The first by the agent, the others alone, each by their number as the visitor sees it."""
    asked = ("leg", 5.0, {"leg": "p1", "what": "party", "to": PASSED_ON, "disclosed": "asked"})
    heard = ("leg", 6.0, {"leg": "p1", "what": "party", "disclosed": "yes"})
    disclosed = ("disclosed", 0.5, {"turn": 1, "text": "I am a machine.", "until": 1.5})
    first, *rest = LINES
    words = words_of(page_of(tmp_path, lines=[first, disclosed, heard, asked, *rest]))
    assert "told of a machine, by the agent yes" in words
    assert f"told of a machine, on the line {PASSED_ON} yes" in words


def test_what_was_never_heard_is_not_called_heard(tmp_path: Path) -> None:
    """A reply that was dropped before it sounded, and words that nothing answers."""
    dropped = {"turn": 9, "decided": 40.0, "first_sentence": 40.1, "first_audio": 40.4}

    def told(folder: str, fields: dict[str, Any]) -> str:
        return words_of(page_of(tmp_path / folder, lines=[*LINES[:1], ("timing", 40.0, fields)]))

    assert "0.40 s spent, and nothing was heard of it" in told("1", dropped)
    assert "0.50 s until it was heard" in told("2", dropped | {"heard": 40.5})


def test_the_page_tells_all_of_a_call(tmp_path: Path) -> None:
    """Head, money, what was unusual, what was said, and why each turn ended."""
    page = page_of(tmp_path)
    words = words_of(page)
    assert f"{CALLER} → reception" in words
    assert "Median answer 1.60 s" in words  # of 2.45 and 0.75
    assert "0.5200 EUR" in words  # the model's and the platform's
    assert "telephone line 14 s 0.0200 EUR" in words
    assert "piper, text to speech requests 3, characters 90 no price set" in words
    assert "They asked for the hours." in words
    assert "callback yes name missing: was not told" in words
    assert "answer after 2.45 s, mostly the model’s first word (1.90 s)" in words
    assert "1 tool failed" in words
    assert "1 time talked over" in words
    assert "It sounded as if they had finished." in words
    assert (
        "the turn model was 91% sure, by the sound, that they had finished, asked 2 times" in words
    )
    assert "the agent had asked for a yes or a no" in words
    assert '<s class="unheard">' in page
    assert "all 900 characters" in words
    assert 'lang="he"' in page
    assert "ann show 1" in words  # whoever may edit sees who has looked: they themselves


def test_who_was_on_the_line_and_how_it_stands_with_them(tmp_path: Path) -> None:
    """The last of each counts; titles are no markup, and who has none is numbered."""
    parties = (
        ("party", 0.0, {"party": "p1", "title": "Ann <b>", "status": "joined"}),
        ("party", 0.0, {"party": "p2", "title": "Ben", "status": "expected"}),
        ("party", 2.0, {"party": "p3", "status": "joined"}),
        ("party", 9.0, {"party": "p2", "status": "not reached", "why": "busy"}),
        ("party", 9.5, {"party": "p1", "status": "left"}),
    )
    page = page_of(tmp_path, lines=parties)
    assert "Ann &lt;b&gt; left Ben not reached (busy) party 3 joined" in words_of(page)
    (folder := tmp_path / "alone").mkdir()
    assert "On the line" not in page_of(folder)


def test_what_is_shown_is_noted_before(tmp_path: Path) -> None:
    """Each look in its way, by the name of who looks; what is not there is not noted."""

    async def main() -> None:
        async with shown_calls(tmp_path) as shown:
            await shown.stored.add(journal(ID))
            keep_recording(tmp_path)
            for path in ("", "/peaks", "/transcript.txt", "/transcript.vtt", "/call.json"):
                await shown.text(ONE + path)
            async with shown.http.get(f"{ONE}/recording", headers={"range": "bytes=0-9"}) as heard:
                assert heard.status == 206
            noted = await shown.noted(ID)
            assert noted[::-1] == [
                ("ann", "show"),
                ("ann", "show"),
                ("ann", "export"),
                ("ann", "export"),
                ("ann", "export"),
                ("ann", "play"),
            ]

    asyncio.run(main())


@pytest.mark.parametrize("role", list(Role))
def test_roles(tmp_path: Path, role: Role) -> None:
    """To look is not to listen: no whole number, no sound, no lines as they are stored."""

    async def main() -> None:
        async with shown_calls(tmp_path, role) as shown:
            await shown.stored.add(journal(ID))
            keep_recording(tmp_path)
            listens = 200 if role >= Role.LISTEN else 403
            for path in ("/peaks", "/recording", "/call.json"):
                async with shown.http.get(ONE + path) as answer:
                    assert answer.status == listens, path
            async with shown.http.get(f"{ONE}/replays/none/state") as answer:
                assert answer.status == (404 if role >= Role.OPERATE else 403)
            page = await shown.text(ONE)
            text = await shown.text(f"{ONE}/transcript.txt")
            captions = await shown.text(f"{ONE}/transcript.vtt")
            whole = role >= Role.LISTEN
            for number in (CALLER, CALLED, PASSED_ON):
                assert (number in page) is whole
            for taken in (page, text, captions):
                assert (PASSED_ON in taken) is whole  # the agent said it
                assert (CALLER[1:] in taken) is (whole and taken is page)
            assert ("data-recording" in page) is whole
            assert ("Replay with the present agent" in page) is (role >= Role.OPERATE)
            assert ("Who has looked" in page) is (role >= Role.EDIT)

    asyncio.run(main())


def test_nothing_that_was_said_is_markup(tmp_path: Path) -> None:
    """Whoever calls, whatever they are called, whatever a tool gives."""
    lines = [
        *LINES,
        ("tool", 14.0, {"name": MARKUP, "arguments": {MARKUP: MARKUP}, "result": MARKUP}),
        ("failed", 14.0, {"stage": MARKUP, "reason": MARKUP}),
        (MARKUP, 14.0, {MARKUP: MARKUP}),
        ("summary", 15.0, {"text": MARKUP, "fields": {MARKUP: MARKUP}}),
        ("ended", 14.0, {"reason": MARKUP, "hung_up_by": MARKUP}),
    ]
    page = page_of(
        tmp_path, lines=lines, caller=MARKUP, called=MARKUP, agent=MARKUP, language='"x y',
        headers={MARKUP: MARKUP}, lineup={MARKUP: [MARKUP]}, agent_version=MARKUP,
    )  # fmt: skip
    assert "alert(1)" in page
    assert "<script>" not in page
    assert not re.search(r"<[^>]*\salert", page)
    assert "onclick" not in page
    assert " style=" not in page


def test_a_call_has_one_address(tmp_path: Path) -> None:
    """By the beginning of its id, or the platform's, one is led to it; others are no call."""

    async def main() -> None:
        async with shown_calls(tmp_path) as shown:
            await shown.stored.add(journal(ID))
            for name in ("20261126T1000", f"platforms-{ID}"):
                async with shown.http.get(
                    f"/console/calls/{name}", allow_redirects=False
                ) as answer:
                    assert (answer.status, answer.headers["location"]) == (302, ONE)
            await shown.text("/console/calls/no-such", status=404)
            await shown.text("/console/calls/..%2F..%2Fetc", status=404)
            await shown.stored.add(journal("20261126T100000.000-abcdef02"))
            assert "several calls begin so" in await shown.text("/console/calls/2026", status=400)

    asyncio.run(main())


def test_files_to_keep(tmp_path: Path) -> None:
    """They have names that harm nobody, and are whole."""

    async def main() -> None:
        async with shown_calls(tmp_path) as shown:
            await shown.stored.add(journal(ID))
            keep_recording(tmp_path)
            for path, name in {
                "/transcript.txt": f"{ID.replace('.', '_')}.txt",
                "/transcript.vtt": f"{ID.replace('.', '_')}.vtt",
                "/call.json": f"{ID.replace('.', '_')}.json",
                "/recording?download": "a.flac",
            }.items():
                async with shown.http.get(ONE + path) as answer:
                    disposition = answer.headers["content-disposition"]
                    assert disposition == f'attachment; filename="{name}"'
            call = json.loads(await shown.text(f"{ONE}/call.json"))
            assert [one["kind"] for one in call["events"]][-2:] == ["platform", "summary"]
            text = await shown.text(f"{ONE}/transcript.txt")
            assert (
                " 0:07  Agent: We are open from nine. On Sundays [not heard: we are closed.]"
                in text
            )
            captions = await shown.text(f"{ONE}/transcript.vtt")
            assert "00:00:06.950 --> 00:00:08.500\n<v Agent>We are open from nine." in captions

    asyncio.run(main())


def test_the_waveform_is_the_recordings(tmp_path: Path) -> None:
    """Loud where somebody speaks, on their side; one that is gone says so."""

    async def main() -> None:
        async with shown_calls(tmp_path) as shown:
            await shown.stored.add(journal(ID))
            assert "it is not here" in await shown.text(f"{ONE}/peaks", status=404)
            keep_recording(tmp_path)
            found = json.loads(await shown.text(f"{ONE}/peaks"))
            assert found["seconds"] == 13.0
            loud = {
                side: np.frombuffer(base64.b64decode(found[side]), "<i2").reshape(-1, 2)[:, 1]
                for side in ("caller", "agent")
            }
            assert loud["caller"][round(3.0 / found["column"])] > 7000
            assert loud["agent"][round(3.0 / found["column"])] == 0
            assert loud["agent"][round(8.0 / found["column"])] > 3000
            assert loud["caller"][round(8.0 / found["column"])] == 0
            (tmp_path / "a.flac").unlink()
            await shown.text(f"{ONE}/peaks", status=404)  # though it was kept in memory

    asyncio.run(main())


def test_a_sealed_recording_has_a_waveform_too(tmp_path: Path) -> None:
    """It is opened for it; and handed out whole, so that the page keeps it to be sought in."""
    seal = KeySeal([SealingKey(name="a", secret=bytes(range(32)))])

    async def main() -> None:
        async with shown_calls(tmp_path, seal=seal) as shown:
            await shown.stored.add(journal(ID))
            keep_recording(tmp_path)
            plain = (tmp_path / "a.flac").read_bytes()
            (tmp_path / "a.flac.sealed").write_bytes(b"".join(seal.hide_bytes([plain])))
            (tmp_path / "a.flac").unlink()
            assert json.loads(await shown.text(f"{ONE}/peaks"))["seconds"] == 13.0
            async with shown.http.get(f"{ONE}/recording", headers={"range": "bytes=0-0"}) as answer:
                assert answer.status == 200
                assert await answer.read() == plain

    asyncio.run(main())


def ended(page: str) -> str:
    """Return what the page says of the recording."""
    found = re.search(r'id="player-status"[^>]*>([^<]*)', page)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([("ended", 1.0, {})], "The call was not recorded."),
        (
            [("recording", 0.1, {"status": "stopped", "by": "keys", "deleted": True})],
            "The caller declined to be recorded, and nothing was kept.",
        ),
        (
            [("recording", 9.0, {"status": "stored", "began": 0.1}), ("ended", 9.0, {})],
            "The recording is no more: it was kept for as long as was set, or was erased.",
        ),
        (
            [("recording", 0.1, {"status": "started", "began": 0.1, "file": "a.flac"})],
            "The call is in progress: its recording can be heard once it is over.",
        ),
    ],
)
def test_why_there_is_no_recording(
    tmp_path: Path, lines: list[tuple[str, float | None, dict[str, Any]]], why: str
) -> None:
    """The page says it, and shows the lines on the axis of time."""
    page = page_of(tmp_path, lines=lines)
    assert ended(page).startswith(why)
    assert "data-recording" not in page


def test_a_call_in_progress_leads_to_its_live_page(tmp_path: Path) -> None:
    """By our name of it, which is not the platform's for one that we placed."""
    page = page_of(tmp_path, lines=LINES[:5], direction="outgoing", dialled="ours/1")
    assert 'href="/console/live/ours%2F1"' in page or 'href="/console/live/ours/1"' in page
    assert "Replay with the present agent" not in page


def test_words_that_were_erased(tmp_path: Path) -> None:
    """Times and what happened are left, and the page says why there is no more."""
    erased = [
        (kind, at, {k: v for k, v in fields.items() if k not in ("text", "unheard")})
        for kind, at, fields in LINES
    ]
    words = words_of(page_of(tmp_path, lines=erased))
    assert "What was said in this call was erased." in words
    assert "2.45 s until it answered" in words


def test_a_call_that_broke_off(tmp_path: Path) -> None:
    """What was heard of the reply that sounded then is there; nonsense in lines does no harm."""
    lines = [
        *LINES[:3],
        ("heard", 3.0, {"turn": 2, "text": "Half of", "until": 3.5, "more": True}),
        ("timing", None, {"turn": "x", "speech_end": "y", "heard": float("1e300")}),
        ("caller", None, {"text": 5, "until": "z", "decided": {"by": 3, "silence": "a"}}),
        ("usage", 4.0, {"stage": 1, "provider": None, "cost": "much"}),
    ]
    words = words_of(page_of(tmp_path, lines=lines))
    assert "Half of" in words


def test_a_long_call_is_drawn_in_linear_time(tmp_path: Path) -> None:
    """Ten thousand lines; the loop answers others meanwhile."""
    many = [
        (kind, float(n), {"turn": n, "text": "word " * 8, "until": n + 0.9})
        for n in range(5000)
        for kind in ("caller", "agent")
    ]

    async def main() -> None:
        async with shown_calls(tmp_path) as shown:
            for at in range(0, len(many), 2000):
                lines = journal(ID, many)[at : at + 2000]
                await shown.stored.add(lines)
            await shown.stored.add(journal(ID, many)[len(many) :])
            since = time.perf_counter()
            page = await shown.text(ONE)
            print(f"a page of {len(many)} lines: {time.perf_counter() - since:.2f} s, {len(page)}")
            assert page.count('class="sentence"') == len(many)

    asyncio.run(main())


def test_what_a_turn_on_a_line_of_several_was_waited_with_for_is_told_in_words() -> None:
    """Each of what the record may say of it."""
    for words in filter(None, WAITED_FOR.values()):
        (told,) = weighed({"words": words})
        assert told not in WAITED_FOR.values()
        assert "waited for" in told
