"""Agent files as a person edits them from afar: read whole, and written so that nothing is lost.

All of it touches the disk: not for the event loop.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent.personas.errors import PersonaError
from agent.personas.loader import MAX_BYTES, path_of, read, version_of

if sys.platform != "win32":
    import fcntl

NOT_A_NAME = frozenset({"readme", "con", "prn", "aux", "nul"}) | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}
"""What no new agent is called: one is taken for a description, the others are devices of Windows,
where somebody may want to check the folder out."""


LOCK_WITHIN = 0.5
"""Seconds for somebody else to have saved: it takes milliseconds."""


class NotSavedError(Exception):
    """The file is left as it was; the message says why, and what to do."""


class ChangedMeanwhileError(Exception):
    """Somebody else has changed the file; it is left as they have it.

    Args:
        version: Of the text that is there now; ``""`` if there is none any more.
        text: What is there now.
    """

    def __init__(self, version: str, text: str) -> None:
        super().__init__("the file was changed meanwhile")
        self.version = version
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentText:
    """An agent file, as it can be shown and edited."""

    text: str = ""
    """With Unix's ends of lines."""

    version: str = ""
    """Of the text; ``""`` if there is no such file."""

    changed: float = 0.0
    """Unix time of the last change; 0 if there is no such file."""

    unreadable: str = ""
    """Why it has no text that could be shown; ``""`` if it has."""

    locked: str = ""
    """Why it cannot be saved here, and what to do; ``""`` if it can."""


def text_of(folder: Path, name: str) -> AgentText:
    """Return an agent file as it is on the disk now.

    Raises:
        PersonaError: If that is no name of an agent.
    """
    path = path_of(folder, name)
    locked = _why_locked(folder, path)
    try:
        stamp, text = read(path)
    except FileNotFoundError:
        return AgentText(locked=locked)
    except PersonaError as error:
        return AgentText(unreadable=str(error).removeprefix(f"{path}: "), locked=locked)
    except OSError as error:
        return AgentText(unreadable=f"cannot be read: {error.strerror}", locked=locked)
    return AgentText(text=text, version=version_of(text), changed=stamp[0] / 1e9, locked=locked)


def save(folder: Path, name: str, text: str, before: str) -> str:
    """Put ``text`` in place of an agent's file, whole or not at all; return its version.

    The file keeps its mode, its owner, and the ends of its lines. It is in UTF-8 afterwards,
    without a byte order mark. Somebody who writes it with an editor of the machine in the very same
    millisecond is not noticed; other processes of ours are.

    Args:
        folder: Of the agent files.
        name: Of the agent; a file that is not there is made.
        text: All of it.
        before: The version that it was made of; ``""`` for a new file.

    Raises:
        PersonaError: If that is no name of an agent.
        ChangedMeanwhileError: If another version is there now.
        NotSavedError: If it cannot be saved.
    """
    path = path_of(folder, name)
    if not before and name.lower() in NOT_A_NAME:
        raise NotSavedError(f"{name} is not a name for an agent: take another")
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise NotSavedError("there is half a character in the text") from None
    if len(content) > MAX_BYTES or "\0" in text:
        raise NotSavedError(f"at most {MAX_BYTES} bytes are allowed, none of them 0")
    try:
        with _alone(folder):
            now = text_of(folder, name)
            if now.locked or (now.unreadable and before):
                raise NotSavedError(now.locked or now.unreadable)
            if now.version != before or now.unreadable:
                raise ChangedMeanwhileError(now.version, now.text)
            _replace(path, content)
    except OSError as error:
        raise NotSavedError(f"the file cannot be written: {error.strerror}") from None
    return version_of(text)


def _why_locked(folder: Path, path: Path) -> str:
    """Say why a file cannot be saved; ``""`` if it can, as far as a look tells."""
    if "site-packages" in folder.resolve().parts:
        return (
            "These files are part of the installed package. To have your own, run `voice-agent "
            "init`, or name a folder with the setting `prompts`, and start the service there."
        )
    if path.is_symlink():
        return "This file is a link: change what it points to."
    if not os.access(folder, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.W_OK)):
        return (
            "The service may not write here. Let its user do so, or change the file where it comes "
            "from; another folder is named with the setting `prompts`."
        )
    return ""


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let nobody else save in this folder, in whatever process of ours, until this is left.

    Raises:
        NotSavedError: If somebody else does so for too long.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _wait_for(descriptor)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int) -> None:
    if sys.platform == "win32":
        return
    until = time.monotonic() + LOCK_WITHIN
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise NotSavedError("another is being saved, which takes long") from None
            time.sleep(0.02)
        except OSError:  # a file system without locks: the look at what is there has to do
            return
        else:
            return


def _replace(path: Path, content: bytes) -> None:
    """Write a file beside it, and give it the name once it is whole.

    Raises:
        OSError: If that fails.
        NotSavedError: If it would be another's than before.
    """
    status = None
    with suppress(FileNotFoundError):
        status = path.lstat()
    if status is not None and not stat.S_ISREG(status.st_mode):
        raise NotSavedError("This is no file.")
    if status is not None and b"\r\n" in path.read_bytes():
        content = content.replace(b"\n", b"\r\n")
    descriptor, part = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if status is not None:
                _give_away(descriptor, status)
            os.fsync(descriptor)
        os.replace(part, path)  # noqa: PTH105 - beside what else is done with it here
    finally:
        Path(part).unlink(missing_ok=True)


def _give_away(descriptor: int, status: os.stat_result) -> None:
    """Have a new file be whose the old one was, to be read by whom that was."""
    if not hasattr(os, "fchown"):
        return
    ours = os.fstat(descriptor)
    if (ours.st_uid, ours.st_gid) != (status.st_uid, status.st_gid):
        try:
            os.fchown(descriptor, status.st_uid, status.st_gid)
        except PermissionError:
            raise NotSavedError(
                "This file belongs to another user or group of the machine, and would not after "
                "that: give it to the service's user, or change it there."
            ) from None
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
