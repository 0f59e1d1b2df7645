"""What may be asked of the operator's interface, and how that is told: OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import (
    BaseModel,
)

from agent.server.operator.opt_outs_api import OptOutRequest, OptOutsQuery
from agent.server.operator.records_api import (
    SCHEMAS,
    CallAnswer,
    CallsAnswer,
    RecordQuery,
    RecordsQuery,
    answer_of,
    parameters,
)
from agent.server.operator.requests import (
    DialRequest,
    HangUpRequest,
    PartyRequest,
    RecordingRequest,
    ReturnRequest,
    TakeOverRequest,
    TransferRequest,
    WhisperRequest,
)


def _operation(
    summary: str,
    success: int,
    *,
    body: type[BaseModel] | None = None,
    by_id: bool = True,
    party: bool = False,
    query: type[BaseModel] | None = None,
    answer: type[BaseModel] | None = None,
) -> dict[str, Any]:
    """Return one operation, as OpenAPI 3.1 has it."""
    given: list[dict[str, Any]] = parameters(query) if query is not None else []
    if by_id:
        given.append(_parameter("id", "path", ID))
    if party:
        given.append(_parameter("party", "path", "Of the party, as `parties` of the call has it."))
    if body is DialRequest:
        given.append(
            _parameter(
                "Idempotency-Key",
                "header",
                "16 to 128 characters: within a day, the same key is the same call.",
            )
        )
    operation: dict[str, Any] = {
        "summary": summary,
        "parameters": given,
        "responses": {
            str(success): {
                "description": "Done, or under way.",
                "content": {
                    "application/json": {
                        "schema": {"type": "object"} if answer is None else answer_of(answer)
                    }
                },
            },
            **{status: _problem(meaning) for status, meaning in _PROBLEMS.items()},
        },
    }
    if body is not None:
        schema = body.model_json_schema()
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return operation


def _problem(meaning: str) -> dict[str, Any]:
    properties = {"status": {"type": "integer"}, "detail": {"type": "string"}}
    schema = {"type": "object", "properties": properties}
    return {"description": meaning, "content": {"application/problem+json": {"schema": schema}}}


ID = (
    "Of the call: as `POST /calls` gave it, as the platform has it, or of its record. Those in "
    "progress go by the first two."
)


def _parameter(name: str, where: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": {"type": "string"},
    }


_PROBLEMS = {
    "400": "The request is wrong; `detail` says where.",
    "401": "No token, or a wrong one.",
    "403": "Asked by a page of another site, or for another host.",
    "404": "No such call, or party; or it has no recording, or none any more.",
    "409": "It cannot be done; `detail` says why, in Sinch's words if Sinch refused.",
    "410": "The process that held the call has died.",
    "413": "The body is too long.",
    "416": "No part of the recording is in this range.",
    "422": "This number or address may not be called; `detail` says why.",
    "429": "Too many requests: see `Retry-After`; or as much was dialled as may be in a day or at "
    "once: `detail` says which limit that is.",
    "503": "The database fails; or no more calls are taken now, see `Retry-After`.",
}

OPENAPI: Mapping[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Operator's interface of sinch-voice-agent", "version": "1"},
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        "schemas": SCHEMAS,
    },
    "security": [{"token": []}],
    "paths": {
        "/calls": {
            "get": _operation(
                "List the calls in progress, and records of calls, the latest first.",
                200,
                by_id=False,
                query=RecordsQuery,
                answer=CallsAnswer,
            ),
            "post": _operation("Place a call.", 201, body=DialRequest, by_id=False),
        },
        "/calls/{id}": {
            "get": _operation("Look at a call.", 200, query=RecordQuery, answer=CallAnswer),
            "delete": _operation("Erase the record of a call that is over.", 200),
        },
        "/calls/{id}/hangup": {"post": _operation("End a call.", 202, body=HangUpRequest)},
        "/calls/{id}/transfer": {
            "post": _operation("Pass a caller on.", 202, body=TransferRequest)
        },
        "/calls/{id}/parties": {
            "post": _operation("Dial somebody onto the line.", 201, body=PartyRequest),
        },
        "/calls/{id}/parties/{party}": {
            "delete": _operation("Have somebody on the line hung up.", 202, party=True)
        },
        "/calls/{id}/take-over": {
            "post": _operation(
                "Have the caller passed on to an operator's phone; the agent stays, silent.",
                202,
                body=TakeOverRequest,
            )
        },
        "/calls/{id}/return": {
            "post": _operation(
                "Have the agent talk to a caller again who was taken over.", 202, body=ReturnRequest
            )
        },
        "/calls/{id}/whisper": {
            "post": _operation(
                "Give the agent an instruction that the caller does not hear.",
                202,
                body=WhisperRequest,
            )
        },
        "/opt-outs": {
            "get": _operation(
                "List who wants no more calls, the latest first.",
                200,
                by_id=False,
                query=OptOutsQuery,
            ),
            "post": _operation(
                "Keep that somebody wants no more calls: `POST /calls` refuses them, 422.",
                201,
                body=OptOutRequest,
                by_id=False,
            ),
        },
        "/opt-outs/{number}": {
            "delete": _operation("Let somebody be called again.", 200, by_id=False)
            | {"parameters": [_parameter("number", "path", "As of `POST /opt-outs`.")]}
        },
        "/calls/{id}/recording": {
            "get": _operation("Hear the recording of a call: FLAC, or Opus in Ogg.", 200),
            "post": _operation(
                "Pause the recording of a call in progress, let it go on, or end it.",
                202,
                body=RecordingRequest,
            ),
        },
    },
}
"""What the interface is; the schemas are those that requests are checked against."""
