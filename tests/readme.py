"""``python -m tests.readme``: put the tables of settings into the README; a test compares them."""

from __future__ import annotations

from pathlib import Path

from agent.settings import markdown

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- settings: made by `make readme` -->\n", "<!-- /settings -->"


def with_tables(text: str) -> str:
    """Return the README with the tables as they are in the code."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{markdown()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text()))
