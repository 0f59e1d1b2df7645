"""``python -m tests.readme``: put the tables into the READMEs; a test compares them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agent.settings.tables import provider_tables, settings_table

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TABLES: dict[Path, Callable[[], str]] = {
    README: settings_table,
    ROOT / "pipelines" / "providers" / "README.md": provider_tables,
}
BEGIN, END = "<!-- made by `make readme` -->\n", "<!-- /made -->"


def with_tables(path: Path) -> str:
    """Return a README with its tables as they are in the code."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{TABLES[path]()}\n{END}{after}"


if __name__ == "__main__":
    for readme in TABLES:
        readme.write_text(with_tables(readme))
