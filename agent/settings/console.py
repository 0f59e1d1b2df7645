"""The console: who may see it, and what each may do there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from agent.urls import is_loopback_host
from pipelines.settings import Section

RoleName = Literal["look", "listen", "operate", "edit"]
"""What somebody may do: each includes those before it."""

UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
"""No space is in it: what the access log says besides, such as ``oidc ann``, is nobody's name."""

ADMIN = "admin"
"""Who signs in with ``console.password``."""

_HASH = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}"
)
LEAST_MEMORY, MOST_MEMORY = 7168, 1_048_576
"""KiB for one try of a password: OWASP's least, and what no try may take of a machine."""


def _hash(value: SecretStr) -> SecretStr:
    found = _HASH.fullmatch(value.get_secret_value())
    if found is None:
        raise ValueError(
            "no argon2 hash; `voice-agent console password` asks for a password and prints the line"
        )
    memory, times, lanes = map(int, found.groups())
    if not (LEAST_MEMORY <= memory <= MOST_MEMORY and 1 <= times <= 20 and 1 <= lanes <= 16):
        raise ValueError(
            f"takes m from {LEAST_MEMORY} to {MOST_MEMORY}, t from 1 to 20, p from 1 to 16; "
            "`voice-agent console password` makes a good one"
        )
    return value


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise ValueError("an address, or a network such as 10.0.0.0/8") from None


PasswordHash = Annotated[SecretStr, AfterValidator(_hash)]


class ConsoleUser(Section):
    """Somebody who signs in with a password of their own."""

    password: PasswordHash = Field(
        description="Its argon2 hash, as `voice-agent console password NAME` prints it."
    )
    role: RoleName = Field("look", description="What they may do.")


class OidcSettings(Section):
    """An identity provider that people sign in by (OpenID Connect)."""

    issuer: str = Field(
        "",
        pattern="^(https?://[^@?#]+)?$",
        description="The identity provider, such as https://login.example.com/realms/ours, as it "
        "names itself. Unset: nobody signs in by one. Needs the extra `oidc`.",
    )
    client_id: str = Field("", description="What the provider calls this console.")
    client_secret: SecretStr | None = Field(
        None, description="Its secret there. Unset: a public client, by PKCE alone."
    )
    scopes: tuple[str, ...] = Field(
        ("openid", "email", "profile"), description="What is asked for; `openid` has to be in it."
    )
    claim: str = Field(
        "groups",
        min_length=1,
        description="What of the ID token says who may do what: a text, or a list of texts. "
        "`email` counts only if the provider says that it has verified it.",
    )
    roles: dict[str, RoleName] = Field(
        {},
        description='Values of that claim and the role of each: `{ support = "listen" }`. The '
        "highest counts; who has none of them is not let in.",
    )
    name_claim: str = Field(
        "email", min_length=1, description="What people are called; else the subject, `sub`."
    )

    @property
    def is_set(self) -> bool:
        """Whether people sign in by it."""
        return bool(self.issuer)

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if not self.issuer:
            return self
        parts = urlsplit(self.issuer)
        mistakes = []
        if parts.scheme != "https" and not is_loopback_host(parts.hostname or ""):
            mistakes.append("issuer: https:// is wanted: who signs in is told by it")
        if not self.client_id:
            mistakes.append("client_id: must be given beside issuer")
        if not self.roles:
            mistakes.append("roles: nobody is let in without one")
        if "openid" not in self.scopes:
            mistakes.append("scopes: openid has to be in it")
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return self


class ConsoleProxySettings(Section):
    """A proxy in front that signs people in and says who they are."""

    user_header: str = Field(
        "",
        pattern="^([A-Za-z0-9-]{1,64})?$",
        description="Header in which the proxy says who asks, such as `X-Forwarded-User`. It has "
        "to take that header away from what comes to it. Unset: nobody is believed.",
    )
    addresses: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        (),
        description="Addresses or networks of that proxy alone: whoever asks from there can be "
        "anybody. They have to be in `server.trusted_proxies`, too.",
    )
    role_header: str = Field(
        "",
        pattern="^([A-Za-z0-9-]{1,64})?$",
        description="Header in which it says what they may do: one of `roles`, or several with "
        "commas between them, the highest of which counts.",
    )
    roles: dict[str, RoleName] = Field(
        {"look": "look", "listen": "listen", "operate": "operate", "edit": "edit"},
        description="What may stand there, such as groups, and the role of each.",
    )
    role: RoleName | None = Field(
        None,
        description="Role of those of whom it says none. Unset: they are not let in.",
    )

    @property
    def is_set(self) -> bool:
        """Whether anybody is believed."""
        return bool(self.user_header)

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if self.user_header and not self.addresses:
            raise ValueError("addresses: must be given beside user_header: who else may say it?")
        if self.user_header and not self.role_header and self.role is None:
            raise ValueError("role: must be given, or role_header")
        return self


class ConsoleSettings(Section):
    """The pages: browser phone, live calls, records, agents."""

    enabled: bool | None = Field(
        None,
        description="Whether there are pages. Unset: yes on loopback, and wherever people sign in.",
    )
    public_url: str = Field(
        "",
        pattern="^(https?://[^@?#]+)?$",
        description="Where browsers find the pages, such as https://agent.example.com, if a proxy "
        "changes the host that is asked for. Unset: `sinch.public_url`, or as asked.",
    )
    password: PasswordHash | None = Field(
        None,
        description="For one person, who is `admin` and may do everything: the hash of their "
        "password, as `voice-agent console password` prints it.",
    )
    users: dict[UserName, ConsoleUser] = Field(
        {},
        description="People who sign in with a password, `[console.users.NAME]`: `password` and "
        "`role` (`look`, `listen`, `operate` or `edit`).",
    )
    oidc: OidcSettings = OidcSettings()
    proxy: ConsoleProxySettings = ConsoleProxySettings()
    idle_timeout: float = Field(
        14_400.0,
        ge=60,
        le=43_200,
        description="Seconds without a request after which people have to sign in again; a page "
        "that is pushed to them is none. Half a shift.",
    )
    session_lifetime: float = Field(
        43_200.0,
        ge=300,
        le=2_592_000,
        description="Seconds after which they have to in any case: a shift and some more.",
    )

    @model_validator(mode="after")
    def _one_admin(self) -> Self:
        if self.password is not None and ADMIN in self.users:
            raise ValueError(f"password: is that of {ADMIN!r}, who is among the users as well")
        return self

    @property
    def accounts(self) -> Mapping[str, ConsoleUser]:
        """Who signs in with a password, by name."""
        if self.password is None:
            return self.users
        return {**self.users, ADMIN: ConsoleUser(password=self.password, role="edit")}

    @property
    def signs_in(self) -> bool:
        """Whether people have to say who they are."""
        return bool(self.accounts) or self.oidc.is_set or self.proxy.is_set
