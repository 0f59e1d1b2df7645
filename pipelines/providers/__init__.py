"""Providers by name. To add one: write its file, add its line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pipelines.providers.contracts import Stage
from pipelines.renamed import RenamedError, missing

PROVIDERS: Mapping[Stage, Mapping[str, str]] = {
    "stt": {
        "moonshine": "pipelines.providers.moonshine:Transcriber",
        "assemblyai": "pipelines.providers.assemblyai_stt:Transcriber",
        "cartesia": "pipelines.providers.cartesia_stt:Transcriber",
        "cartesia-turns": "pipelines.providers.cartesia_turns:Transcriber",
        "deepgram": "pipelines.providers.deepgram_stt:Transcriber",
        "deepgram-flux": "pipelines.providers.deepgram_flux:Transcriber",
        "elevenlabs": "pipelines.providers.elevenlabs_stt:Transcriber",
        "openai": "pipelines.providers.openai_transcribe:Transcriber",
        "openai-realtime": "pipelines.providers.openai_realtime:Transcriber",
        "scripted": "pipelines.providers.scripted:Transcriber",
    },
    "llm": {
        "lookup": "pipelines.providers.lookup.model:LanguageModel",
        "anthropic": "pipelines.providers.anthropic_messages:LanguageModel",
        "gemini": "pipelines.providers.gemini:LanguageModel",
        "openai": "pipelines.providers.openai_chat:LanguageModel",
        "scripted": "pipelines.providers.scripted:LanguageModel",
    },
    "tts": {
        "piper": "pipelines.providers.piper:Synthesizer",
        "azure": "pipelines.providers.azure_tts:Synthesizer",
        "cartesia": "pipelines.providers.cartesia_tts:Synthesizer",
        "deepgram": "pipelines.providers.deepgram_tts:Synthesizer",
        "elevenlabs": "pipelines.providers.elevenlabs_tts:Synthesizer",
        "google": "pipelines.providers.google_tts:Synthesizer",
        "openai": "pipelines.providers.openai_speech:Synthesizer",
        "scripted": "pipelines.providers.scripted:Synthesizer",
    },
}

ANSWERS_FROM_THE_FILE = frozenset({"lookup"})
"""Language models that say what stands in the agent file, and can write nothing of their own."""

METHODS: Mapping[Stage, str] = {"stt": "open_session", "llm": "reply", "tts": "speak"}
"""What a provider of each stage is asked for; what else it has to have is in ``contracts``."""


def find(stage: Stage, name: str) -> Any:  # noqa: ANN401 - a class that satisfies a Protocol
    """Return the provider class called ``name``.

    Args:
        stage: What it is to do.
        name: A name in :data:`PROVIDERS`, or ``package.module:Class`` for one that lives
            elsewhere.

    Raises:
        LookupError: If there is no such provider, in one line that says what there is, or what
            has to be installed.
    """
    table = PROVIDERS[stage]
    if ":" not in name and name not in table:
        raise LookupError(f"known are {', '.join(sorted(table))}, or package.module:Class")
    module, _, attribute = table.get(name, name).partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except RenamedError as error:
        raise LookupError(f"{module} cannot be imported: {error}") from error
    except ModuleNotFoundError as error:
        if ours := missing(error):
            raise LookupError(f"{module}: {ours}") from error
        local = f"pip install 'sinch-voice-agent[local]', or choose a service as {stage}.provider"
        hint = local if name in table else f"install {module}"
        raise LookupError(f"the package {error.name!r} is missing: {hint}") from error
    except AttributeError as error:
        raise LookupError(f"{module} has no {attribute}") from error
    needed = ("Options", "start", "warm", METHODS[stage], "aclose")
    if lacking := [method for method in needed if not hasattr(found, method)]:
        was = " (it was ears)" if "open_session" in lacking and hasattr(found, "ears") else ""
        raise LookupError(f"{name} is no provider for {stage}: it lacks {', '.join(lacking)}{was}")
    return found
