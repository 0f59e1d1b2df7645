"""Agent files while calls come in: edits, mistakes, what is gone, a disk that hangs."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.personas import files, folder, loader
from agent.personas.errors import PersonaError
from agent.personas.files import AgentFiles
from agent.personas.folder import AgentFolder
from agent.personas.script import Details
from tests.agent.loopback import until

T = TypeVar("T")

NOW = Details(now=datetime(2026, 1, 6, 12, tzinfo=UTC))


def write(path: Path, greeting: str, number: str = "") -> None:
    numbers = f"numbers: ['{number}']\n" if number else ""
    path.write_text(f"---\ngreeting: {greeting}\n{numbers}---\nBe brief.\n")


def greeting(agents: AgentFiles, name: str) -> str:
    return agents.load(name).render(NOW).greeting


def look(agents: AgentFiles) -> None:
    agents.look(time.monotonic())


def test_a_hundred_agents_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: a look at what has not changed reads nothing and parses nothing."""
    for n in range(100):
        write(tmp_path / f"a{n}.md", f"I am {n}.", f"+1202555{n:04}")
        os.utime(tmp_path / f"a{n}.md", (1, 1))
    agents = AgentFiles(tmp_path)
    look(agents)
    reads: list[Path] = []

    def read(path: Path) -> tuple[loader.Stamp, str]:
        reads.append(path)
        return loader.read(path)

    monkeypatch.setattr(files, "read", read)
    for _ in range(3):
        look(agents)
        assert agents.answering("+12025550077") == "a77"
        assert greeting(agents, "a77") == "I am 77."
    assert reads == []


def test_an_edit_counts_for_the_next_call(tmp_path: Path) -> None:
    """Even if nothing but the inode tells of it, or nothing at all within a moment."""
    path = tmp_path / "a.md"
    write(path, "I am 000.", "+12025550100")
    agents = AgentFiles(tmp_path)
    look(agents)
    for n in range(1, 30):  # as fast as it goes: of one size, and some of one time
        write(path, f"I am {n:03}.", "+12025550100")
        assert greeting(agents, "a") == f"I am {n:03}."
    before = path.stat()
    write(tmp_path / "new", "I am new.", "+12025550100")
    os.utime(tmp_path / "new", ns=(before.st_mtime_ns, before.st_mtime_ns))
    (tmp_path / "new").rename(path)
    assert greeting(agents, "a") == "I am new."


def test_numbers_follow_their_files(tmp_path: Path) -> None:
    """The first by name has a number that two files name; it goes to the other with its file."""
    write(tmp_path / "a.md", "A.", "+12025550100")
    write(tmp_path / "b.md", "B.", "+12025550100")
    agents = AgentFiles(tmp_path)
    look(agents)
    assert agents.answering("+12025550100") == "a"
    write(tmp_path / "a.md", "A.", "+12025550101")
    look(agents)
    assert agents.answering("+12025550100") == "b"
    assert agents.answering("+12025550101") == "a"
    (tmp_path / "b.md").unlink()
    look(agents)
    assert agents.answering("+12025550100") == ""
    with pytest.raises(PersonaError, match=r"no such file; agents here: a$"):
        agents.load("b")


GOOD = "---\ngreeting: Two.\n---\nBe brief.\n"

