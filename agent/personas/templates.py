"""The texts of an agent file as Jinja templates: compiled, tried out, filled in.

A template is somebody's text and runs in a sandbox. What a call brings is data to it and is never
itself taken for a template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateSyntaxError,
    Undefined,
    meta,
    nodes,
    pass_context,
)
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from agent.personas.errors import MOST_TOLD, PersonaError, one_line
from agent.personas.script import (
    CALL_VARIABLES,
    DATES,
    KNOWN,
    OWN_VARIABLES,
    SAMPLE,
    Details,
)
from agent.settings.allowed import did_you_mean, nearest
from pipelines.text import cldr

PROMPT = "prompt"
"""The place of the system prompt among the texts of a file."""

GREETING = "greeting"
"""The place of the one text that may be empty: the caller speaks first then."""


MOST_POWER = 64
"""The largest exponent in a template: beyond it only the time grows that it takes."""

MOST_STEPS = 100_000
"""Rounds of loops, and calls, while a template is filled in: some 50 ms. A loop in a loop, or a
macro that calls itself twice, would go on for years, in the one thread that has all agents."""

STEPS = "-steps"
"""The variable that counts them, and the filter that counts those of a loop; no template can name
them so."""


class _TooLongError(Exception):
    """A template goes on and on."""


class _Steps:
    """How much has been done of one text."""

    def __init__(self) -> None:
        self._left = MOST_STEPS

    def take(self) -> None:
        self._left -= 1
        if self._left < 0:
            message = f"it takes more than {MOST_STEPS:,} steps"
            raise _TooLongError(message)


class _Environment(SandboxedEnvironment):
    """A sandbox in which a text is not multiplied, as ``1.10``, a text, would be by a number.

    And in which no power is beyond what anybody says.
    """

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - Jinja's signature
        if operator == "**" and not -MOST_POWER <= right <= MOST_POWER:
            message = f"{right!r:.40} is too large for a power"
            raise ValueError(message)
        for side in (left, right):
            if isinstance(side, str | list | tuple):
                message = f"{side!r:.40} is no number; write `| float` behind it to count with it"
                raise TypeError(message)
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, what: Any, /, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - Jinja's signature
        _steps_of(context).take()
        return super().call(context, what, *args, **options)


def _steps_of(context: Context) -> _Steps:
    steps: _Steps = context[STEPS]
    return steps


@pass_context
def _counted(context: Context, items: Any) -> Iterator[Any]:  # noqa: ANN401 - of any kind
    """Yield the items of a loop; a filter that stands around each of them."""
    steps = _steps_of(context)
    for item in items:
        steps.take()
        yield item


def _environment() -> SandboxedEnvironment:
    # What is rendered is spoken or read by a model: there is no markup to escape.
    environment = _Environment(undefined=StrictUndefined, autoescape=False, finalize=_to_be_said)
    del environment.globals["lipsum"]
    environment.filters[STEPS] = _counted
    environment.filters |= {name: _dated(name) for name in ("date", "time", "weekday")}
    return environment


def _to_be_said(value: object) -> object:
    """Refuse what is left of a function whose brackets were forgotten: ``{{ now.isoweekday }}``."""
    if callable(value) and not isinstance(value, Undefined):
        message = f"{getattr(value, '__name__', 'this')} is a function: write () behind it"
        raise TypeError(message)
    return value


def _dated(name: str) -> Callable[..., str]:
    """Return a filter that says a moment as the agent whose file it stands in does."""

    @pass_context
    def said(context: Context, moment: object, *args: Any, **options: Any) -> str:  # noqa: ANN401
        text: str = getattr(context[DATES], name)(moment, *args, **options)
        return text

    return said


_ENVIRONMENT = _environment()


class Templates:
    """The texts of one agent file, compiled and tried out. A text without a brace is as it stands.

    Args:
        texts: Places, for errors, and texts.
        own: Variables that the file brings itself, besides those of every call; None if they are
            not known: then nothing is tried out, and no variable is looked for.
        lines: Where each text begins, by its place.
        language: Of the file, in which dates are said.
        time_zone: Of the file; ``""`` if it names none.
    """

    def __init__(
        self,
        texts: Sequence[tuple[str, str]],
        own: Mapping[str, object] | None,
        lines: Mapping[str, int],
        *,
        language: str = "en",
        time_zone: str = "",
    ) -> None:
        self._lines = lines
        self._language, self._time_zone = language, time_zone
        self._compiled: dict[str, Template] = {}  # by their source
        self._variables: dict[str, set[str]] = {}
        self.mistakes: list[str] = []
        """A line for each; with one, nothing is to be filled in."""

        known = None if own is None else CALL_VARIABLES | own.keys()
        right: list[tuple[str, str]] = []
        for place, source in texts:
            told = len(self.mistakes)
            if "{" in source and told < 5 * MOST_TOLD:
                here = None if known is None else known | _own_variables(place).keys()
                self._compile(place, source, here)
            if len(self.mistakes) == told:
                right.append((place, source))
        if own is not None:
            self._try_out(right, own)

    def variables(self, details: Details) -> dict[str, object]:
        """Return the variables of a call, in the language of the file and by its clock."""
        return details.by_the_clock_of(self._time_zone).variables(self._language)

    def lasts(self, text: str, given: Set[str]) -> bool:
        """Return whether ``text``, one of the file's, is the same in every call.

        Args:
            text: As the file has it.
            given: Names of the file's own variables that have another value in this call.
        """
        return not self._variables.get(text, set()) & (CALL_VARIABLES | given)

    def uses(self, text: str, name: str) -> bool:
        """Return whether ``text``, one of the file's, has that variable in it."""
        return name in self._variables.get(text, set())

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

    def _compile(self, place: str, source: str, known: Set[str] | None) -> None:
        try:
            tree = _ENVIRONMENT.parse(source)
            for node, what in islice(_unknown_names(tree), 5 * MOST_TOLD):
                self._tell(place, node.lineno, f"not a template: {what}")
            for loop in tree.find_all(nodes.For):
                line = loop.iter.lineno
                loop.iter = nodes.Filter(loop.iter, STEPS, [], [], None, None, lineno=line)
            self._compiled[source] = _ENVIRONMENT.from_string(tree)
            variables = meta.find_undeclared_variables(tree)
        except TemplateSyntaxError as error:
            self._tell(place, error.lineno, f"not a template: {error.message}")
            return
        except RecursionError:
            self._tell(place, 1, "not a template: nested too deep")
            return
        except (ArithmeticError, MemoryError, TypeError, ValueError) as error:  # of constants
            self._tell(place, 1, f"the template fails: {one_line(error)}")
            return
        self._variables[source] = variables
        self._check_weekdays(tree, place)
        if known is None:
            return
        for unknown in sorted(variables - known - _ENVIRONMENT.globals.keys())[: 5 * MOST_TOLD]:
            uses = (node.lineno for node in tree.find_all(nodes.Name) if node.name == unknown)
            meant = did_you_mean(nearest(unknown, known))
            there = meant or f"; there are {', '.join(sorted(known))}"
            self._tell(place, min(uses, default=1), f"unknown variable {unknown!r}{there}")

    def _check_weekdays(self, tree: nodes.Template, place: str) -> None:
        """Find a weekday that is never that of the call, which is in the language of the file."""
        if self._language.startswith("en"):
            return
        english = cldr.days("en")
        for node in tree.find_all(nodes.Const):
            if node.value in english:
                number = english.index(node.value) + 1
                what = f"{node.value!r} is English, and the language is {self._language!r}"
                self._tell(place, node.lineno, f"{what}: compare with now.isoweekday() == {number}")

    def _try_out(self, texts: Sequence[tuple[str, str]], own: Mapping[str, object]) -> None:
        """Fill each text in, for every call of :func:`_samples`."""
        calls = [({**own, **self.variables(details)}, when) for details, when in _samples()]
        for place, text in texts:
            if text in self._compiled:
                self._try_one(place, text, calls)

    def _try_one(
        self, place: str, text: str, calls: Sequence[tuple[Mapping[str, object], str]]
    ) -> None:
        for variables, when in calls:
            try:
                spoken = self.fill_prompt(text, {**variables, **_own_variables(place)})
            except PersonaError as error:
                self._tell(place, _line_of(error.__cause__), str(error))
                return
            if not spoken and place != GREETING:
                self._tell(place, 1, f"gives an empty text when {when}")
                return

    def _tell(self, place: str, line: int, what: str) -> None:
        first = self._lines.get(place, 0)
        name = "" if place == PROMPT else f"{place}: "
        where = f"line {first + line - 1}: " if first else ""
        self.mistakes.append(where + one_line(name + what))


