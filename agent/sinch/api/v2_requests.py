"""Version 2 of the Voice API, as requests: calls and services of a project."""

from __future__ import annotations

from typing import Any

from agent.sinch.api.rest import Basic, Rest, SinchError, path_segment
from agent.sinch.api.svaml import Svaml


class VoiceV2:
    """Version 2: calls and services of a project.

    Args:
        access: The project's access key and its secret.
        project_id: The project.
        service_id: The service that calls belong to.
        region: One of :data:`~agent.sinch_limits.V2_REGIONS`, or ``""``: wherever is nearest.
        url: Instead of Sinch's own servers, a stand-in.
    """

    def __init__(
        self, access: Basic, project_id: str, service_id: str, region: str = "", url: str = ""
    ) -> None:
        prefix = f"{region}." if region else ""
        base = (url or f"https://{prefix}voice.api.sinch.com").rstrip("/")
        self._rest = Rest(access)
        self._url = f"{base}/v2/projects/{path_segment(project_id)}"
        self._service_id = service_id

    async def aclose(self) -> None:
        """Close the connections."""
        await self._rest.aclose()

    async def create_call(self, svaml: Svaml, idempotency_key: str) -> str:
        """Start a session with a call; return the session's id.

        Args:
            svaml: ``{"commands": [...]}``.
            idempotency_key: 16 to 128 characters; the same key within ten minutes is the same call.

        Raises:
            SinchError: If there is none.
        """
        url = f"{self._url}/calls?serviceId={path_segment(self._service_id)}"
        answer = await self._rest.request("POST", url, svaml, idempotency_key=idempotency_key)
        session_id = answer.get("sessionId")
        if not isinstance(session_id, str) or not session_id:
            raise SinchError("Sinch's answer to the call has no session id", may_be_done=True)
        return session_id

    async def get_call(self, call_id: str) -> dict[str, Any]:
        """Return what the platform knows of a call.

        Raises:
            SinchError: If it knows nothing.
        """
        return await self._rest.request("GET", f"{self._url}/calls/{path_segment(call_id)}")

    async def update_call(
        self, call_id: str, svaml: Svaml, idempotency_key: str, *, urgent: bool = False
    ) -> None:
        """Give a call more commands.

        Args:
            call_id: The platform's.
            svaml: ``{"commands": [...]}``.
            idempotency_key: 16 to 128 characters.
            urgent: Whether that does not wait for other requests: a hang-up.

        Raises:
            SinchError: If the call is over, or the commands are wrong.
        """
        url = f"{self._url}/calls/{path_segment(call_id)}"
        await self._rest.request(
            "PATCH", url, svaml, idempotency_key=idempotency_key, urgent=urgent
        )

    async def update_session_call(
        self, session_id: str, name: str, svaml: Svaml, idempotency_key: str
    ) -> None:
        """Give the leg of that name in a session more commands, without delay: a hang-up.

        Raises:
            SinchError: If it is over, or the commands are wrong.
        """
        url = f"{self._url}/sessions/{path_segment(session_id)}/calls/{path_segment(name)}"
        await self._rest.request("PATCH", url, svaml, idempotency_key=idempotency_key, urgent=True)

    async def get_service(self) -> dict[str, Any]:
        """Return the service.

        Raises:
            SinchError: If there is none.
        """
        return await self._rest.request("GET", self._service())

    async def update_service(self, webhook: str) -> None:
        """Let the service ask us what to do with its calls.

        Raises:
            SinchError: If it is refused.
        """
        behavior = {"type": "WEBHOOK", "webhook": {"url": webhook}}
        body = {"callBehavior": behavior}
        await self._rest.request("PATCH", self._service(), body, repeat=True)

    def _service(self) -> str:
        return f"{self._url}/services/{path_segment(self._service_id)}"
