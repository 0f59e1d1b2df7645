"""What we may tell Sinch, as JSON Schemas written out from its documents."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), f"twice in one object: {sorted(name for name, _ in pairs)}"
    return found


@cache
def _validator(name: str) -> Draft202012Validator:
    path = Path(__file__).parent / f"{name.partition('_')[0]}.json"
    schema: dict[str, Any] = json.loads(path.read_text(), object_pairs_hook=_each_once)
    assert name in schema["$defs"], name
    return Draft202012Validator(schema | {"$ref": f"#/$defs/{name}"})


def check(name: str, body: object) -> None:
    """Raise an AssertionError that says where ``body`` does not follow the schema ``name``.

    Args:
        name: ``v1_ice``, ``v2_reply`` and so on: a definition in ``v1.json`` or ``v2.json``.
        body: A JSON value.
    """
    mistakes = list(_validator(name).iter_errors(body))
    assert not mistakes, "; ".join(f"{m.json_path}: {m.message}" for m in mistakes)
