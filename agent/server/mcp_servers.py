"""The MCP servers of the settings: made of what is set there, and connected while calls last."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from agent.settings.errors import SettingsError
from agent.settings.mcp import McpServerSettings
from pipelines.environment import filled_in, strange_character

if TYPE_CHECKING:
    from pipelines.tools.mcp import McpServer  # an extra


def mcp_servers(settings: Mapping[str, McpServerSettings]) -> dict[str, McpServer]:
    """Return the MCP servers of the settings, by name, not started.

    Raises:
        ValueError: In one line, if the ``mcp`` package, a command or a variable is missing.
    """
    if not settings:
        return {}
    try:
        from pipelines.tools.mcp import McpServer  # noqa: PLC0415 - an extra
        from pipelines.tools.mcp_transport import Command, Remote  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        message = (
            f"mcp: the package {error.name!r} is missing: pip install 'sinch-voice-agent[mcp]'"
        )
        raise ValueError(message) from None
    servers: dict[str, McpServer] = {}
    for name, one in settings.items():
        where: Command | Remote
        if one.url is not None:
            headers = _filled_in(f"mcp.{name}.headers", one.headers)
            for key, value in headers.items():
                if strange := strange_character(key) or strange_character(value):
                    raise ValueError(
                        f"mcp.{name}.headers.{key}: there is a character in it that is not seen "
                        f"or not meant ({strange}); type it anew"
                    )
            where = Remote(url=one.url, headers=headers)
        else:
            command = shutil.which(one.command or "")
            if command is None:
                # Whoever writes a whole line there may have a secret in it.
                program = (one.command or "").split(maxsplit=1)[0]
                raise ValueError(f"mcp.{name}.command: there is no program {program!r}")
            env = _filled_in(f"mcp.{name}.env", one.env)
            args = tuple(arg.get_secret_value() for arg in one.args)
            where = Command(command=command, args=args, env=env, show_errors=one.show_errors)
        servers[name] = McpServer(name, where)
    return servers


def _filled_in(place: str, values: Mapping[str, SecretStr]) -> dict[str, str]:
    filled: dict[str, str] = {}
    for key, value in values.items():
        try:
            filled[key] = filled_in(value.get_secret_value())
        except ValueError as error:
            raise ValueError(f"{place}.{key}: {error}") from None
    return filled


@asynccontextmanager
async def running_mcp_servers(
    settings: Mapping[str, McpServerSettings],
) -> AsyncIterator[Mapping[str, McpServer]]:
    """Connect to the MCP servers of the settings, side by side; let go of them in the end.

    One that cannot be reached is logged, and tried again in the background: the service starts.

    Raises:
        SettingsError: If one cannot be built.
    """
    try:
        servers = mcp_servers(settings)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    try:
        await asyncio.gather(*(server.start() for server in servers.values()))
        yield servers
    finally:
        await asyncio.gather(*(server.aclose() for server in servers.values()))
