"""The headers of a call: what was given along with it, under the names that it was given by.

They come with the callback of a call, go out with the stream that it is connected to, and come back
in its ``connect``. Four are ours (:data:`OURS`); all others are whoever's who calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

OURS = ("token", "agent", "caller", "called")
"""Names that nobody else's headers may have."""

SECRET: tuple[str, ...] = (
    *("token", "secret", "password", "passwd", "authorization", "cookie", "credential"),
    *("api-key", "api_key", "apikey", "signature"),
)
"""What is in the name of a header that nobody but its receiver may read."""

MOST = 64
MAX_NAME = 256
MAX_VALUE = 2048
"""Characters that are kept of a header's value; a token of ours has up to 1,024."""


class CallHeaders(Mapping[str, str]):
    """Headers, with their names as they were sent; asked for, a name may be in any case.

    Of two names that differ in case alone, the first counts, unless it is empty. Immutable.
    """

    def __init__(self, headers: Iterable[tuple[str, str]] = ()) -> None:
        self._found: dict[str, tuple[str, str]] = {}
        for name, value in headers:
            if not self._found.get(_folded(name), ("", ""))[1]:
                self._found[_folded(name)] = name, value

    def __getitem__(self, name: str) -> str:
        return self._found[_folded(name)][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._found.values())

    def __len__(self) -> int:
        return len(self._found)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return _values(self) == _values(other)

    __hash__ = None  # type: ignore[assignment]  # as of a dict

    @property
    def lasting(self) -> dict[str, str]:
        """Those that may be kept of a call: not ours, which are known, and none that is secret."""
        others = self.without(*OURS).items()
        return {
            name: value for name, value in others if not any(s in _folded(name) for s in SECRET)
        }

    def without(self, *names: str) -> CallHeaders:
        """Return the others."""
        gone = {_folded(name) for name in names}
        return CallHeaders(item for item in self.items() if _folded(item[0]) not in gone)


def of_call(
    agent: str, caller: str, called: str, others: Mapping[str, str] | None = None
) -> CallHeaders:
    """Return what a call has that we route: ours, and what came with it under other names."""
    ours = (("agent", agent), ("caller", caller), ("called", called))
    return CallHeaders([*ours, *CallHeaders((others or {}).items()).without(*OURS).items()])


def read(given: object) -> CallHeaders:
    """Return the headers that ``given`` holds: an object, or a list of ``{key, value}``.

    A value is a text, a number, or true or false; of a list it is what it holds, with commas
    between. Anything else is left out. What is too long is cut; a name is one line.
    """
    if isinstance(given, list):
        pairs = [_pair(item) for item in given if isinstance(item, dict)]
    else:
        pairs = list(given.items()) if isinstance(given, dict) else []
    found = ((_name(name), _value(value)) for name, value in pairs[:MOST])
    return CallHeaders((name, value) for name, value in found if name and value is not None)


def _values(headers: Mapping[str, str]) -> dict[str, str]:
    return {_folded(name): value for name, value in headers.items()}


def _folded(name: str) -> str:
    return name.strip().casefold()


def _pair(item: Mapping[str, object]) -> tuple[object, object]:
    lowered = {key.lower(): value for key, value in item.items()}
    return lowered.get("key") or lowered.get("name") or "", lowered.get("value")


def _name(given: object) -> str:
    text = given[:MAX_NAME] if isinstance(given, str) else ""
    return "".join(char for char in text if char.isprintable()).strip()


def _value(given: object) -> str | None:
    match given:
        case bool():
            return "true" if given else "false"
        case str() | int() | float():
            return str(given)[:MAX_VALUE].replace("\0", "")
        case list():
            parts = (_value(one) for one in given[:MOST] if not isinstance(one, list))
            return ", ".join(part for part in parts if part is not None)[:MAX_VALUE]
    return None
