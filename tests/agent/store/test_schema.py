"""Migrations: what they make, once, whoever asks; and the commands that do and show it."""

from __future__ import annotations

import asyncio
import multiprocessing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from agent.cli import main
from agent.settings.database import DatabaseUrl
from agent.store import schema
from agent.store.engine import SqlDatabase
from agent.store.store import opened
from agent.store.tables import metadata

MIGRATIONS = Path(schema.__file__).parent / "migrations"


def test_migrations_make_the_tables_of_the_code(database_url: DatabaseUrl) -> None:
    """And nothing else; a second time there is nothing to do."""

    async def make() -> None:
        database = SqlDatabase(database_url)
        assert await schema.state(database) == "empty"
        assert await schema.upgrade(database) == "empty"
        assert await schema.upgrade(database) == await schema.state(database) == "current"
        differences = await database.read(
            lambda c: compare_metadata(MigrationContext.configure(c), metadata)
        )
        assert differences == []
        await database.write(
            lambda c: c.execute(text("UPDATE alembic_version SET version_num='9'"))
        )
        assert await schema.upgrade(database) == await schema.state(database) == "later"
        await database.aclose()

    asyncio.run(make())


def test_the_newest_migration_is_the_one_that_is_expected() -> None:
    """They stand in one line, and are numbered, so that an earlier one is told by its number."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    steps = [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]
    assert steps[0] == schema.HEAD
    assert steps == sorted(steps, reverse=True)


def _start(url: str, results: multiprocessing.Queue[str]) -> None:
    async def upgrade() -> str:
        database = SqlDatabase(DatabaseUrl(url))
        try:
            return await schema.upgrade(database)
        finally:
            await database.aclose()

    results.put(asyncio.run(upgrade()))


def test_processes_that_start_at_once_migrate_once(database_url: DatabaseUrl) -> None:
    """One makes the tables; the others wait for it."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    arguments = (database_url.get_secret_value(), results)
    processes = [context.Process(target=_start, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    found = sorted(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(10)
        process.close()
    results.close()
    results.join_thread()
    assert found == ["current"] * 3 + ["empty"]


def test_the_commands(
    database_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`db check` changes nothing; `db upgrade` says what it did."""
    monkeypatch.setenv("VOICE_AGENT_DATABASE", database_url.get_secret_value())
    assert main(["db", "check"]) == 1
    assert "no tables yet" in capsys.readouterr().out
    assert not list(Path.cwd().iterdir())
    assert main(["db", "upgrade"]) == 0
    assert capsys.readouterr().out == f"{database_url}: brought up to date; it was empty\n"
    for command in ("upgrade", "check"):
        assert main(["db", command]) == 0
        assert capsys.readouterr().out == f"{database_url}: up to date\n"


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """It holds numbers; so do those that SQLite keeps beside it. Its folder is made."""

    async def look() -> None:
        async with opened(DatabaseUrl(f"sqlite:///{tmp_path}/new/voice-agent.db")) as store:
            await store.legs.put("x", {})
            files = list((tmp_path / "new").iterdir())
            assert len(files) > 1  # the write-ahead log
            assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
            assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700

    asyncio.run(look())


UNUSABLE = [
    ("sqlite:////dev/null/voice-agent.db", "Not a directory"),
    ("sqlite:////proc/voice-agent.db", ""),
    ("postgresql://agent:secret@127.0.0.1:1/agent", "Connect call failed"),
    ("postgresql://agent:secret@127.0.0.1:port/agent", "no address"),
]


@pytest.mark.parametrize(("url", "why"), UNUSABLE)
@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["db", "upgrade"]])
def test_a_database_that_cannot_be_used_is_one_line(
    url: str,
    why: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the reason and without the password; the exit status is 1."""
    monkeypatch.setenv("VOICE_AGENT_DATABASE", url)
    for stage in ("STT", "LLM", "TTS"):
        monkeypatch.setenv(f"VOICE_AGENT_{stage}__PROVIDER", "scripted")
    assert main(command) == 1
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert line.startswith("voice-agent: database = ")
    assert why in line
    assert "secret" not in told.out + told.err


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setattr("agent.store.engine.find_spec", lambda _name: None)
    with pytest.raises(Exception, match=r'pip install "sinch-voice-agent\[postgresql\]"'):
        SqlDatabase(DatabaseUrl("postgresql://agent@127.0.0.1/agent"))
