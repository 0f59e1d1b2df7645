"""The texts of an agent file as Jinja templates: compiled, tried out, filled in.

A template is somebody's text and runs in a sandbox. What a call brings is data to it and is never
itself taken for a template.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import timedelta

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import SandboxedEnvironment

from agent.personas.errors import PersonaError, one_line
from agent.personas.script import CALL_VARIABLES, KNOWN, SAMPLE, Details

PROMPT = "prompt"
"""The place of the system prompt among the texts of a file."""

GREETING = "greeting"
"""The place of the one text that may be empty: the caller speaks first then."""


def _environment() -> SandboxedEnvironment:
    # What is rendered is spoken or read by a model: there is no markup to escape.
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    del environment.globals["lipsum"]
    return environment


_ENVIRONMENT = _environment()


class Templates:
    """The texts of one agent file, compiled and tried out. A text without a brace is as it stands.

    Args:
        texts: Places, for errors, and texts.
        own: Variables that the file brings itself, besides those of every call.
        first_line: Of the prompt in the file, for errors.

    Raises:
        PersonaError: If one is no template, has a variable that there is not, fails, or gives
            nothing to say when the caller is not known.
    """

    def __init__(
        self, texts: Sequence[tuple[str, str]], own: Mapping[str, object], *, first_line: int
    ) -> None:
        known = CALL_VARIABLES | own.keys()
        self._compiled = {  # by their source
            source: _compile(source, place, known, first_line)
            for place, source in texts
            if "{" in source
        }
        self._variables = {
            source: meta.find_undeclared_variables(_ENVIRONMENT.parse(source))
            for source in self._compiled
        }
        self._try_out(texts, own)

    def lasts(self, text: str, given: Set[str]) -> bool:
        """Return whether ``text``, one of the file's, is the same in every call.

        Args:
            text: As the file has it.
            given: Names of the file's own variables that have another value in this call.
        """
        return not self._variables.get(text, set()) & (CALL_VARIABLES | given)

    def fill(self, text: str, variables: Mapping[str, object]) -> str:
        """Return ``text``, one of the file's, with its variables filled in, as a single line.

        Raises:
            PersonaError: If the template fails with these variables.
        """
        template = self._compiled.get(text)
        return " ".join(_render(template, variables).split()) if template else text

    def fill_prompt(self, text: str, variables: Mapping[str, object]) -> str:
        """Return ``text`` as :meth:`fill` does, with its line breaks kept."""
        template = self._compiled.get(text)
        return _render(template, variables).strip() if template else text

    def _try_out(self, texts: Sequence[tuple[str, str]], own: Mapping[str, object]) -> None:
        """Fill each text in, for every call of :func:`_samples`."""
        for details, when in _samples():
            variables = {**own, **details.variables()}
            for place, text in texts:
                try:
                    spoken = self.fill_prompt(text, variables)
                except PersonaError as error:
                    raise PersonaError(f"{place}: {error}") from None
                if not spoken and place != GREETING:
                    raise PersonaError(f"{place}: gives an empty text when {when}")


def _samples() -> Iterator[tuple[Details, str]]:
    """Yield calls to try texts with: on every day of a week, of somebody known, and of ours."""
    for day in range(7):
        now = SAMPLE.now + timedelta(days=day)
        yield replace(SAMPLE, now=now), "the caller is not known"
    yield KNOWN, "the caller is known"
    yield replace(KNOWN, outgoing=True), "we have dialled"


def _compile(source: str, place: str, known: frozenset[str], first_line: int) -> Template:
    try:
        tree = _ENVIRONMENT.parse(source)
        template = _ENVIRONMENT.from_string(tree)
    except TemplateSyntaxError as error:
        where = f"line {first_line + error.lineno - 1}" if place == PROMPT else place
        raise PersonaError(f"{where}: not a template: {one_line(error.message)}") from None
    except RecursionError:
        raise PersonaError(f"{place}: not a template: nested too deep") from None
    if unknown := meta.find_undeclared_variables(tree) - known - _ENVIRONMENT.globals.keys():
        raise PersonaError(
            f"{place}: unknown variable {min(unknown)!r}; there are " + ", ".join(sorted(known))
        )
    return template


def _render(template: Template, variables: Mapping[str, object]) -> str:
    """Return the text that a template gives with ``variables``.

    Raises:
        PersonaError: If it fails, whatever an expression in a template can raise.
    """
    try:
        return template.render(variables)
    except (
        TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise PersonaError(f"the template fails: {one_line(error)}") from None