def _own_variables(place: str) -> Mapping[str, str]:
    """Return the variables that only a text at this place has, each with a sample."""
    parts = place.split(".")
    return next((own for part, own in OWN_VARIABLES.items() if part in parts), {})


def _samples() -> Iterator[tuple[Details, str]]:
    """Yield calls to try texts with: on every day of a week, of somebody known, and of ours."""
    for day in range(7):
        now = SAMPLE.now + timedelta(days=day)
        yield replace(SAMPLE, now=now), "the caller is not known"
    yield KNOWN, "the caller is known"
    yield replace(KNOWN, outgoing=True), "we have dialled"


def _unknown_names(tree: nodes.Template) -> Iterator[tuple[nodes.Node, str]]:
    """Yield each use of a filter or a test that there is not, and what to say of it.

    Each is replaced by one that there is, so that the rest can be looked at.
    """
    kinds: tuple[tuple[type[nodes.Filter | nodes.Test], Mapping[str, object]], ...] = (
        (nodes.Filter, _ENVIRONMENT.filters),
        (nodes.Test, _ENVIRONMENT.tests),
    )
    for kind, known in kinds:
        for node in tree.find_all(kind):
            if node.name not in known:
                meant = did_you_mean(nearest(node.name, known))
                yield node, f"no {kind.__name__.lower()} named {node.name!r}{meant}"
                node.name = "string"


def _line_of(error: BaseException | None) -> int:
    """Return the line of a template in which it failed, from 1: Jinja writes it into the trace."""
    line, trace = 1, error.__traceback__ if error is not None else None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _render(template: Template, variables: Mapping[str, object]) -> str:
    """Return the text that a template gives with ``variables``.

    Raises:
        PersonaError: If it fails.
    """
    try:
        return template.render({**variables, STEPS: _Steps()})
    # Whoever writes a template may call what there is in it: anything may come of that.
    except Exception as error:
        raise PersonaError(f"the template fails: {one_line(error)}") from error
