"""Every setting, with its unit, default and reason.

One tree, read once at the start and handed down as plain values. Sources, the first wins: the
command line, environment variables (``VOICE_AGENT_SERVER__PORT=9000``), ``.env``, the file
``voice-agent.toml``, the defaults below.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from dotenv import load_dotenv
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError as UnreadableVariableError

from agent.call.settings import CallSettings
from agent.personas.routing import Route, Routing
from agent.personas.tool_declarations import McpServerSettings
from agent.settings.sinch import Operator, Sinch
from agent.sinch.call_control import CallControlSettings
from agent.stream.line import LineLimits
from agent.stream.protocol import DEFAULT_RATE, RATES
from pipelines.listening.gate import GateSettings
from pipelines.providers import find
from pipelines.providers.contracts import Stage
from pipelines.stages.attempts import Budgets
from pipelines.stages.usage import Price
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings

STAGES: tuple[Stage, ...] = get_args(Stage)

PREFIX = "VOICE_AGENT_"
FILE = Path("voice-agent.toml")


class SettingsError(Exception):
    """The settings are wrong; one line for each mistake."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _line_rate(rate: int) -> int:
    if rate not in RATES:
        raise ValueError(f"one of {', '.join(map(str, RATES))}")
    return rate


class Server(_Section):
    """The websocket server."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 is every one.")
    port: int = Field(8080, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    path: str = Field("/stream", pattern=r"^/[\w/-]*$", description="Path of the stream endpoint.")
    token: SecretStr | None = Field(
        None,
        min_length=16,
        description="What a call that you route yourself must bring, as `?token=` of the endpoint "
        "or as call header `token`.",
    )
    open_to_loopback: bool | None = Field(
        None,
        description="For development: whether a call from this very machine, and through no proxy, "
        "is served without a token. Unset: yes, until there is a token or `sinch.public_url`.",
    )
    rate: Annotated[int, AfterValidator(_line_rate)] = Field(
        DEFAULT_RATE,
        description="Hertz, when neither `connect` nor the endpoint's `?rate=` says; "
        "8000 is what a phone carries.",
    )
    max_calls: int = Field(
        50, ge=1, description="Calls at once; the next is told `busy`. Measure yours."
    )
    connect_timeout: float = Field(
        10.0, gt=0, le=60, description="Seconds from the socket to `connect`; Sinch's sample: 10."
    )
    drain: float = Field(
        30.0, ge=0, description="Seconds that calls may go on after SIGTERM; new ones get `busy`."
    )


class Line(_Section):
    """What one call's socket may ask of the server."""

    max_message_bytes: int = Field(
        1_048_576, ge=65_536, description="Bytes; 11 s at 48 kHz, where 20 ms are expected."
    )
    burst: float = Field(
        15.0, ge=1, description="Seconds of audio that may come at once after a network stall."
    )
    send_timeout: float = Field(
        5.0, gt=0, description="Seconds until a far end that does not read has gone."
    )
    heartbeat_after: float = Field(
        15.0,
        gt=0,
        le=19.5,
        description="Seconds of our silence; the platform allows 60, v1's page 30.",
    )
    no_audio_timeout: float = Field(
        60.0,
        gt=1,
        description="Seconds without a frame until the line is dead; the platform's own.",
    )


class Calls(_Section):
    """Limits of one call."""

    max_seconds: float = Field(3600.0, gt=0, le=14400, description="Seconds; Sinch allows 14400.")
    max_utterance: float = Field(
        60.0, ge=5, description="Seconds a caller may speak without a pause before being answered."
    )
    warn_before: float = Field(
        30.0, ge=5, description="Seconds before `max_seconds` that the caller is told."
    )
    max_failures: int = Field(
        3, ge=1, description="Lost replies in a row before the agent gives up and hangs up."
    )


class Vad(_Section):
    """When the caller is speaking."""

    gate: str = Field(
        "webrtcvad", description="The cheap first detector; `none` leaves it to the judge."
    )
    judge: str = Field(
        "silero", description="Decides while the gate is open; `none` leaves it to the gate."
    )
    start_after: float = Field(
        GateSettings().start_after,
        ge=0.02,
        le=1,
        description="Seconds of voice until speech has started; shorter barges in on a click.",
    )
    end_after: float = Field(
        GateSettings().end_after,
        ge=0.1,
        le=5,
        description="Seconds of silence until the turn is over; shorter cuts in on a pause.",
    )
    pre_roll: float = Field(
        GateSettings().pre_roll,
        ge=0.1,
        le=2,
        description="Seconds kept from before speech was noticed; speech-to-text needs the onset.",
    )