WRONG = {
    "emptied": b"",
    "a line alone": b"\n",
    "half written": b"---\ngreeting: Two.\nfacts:\n  - We o",
    "front matter alone": b"---\ngreeting: Two.\n---\n",
    "yaml": b"---\ngreeting: [\n---\nx",
    "unknown field": b"---\ngreting: Two.\n---\nx",
    "wrong value": b"---\ngreeting: Two.\nfacts: One\n---\nx",
    "unknown variable": b"---\ngreeting: a {{nobody}}\n---\nx",
    "template that fails": b"---\ngreeting: a {{ 1 / 0 }}\n---\nx",
    "template that fails with a caller": b"---\ngreeting: a{{ caller and 1 / 0 }}\n---\nx",
    "tool without its secret": GOOD.replace(
        "greeting:",
        "tools: [{url: 'https://a', name: a, description: b, secret_variable: NO}]\ngreeting:",
    ).encode(),
    "bytes": b"\xff",
    "Latin-1": GOOD.replace("Two", "Ol\u00e9").encode("latin-1"),
    "UTF-16 without a mark": GOOD.encode("utf-16-le"),
    "NUL": GOOD.encode() + b"\0",
    "size": b"a" * 300_000,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_mistake_keeps_the_version_before(tmp_path: Path, wrong: bytes) -> None:
    """Told once, loudly, and not of the words; the next good version answers again."""
    path = tmp_path / "a.md"
    write(path, "One.", "+12025550100")
    agents = AgentFiles(tmp_path)
    look(agents)
    path.write_bytes(wrong)
    with capture_logs() as logs:
        for _ in range(3):
            look(agents)
            assert greeting(agents, "a") == "One."
    assert agents.answering("+12025550100") == "a"
    assert agents.mistakes == ["a"]
    (told,) = logs
    assert told["log_level"] == "error"
    assert told["answered_by"] == "the version before"
    assert "Two" not in told["error"]
    assert re.match(r".*a.md[:,] ", told["error"])
    write(path, "Two.")
    with capture_logs() as logs:
        for _ in range(3):
            look(agents)
            assert greeting(agents, "a") == "Two."
    assert [(one["event"], one["agent"]) for one in logs] == [("agent file is right again", "a")]
    assert agents.mistakes == []
    assert agents.answering("+12025550100") == ""


@pytest.mark.parametrize("kind", ["deleted", "folder", "pipe", "link to nowhere", "link to itself"])
def test_an_agent_that_the_settings_name_answers_on(tmp_path: Path, kind: str) -> None:
    """Whatever becomes of its file; another whose file is deleted is no more."""
    path, other = tmp_path / "a.md", tmp_path / "b.md"
    write(path, "One.", "+12025550100")
    write(other, "Other.")
    write(tmp_path / "c.md", "C.")
    agents = AgentFiles(tmp_path, {"a"})
    look(agents)
    path.unlink()
    other.unlink()
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link to nowhere" | "link to itself":
            path.symlink_to("a.md" if kind == "link to itself" else "nothing")
    with capture_logs() as logs:
        for _ in range(3):
            look(agents)
            assert greeting(agents, "a") == "One."
    assert agents.answering("+12025550100") == "a"
    assert (agents.mistakes, agents.names) == (["a"], ["a", "c"])
    assert [one["answered_by"] for one in logs] == ["the version before"]
    with pytest.raises(PersonaError, match="no such file"):
        agents.load("b")
    path.rmdir() if kind == "folder" else path.unlink(missing_ok=True)
    write(path, "Two.")
    look(agents)
    assert (greeting(agents, "a"), agents.mistakes) == ("Two.", [])


def test_one_that_is_gone_costs_no_call_a_moment(tmp_path: Path) -> None:
    """Editors are waited for once, not at every look."""
    write(tmp_path / "a.md", "One.")
    write(tmp_path / "b.md", "B.")
    agents = AgentFiles(tmp_path, {"a"})
    look(agents)
    (tmp_path / "a.md").unlink()
    look(agents)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "GONE_AFTER", 1e9)
        for _ in range(3):
            look(agents)
            assert greeting(agents, "a") == "One."


@pytest.mark.usefixtures("nothing_left")
def test_what_is_no_file_holds_no_descriptor(tmp_path: Path) -> None:
    """It is looked at for as long as the service runs."""
    (tmp_path / "a.md").mkdir()
    os.mkfifo(tmp_path / "b.md")
    agents = AgentFiles(tmp_path)
    for _ in range(100):
        look(agents)
    assert agents.mistakes == ["a", "b"]


def test_a_file_that_never_was_right_answers_nobody(tmp_path: Path) -> None:
    """Neither is it looked for behind the others."""
    write(tmp_path / "good.md", "Good.")
    (tmp_path / "bad.md").write_text("---\ngreeting: a {{nobody}}\n---\nx")
    agents = AgentFiles(tmp_path)
    look(agents)
    for _ in range(2):
        with pytest.raises(PersonaError, match="unknown variable 'nobody'"):
            agents.load("bad")
    assert agents.mistakes == ["bad"]


