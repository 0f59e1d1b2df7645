"""What ``voice-agent init`` writes, and what it says."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from agent.cli import main
from agent.cli.init import LOCAL
from agent.cli.starter import TEXTS, file_name, options_for
from agent.personas import loader
from agent.personas.machine_words import tells_of_a_machine
from agent.personas.script import SAMPLE
from agent.settings import load
from pipelines.providers import PROVIDERS, find
from pipelines.providers.contracts import Stage
from pipelines.providers.key_variables import key_variable
from pipelines.providers.languages import languages

KEY = "9f2c1e7ab04d5863f19f2c1e7ab04d58"
EVERY: list[tuple[Stage, str]] = [(stage, name) for stage in PROVIDERS for name in PROVIDERS[stage]]
SCRIPTED = [word for stage in PROVIDERS for word in (f"--{stage}", "scripted")]
HEARS = {"stt": "openai", "llm": "openai", "tts": "openai"}
"""Providers that have every language."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, without keys in the environment."""
    monkeypatch.chdir(tmp_path)
    for stage, name in EVERY:
        provider = find(stage, name)
        monkeypatch.delenv(key_variable(provider, provider.Options()) or "NONE", raising=False)
    monkeypatch.setenv("VOICE_AGENT_SERVER__PORT", "0")
    return tmp_path


def init(*arguments: str) -> int:
    try:
        return main(["init", *arguments])
    except SystemExit as ended:
        return int(str(ended.code or 0))


