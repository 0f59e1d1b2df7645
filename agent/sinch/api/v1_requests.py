"""Version 1 of the Voice API, as requests: callouts, calls, conferences, callbacks, numbers."""

from __future__ import annotations

from typing import Any

from agent.sinch.api.rest import Basic, Rest, SinchError, path_segment
from agent.sinch.api.signing import Credentials
from agent.sinch.api.svaml import Svaml

CONFIGURATION_URL = "https://callingapi.sinch.com"
"""Numbers and callbacks are kept at a server of their own."""


class VoiceV1:
    """Version 1: callouts, calls, conferences; the application's callbacks and numbers.

    Args:
        credentials: The application's.
        region: One of :data:`~agent.sinch_limits.V1_REGIONS`, or ``""``: wherever is nearest.
            Conferences need one.
        url: Instead of Sinch's own servers, a stand-in.
    """

    def __init__(self, credentials: Credentials, region: str = "", url: str = "") -> None:
        basic = Basic(name=credentials.key_id, password=credentials.secret)
        suffix = f"-{region}" if region else ""
        self._rest = Rest(basic)
        self._url = (url or f"https://calling{suffix}.api.sinch.com").rstrip("/")
        self._credentials = credentials
        self._configuration = (url or CONFIGURATION_URL).rstrip("/")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._rest.aclose()

    async def callout(self, body: Svaml) -> str:
        """Start a leg; return its call id. Never sent twice, unless it was turned away.

        Raises:
            SinchError: If there is none.
        """
        answer = await self._rest.request("POST", f"{self._url}/calling/v1/callouts", body)
        call_id = answer.get("callId") or answer.get("callid")
        if not isinstance(call_id, str) or not call_id:
            raise SinchError("Sinch's answer to the callout has no call id", may_be_done=True)
        return call_id

    async def get_call(self, call_id: str) -> dict[str, Any]:
        """Return what the platform knows of a call.

        Raises:
            SinchError: If it knows nothing.
        """
        return await self._rest.request("GET", self._call(call_id))

    async def update_call(self, call_id: str, svaml: Svaml, *, urgent: bool = False) -> None:
        """Let a call do something else: ``hangup``, ``continue`` or ``park``.

        Args:
            call_id: The platform's.
            svaml: What it is to do.
            urgent: Whether that does not wait for other requests: a hang-up.

        Raises:
            SinchError: If it cannot, or is over.
        """
        await self._rest.request("PATCH", self._call(call_id), svaml, repeat=True, urgent=urgent)

    async def get_participants(self, conference: str) -> list[str]:
        """Return the ids of the legs in a conference; none if there is no such conference.

        Raises:
            SinchError: If they cannot be had.
        """
        url = f"{self._url}/calling/v1/conferences/id/{path_segment(conference)}"
        try:
            answer = await self._rest.request("GET", url)
        except SinchError as error:
            if error.not_found:  # nobody is in it
                return []
            raise
        legs = answer.get("participants") or []
        return [str(leg.get("id", "")) for leg in legs if isinstance(leg, dict)]

    async def kick_all(self, conference: str) -> None:
        """Hang up every leg of a conference.

        Raises:
            SinchError: If there is none.
        """
        url = f"{self._url}/calling/v1/conferences/id/{path_segment(conference)}"
        await self._rest.request("DELETE", url, urgent=True)

    async def kick(self, conference: str, call_id: str) -> None:
        """Hang up one leg of a conference.

        Raises:
            SinchError: If it is not there.
        """
        conference_url = f"{self._url}/calling/v1/conferences/id/{path_segment(conference)}"
        await self._rest.request("DELETE", f"{conference_url}/{path_segment(call_id)}", urgent=True)

    async def get_numbers(self) -> list[dict[str, Any]]:
        """Return the numbers of the account, with the application that each belongs to.

        Raises:
            SinchError: If they cannot be had.
        """
        answer = await self._rest.request("GET", f"{self._configuration}/v1/configuration/numbers")
        numbers = answer.get("numbers") or answer.get("items") or []
        return [number for number in numbers if isinstance(number, dict)]

    async def get_callbacks(self) -> dict[str, Any]:
        """Return ``{"primary": …, "fallback": …}``; this request has to be signed.

        Raises:
            SinchError: If it cannot be had.
        """
        answer = await self._rest.request("GET", self._callbacks(), auth=self._credentials)
        url = answer.get("url")
        return url if isinstance(url, dict) else {}

    async def update_callbacks(self, primary: str) -> None:
        """Set where callbacks go; this request has to be signed.

        Raises:
            SinchError: If it is refused.
        """
        body = {"url": {"primary": primary}}
        await self._rest.request(
            "POST", self._callbacks(), body, repeat=True, auth=self._credentials
        )

    def _call(self, call_id: str) -> str:
        return f"{self._url}/calling/v1/calls/id/{path_segment(call_id)}"

    def _callbacks(self) -> str:
        key = path_segment(self._credentials.key_id)
        return f"{self._configuration}/v1/configuration/callbacks/applications/{key}"