def test_a_mistake_is_told_before_anybody_asks_for_the_agent(tmp_path: Path) -> None:
    """In the log and to `/health`: of a file that was wrong from the start, and of a new one."""
    write(tmp_path / "reception.md", "Hello.")
    (tmp_path / "old.md").write_text("---\ngreting: Hi.\n---\nBe brief.\n")
    agents = AgentFiles(tmp_path)
    look(agents)
    with capture_logs() as logs:
        while agents.try_next():
            pass
        assert agents.mistakes == ["old"]
        (tmp_path / "new.md").write_text("")
        look(agents)
        while agents.try_next():
            pass
    assert agents.mistakes == ["new", "old"]
    assert [line["agent"] for line in logs] == ["old", "new"]
    assert all(line["log_level"] == "error" for line in logs)
    write(tmp_path / "new.md", "Hello at last.")
    look(agents)
    assert agents.mistakes == ["old"]


def test_the_folder_disappears_and_comes_back(tmp_path: Path) -> None:
    """Calls are answered as before, the log says so once; then edits count again."""
    prompts, away = tmp_path / "prompts", tmp_path / "away"
    prompts.mkdir()
    write(prompts / "a.md", "One.", "+12025550100")
    write(prompts / "b.md", "B.")
    agents = AgentFiles(prompts)
    look(agents)
    for emptied in (False, True):
        if emptied:
            prompts.mkdir()
        else:
            prompts.rename(away)
        with capture_logs() as logs:
            for _ in range(2):
                look(agents)
                assert greeting(agents, "a") == "One."
                assert greeting(agents, "b") == "B."
                assert agents.answering("+12025550100") == "a"
        assert agents.lost
        assert len([entry for entry in logs if entry["log_level"] == "error"]) <= 1
    write(prompts / "a.md", "Two.")
    assert greeting(agents, "a") == "Two."
    look(agents)
    assert not agents.lost
    assert agents.names == ["a"]


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nowhere", "link to itself", "device"])
def test_what_is_no_file_is_told_and_costs_nothing(tmp_path: Path, kind: str) -> None:
    """A pipe that nobody writes to, too: to open it would wait for ever."""
    write(tmp_path / "good.md", "Good.")
    odd = tmp_path / "odd.md"
    match kind:
        case "folder":
            odd.mkdir()
        case "pipe":
            os.mkfifo(odd)
        case "device":
            odd.symlink_to("/dev/zero")
        case _:
            odd.symlink_to("odd.md" if kind == "link to itself" else "nothing")
    agents = AgentFiles(tmp_path)
    look(agents)
    with pytest.raises(PersonaError):
        agents.load("odd")
    assert greeting(agents, "good") == "Good."
    assert not agents.lost


def test_a_file_is_whole_or_not_taken(tmp_path: Path) -> None:
    """Whatever is written meanwhile, a call has one version of it and no mixture."""
    path = tmp_path / "a.md"
    letters = itertools.cycle("ab")

    def text(letter: str) -> str:
        return f"---\ngreeting: {letter * 2000}\n---\n{letter * 100_000}\n"

    path.write_text(text("a"))
    agents = AgentFiles(tmp_path)
    look(agents)
    stopped = threading.Event()

    def keep_writing() -> None:
        while not stopped.is_set():
            with path.open("rb+", buffering=0) as file:  # in one piece: no pause is in the middle
                file.write(text(next(letters)).encode())
            time.sleep(random.random() / 20)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for _ in range(20):
            look(agents)
            script = agents.load("a").render(NOW)
            said = set(script.greeting) | set(script.brief.prompt)
            assert said in ({"a"}, {"b"})
    finally:
        stopped.set()
        writer.join()


def test_editors_that_replace_a_file_do_not_lose_a_call(tmp_path: Path) -> None:
    """They remove it first; it is there again within a moment."""
    path = tmp_path / "a.md"
    write(path, "One.")
    write(tmp_path / "b.md", "B.")
    agents = AgentFiles(tmp_path)
    look(agents)
    path.unlink()
    back = threading.Timer(files.GONE_AFTER / 4, write, (path, "Two."))
    back.start()
    assert greeting(agents, "a") == "Two."
    back.join()


