"""Every command and every snippet in the docs is parsed, and run where it can be.

A block that a page gives a file's name (``as `special.py` ``, in the lines above it) is that file,
so that what other blocks of the page say of it holds. A block of YAML is the front matter of an
agent file, or with ``situations`` behind ``yaml`` what `voice-agent evaluate` takes, with
``parties`` what `voice-agent sinch stand-in` takes, or with ``prometheus`` what Prometheus takes.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import contextlib
import importlib
import io
import json
import re
import shlex
import shutil
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agent.cli import _parser
from agent.personas import loader
from agent.personas.script import SAMPLE, Script
from agent.records.webhooks.delivery import ping, send
from agent.records.webhooks.endpoints import endpoints
from agent.server.checks import everything
from agent.settings import Settings, load
from agent.simulator import scenarios
from agent.simulator.scenarios.party_calls import load_parties
from pipelines.conversation import Message
from pipelines.providers.lookup.model import LanguageModel
from pipelines.tools import CallInfo, ToolError
from tests.monitoring import ALERTS, needs_promtool, promtool
from tests.readme import DOCS, PAGES, README, ROOT
from tests.test_readme import name, prose

SECRET = "whsec_" + 43 * "A" + "="
OTHERS = {"cd", "cp", "curl", "docker", "echo", "export", "grep", "helm", "kubectl"}
OTHERS |= {"pip", "python3"}
"""Programs in the docs that are not ours; whether they are there is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A block of code in a page."""

    page: Path
    line: int
    language: str
    text: str
    file: str
    """What the page calls it; ``""`` if nothing."""

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def snippets(page: Path) -> Iterator[Snippet]:
    text = page.read_text()
    end = 0
    for block in re.finditer(r"^( *)```([\w ]*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE):
        before = text[end : block.start()].rstrip().splitlines()[-3:]
        names = re.findall(r"[Aa]s\s`([\w/]+\.(?:py|md))`", "\n".join(before))
        end = block.end()
        yield Snippet(
            page=page,
            line=text.count("\n", 0, block.start()) + 1,
            language=block[2].strip(),
            text=textwrap.dedent(block[3]),
            file=names[-1] if names else "",
        )


SNIPPETS = [snippet for page in PAGES for snippet in snippets(page)]


def of(*languages: str) -> pytest.MarkDecorator:
    found = [one for one in SNIPPETS if one.language in languages]
    assert found
    return pytest.mark.parametrize("snippet", found, ids=str)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to be in, which modules are imported from, and forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for module in set(sys.modules) - before:
        file = getattr(sys.modules[module], "__file__", None)
        if file is None or tmp_path in Path(file).parents:
            del sys.modules[module]


def unpack(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the files of a page, and set the secrets that they name."""
    for one in SNIPPETS:
        if one.page == page and one.language == "python" and one.file:
            path = folder / one.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(one.text)
    for variable in re.findall(r"secret_variable: (\w+)", page.read_text()):
        monkeypatch.setenv(variable, SECRET)


def test_each_block_says_what_it_is() -> None:
    """So that none is passed over; one without a language is what a program prints."""
    known = {"", "json", "markdown", "python", "sh", "sql", "toml", "yaml", "yaml situations"}
    known |= {"yaml parties", "yaml prometheus"}
    assert {one.language for one in SNIPPETS} == known
    fences = sum(len(re.findall(r"^ *```", page.read_text(), re.MULTILINE)) for page in PAGES)
    assert fences == 2 * len(SNIPPETS)


# Commands


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command in lines of a shell, without assignments before it."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
        words.whitespace_split = True
        command: list[str] = []
        for word in [*words, ";"]:
            if set(word) <= set("();<>|&"):
                if command:
                    yield command
                command = []
            elif command or not re.match(r"\w+=", word):
                command.append(word)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return what `voice-agent` makes of arguments."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return _parser().parse_args(arguments)
    except SystemExit:
        pytest.fail(f"voice-agent {shlex.join(arguments)}: {said.getvalue()}")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@of("sh")
