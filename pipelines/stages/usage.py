"""What a call has used of its providers, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import get_args

from pydantic import Field

from pipelines.conversation import Tokens
from pipelines.providers.contracts import ProviderError, Stage
from pipelines.settings import Section

MILLION = 1_000_000


class Price(Section):
    """What a provider charges."""

    minute: float = Field(0.0, ge=0, description="A minute transcribed.")
    input: float = Field(0.0, ge=0, description="A million tokens read.")
    """Those from the cache apart."""

    cached: float = Field(0.0, ge=0, description="A million tokens read from its cache.")
    output: float = Field(0.0, ge=0, description="A million tokens written.")
    characters: float = Field(0.0, ge=0, description="A million characters spoken.")


class Pricing(Section):
    """What providers charge, to put money on what calls use."""

    currency: str = Field("USD", description="Of the prices below, for the transcript.")
    providers: dict[str, Price] = Field(
        {},
        description="By provider, `[pricing.providers.NAME]`: `minute` of speech transcribed; "
        "`input`, `cached` and `output`, a million tokens each; `characters`, a million spoken.",
    )


@dataclass(slots=True, kw_only=True)
class Used:
    """What one provider has done."""

    requests: int = 0
    failures: int = 0
    retries: int = 0
    """Requests that were made because one had failed, here or at another provider."""

    seconds: float = 0.0
    """Of speech, transcribed."""

    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    characters: int = 0
    """Spoken."""

    first_results: list[float] = field(default_factory=list)
    """Seconds from each request to its first result; for a transcript, from the end of speech."""

    def count(self, tokens: Tokens) -> None:
        """Add what a reply has cost."""
        self.tokens_in += tokens.input
        self.tokens_out += tokens.output
        self.tokens_cached += tokens.cached

    def cost(self, price: Price) -> float:
        """Return the money."""
        fresh = max(0, self.tokens_in - self.tokens_cached)
        return (
            self.seconds / 60 * price.minute
            + fresh / MILLION * price.input
            + self.tokens_cached / MILLION * price.cached
            + self.tokens_out / MILLION * price.output
            + self.characters / MILLION * price.characters
        )


@dataclass(slots=True, kw_only=True)
class DraftCost:
    """What one reply has used so far; a draft that is dropped has cost this."""

    tokens: int = 0
    """Pieces that the language model wrote; with most, a piece is a token."""

    characters: int = 0
    """Of what it wrote, in all requests for the reply."""

    audio: float = 0.0
    """Seconds synthesized."""

    first_token: float | None = None
    """When the language model had written the first of it, by the event loop's clock."""

    def wrote(self, at: float) -> None:
        """Note that the language model has written something."""
        if self.first_token is None:
            self.first_token = at


class Usage:
    """What one call has used."""

    def __init__(self) -> None:
        self._used: dict[tuple[Stage, str], Used] = {}
        self.on_failover: Callable[[Stage, str, str, ProviderError], object] | None = None
        """Told when a provider is left for the next: stage, who it was, who is next, and why."""

    def left(self, stage: Stage, provider: str, to: str, error: ProviderError) -> None:
        """Note that the next provider takes over."""
        if self.on_failover is not None:
            self.on_failover(stage, provider, to, error)

    def of(self, stage: Stage, provider: str) -> Used:
        """Return the account of one provider, to be added to."""
        return self._used.setdefault((stage, provider), Used())

    def lines(self, pricing: Pricing) -> Iterator[dict[str, object]]:
        """Yield a line for each provider that was asked: what it did, and what that costs.

        Args:
            pricing: Without a price of the provider's name, there is no ``cost`` in its line.
        """
        for (stage, name), used in sorted(self._used.items(), key=_by_stage):
            line: dict[str, object] = {"stage": stage, "provider": name}
            for count in ("requests", "failures", "retries"):
                line[count] = getattr(used, count)
            if stage == "stt":
                line["seconds"] = round(used.seconds, 2)
            elif stage == "llm":
                line["tokens_in"] = used.tokens_in
                line["tokens_cached"] = used.tokens_cached
                line["tokens_out"] = used.tokens_out
            else:
                line["characters"] = used.characters
            if used.first_results:
                line["first_result"] = round(median(used.first_results), 3)
            if name in pricing.providers:
                line["cost"] = round(used.cost(pricing.providers[name]), 6)
                line["currency"] = pricing.currency
            yield line


def _by_stage(item: tuple[tuple[Stage, str], Used]) -> int:
    return get_args(Stage).index(item[0][0])