def test_thousands_of_agents_take_little_memory(tmp_path: Path) -> None:
    """Those that are called are kept ready, no more than so many."""
    for n in range(files.MOST_COMPILED + 10):
        write(tmp_path / f"a{n}.md", f"I am {n}.")
    agents = AgentFiles(tmp_path)
    look(agents)
    for n in range(files.MOST_COMPILED + 10):
        assert greeting(agents, f"a{n}") == f"I am {n}."
    kept = [name for name in agents.names if agents.remembered(name)]
    assert len(kept) == files.MOST_COMPILED


STEPS = st.lists(
    st.tuples(st.sampled_from(["good", "bad", "gone"]), st.sampled_from("ab"), st.booleans()),
    max_size=8,
)


@settings(max_examples=10)
@given(STEPS)
def test_what_answers_is_the_last_good_version(steps: list[tuple[str, str, bool]]) -> None:
    """After whatever edits, with or without a look in between; a third agent is always there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "GONE_AFTER", 0.0)
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary)
            write(path / "c.md", "C.")
            agents, good = AgentFiles(path), dict[str, str]()
            look(agents)
            for n, (what, name, looks) in enumerate(steps):
                file = path / f"{name}.md"
                match what:
                    case "good":
                        write(file, f"G{n}.")
                        good[name] = f"G{n}."
                    case "bad":
                        file.write_text(f"bad {n}")
                    case "gone":
                        file.unlink(missing_ok=True)
                        good.pop(name, None)
                # Each version is seen: one that nobody saw cannot be gone back to.
                look(agents) if looks else _try(agents, name)
            for name in "ab":
                assert _try(agents, name) == good.get(name)
            assert greeting(agents, "c") == "C."


def _try(agents: AgentFiles, name: str) -> str | None:
    try:
        return greeting(agents, name)
    except PersonaError:
        return None


class Stuck(ThreadPoolExecutor):
    """A thread that hangs on a disk, while told to."""

    def __init__(self) -> None:
        super().__init__(1)
        self.answers = threading.Event()
        self.answers.set()

    def submit(self, work: Callable[..., T], /, *arguments: Any, **named: Any) -> Future[T]:
        def late() -> T:
            self.answers.wait()
            return work(*arguments, **named)

        return super().submit(late)


@pytest.mark.usefixtures("nothing_left")
def test_a_disk_that_hangs_costs_one_call_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls after it have the agent as it was, at once; then edits count again."""
    monkeypatch.setattr(folder, "WITHIN", 0.2)
    write(tmp_path / "a.md", "One.", "+12025550100")
    threads = Stuck()
    agents = AgentFolder(tmp_path, threads)

    async def main() -> None:
        await agents.start()
        assert (await agents.script("a", NOW)).greeting == "One."
        threads.answers.clear()
        write(tmp_path / "a.md", "Two.", "+12025550100")
        for _ in range(100):  # a fifth of a second each would be 20
            async with asyncio.timeout(10):
                assert (await agents.script("a", NOW)).greeting == "One."
                assert await agents.answering("+12025550100") == "a"
        assert agents.health["lost"] == "the disk does not answer"
        with pytest.raises(PersonaError, match="the disk does not answer"):
            await agents.script("b", NOW)
        threads.answers.set()
        await until(lambda: not agents.health["lost"])
        assert (await agents.script("a", NOW)).greeting == "Two."
        await agents.aclose()

    with capture_logs() as logs:
        asyncio.run(main())
    assert [entry["event"] for entry in logs] == ["the disk of the agent files does not answer"]


@pytest.mark.usefixtures("nothing_left")
def test_a_thousand_calls_at_once_need_a_few_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has begun after a call came is good enough for it."""
    looks: list[object] = []
    scandir = os.scandir

    def counted(path: str) -> Iterator[os.DirEntry[str]]:
        looks.append(path)
        return scandir(path)

    write(tmp_path / "a.md", "One.", "+12025550100")
    agents = AgentFolder(tmp_path)

    async def main() -> None:
        await agents.start()
        monkeypatch.setattr(os, "scandir", counted)
        found = await asyncio.gather(*(agents.answering("+12025550100") for _ in range(1000)))
        assert set(found) == {"a"}
        assert 1 <= len(looks) < 10
        await agents.aclose()

    asyncio.run(main())