def test_commands_are_such(snippet: Snippet) -> None:
    """The parser takes each of ours; what make, Python and pytest are given is there."""
    redirected = re.compile(r">>? *\S+")
    for program, *arguments in commands(redirected.sub("", snippet.text)):
        match program.removeprefix(".venv/bin/"):
            case "voice-agent":
                parse(arguments)
            case "make":
                assert {one for one in arguments if "=" not in one} <= make_targets()
            case other:
                assert other in OTHERS, f"what is {other}?"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_in_the_text_are_such(page: Path) -> None:
    """They need not be whole, but have commands and options that there are."""
    for code in re.findall(r"`([^`\n]+(?:\n *[^`\n]+)?)`", prose(page)):
        words = code.split()
        words = words[words.index("PYTHONPATH=.") + 1 :] if "PYTHONPATH=." in words else words
        program = words[0].removeprefix(".venv/bin/") if words else ""
        if program == "voice-agent":
            known = parser_of([one for one in words[1:] if re.fullmatch(r"[a-z-]+", one)])
            given = {one for one in words if one.startswith("--")}
            assert given <= known | {"--help"}, code
        elif program == "make" and len(words) > 1:
            assert {one for one in words[1:] if "=" not in one} <= make_targets(), code
        elif (found := re.search(r"-m (tests[\w.]*)", code)) is not None:
            assert list(ROOT.glob(found[1].replace(".", "/") + "*")), code
        elif (found := re.search(r"pytest (tests/\w+)", code)) is not None:
            assert (ROOT / found[1]).exists(), code


def parser_of(words: list[str]) -> set[str]:
    """Return the options of a command, which may be one below another."""
    parser = _parser()
    for word in words:
        below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if not below:
            break
        assert word in below[0].choices, word
        parser = below[0].choices[word]
    return {option for action in parser._actions for option in action.option_strings}


# Settings, agents, situations, lines of JSON


