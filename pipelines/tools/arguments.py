"""What a language model asks of a tool, checked against the tool's JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from pipelines.tools.tool import MAX_REASON


def check_schema(parameters: Mapping[str, Any]) -> None:
    """See whether ``parameters`` can be the schema of a tool's arguments.

    Raises:
        ValueError: If it is no JSON Schema, or not that of an object.
    """
    if parameters.get("type") != "object":
        message = "must be a JSON Schema of type object"
        raise ValueError(message)
    try:
        validator_for(parameters, default=Draft202012Validator).check_schema(dict(parameters))
    except SchemaError as error:
        place = ".".join(map(str, error.absolute_path))
        text = f"{place}: {error.message}" if place else error.message
        raise ValueError(" ".join(text.split())[:MAX_REASON]) from None
    except RecursionError:
        message = "is nested too deep"
        raise ValueError(message) from None


def argument_error(parameters: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """Return what is wrong with ``arguments``, for a model; ``""`` if they fit ``parameters``.

    Args:
        parameters: JSON Schema that :func:`check_schema` found right.
        arguments: As the model gave them.
    """
    kind = validator_for(parameters, default=Draft202012Validator)
    # Without a registry, jsonschema would fetch what a schema refers to from the network.
    validator = kind(parameters, registry=Registry())
    try:
        json.dumps(dict(arguments), allow_nan=False)
        error = best_match(validator.iter_errors(arguments))
    except (Unresolvable, RecursionError):  # found in no check of the schema alone
        return "the tool's own schema cannot be used"
    except (ArithmeticError, TypeError, ValueError):  # NaN, which Python's parser lets pass
        return "there is a value that JSON does not have"
    return _words(error) if error is not None else ""


def _words(error: ValidationError) -> str:
    place = ".".join(map(str, error.absolute_path))
    text = error.message
    if len(text) > MAX_REASON // 2:  # it quotes a long value first; what is allowed comes last
        text = f"does not fit {error.validator}: {error.validator_value!r}"
    return (f"{place}: {text}" if place else text)[:MAX_REASON]
