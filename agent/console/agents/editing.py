"""What the editor of agents asks for: a draft looked at, saved, or spoken."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from agent.console.agents.history import AgentHistory
from agent.console.agents.preview import AgentPreview, DraftRefusedError
from agent.console.agents.speech import LONGEST, AgentSpeech
from agent.console.agents.text_diff import DiffLine, differences
from agent.console.routes import PageRoute
from agent.console.visitor import Role, Visitor
from agent.personas.drafts import SampleCall
from agent.personas.folder import AgentFolder
from agent.personas.loader import MAX_BYTES
from agent.personas.saving import ChangedMeanwhileError, NotSavedError
from agent.server.operator.errors import problem, read_body
from pipelines.providers.contracts import ProviderError

log = structlog.get_logger()

BODY_BYTES = 7 * MAX_BYTES
"""Of a request: JSON may have six bytes for one."""

MOST_LINES = 1_000
"""Of a diff in an answer."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=_Asked)


class _Draft(_Asked):
    text: str = Field(max_length=MAX_BYTES)


class _Call(_Asked):
    caller: str = Field("", max_length=200)
    called: str = Field("", max_length=200)
    at: str = Field("", max_length=40)
    outgoing: bool = False
    given: dict[str, str] = Field({}, max_length=200)


class _Check(_Draft):
    call: _Call = _Call()


class _Save(_Draft):
    version: str = Field(max_length=64)
    anyway: bool = False


class _Speak(_Asked):
    text: str = Field(min_length=1, max_length=LONGEST)
    draft: str | None = Field(None, max_length=MAX_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditingParts:
    """What does what is asked for."""

    agents: AgentFolder
    preview: AgentPreview
    speech: AgentSpeech
    history: AgentHistory
    time_zone: str
    """Of agents that name none; ``""`` is the machine's."""


class AgentEditing:
    """Looks at drafts, saves them, has sentences spoken.

    Args:
        parts: What does so.
    """

    def __init__(self, parts: EditingParts) -> None:
        self._parts = parts

    def routes(self) -> Sequence[PageRoute]:
        """Return their paths."""
        one = "/console/agents/{name}"
        return [
            PageRoute(method="POST", path=f"{one}/check", handler=self._check),
            PageRoute(method="POST", path=f"{one}/save", handler=self._save, role=Role.EDIT),
            PageRoute(method="POST", path=f"{one}/speak", handler=self._speak, role=Role.OPERATE),
        ]

    async def _check(self, request: web.Request, visitor: Visitor) -> web.Response:
        asked = await _body(request, _Check)
        name = request.match_info["name"]
        text = await self._seen(name, visitor, asked.text)
        call = SampleCall(**asked.call.model_dump(), time_zone=self._parts.time_zone)
        return web.json_response(await self._looked_at(name, text, call))

    async def _seen(self, name: str, visitor: Visitor, text: str) -> str:
        """Return a draft; the file itself for those who may not change it."""
        return text if visitor.may(Role.EDIT) else (await self._parts.agents.text(name)).text

    async def _looked_at(self, name: str, text: str, call: SampleCall) -> Mapping[str, Any]:
        """Return what a draft is; one that cannot be looked at has that for its mistake."""
        trusted = self._parts.agents.answering_text(name)
        try:
            return await self._parts.preview.looked_at(text, call, trusted)
        except DraftRefusedError as error:
            return {"mistakes": [{"line": 0, "text": str(error)}], "refused": True}

    async def _save(self, request: web.Request, visitor: Visitor) -> web.Response:
        """Save a draft. What came of it is in ``outcome``, and whoever asks decides what then."""
        asked = await _body(request, _Save)
        name = request.match_info["name"]
        agents = self._parts.agents
        call = SampleCall(time_zone=self._parts.time_zone)
        draft = await self._looked_at(name, asked.text, call)
        mistakes = draft["mistakes"]
        if draft.get("refused") or draft.get("untrusted"):
            return web.json_response({"outcome": "refused", "mistakes": mistakes})
        if mistakes and not asked.anyway:
            answering = bool(agents.answering_text(name))
            return web.json_response(
                {"outcome": "mistakes", "mistakes": mistakes, "answering": answering}
            )
        before = await agents.text(name)
        try:
            version = await agents.save(name, asked.text, asked.version)
        except ChangedMeanwhileError as error:
            lines = await asyncio.to_thread(differences, error.text, asked.text)
            told = {"version": error.version, "lines": _as_json(lines[:MOST_LINES])}
            return web.json_response({"outcome": "changed", **told})
        except NotSavedError as error:
            return problem(409, str(error))
        right = not mistakes
        log.info("agent file saved", agent=name, version=version, right=right, who=visitor.name)
        saved = await agents.text(name)
        kept = await self._parts.history.saved(name, before.text, saved.text, visitor.name)
        return web.json_response(
            {"outcome": "saved", "version": version, "mistakes": mistakes, "kept": kept}
        )

    async def _speak(self, request: web.Request, visitor: Visitor) -> web.Response:
        asked = await _body(request, _Speak)
        name = request.match_info["name"]
        text = await self._seen(name, visitor, asked.draft or "")
        if not text:
            text = (await self._parts.agents.text(name)).text
        about = await self._looked_at(name, text, SampleCall())
        try:
            wav = await self._parts.speech.speak(
                asked.text,
                visitor.name,
                about.get("language") or "en",
                about.get("pronounce") or {},
            )
        except ProviderError as error:
            log.warning("a sentence cannot be spoken for the console", error=str(error))
            return problem(502, f"no voice can speak it: {error.reason}")
        except TimeoutError:
            return problem(503, "it takes too long to be spoken: try again")
        log.info("spoken for the console", agent=name, characters=len(asked.text), who=visitor.name)
        return web.Response(
            body=wav, content_type="audio/wav", headers={"cache-control": "no-store"}
        )


async def _body(request: web.Request, model: type[Model]) -> Model:
    return await read_body(request.clone(client_max_size=BODY_BYTES), model)


def _as_json(lines: Sequence[DiffLine]) -> list[dict[str, Any]]:
    return [
        {
            "kind": line.kind,
            "old": line.old,
            "new": line.new,
            "parts": [{"text": part.text, "marked": part.marked} for part in line.parts],
        }
        for line in lines
    ]
