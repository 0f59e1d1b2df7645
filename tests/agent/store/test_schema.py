"""Migrations: what they make, once, whoever asks; and the commands that do and show it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from agent.cli import main
from agent.settings.database import DatabaseUrl
from agent.store import schema
from agent.store.engine import SqlDatabase
from agent.store.errors import StoreError
from agent.store.store import opened
from agent.store.tables import metadata
from tests.databases import PostgresqlServer


def test_migrations_make_the_tables_of_the_code(database_url: DatabaseUrl) -> None:
    """And nothing else; a second time there is nothing to do."""

    async def make() -> None:
        database = SqlDatabase(database_url)
        assert await schema.state(database) == "empty"
        assert await schema.upgrade(database) == "empty"
        assert await schema.upgrade(database) == await schema.state(database) == "current"
        # The words of calls are a table of the database's own kind: both ways are one statement.
        opts = {"include_name": lambda name, _, __: not str(name).startswith("call_words")}
        differences = await database.read(
            lambda c: compare_metadata(MigrationContext.configure(c, opts=opts), metadata)
        )
        assert differences == []
        await database.write(lambda c: c.execute(text("DROP TABLE claims")))
        for asked in (schema.state, schema.upgrade):
            with pytest.raises(StoreError, match="a table is missing: claims"):
                await asked(database)
        later = text("UPDATE alembic_version SET version_num='9'")
        await database.write(lambda c: c.execute(later))
        assert await schema.upgrade(database) == await schema.state(database) == "later"
        await database.aclose()

    asyncio.run(make())


def test_the_newest_migration_is_the_one_that_is_expected() -> None:
    """They stand in one line, and are numbered, so that an earlier one is told by its number."""
    steps = [step.revision for step in ScriptDirectory(schema.MIGRATIONS).walk_revisions()]
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
    processes = [context.Process(target=_start, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    found = sorted(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(10)
        process.close()
    results.close()
    results.join_thread()
    assert found == ["current"] * 2 + ["empty"]


def test_databases_that_are_opened_at_once_keep_apart(database_url: DatabaseUrl) -> None:
    """Two services in one process: each migration runs over its own connection."""

    async def make(url: DatabaseUrl) -> str:
        database = SqlDatabase(url)
        try:
            return await schema.upgrade(database)
        finally:
            await database.aclose()

    async def all_of_them() -> list[str]:
        files = [DatabaseUrl(f"sqlite:///{number}.db") for number in range(12)]
        return await asyncio.gather(*(make(url) for url in [database_url, *files]))

    assert asyncio.run(all_of_them()) == ["empty"] * 13


def _make_later(url: DatabaseUrl) -> None:
    async def change() -> None:
        database = SqlDatabase(url)
        later = text("UPDATE alembic_version SET version_num='9'")
        await database.write(lambda c: c.execute(later))
        await database.aclose()

    asyncio.run(change())


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
    _make_later(database_url)
    assert main(["db", "upgrade"]) == 0  # a version that was rolled back starts
    assert main(["db", "check"]) == 1
    assert capsys.readouterr().out.count("of a later version than this one") == 2


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
    ("sqlite:////dev/null", "no file"),
    ("sqlite:///:memory:", "takes the path of a file"),
    ("sqlite:///x.db?mode=ro", "and no options"),
    ("postgresql://agent:secret@127.0.0.1:1/agent", "Connect"),  # as the event loop words it
    ("postgresql://agent:secret@127.0.0.1:port/agent", "no address"),
    ("postgresql://agent:secret@127.0.0.1:99999/agent", "no address"),
    ("postgresql://agent:sec/ret@127.0.0.1:1/agent", "no address"),
    ("postgresql://agent:secret@127.0.0.1:1/agent?sslmode", "no address"),
    ("postgresql://agent:secret@127.0.0.1:1/agent?sslmode=verify-ful", "sslmode"),
    (
        "postgresql://agent:secret@127.0.0.1:1/agent?sslmode=require&sslrootcert=/none",
        "No such file",
    ),
    ("postgres://agent:secret@127.0.0.1:1,127.0.0.1:2/agent", ""),
]


@pytest.mark.parametrize(("url", "why"), UNUSABLE)
def test_a_database_that_cannot_be_used_is_one_line(
    url: str, why: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With the reason and without the password; the exit status is 1."""
    monkeypatch.setenv("VOICE_AGENT_DATABASE", url)
    assert main(["db", "upgrade"]) == 1
    told = capfd.readouterr()
    assert_one_line(why, told.out, told.err)


