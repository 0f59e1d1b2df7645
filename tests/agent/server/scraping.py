"""A real call on a real service, and what `/metrics` says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.agent.loopback import Running

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(server: Running) -> str:
    """Return what `/metrics` of a service says."""
    address = server.url.replace("ws:", "http:").replace("/stream", "/metrics")
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        return await answer.text()


def samples(text: str) -> Samples:
    """Return every sample, by name and labels; each stands there once."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            key = one.name, frozenset(one.labels.items())
            assert key not in found, one
            found[key] = one.value
    return found


def value(found: Samples, name: str, **labels: str) -> float:
    """Return a sample of ours."""
    return found[f"voice_agent_{name}", frozenset(labels.items())]


def total(found: Samples, name: str) -> float:
    """Return the sum of a metric of ours over all labels."""
    return sum(value for (its, _), value in found.items() if its == f"voice_agent_{name}")


def labels_of(found: Iterable[tuple[str, frozenset[tuple[str, str]]]]) -> Mapping[str, set[str]]:
    """Return the names of the labels of each sample, by its name."""
    known: dict[str, set[str]] = {}
    for name, labels in found:
        known.setdefault(name, set()).update(label for label, _ in labels)
    return known


PRICED: dict[str, Any] = {
    "pricing": {"providers": {"1": {"minute": 0.6, "input": 1, "output": 2, "characters": 10}}}
}
"""What the scripted provider charges."""
