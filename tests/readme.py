"""``python -m tests.readme``: put the generated tables into the docs; a test compares them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import BaseModel

from agent.personas.consents import ConsentSection
from agent.personas.front_matter import (
    FrontMatter,
)
from agent.personas.party import PartySection
from agent.personas.party_targets import PartyTarget
from agent.personas.questions import DeclaredAnswer, FrequentQuestion
from agent.personas.tool_declarations import HttpTool, McpTools, PythonTool
from agent.personas.transfer_targets import TransferTarget
from agent.settings.tables import provider_tables, settings_table
from agent.settings.webhooks import WebhookSettings
from tests.spoken_forms import SpokenForm, forms, kinds

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = (
    README,
    *sorted(DOCS.glob("*.md")),
    ROOT / "pipelines" / "providers" / "README.md",
    ROOT / "tests" / "contract" / "README.md",
)
"""All that is written for whoever uses or changes this, and checked."""

FRONT_MATTER: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ("", "", FrontMatter),
    ("Questions", "Each of `questions` has:", FrequentQuestion),
    ("Transfers", "Each of `transfers` has:", TransferTarget),
    ("Parties", "Each of `parties` has:", PartyTarget),
    ("Expected answers", "Each of `expects` has:", DeclaredAnswer),
    ("Party lines", "`party` has:", PartySection),
    (
        "Consent",
        "`consent` has, if it is more than a question ([consent](disclosure.md)):",
        ConsentSection,
    ),
    ("Tools", "Each of `tools` is of one of three kinds. An HTTP endpoint has:", HttpTool),
    ("", "A Python function:", PythonTool),
    ("", "Tools of an MCP server:", McpTools),
)
"""What stands in an agent file: a heading, a line, and the fields."""


def front_matter_tables() -> str:
    """Return every field of an agent file, as tables."""
    lines: list[str] = []
    for heading, introduction, model in FRONT_MATTER:
        lines += [f"### {heading}", ""] if heading else []
        lines += [introduction, ""] if introduction else []
        lines += ["| field | default | meaning |", "| --- | --- | --- |", *_rows(model), ""]
    return "\n".join(lines)


def _rows(model: type[BaseModel]) -> Iterator[str]:
    # What is needed first, then in the order of the code.
    fields = sorted(model.model_fields.items(), key=lambda item: not item[1].is_required())
    for name, field in fields:
        made = None if field.default_factory else field.default
        default = "needed" if field.is_required() else _default(made)
        yield f"| `{name}` | {default} | {field.description} |"


def _default(value: object) -> str:
    """Return a default as YAML has it; nothing for one that is empty."""
    return f"`{json.dumps(value)}`" if value or value is False else ""


LANGUAGES = {"en": "English", "de": "German", "es": "Spanish", "fr": "French", "it": "Italian"}
"""Those that texts are read in, in the order of the page."""


def spoken_form_tables() -> str:
    """Return every case of what is read out, by kind and language, as tables."""
    lines: list[str] = []
    for kind in kinds():
        of_kind = list(forms(kind))
        lines += [f"### {kind.replace('-', ' ').replace('_', ' ').capitalize()}", ""]
        for code, name in LANGUAGES.items():
            cases = [form for form in of_kind if form.language.partition("-")[0] == code]
            lines += [f"**{name}**", ""]
            lines += [f"None: {form.spoken}" for form in cases if not form.written]
            if written := [form for form in cases if form.written]:
                lines += ["| written | spoken |", "| --- | --- |", *map(_spoken_form, written)]
            lines.append("")
    return "\n".join(lines)


def _spoken_form(form: SpokenForm) -> str:
    written = form.written.replace("|", "\\|")
    tag = f" ({form.language})" if "-" in form.language else ""
    ticks = "``" if "`" in written else "`"
    return f"| {ticks}{written}{ticks}{tag} | {form.spoken} |"


def webhook_table() -> str:
    """Return the settings of an endpoint, as a table."""
    head = ["| setting | default | meaning |", "| --- | --- | --- |"]
    return "\n".join([*head, *_rows(WebhookSettings), ""])


TABLES: dict[Path, Callable[[], str]] = {
    DOCS / "settings.md": settings_table,
    DOCS / "agent-files.md": front_matter_tables,
    DOCS / "spoken-text.md": spoken_form_tables,
    DOCS / "webhooks.md": webhook_table,
    ROOT / "pipelines" / "providers" / "README.md": provider_tables,
}
BEGIN, END = "<!-- made by `make readme` -->\n", "<!-- /made -->"


def with_tables(path: Path) -> str:
    """Return a page with its tables as they are in the code."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{TABLES[path]()}\n{END}{after}"


if __name__ == "__main__":
    for page in TABLES:
        page.write_text(with_tables(page))
