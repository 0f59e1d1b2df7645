"""MCP servers, whose tools agents may use."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, model_validator

from agent.urls import Url
from pipelines.settings import Section


class McpServerSettings(Section):
    """An MCP server: either ``url`` or ``command``."""

    url: Url | None = Field(None, repr=False, description="Address, for streamable HTTP.")
    headers: dict[str, SecretStr] = Field(
        {},
        description="Sent with each request. `${NAME}` in a value is the environment variable "
        "NAME, or the content of the file that NAME_FILE names.",
    )
    command: str | None = Field(
        None, min_length=1, description="Program to start, which talks through its standard input."
    )
    args: tuple[SecretStr, ...] = Field((), description="Its arguments. They are shown nowhere.")
    env: dict[str, SecretStr] = Field(
        {}, description="Its environment, besides PATH and HOME; `${NAME}` as in headers."
    )
    show_errors: bool = Field(
        default=False,
        description="Whether what it writes to its standard error goes to ours. For debugging: it "
        "may hold what callers said.",
    )

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> Self:
        if (self.url is None) == (self.command is None):
            message = "set either url or command"
            raise ValueError(message)
        if self.url is None and self.headers:
            message = "headers go with url"
            raise ValueError(message)
        if self.command is None and (self.args or self.env):
            message = "args and env go with command"
            raise ValueError(message)
        return self
