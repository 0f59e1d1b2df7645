"""A call in which everything happens, and its pages, shown to a visitor of one's choice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from aiohttp import web

from agent.console.calls.pages import CallPages
from agent.console.calls.replay_pages import ReplayPages
from agent.console.calls.replays import Replays
from agent.console.calls.waveforms import Waveforms
from agent.console.rendering import STATIC, Rendering
from agent.console.routes import PageRoute
from agent.console.sign_in.guard import HEADERS
from agent.console.visitor import Role, Visitor
from agent.records.access_log import AccessLog
from agent.records.call_records import CallRecords
from agent.records.events import JournalLine
from agent.records.recordings import stereo
from agent.records.recordings.kept import Recordings
from agent.records.recordings.stereo import StereoAudio
from agent.records.seals import NoSeal, Seal
from agent.records.stored_records import StoredRecords
from agent.server.operator.errors import answered
from agent.server.operator.recording_answers import RecordingAnswers
from agent.settings.database import DatabaseUrl
from agent.store.store import opened
from pipelines.audio import Audio
from tests.databases import FILE

CALLER, CALLED, PASSED_ON = "+12025550123", "+12025550199", "+12025550145"

MARKUP = "<script>alert(1)</script> & \"quoted\" 'words'"

CALL: dict[str, Any] = {
    "call_id": "platforms-id",
    "direction": "incoming",
    "caller": CALLER,
    "called": CALLED,
    "agent": "reception",
    "agent_version": "55a8fd0a773b99",
    "language": "en",
    "lineup": {"stt": ["moonshine"], "llm": ["lookup", "other"], "tts": ["piper"]},
    "headers": {"x-ticket": f"for {CALLER}"},
    "rate": 8000,
    "started": "2026-11-26T10:00:00.000+00:00",
}

LINES: Sequence[tuple[str, float | None, dict[str, Any]]] = (
    ("recording", 0.5, {"status": "started", "began": 0.5, "file": "a.flac"}),
    ("timing", 0.6, {"turn": 1, "decided": 0.0, "first_audio": 0.4, "heard": 0.45}),
    ("heard", 0.45, {"turn": 1, "text": "Hello, this is the reception.", "until": 2.4}),
    ("agent", 0.45, {"turn": 1, "text": "Hello, this is the reception.", "until": 2.4,
                     "said": "greeting"}),
    ("caller", 3.0, {"turn": 2, "text": MARKUP, "until": 5.0, "confidence": 0.93, "decided": {
        "by": "turn model", "silence": 0.36, "probability": 0.91, "asked": 2, "complete": 0.8,
        "words": "whole", "expected": "yes or no", "extra": 0.1, "late": 0.05}}),
    ("tool", 5.9, {"turn": 2, "name": "look_up", "arguments": {"caller": CALLER}, "seconds": 0.2,
                   "result": "x" * 900, "status": "failed"}),
    ("failover", 6.0, {"stage": "llm", "provider": "lookup", "to": "other", "error": "timeout",
                       "reason": "no word in 2 s"}),
    ("filler", 6.2, {"turn": 2, "text": "One moment."}),
    ("timing", 7.5, {"turn": 2, "speech_end": 5.0, "decided": 5.4, "transcript": 5.3,
                     "first_token": 7.2, "first_sentence": 7.25, "first_audio": 7.4,
                     "heard": 7.45}),
    ("heard", 7.45, {"turn": 2, "text": "We are open from nine.", "until": 9.0}),
    ("held", 9.2, {"turn": 2, "left": 2.0}),
    ("barge_in", 9.8, {"by": "words"}),
    ("agent", 7.45, {"turn": 2, "text": "We are open from nine. On Sundays", "until": 9.6,
                     "said": "answer", "cut_off": True, "unheard": "we are closed."}),
    ("caller", 9.1, {"turn": 3, "text": "שלום, תודה", "until": 10.5, "language": "he",
                     "decided": {"by": "silence", "silence": 0.7}}),
    ("timing", 11.4, {"turn": 3, "speech_end": 10.5, "decided": 11.2, "transcript": 10.9,
                      "first_token": 11.0, "first_sentence": 11.0, "first_audio": 11.1,
                      "heard": 11.25}),
    ("agent", 11.25, {"turn": 3, "text": f"I pass you on to {PASSED_ON}.", "until": 13.0}),
    ("transfer", 13.1, {"to": PASSED_ON, "status": "done"}),
    ("recording", 13.2, {"status": "stored", "began": 0.5, "file": "a.flac", "seconds": 13.0}),
    ("usage", 13.5, {"stage": "llm", "provider": "other", "requests": 2, "tokens_in": 900,
                     "cost": 0.5, "currency": "EUR"}),
    ("usage", 13.5, {"stage": "tts", "provider": "piper", "requests": 3, "characters": 90}),
    ("ended", 13.5, {"reason": "passed on", "hung_up_by": "agent"}),
    ("platform", 14.0, {"result": "ANSWERED", "amount": 0.02, "currency": "EUR", "seconds": 14}),
    ("summary", 20.0, {"text": "They asked for the hours.", "fields": {"callback": True},
                       "missing": {"name": "was not told"}}),
)  # fmt: skip


def journal(
    name: str,
    lines: Sequence[tuple[str, float | None, dict[str, Any]]] = LINES,
    **call: Any,
) -> list[JournalLine]:
    """Return the lines of a call; ``call`` are fields of its first that are otherwise."""
    first = {"id": name, **CALL, "call_id": f"platforms-{name}", **call}
    return [
        JournalLine(journal=name, line=n, kind=kind, at=at, fields=fields)
        for n, (kind, at, fields) in enumerate([("call", None, first), *lines])
    ]


def recording(seconds: float = 13.0, rate: int = 8000) -> StereoAudio:
    """Return a recording in which the caller beeps from 2.5 s to 4.5 s, and the agent at 7 s."""
    times = np.arange(round(seconds * rate)) / rate
    tone = (8000 * np.sin(2 * np.pi * 400 * times)).astype(np.int16)
    caller = np.where((times >= 2.5) & (times < 4.5), tone, 0).astype(np.int16)
    agent = np.where((times >= 7.0) & (times < 8.5), tone // 2, 0).astype(np.int16)
    return StereoAudio(caller=Audio(caller.tobytes(), rate), agent=Audio(agent.tobytes(), rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCalls:
    """Pages of calls, over HTTP."""

    http: aiohttp.ClientSession
    access: AccessLog
    stored: StoredRecords
    folder: Path

    async def text(self, path: str, status: int = 200) -> str:
        """Return what is answered."""
        async with self.http.get(path, allow_redirects=False) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return text

    async def noted(self, record: str) -> list[tuple[str, str]]:
        """Return who has done what with a record, the latest first."""
        return [(one.who, one.what) for one in await self.access.of(record)]


@asynccontextmanager
async def shown_calls(
    folder: Path,
    role: Role = Role.EDIT,
    replays: Replays | None = None,
    seal: Seal | None = None,
) -> AsyncIterator[ShownCalls]:
    """Serve the pages of calls to somebody with a role."""
    seal = seal or NoSeal()
    rendering = Rendering()
    rendering.load()
    visitor = Visitor(name="ann", role=role, csrf="token")
    recordings = Recordings(folder, seal)
    replays, waveforms = replays or Replays(), Waveforms(recordings)
    async with opened(DatabaseUrl(f"sqlite:///{folder}/{FILE}")) as store:
        records = CallRecords(store.database, seal)
        access = AccessLog(store.database, "nobody")
        answers = RecordingAnswers(records, recordings, access)
        app = web.Application()
        for pages in (
            CallPages(rendering, records, access, answers, waveforms),
            ReplayPages(rendering, records, access, replays),
        ):
            for route in pages.routes():
                app.router.add_route(route.method, route.path, _to(visitor, route))
        app.router.add_get(STATIC + "/{digest}/{name:.+}", rendering.file)
        app.on_response_prepare.append(_add_headers)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
                stored = StoredRecords(store.database, seal)
                yield ShownCalls(http=http, access=access, stored=stored, folder=folder)
        finally:
            await replays.aclose()
            await waveforms.aclose()
            await runner.cleanup()


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _to(visitor: Visitor, route: PageRoute) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        if not visitor.may(route.role):
            return web.Response(status=403)
        return await answered(lambda request: route.handler(request, visitor), request)

    return handle


def keep_recording(folder: Path, name: str = "a.flac") -> None:
    """Put a recording where calls look for it."""
    stereo.write(folder / name, recording())
