"""What `docs/database.md` says is so."""

from __future__ import annotations

import asyncio
import re
import tomllib
from pathlib import Path

import pytest

from agent.cli import main
from agent.settings import Settings
from agent.settings.database import DatabaseUrl
from agent.store import tables
from agent.store.store import opened
from tests.databases import SUPERUSER, PostgresqlServer

PAGE = Path(__file__).parents[3] / "docs" / "database.md"


def blocks(language: str) -> list[str]:
    """Return the blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_its_settings_are_settings() -> None:
    """And every table has its line."""
    for block in blocks("toml"):
        assert Settings(**tomllib.loads(block)).database.get_secret_value().startswith("sqlite:///")
    told = re.findall(r"^\| (`[a-z_`, ]+`) \|", PAGE.read_text(), re.MULTILINE)
    named = {name for line in told for name in re.findall(r"`(\w+)`", line)}
    assert named >= {table.name for table in tables.SWEPT}


@pytest.mark.usefixtures("tmp_path")  # its database is where it is
def test_its_set_up_of_postgresql_works(postgresql_server: PostgresqlServer) -> None:
    """The role owns the database, and makes the tables in it."""
    (sql,) = blocks("sql")
    for statement in sql.strip().splitlines():
        server = ("-h", str(postgresql_server.folder), "-U", SUPERUSER, "-d", "postgres")
        postgresql_server.run("psql", *server, "-v", "ON_ERROR_STOP=1", "-c", statement)
    (shell,) = blocks("sh")
    (address,) = re.findall(r"VOICE_AGENT_DATABASE=(\S+)", shell)
    here = address.replace("db.example.com", "") + f"?host={postgresql_server.folder}"

    async def use() -> None:
        async with opened(DatabaseUrl(here)) as store:
            assert await store.claims.claim("x") is None

    asyncio.run(use())
    for line in shell.splitlines():
        if line.startswith("voice-agent db"):
            assert main(line.split()[1:]) == 0  # on a file of this test