@of("toml")
def test_settings_are_such(snippet: Snippet, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service takes each as its file, options of providers included."""
    unpack(snippet.page, folder, monkeypatch)
    Path("voice-agent.toml").write_text(snippet.text.replace('"..."', '"c2VjcmV0"'))
    load().providers()


@of("markdown", "yaml")
def test_agent_files_are_such(
    snippet: Snippet, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is one, or a part of its front matter; what it names of the page is there."""
    unpack(snippet.page, folder, monkeypatch)
    text = snippet.text
    if not text.startswith("---\n"):
        greeting = "" if "greeting:" in text else "greeting: Hello.\n"
        text = f"---\n{greeting}{text}---\nBe brief.\n"
    loader.parse(text).render(SAMPLE)


@of("yaml parties")
def test_party_calls_are_such(snippet: Snippet, tmp_path: Path) -> None:
    """Each is taken as it stands."""
    path = tmp_path / "parties.yaml"
    path.write_text(snippet.text)
    assert load_parties(path)


@of("yaml situations")
def test_situations_are_such(snippet: Snippet, tmp_path: Path) -> None:
    """`voice-agent evaluate` takes them, where there are such recordings."""
    (tmp_path / "recordings").mkdir()
    recording = scenarios.DEFAULT.parent / "recordings" / "phone-number.wav"
    wanted_files = re.findall(r"(?:recording|talker): ([\w-]+)", snippet.text)
    for group in re.findall(r'"([a-z ]+)"', snippet.text):
        wanted_files += group.split()
    for wanted in wanted_files:
        shutil.copy(recording, tmp_path / "recordings" / f"{wanted}.wav")
    (tmp_path / "own.yaml").write_text(snippet.text)
    assert scenarios.load(tmp_path / "own.yaml")


@needs_promtool
@of("yaml prometheus")
def test_prometheus_takes_its_configuration(snippet: Snippet, tmp_path: Path) -> None:
    """With the rules beside it."""
    shutil.copy(ALERTS, tmp_path / "alerts.yaml")
    (tmp_path / "prometheus.yaml").write_text(snippet.text)
    promtool("check", "config", str(tmp_path / "prometheus.yaml"))


@of("json")
def test_json_is_such(snippet: Snippet) -> None:
    """A value a line, as the log and the transcript have it."""
    for line in snippet.text.splitlines():
        json.loads(line)


# Python


@of("python")
def test_python_is_such(snippet: Snippet, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It compiles, what it imports is there, and what is a file runs."""
    unpack(snippet.page, folder, monkeypatch)
    for node in ast.walk(ast.parse(snippet.text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            assert not [alias.name for alias in node.names if not hasattr(module, alias.name)]
    if snippet.file:
        importlib.import_module(snippet.file.removesuffix(".py").replace("/", "."))


def find(page: str, file: str) -> str:
    (found,) = [one.text for one in SNIPPETS if one.page == DOCS / page and one.file == file]
    return found


# What the pages promise


def test_five_lines_are_an_agent_that_answers() -> None:
    """The README's, and the same in its page, with the stage that needs no key."""
    in_readme = [one.text for one in SNIPPETS if one.page == README and one.language == "markdown"]
    text = find("agent-files.md", "prompts/bakery.md")
    assert in_readme == [text]
    assert text.count("\n") == 5
    script = loader.parse(text).render(SAMPLE)
    said = asyncio.run(answer(script, "When are you open?"))
    assert said == "We are open from seven to noon, every day but Monday."


def test_five_lines_are_well_as_they_stand(folder: Path) -> None:
    """In a folder with nothing else, with the models that come with the install."""
    (folder / "prompts").mkdir()
    (text,) = [one.text for one in SNIPPETS if one.page == README and one.language == "markdown"]
    (folder / "prompts" / "bakery.md").write_text(text)
    assert everything(Settings(agent="bakery", server={"port": 0})) == []


async def answer(script: Script, question: str) -> str:
    model = LanguageModel(LanguageModel.Options())
    await model.start()
    reply = model.reply(script.brief, [Message("user", question)])
    pieces = [piece async for piece in reply if isinstance(piece, str)]
    await model.aclose()
    return "".join(pieces).strip()


def test_an_agent_from_nothing_uses_its_tool(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The endpoint of the page knows our signature, and no other."""
    unpack(DOCS / "tools.md", folder, monkeypatch)
    special: Any = importlib.import_module("special")
    with special.ThreadingHTTPServer(("127.0.0.1", 0), special.Tool) as server:
        monkeypatch.setattr(special.Tool, "log_message", lambda *_: None)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            agent = find("tools.md", "prompts/bakery.md")
            agent = agent.replace(":8081/", f":{server.server_port}/")
            (tool,) = loader.parse(agent).tools.fixed
            about = CallInfo(call_id="call", tool_call="1", caller="", called="")
            told = json.loads(asyncio.run(run(tool, about)))
            assert told == {"special": "pumpkin soup", "price": "$9.50"}
            assert capsys.readouterr().out == "daily_special {}\n"
            monkeypatch.setenv("TOOL_SECRET", SECRET.replace("A", "B", 1))
            with pytest.raises(ToolError, match="401"):
                asyncio.run(run(tool, about))
        finally:
            server.shutdown()
            thread.join()


async def run(tool: Any, about: CallInfo) -> str:
    told: str = await tool.run({}, about)
    return told


def test_the_receiver_of_webhooks_takes_what_we_send_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the settings of the page: what another has signed is refused."""
    unpack(DOCS / "webhooks.md", folder, monkeypatch)
    receiver: Any = importlib.import_module("receiver")
    (text,) = [
        one.text for one in SNIPPETS if one.page == DOCS / "webhooks.md" and one.language == "toml"
    ]
    Path("voice-agent.toml").write_text(text)
    monkeypatch.setenv("CRM_SECRET", SECRET)
    (endpoint,) = endpoints(load().webhooks).values()

    async def story() -> None:
        runner = web.AppRunner(receiver.app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        here = replace(endpoint, url=f"http://127.0.0.1:{runner.addresses[0][1]}/calls")
        assert await send(here, "msg_1", ping()) is None
        failed = await send(replace(here, keys=(bytes(32 * [1]),)), "msg_2", ping())
        assert failed is not None
        assert failed.why == "HTTP 401"
        await runner.cleanup()

    asyncio.run(story())
    assert capsys.readouterr().out == "msg_1 ping {}\n"


def test_the_smallest_provider_speaks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it is told to."""
    unpack(DOCS / "writing-a-provider.md", folder, monkeypatch)
    tones: Any = importlib.import_module("tones")
    synthesizer = tones.Synthesizer(tones.Synthesizer.Options(seconds=0.3))
    seconds = asyncio.run(lengths(synthesizer, "Good morning"))
    assert seconds == pytest.approx([0.3, 0.3])


async def lengths(synthesizer: Any, text: str) -> list[float]:
    return [len(one.pcm) / 2 / one.rate async for one in synthesizer.speak(text)]
