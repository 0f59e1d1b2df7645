"""What is kept of callers, for how long, and how it is hidden."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from agent.settings.errors import SettingsError
from agent.settings.sealing_keys import SealingKey, read_keys
from pipelines.environment import required_from_environment
from pipelines.settings import Section

Redacted = Literal["card", "iban", "email", "phone", "identity"]
"""What may be taken out of texts before they are written."""

_Days = Annotated[float, Field(gt=0, le=36_500)]


def _keys(given: SecretStr | None) -> SecretStr | None:
    return given if given is not None and read_keys(given.get_secret_value()) else None


class PrivacySettings(Section):
    """What is kept of callers.

    Everything is kept for ever unless something else is said: how long it must be kept, or may be,
    is another law in each country and trade, and what was deleted too early cannot be had back.
    """

    keep_records: _Days | None = Field(
        None,
        description="Days from the answer until the whole record of a call is erased, recording "
        "and all. Unset: never, since how long it may or must be kept is for you to know.",
    )
    keep_words: _Days | None = Field(
        None,
        description="Days until what was said is erased: texts, arguments and results of tools, "
        "headers, the summary. Who called when, how long and how fast it went stays.",
    )
    keep_numbers: _Days | None = Field(
        None,
        description="Days until the numbers of caller and called are erased, with the headers. "
        "Those that were said go with the words.",
    )
    keep_recordings: _Days | None = Field(
        None, description="Days until recordings are erased, wherever they are stored."
    )
    keep_reads: _Days = Field(
        365.0,
        description="Days that is kept who looked at which record: long enough for a yearly audit.",
    )
    redact: tuple[Redacted, ...] = Field(
        (),
        description="Taken out of what is written: `card` (with its security code), `iban`, "
        "`email`, `phone`, `identity`. Unset: nothing, since it cannot be had back, and what is "
        "meant is sometimes guessed.",
    )
    silence_recording: bool = Field(
        default=False,
        description="Whether what is taken out of a caller's or agent's words is silenced in the "
        "recording, too; its place within the turn is an estimate, with a margin.",
    )
    keys: Annotated[SecretStr | None, AfterValidator(_keys)] = Field(
        None,
        description="Keys that records and recordings are sealed with, `NAME:BASE64` of 32 bytes "
        "each, a space between; the first seals, all open. Unset: nothing is sealed.",
    )
    keys_variable: str | None = Field(
        None,
        pattern="^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that `keys` are in, if they are not in theirs; with "
        "_FILE behind it, the variable that names a file with them.",
    )

    def sealing_keys(self) -> tuple[SealingKey, ...]:
        """Return the keys, the one that seals first; none if nothing is sealed.

        Raises:
            SettingsError: If the variable that is to hold them does not; quotes no key.
        """
        if self.keys is not None:
            return read_keys(self.keys.get_secret_value())
        if not self.keys_variable:
            return ()
        try:
            return read_keys(required_from_environment(self.keys_variable))
        except ValueError as error:
            raise SettingsError(f"privacy.keys_variable: {self.keys_variable}: {error}") from None