@pytest.mark.parametrize(("url", "why"), [UNUSABLE[0], UNUSABLE[5], UNUSABLE[7]])
def test_nothing_is_served_without_a_database(url: str, why: str) -> None:
    """The start stops, with the same line."""
    stages = {f"VOICE_AGENT_{stage}__PROVIDER": "scripted" for stage in ("STT", "LLM", "TTS")}
    told = subprocess.run(
        [sys.executable, "-m", "agent.cli", "serve", "--port", "0"],
        env={**os.environ, **stages, "VOICE_AGENT_DATABASE": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert_one_line(why, told.stdout, told.stderr)


def assert_one_line(why: str, out: str, err: str) -> None:
    # The log of `serve` begins with the version.
    (line,) = [one for one in err.splitlines() if '"event": "starting"' not in one]
    assert line.startswith("voice-agent: database = ")
    assert why in line
    assert "secret" not in out + err


TAKEN = (
    "connect_timeout=5", "channel_binding=require", "keepalives=1", "gssencmode=disable",
    "application_name=agent", "options=-c%20statement_timeout%3D5000", "sslmode=prefer",
    "target_session_attrs=any", "client_encoding=utf8",
)  # fmt: skip


def test_what_consoles_put_into_an_address_is_taken(postgresql_server: PostgresqlServer) -> None:
    """As libpq takes it; what is no option of anybody's is one line."""
    url = postgresql_server.new_database()

    async def use(more: str) -> list[str]:
        database = SqlDatabase(DatabaseUrl(f"{url}&{more}"), quiet=True)
        try:
            asked = [text("SHOW application_name"), text("SHOW statement_timeout")]
            return await database.read(lambda c: [str(c.execute(a).scalar()) for a in asked])
        finally:
            await database.aclose()

    assert asyncio.run(use("&".join(TAKEN))) == ["agent", "5s"]
    with pytest.raises(StoreError, match="sslmod"):
        asyncio.run(use("sslmod=require"))


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """Though it was there before."""
    path = tmp_path / "there.db"
    path.touch(0o644)
    asyncio.run(SqlDatabase(DatabaseUrl(f"sqlite:///{path}")).aclose())
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setattr("agent.store.engine.find_spec", lambda _name: None)
    with pytest.raises(Exception, match=r'pip install "sinch-voice-agent\[postgresql\]"'):
        SqlDatabase(DatabaseUrl("postgresql://agent@127.0.0.1/agent"))


def test_a_database_of_the_version_before_is_brought_up_to_date_in_use(
    database_url: DatabaseUrl,
) -> None:
    """Its rows stay, of calls in progress too; what the old version writes beside us is read."""

    async def upgraded(database: SqlDatabase) -> None:
        before = {"call_records", "call_events", "call_languages", "call_words"}
        before |= {"record_reads", "seal_keys", "webhook_outbox"}
        before |= {"console_entries", "live_feed", "agent_versions", "opt_outs", "call_numbers"}
        async with opened(database_url) as old:
            await old.legs.put("+15550000001", {"call": "in progress"})
            for table in before:  # as 0001 has left it
                drop = text(f"DROP TABLE {table}")
                await database.write(lambda c, drop=drop: c.execute(drop))  # type: ignore[misc]
            older = text("UPDATE alembic_version SET version_num = '0001'")
            await database.write(lambda c: c.execute(older))
            assert await schema.state(database) == "older"
            context = multiprocessing.get_context("spawn")
            results = context.Queue()
            url = database_url.get_secret_value()
            processes = [context.Process(target=_start, args=(url, results)) for _ in range(2)]
            for process in processes:
                process.start()
            states = [await asyncio.to_thread(results.get, timeout=60) for _ in processes]
            assert sorted(states) == ["current", "older"]
            for process in processes:
                await asyncio.to_thread(process.join)
            assert await old.legs.get("+15550000001") == {"call": "in progress"}
            await old.legs.put("+15550000002", {"call": "of the old one"})
            async with opened(database_url) as new:
                assert await new.legs.get("+15550000002") == {"call": "of the old one"}
            assert await schema.state(database) == "current"

    async def run() -> None:
        database = SqlDatabase(database_url)
        await upgraded(database)
        await database.aclose()

    asyncio.run(run())
