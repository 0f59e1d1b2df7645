"""The metrics of several processes as one text: each sample says which process it is of.

Prometheus' text format has all samples of a family behind one ``# HELP`` and one ``# TYPE``.
Samples are passed on as they stand, with a label put in: nothing is parsed that may be escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Family:
    """A metric, with its samples of all processes."""

    kind: str
    """Its ``# TYPE`` line; ``""`` without."""

    meaning: str = ""
    samples: list[str] = field(default_factory=list)


def merged(texts: Mapping[int, str]) -> str:
    """Return one text of those of several workers.

    A family that two workers have of different kinds, as while one version replaces another, is
    given of those alone that have it as the first does.

    Args:
        texts: By worker, each whole, as ``prometheus_client`` writes it. Not empty.
    """
    families: dict[str, _Family] = {}
    for worker, text in texts.items():
        for name, one in _families(text.split("\n")).items():
            known = families.setdefault(name, _Family(one.kind, one.meaning))
            if known.kind == one.kind:
                known.samples += [_of_worker(sample, worker) for sample in one.samples]
    lines: list[str] = []
    for one in families.values():
        lines += [*filter(None, (one.meaning, one.kind)), *one.samples]
    return "\n".join(lines) + "\n"


def _families(lines: Iterable[str]) -> dict[str, _Family]:
    # The format escapes the line feed alone: other ends of lines may stand in a label.
    found: dict[str, _Family] = {}
    one = _Family("")
    for line in lines:
        if line.startswith(("# HELP ", "# TYPE ")):
            one = found.setdefault(line.split(" ", 3)[2], _Family(""))
            if line.startswith("# TYPE"):
                one.kind = line
            else:
                one.meaning = line
        elif line and not line.startswith("#"):
            one.samples.append(line)
    return found


def _of_worker(sample: str, worker: int) -> str:
    """Return a sample with one more label, which stands first: names hold no brace and no blank."""
    name, brace, rest = sample.partition("{")
    if brace and " " not in name:
        comma = "" if rest.startswith("}") else ","
        return f'{name}{{worker="{worker}"{comma}{rest}'
    name, _, value = sample.partition(" ")
    return f'{name}{{worker="{worker}"}} {value}'
