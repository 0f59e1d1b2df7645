"""Where the database is: an address that may hold a password, which is never printed."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Secret

from pipelines.masking import masked

DEFAULT = "sqlite:///voice-agent.db"

FILE = "sqlite:///"
SERVER = ("postgresql://", "postgres://")
"""How an address begins; hosting companies write either."""


class DatabaseUrl(Secret[str]):
    """The address of a database. It is shown with ``***`` for user, password and query."""

    def _display(self) -> str:
        return self.masked

    @property
    def masked(self) -> str:
        """The address, to be shown."""
        return masked(self.get_secret_value())

    @property
    def is_postgresql(self) -> bool:
        """Whether it is a server's; else it is a file's."""
        return self.get_secret_value().startswith(SERVER)


def _known(url: DatabaseUrl) -> DatabaseUrl:
    given = url.get_secret_value()
    kinds = (FILE, *SERVER)
    if not given.startswith(kinds) or given in kinds:
        raise ValueError("sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/NAME")
    return url


CheckedDatabaseUrl = Annotated[DatabaseUrl, AfterValidator(_known)]