class Turns(_Section):
    """Whose turn it is."""

    model: Literal["smart-turn", "none"] = Field(
        "smart-turn", description="What listens for the end of a turn; `none`: silence and words."
    )
    pause_after: float = Field(
        GateSettings().pause_after,
        ge=0.06,
        le=1,
        description="Seconds of silence until a reply is drafted; its making hides in the rest.",
    )
    drafting: bool = Field(
        default=True, description="Whether to draft; without, providers start when the turn ends."
    )
    max_drafts: int = Field(
        6, ge=1, description="Drafts a turn; a caller with more pauses waits for the providers."
    )
    confirm_after: float = Field(
        0.5,
        ge=0.1,
        le=3,
        description="Seconds of speech over ours that are meant, whatever is said.",
    )
    decide_within: float = Field(
        0.25,
        ge=0.1,
        le=2,
        description="Seconds of silence after a short sound, until we go on unsure.",
    )
    rewind_after: float = Field(
        1.5, ge=0, description="Seconds of hold after which the sentence begins again."
    )
    filler_after: float = Field(
        2.0,
        ge=0.5,
        description="Seconds of silence of ours, while the caller waits, until a filler.",
    )
    tool_filler_after: float = Field(
        1.0,
        ge=0.3,
        description="The same, while a tool runs: that takes seconds, as is known beforehand.",
    )
    idle_after: float = Field(
        12.0,
        ge=2,
        description="Seconds without a word until the caller is asked if they are there.",
    )
    idle_times: int = Field(
        2, ge=0, description="Times of asking; then the agent says goodbye and hangs up."
    )
    keys_after: float = Field(
        2.0,
        ge=0.3,
        description="Seconds after a key until what was pressed is answered; `#` ends it at once.",
    )


class EndOfTurn(_Section):
    """How long a silence ends a turn, by the evidence; without any, it is `vad.end_after`."""

    shortest: float = Field(
        EndOfTurnSettings().shortest,
        ge=0.1,
        le=5,
        description="Seconds, sure that they finished: by the turn model, or a whole answer (yes).",
    )
    middle: float = Field(
        EndOfTurnSettings().middle,
        ge=0.1,
        le=5,
        description="Seconds, when the turn model is not sure.",
    )
    long: float = Field(
        EndOfTurnSettings().long,
        ge=0.1,
        le=10,
        description="Seconds, when the turn model or the words (a last `and`) expect more.",
    )
    longest: float = Field(
        EndOfTurnSettings().longest,
        ge=0.1,
        le=10,
        description="Seconds, when both do, or the words cannot be all (`my number is`).",
    )
    finished_from: float = Field(
        EndOfTurnSettings().finished_from,
        ge=0,
        le=1,
        description="Probability from which the turn model is sure that they finished.",
    )
    going_on_below: float = Field(
        EndOfTurnSettings().going_on_below,
        ge=0,
        le=1,
        description="Probability below which it is sure that they did not.",
    )


class Playout(_Section):
    """How audio leaves."""

    lead: float = Field(
        1.0,
        ge=0.1,
        le=20,
        description="Seconds sent ahead, so that no stall is heard; 20 s at 96 kHz are 3.8 MB "
        "of the platform's 5.",
    )


class Budget(_Section):
    """Seconds that a stage may take before the reply counts as lost."""

    transcript: float = Field(5.0, gt=0, description="Seconds, end of speech to transcript.")
    first_token: float = Field(8.0, gt=0, description="Seconds to the first piece of the reply.")
    next_token: float = Field(5.0, gt=0, description="Seconds between two pieces.")
    first_audio: float = Field(5.0, gt=0, description="Seconds to a sentence's first audio.")
    next_audio: float = Field(
        2.0, gt=0, description="Seconds between two pieces of a sentence's audio: silence, if used."
    )
    patience: float = Field(
        2.0,
        gt=0,
        description="Seconds, for any of these at the most, while another provider is left to "
        "try; about when a caller hears a filler.",
    )


class Fallback(_Section):
    """Who takes over."""

    provider: str
    options: dict[str, Any] = Field({}, repr=False)


class Provided(_Section):
    """Who does a stage, and how."""

    provider: str
    options: dict[str, Any] = Field(
        {}, repr=False, description="The provider's own; see its table."
    )
    fallback: tuple[Fallback, ...] = Field(
        (),
        repr=False,
        description="Who takes over within the same turn when that one fails, in order: "
        "`[[{stage}.fallback]]`, each with `provider` and `options`.",
    )


class SpeechToText(Provided):
    """Who hears."""

    provider: str = "moonshine"


class LanguageStage(Provided):
    """Who thinks."""

    provider: str = "lookup"


class TextToSpeech(Provided):
    """Who speaks."""

    provider: str = "piper"