def checked(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    """Return what `check` finds in this folder."""
    capsys.readouterr()
    main(["check", "--json"])
    found: list[dict[str, str]] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("language", TEXTS)
def test_what_is_written_says_that_a_machine_talks(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """First, and in words that `check` knows: it has nothing to say where people must be told."""
    assert init(*SCRIPTED, "--language", language, "--name", "Ann's Bakery") == 0
    with Path("voice-agent.toml").open("a") as file:
        file.write('\n[disclosure]\nrequired = ["EU"]\n')
    script = loader.load(Path("prompts"), "anns-bakery").render(SAMPLE)
    assert tells_of_a_machine(script.disclosure, language)
    assert checked(capsys) == []


@pytest.mark.parametrize(("stage", "name"), EVERY)
@pytest.mark.parametrize("language", TEXTS)
def test_what_is_written_is_well_for_every_provider(
    stage: Stage,
    name: str,
    language: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In every language that it has: nothing is missing but keys, whose variables are told."""
    others = dict.fromkeys(PROVIDERS, "scripted") | {stage: name}
    arguments = [word for one, given in others.items() for word in (f"--{one}", given)]
    status = init(*arguments, "--language", language, "--name", "Ann's Bakery")
    said = capsys.readouterr()
    if options_for(stage, name, language) is None:
        assert status == 2
        assert "has English only" in said.err
        return
    assert status == 0, said.err
    provider = find(stage, name)
    key = key_variable(provider, provider.Options())
    assert [one["place"] for one in checked(capsys)] == ([key] if key else [])
    if key:
        assert f"set {key}, in the environment" in said.out
        monkeypatch.setenv(key, KEY)
        assert checked(capsys) == []
    (chosen,) = load().providers()[stage]
    assert language in (languages(stage, name, chosen.options) or {language})


@pytest.mark.parametrize(("stage", "name"), EVERY)
def test_the_key_of_a_provider_is_the_one_that_its_start_asks_for(stage: Stage, name: str) -> None:
    """Nobody else knows of it before: the table is compared with what each one says."""
    import asyncio  # noqa: PLC0415

    from pipelines.providers.contracts import ProviderError  # noqa: PLC0415

    provider = find(stage, name)
    options = provider.Options()
    key = key_variable(provider, options)
    if not key:
        assert "api_key" not in provider.Options.model_fields
        return

    async def start() -> None:
        one = provider(options)
        try:
            with pytest.raises(ProviderError, match=f"set {key} in"):
                await one.start()
        finally:
            await one.aclose()

    asyncio.run(start())


def test_an_agent_that_needs_no_key_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Local models; the next command is told, and there is nothing to be set."""
    assert init() == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["wrote voice-agent.toml", "wrote prompts/reception.md"]
    assert said[2].startswith("next: ")
    assert said[2].endswith(" serve")
    assert len(said) == 3
    settings = load()
    assert settings.agent == "reception"
    assert {stage: getattr(settings, stage).provider for stage in LOCAL} == LOCAL
    assert checked(capsys) == []


def test_a_provider_may_do_several_stages(capsys: pytest.CaptureFixture[str]) -> None:
    """All that it can; what is named by itself wins."""
    assert init("--provider", "deepgram", "--llm", "anthropic") == 0
    settings = load()
    assert (settings.stt.provider, settings.llm.provider, settings.tts.provider) == (
        "deepgram", "anthropic", "deepgram",
    )  # fmt: skip
    said = capsys.readouterr().out
    assert said.count("DEEPGRAM_API_KEY,") == 1
    assert said.count("ANTHROPIC_API_KEY,") == 1
    assert init("there", "--provider", "openai", "--tts", "piper") == 0
    settings = load(Path("there/voice-agent.toml"))
    assert (settings.stt.provider, settings.llm.provider, settings.tts.provider) == (
        "openai", "openai", "piper",
    )  # fmt: skip


def test_a_key_that_is_set_is_not_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor written anywhere."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert init("--llm", "openai") == 0
    said = capsys.readouterr().out
    assert "OPENAI_API_KEY is set" in said
    assert KEY not in said + Path("voice-agent.toml").read_text()


def test_the_next_command_goes_into_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever it is called."""
    assert init("two words/deep") == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert shlex.split(said)[:3] == ["next:", "cd", "two words/deep"]
    assert Path("two words/deep/prompts/reception.md").exists()


@pytest.mark.parametrize("there", ["voice-agent.toml", "prompts/reception.md"])
@pytest.mark.parametrize("link", [False, True])
def test_nothing_is_overwritten(
    there: str, link: bool, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """Neither of the two is written if one is there, be it a link to nowhere."""
    path = folder / there
    path.parent.mkdir(exist_ok=True)
    if link:
        path.symlink_to("nowhere")
    else:
        path.write_text("mine")
    assert init() == 1
    assert f"{there} is there already" in capsys.readouterr().err
    assert [one for one in folder.rglob("*.*") if one != path] == []
    assert link or path.read_text() == "mine"


def test_what_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """In a line, and what was written before it is gone."""
    (folder / "file").touch()
    assert init("file") == 1
    assert capsys.readouterr().err.startswith("voice-agent: file")
    (folder / "prompts").touch()
    assert init() == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (folder / "voice-agent.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("--stt deepgrm", "did you mean deepgram?"),
        ("--provider OpenAI", "did you mean openai?"),
        ("--tts Eleven-Labs", "did you mean elevenlabs?"),
        ("--llm deepgram", "no such provider; there are anthropic, gemini, lookup, openai"),
        ("--provider nobody", "no such provider"),
        ("--provider ''", "no such provider"),
        ("--tts moonshine", "no such provider"),
        ("--stt package.module:Class", "no such provider"),
        ("--language de", "moonshine has English only; choose --stt of assemblyai"),
        ("--language klingon", "one of en, de, es, fr, it"),
        ("--language ''", "one of en"),
        ("--language german", "one of en"),
        ("--language de-", "one of en"),
        ("--name ''", "without braces"),
        ("--name '{{ caller }}'", "without braces"),
        (f"--name {'x' * 101}", "up to 100 characters"),
        ("--name '\x07'", "without braces"),
        ("a b", "unrecognized arguments: b"),
    ],
)
def test_nonsense_is_refused(
    arguments: str, why: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """With status 2, and nothing is written."""
    assert init(*shlex.split(arguments)) == 2
    assert why in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_all_stages_without_a_language_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each."""
    assert init("--language", "fr-CA") == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.split("choose ")[1].split()[0] for line in said] == ["--stt", "--llm", "--tts"]


@pytest.mark.parametrize(("given", "tag"), [("DE", "de"), ("en_US", "en-US"), ("fr-CA", "fr-CA")])
def test_a_language_may_be_written_as_systems_do(given: str, tag: str) -> None:
    """The file has it as a tag."""
    everybody = [word for stage, one in HEARS.items() for word in (f"--{stage}", one)]
    assert init("--language", given, *everybody) == 0
    assert loader.load(Path("prompts"), "reception").language == tag


NAMES = [
    ("Ann's Bakery", "anns-bakery"),
    ("Café Zoë", "cafe-zoe"),
    ('"Quotes": #1 \\ & more', "quotes-1-more"),
    ("3 Sisters", "3-sisters"),
    ("- yes -", "yes"),
    ("寿司屋", "agent"),
    ("no", "no"),
    ("x" * 100, "x" * 64),
]


@pytest.mark.parametrize(("name", "file"), NAMES)
@pytest.mark.parametrize("language", TEXTS)
def test_any_name_is_said_as_it_is_given(name: str, file: str, language: str) -> None:
    """Quotation marks, colons and signs of YAML included; the file has a name that one can ask."""
    everybody = [word for stage, one in HEARS.items() for word in (f"--{stage}", one)]
    assert init("--name", name, "--language", language, *everybody) == 0
    assert file_name(name) == load().agent == file
    script = loader.load(Path("prompts"), file).render(SAMPLE)
    assert " ".join(name.split()) in script.greeting
    assert script.brief.language == language


def test_providers_that_are_there_have_a_language_of_each() -> None:
    """A new one is either told how, or finds out by itself."""
    for stage, name in EVERY:
        for language in TEXTS:
            told = options_for(stage, name, language)
            if told is None:
                continue
            options = find(stage, name).Options.model_validate(told)
            assert language in (languages(stage, name, options) or {language}), (stage, name)


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which is said in words."""
    (tmp_path / "voice-agent.toml").touch()
    assert main(["init", str(tmp_path / "voice-agent.toml")]) == 1
    assert "voice-agent.toml is a file: name a folder" in capsys.readouterr().err
