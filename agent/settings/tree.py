"""The tree of settings: which sections there are.

A section is defined beside the code that takes it: on the speech side in ``pipelines``, on the
phone side in the files of this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, PrivateAttr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agent import time_zones
from agent.settings.calls import CallLimits, LineSettings, PlayoutSettings, VadSettings
from agent.settings.console import ConsoleSettings
from agent.settings.database import DEFAULT, CheckedDatabaseUrl, DatabaseUrl
from agent.settings.disclosure import DisclosureSettings
from agent.settings.errors import SettingsError
from agent.settings.mcp import McpServerSettings
from agent.settings.origins import Origins
from agent.settings.privacy import PrivacySettings
from agent.settings.providers import (
    STAGES,
    Chosen,
    LlmSettings,
    StageSettings,
    SttSettings,
    TtsSettings,
    chosen,
)
from agent.settings.recording import RecordingSettings
from agent.settings.records import RecordSettings
from agent.settings.server import LogSettings, OperatorSettings, ServerSettings
from agent.settings.sinch import SinchSettings
from agent.settings.tracing import TracingSettings
from agent.settings.webhooks import WebhookName, WebhookSettings
from agent.urls import is_loopback_host
from pipelines.masking import masked
from pipelines.providers.contracts import Stage
from pipelines.settings import Section
from pipelines.stages.budgets import Budgets
from pipelines.stages.usage import Pricing
from pipelines.turn_taking.end_of_turn import EndOfTurnSettings
from pipelines.turn_taking.settings import TurnSettings

PREFIX = "VOICE_AGENT_"
FILE = Path("voice-agent.toml")


def usual_prompts() -> Path:
    """Return the folder of agent files unless another is set."""
    here = Path("prompts")
    return here if here.is_dir() else Path(str(files("prompts")))


def _time_zone(name: str) -> str:
    return time_zones.name(name) if name else name


class Settings(BaseSettings, Section):
    """The whole tree. Get one from :func:`agent.settings.load`, which reads every source.

    Of pydantic-settings it is no more than the base class: values are taken as they were read.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        case_sensitive=True,
    )  # a section's, said once more for those that check types; and [Server] is not [server]

    _origins: Origins = PrivateAttr(default_factory=Origins)

    agent: str = Field(
        "reception",
        description="The agent file that answers, without `.md`, unless a call names one.",
    )
    prompts: Path = Field(
        default_factory=usual_prompts,
        description="Folder of agent files; `prompts` here, else the packaged one.",
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        "",
        description="By whose clock agents say dates and times that name no zone of their own: a "
        "name by IANA, such as `Europe/Berlin`. Unset: the machine's (`TZ`), which in a container "
        "is UTC.",
    )
    transcripts: Path = Field(
        Path("transcripts"), description="Folder of transcripts, one JSON-lines file a call."
    )
    phrases: Path = Field(
        Path("phrases"),
        description="Folder of what agents say of themselves (greeting, apology, goodbye) as "
        "audio, 64 MB at most: heard while the voice is down, after a restart too.",
    )
    database: CheckedDatabaseUrl = Field(
        DatabaseUrl(DEFAULT),
        description="What the processes of one service share: used tokens, calls, orders to them. "
        "`sqlite:///FILE`, or `postgresql://USER:PASSWORD@HOST/NAME` for several hosts.",
    )
    server: ServerSettings = ServerSettings()
    sinch: SinchSettings = SinchSettings()
    operator: OperatorSettings = OperatorSettings()
    console: ConsoleSettings = ConsoleSettings()
    line: LineSettings = LineSettings()
    calls: CallLimits = CallLimits()
    vad: VadSettings = VadSettings()
    turns: TurnSettings = TurnSettings()
    end_of_turn: EndOfTurnSettings = EndOfTurnSettings()
    playout: PlayoutSettings = PlayoutSettings()
    budget: Budgets = Budgets()
    stt: SttSettings = SttSettings()
    llm: LlmSettings = LlmSettings()
    tts: TtsSettings = TtsSettings()
    pricing: Pricing = Pricing()
    mcp: dict[str, McpServerSettings] = Field(
        {},
        description="MCP servers whose tools agents may use, `[mcp.NAME]`: `url` and `headers`, or "
        "`command`, `args` and `env`; `${VARIABLE}` in headers and env is filled in.",
    )
    records: RecordSettings = RecordSettings()
    privacy: PrivacySettings = PrivacySettings()
    recording: RecordingSettings = RecordingSettings()
    webhooks: dict[WebhookName, WebhookSettings] = Field(
        {},
        description="Systems of yours that are told of calls, `[webhooks.NAME]`: `url`, `secret`, "
        "`events`, `conversation` and `headers`.",
    )
    disclosure: DisclosureSettings = DisclosureSettings()
    tracing: TracingSettings = TracingSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        *_: Any,  # noqa: ANN401 - as pydantic-settings calls it
        **sources: Any,  # noqa: ANN401
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what load() has read, and nothing besides: it knows where each value stands."""
        return (sources["init_settings"],)

    @classmethod
    def of(cls, origins: Origins) -> Self:
        """Return the settings that were given, and remember where.

        Raises:
            pydantic.ValidationError: If one is wrong.
        """
        settings = cls.model_validate(origins.values)
        settings._origins = origins  # noqa: SLF001 - its own
        return settings

    @property
    def origins(self) -> Origins:
        """What was given, and where: what :meth:`of` makes the same settings of."""
        return self._origins

    @property
    def file(self) -> Path | None:
        """What was read instead of ``voice-agent.toml``; None if nothing was."""
        return self._origins.file

    def where(self, name: str) -> str:
        """Return where a setting was given, or the section around it; ``""`` if neither was."""
        return self._origins.where(name.split("."))

    def providers(self) -> dict[Stage, list[Chosen]]:
        """Return whom each stage asks, in order, each with its validated options.

        Raises:
            SettingsError: If there is no such provider, or its options are wrong; a line for each.
        """
        sections: dict[Stage, StageSettings] = {"stt": self.stt, "llm": self.llm, "tts": self.tts}
        found: dict[Stage, list[Chosen]] = {}
        mistakes: list[str] = []
        for stage in STAGES:
            try:
                found[stage] = chosen(stage, sections[stage], self._origins)
            except SettingsError as error:
                mistakes.append(str(error))
        if mistakes:
            raise SettingsError("\n".join(mistakes))
        return found

    def effective(self) -> str:
        """Return every setting in force as ``name = value`` lines, with secrets masked.

        Raises:
            SettingsError: As :meth:`providers`.
        """
        tree = self.model_dump()
        for stage, (first, *others) in self.providers().items():
            tree[stage]["options"] = first.options.model_dump()
            tree[stage]["fallback"] = {
                str(number): {"provider": one.name, "options": one.options.model_dump()}
                for number, one in enumerate(others)
            }
        return "\n".join(f"{name} = {value}" for name, value in _leaves(tree))

    @property
    def open_to_loopback(self) -> bool:
        """Whether a call from this very machine needs no token."""
        given = self.server.open_to_loopback
        guarded = self.server.token is not None or self.sinch.takes_callbacks
        return not guarded if given is None else given

    @property
    def in_development(self) -> bool:
        """Whether nobody beyond this machine is meant to reach the service."""
        public = self.sinch.public_url or self.console.public_url
        return not public and is_loopback_host(self.server.host)

    @property
    def shows_console(self) -> bool:
        """Whether there are pages: they are wanted, and no stranger is let in."""
        return self.console.enabled is not False and (self.console.signs_in or self.in_development)


def _leaves(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, _shown(value)


def _shown(value: object) -> str:
    if isinstance(value, Path | DatabaseUrl | str):
        return repr(masked(str(value)))
    return masked(repr(value))