class ProviderPrice(_Section):
    """What a provider charges."""

    minute: float = Field(0.0, ge=0, description="A minute transcribed.")
    input: float = Field(0.0, ge=0, description="A million tokens read.")
    cached: float = Field(0.0, ge=0, description="A million tokens read from its cache.")
    output: float = Field(0.0, ge=0, description="A million tokens written.")
    characters: float = Field(0.0, ge=0, description="A million characters spoken.")


class Pricing(_Section):
    """What providers charge, to put money on what calls use."""

    currency: str = Field("USD", description="Of the prices below, for the transcript.")
    providers: dict[str, ProviderPrice] = Field(
        {},
        description="By provider, `[pricing.providers.NAME]`: `minute` of speech transcribed; "
        "`input`, `cached` and `output`, a million tokens each; `characters`, a million spoken.",
    )

    @property
    def prices(self) -> dict[str, Price]:
        """The same, for the speech side."""
        return {
            name: Price(**price.model_dump(), currency=self.currency)
            for name, price in self.providers.items()
        }


class Log(_Section):
    """What is logged, to stderr. Never what was said, nor a key."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is logged."
    )
    format: Literal["auto", "text", "json"] = Field(
        "auto", description="`auto`: text on a terminal, JSON lines elsewhere."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A provider that the settings name."""

    name: str
    """Its own; with a number behind it, ``openai#2``, if it is there before."""

    provider: Any
    """Its class."""

    options: BaseModel


def _chosen(stage: Stage, place: str, given: Provided | Fallback) -> Chosen:
    try:
        provider = find(stage, given.provider)
    except LookupError as error:
        raise SettingsError(f"{place}.provider = {given.provider!r}: {error.args[0]}") from error
    try:
        options = provider.Options.model_validate(given.options)
    except ValidationError as error:
        raise SettingsError(_explain(error, provider.Options, f"{place}.options.")) from error
    return Chosen(name=given.provider, provider=provider, options=options)


def _packaged_prompts() -> Path:
    here = Path("prompts")
    return here if here.is_dir() else Path(str(files("prompts")))


