"""What holds for every test."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

from agent import logs
from agent.settings.database import DatabaseUrl
from tests.databases import FILE, WANTED, PostgresqlServer, postgresql
from tests.open_things import open_files, running_threads

# Machines are shared: how long an example takes is a matter for benchmarks. A run tries the same
# examples as the one before, so that it fails for what was changed; `make fuzz` looks for new ones.
hypothesis.settings.register_profile("shared machine", deadline=None, derandomize=True)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS", "shared machine"))

LET_GO_WITHIN = 20.0
"""Seconds for a thread that was told to end to be gone: on a busy machine it waits for its turn."""

# What is imported and collected stays: to look through it again and again is an eighth of the time.
gc.disable()

BROWSER = "tests/browser/"

LONGEST = (
    BROWSER,
    "tests/test_wheel.py",
    "tests/test_chaos.py",
    "tests/test_growth.py",
    "tests/agent/sinch/test_commands.py",
    "tests/agent/process/",
    "tests/agent/bench/test_command.py",
    "tests/agent/sinch/test_two_processes.py",
    "tests/test_story.py",
    "tests/test_nothing_leaves.py",
    "tests/agent/records/test_deaths_of_processes.py",
    "tests/agent/console/live/test_relay.py",
    "tests/agent/server/test_floods.py",
    "tests/agent/sinch/test_opt_out_stories.py",
    "tests/agent/sinch/test_consent_stories.py",
    "tests/agent/sinch/test_warm_stories.py",
    "tests/agent/sinch/test_any_callback.py",
    "tests/agent/sinch/test_outages.py",
    "tests/agent/sinch/test_party_tools.py",
    "tests/agent/sinch/test_heard_orders.py",
    "tests/agent/sinch/test_heard_stories.py",
    "tests/agent/sinch/test_machine_stories.py",
    "tests/agent/server/test_watchdog.py",
    "tests/agent/simulator/test_evaluate.py",
    "tests/agent/store/test_outages.py",
)
"""Files of few tests that take long, or a folder of them: those that take longest first.

Of the others, those of many tests come first: what is not here and takes a second each comes last.
"""

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class OneBrowser(LoadFileScheduling):  # type: ignore[misc]
    """Gives each worker a file at a time; all that needs a browser is one of these.

    A browser, a service and what drives the browser cost as much as most tests that they are for.
    """

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(BROWSER) else nodeid.split("::", 1)[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneBrowser | None:
    """Begin with what takes longest: at the end, nobody waits for one worker alone."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # by the number of tests; ours is pytest's, see below
    return OneBrowser(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what takes longest first where files are given to workers, then those of many tests."""
    if not hasattr(config, "workerinput"):
        return
    tests = Counter(item.nodeid.split("::", 1)[0] for item in items)

    def late(item: pytest.Item) -> tuple[int, int]:
        file = item.nodeid.split("::", 1)[0]
        rank = next((n for n, name in enumerate(LONGEST) if file.startswith(name)), len(LONGEST))
        return rank, 0 if rank < len(LONGEST) else -tests[file]

    items.sort(key=late)


def pytest_collection_finish() -> None:
    """Spare later collections what the imports made: 200 ms each, and there are thousands."""
    gc.enable()
    gc.collect()
    gc.freeze()


def _is_live(request: pytest.FixtureRequest) -> bool:
    """Return whether a test asks a real service: see ``tests/live``."""
    return request.node.get_closest_marker("live") is not None


@pytest.fixture(scope="session")
def nowhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where nothing is, for tests that want none of their own."""
    return tmp_path_factory.mktemp("nowhere")


# One fixture for all of it: with thousands of tests, to have one costs more than what it does.
@pytest.fixture(autouse=True)
def _apart(nowhere: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """No test reaches beyond this machine, sees its settings, sets its log up, or writes elsewhere.

    It is in its ``tmp_path``, or where nothing may be left: to make a folder and remove it takes
    longer than most tests, which want none.
    """
    own = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else nowhere
    with pytest.MonkeyPatch.context() as surroundings:
        if not _is_live(request):
            _only_loopback(surroundings)
            _no_settings(surroundings)
        # A command that runs in this process leaves the log as it is: loggers would keep theirs.
        surroundings.setattr(logs, "configure", lambda _level, _style: None)
        surroundings.chdir(own)
        yield
    left = [*nowhere.iterdir()]
    for one in left:  # so that this test alone fails for it
        shutil.rmtree(one) if one.is_dir() and not one.is_symlink() else one.unlink()
    assert not left, "a test that writes files asks for `tmp_path`"


def _only_loopback(surroundings: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            pytest.fail(f"a test tried to reach {address[0]}")
        connect(self, address)

    surroundings.setattr(socket.socket, "connect", connect_here)


def _no_settings(surroundings: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("VOICE_AGENT_", "OPENAI_")) or "_KEY" in name:
            surroundings.delenv(name)


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """No thread, socket or file outlives the test."""
    gc.collect()
    gc.freeze()  # what is there now is no longer looked through: it is not what the test leaves
    before = open_files(), running_threads()
    yield
    deadline = time.monotonic() + LET_GO_WITHIN
    while True:
        gc.collect()
        files, threads = open_files(), running_threads()
        left = bool(threads - before[1]) or len(files) > len(before[0])
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    assert threads <= before[1], f"threads left: {threads - before[1]}"
    assert len(files) <= len(before[0]), f"open: {sorted(files)}, before: {sorted(before[0])}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A PostgreSQL of this test run; the test is skipped where it is not installed."""
    with postgresql() as server:
        if server is None:
            pytest.skip(WANTED)
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseUrl:
    """The address of an empty database, of each kind."""
    if request.param == "sqlite":
        return DatabaseUrl(f"sqlite:///{tmp_path}/{FILE}")
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    return DatabaseUrl(server.new_database())