class Settings(BaseSettings):
    """The whole tree. Get one from :func:`load`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        toml_file=FILE,
    )

    agent: str = Field(
        "reception",
        description="The agent file that answers, without `.md`, unless a call names one.",
    )
    prompts: Path = Field(
        default_factory=_packaged_prompts,
        description="Folder of agent files; `prompts` here, else the packaged one.",
    )
    transcripts: Path = Field(
        Path("transcripts"), description="Folder of transcripts, one JSON-lines file a call."
    )
    state: Path = Field(
        Path("state"),
        description="Folder that the processes of one service share: used tokens, calls placed.",
    )
    server: Server = Server()
    sinch: Sinch = Sinch()
    operator: Operator = Operator()
    line: Line = Line()
    calls: Calls = Calls()
    vad: Vad = Vad()
    turns: Turns = Turns()
    end_of_turn: EndOfTurn = EndOfTurn()
    playout: Playout = Playout()
    budget: Budget = Budget()
    stt: SpeechToText = SpeechToText()
    llm: LanguageStage = LanguageStage()
    tts: TextToSpeech = TextToSpeech()
    pricing: Pricing = Pricing()
    mcp: dict[str, McpServerSettings] = Field(
        {},
        description="MCP servers whose tools agents may use, `[mcp.NAME]`: `url` and `headers`, or "
        "`command`, `args` and `env`; `${VARIABLE}` in headers and env is filled in.",
    )
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - load() reads .env itself
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: command line, environment, file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def providers(self, stage: Stage) -> list[Chosen]:
        """Return whom ``stage`` asks, in order, each with its validated options.

        Raises:
            SettingsError: If there is no such provider, or its options are wrong.
        """
        provided: Provided = getattr(self, stage)
        chosen = [_chosen(stage, stage, provided)]
        for number, fallback in enumerate(provided.fallback):
            one = _chosen(stage, f"{stage}.fallback.{number}", fallback)
            names = [other.name for other in chosen]
            same = sum(name.partition("#")[0] == one.name for name in names)
            chosen.append(replace(one, name=f"{one.name}#{same + 1}") if same else one)
        return chosen

    def effective(self) -> str:
        """Return every setting in force as ``name = value`` lines, with secrets masked.

        Raises:
            SettingsError: As :meth:`providers`.
        """
        tree = self.model_dump()
        for stage in STAGES:
            first, *others = self.providers(stage)
            tree[stage]["options"] = first.options.model_dump()
            tree[stage]["fallback"] = {
                str(number): {"provider": one.name, "options": one.options.model_dump()}
                for number, one in enumerate(others)
            }
        return "\n".join(f"{name} = {value}" for name, value in _leaves(tree))

    def call_settings(self) -> CallSettings:
        """Return what a call needs of this tree."""
        vad, turns = self.vad, self.turns
        return CallSettings(
            gate=GateSettings(
                start_after=vad.start_after,
                pause_after=turns.pause_after,
                end_after=vad.end_after,
                pre_roll=vad.pre_roll,
            ),
            endpoint=EndOfTurnSettings(**self.end_of_turn.model_dump()),
            lead=self.playout.lead,
            heartbeat_after=self.line.heartbeat_after,
            no_audio_timeout=self.line.no_audio_timeout,
            **self.calls.model_dump(),
            prices=self.pricing.prices,
            **turns.model_dump(exclude={"model", "pause_after"}),
        )

    def budgets(self) -> Budgets:
        """Return how long each stage may take."""
        return Budgets(**self.budget.model_dump())

    @property
    def open_to_loopback(self) -> bool:
        """Whether a call from this very machine needs no token."""
        chosen = self.server.open_to_loopback
        guarded = self.server.token is not None or self.sinch.takes_callbacks
        return not guarded if chosen is None else chosen

    def call_control_settings(self) -> CallControlSettings:
        """Return what the exchange needs of this tree."""
        sinch = self.sinch
        return CallControlSettings(
            stream_url=sinch.stream_url(self.server.path),
            callback_url=sinch.callback_url,
            rate=self.server.rate,
            max_seconds=min(14400, int(self.calls.max_seconds) + 60),
            ring_seconds=sinch.ring_seconds,
            token_lifetime=sinch.token_lifetime,
            caller_id=sinch.caller_id,
            conference=sinch.conference,
            refusal=sinch.refusal,
            sorry=sinch.sorry,
            announcer=sinch.announcer,
        )

    def routing(self) -> Routing:
        """Return which agent answers what."""
        rules = [Route(**rule.model_dump()) for rule in self.sinch.routes]
        usual = "" if self.sinch.refuse_unrouted else self.agent
        return Routing(folder=self.prompts, usual=usual, routes=rules)

    def line_limits(self) -> LineLimits:
        """Return what a line needs of this tree."""
        line = self.line
        return LineLimits(
            max_message_bytes=line.max_message_bytes,
            burst=line.burst,
            send_timeout=line.send_timeout,
        )


def load(
    file: Path | None = None, overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """Read the settings from every source.

    Variables in ``.env`` join the environment, where they do not hide those that are there: a
    provider's own, such as OPENAI_API_KEY, can stand in the same file.

    Args:
        file: Instead of ``voice-agent.toml``; must exist.
        overrides: From the command line, nested as the tree is.

    Raises:
        SettingsError: If anything is wrong: a line for each mistake, which names the setting, what
            was given and what is allowed.
    """
    if file is not None and not file.is_file():
        raise SettingsError(f"{file}: no such file")
    load_dotenv(".env")

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=file or FILE)

    try:
        values: dict[str, Any] = dict(overrides or {})
        settings = FromFile(**values)
    except ValidationError as error:
        raise SettingsError(_explain(error, Settings)) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file or FILE}: not TOML: {error}") from None
    except UnreadableVariableError as error:
        raise SettingsError(str(error)) from None
    _refuse_unknown_variables()
    return settings


def _leaves(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, repr(str(value) if isinstance(value, Path) else value)


def _explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> str:
    return "\n".join(_explain_one(mistake, model, prefix) for mistake in error.errors())


def _explain_one(mistake: ErrorDetails, model: type[BaseModel], prefix: str) -> str:
    name = prefix + ".".join(str(part) for part in mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        return f"{name}: no such setting{_nearest(model, mistake['loc'], prefix)}"
    if mistake["type"] == "missing":
        return f"{name}: must be given"
    allowed = mistake["msg"].removeprefix("Input ").removeprefix("Value error, ")
    if isinstance(mistake["input"], Mapping | BaseModel):
        return f"{name}: {allowed}"  # a whole section, which may hold secrets
    secret = any(word in name.lower() for word in ("key", "secret", "token", "password"))
    given = "(hidden)" if secret else repr(mistake["input"])
    return f"{name} = {given}: {allowed}"


def _nearest(model: type[BaseModel], loc: tuple[int | str, ...], prefix: str) -> str:
    for part in loc[:-1]:
        kind = model.model_fields[str(part)].annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return ""
        model, prefix = kind, f"{prefix}{part}."
    close = difflib.get_close_matches(str(loc[-1]), model.model_fields, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {prefix}{close[0]}?"
    return f"; known are {', '.join(prefix + name for name in model.model_fields)}"


def _refuse_unknown_variables() -> None:
    """Refuse what pydantic-settings passes over: a variable whose first part is no section."""
    for variable in sorted(os.environ):
        if variable.upper().startswith(PREFIX):
            name = variable[len(PREFIX) :].lower().split("__")[0]
            if name not in Settings.model_fields:
                raise SettingsError(f"{variable}: no such setting{_nearest(Settings, (name,), '')}")
