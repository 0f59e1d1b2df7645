"""Fixed sentences as audio in a folder, for a process that starts while its voice is down.

A file a sentence, named by a hash of whose voice it is, of the line's rate and of the text: another
voice, model or wording is another file, and no word stands in a name. A file begins with a magic
number, the rate of its audio and the SHA-256 of that and of what follows: the samples, 16 bits and
mono.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import structlog
from pydantic import BaseModel

from pipelines.audio import Audio
from pipelines.clock import now
from pipelines.stages.phrases import Key

log = structlog.get_logger()

T = TypeVar("T")

WITHIN = 0.5
"""Seconds that a call waits for the disk. A healthy one takes milliseconds for a whole agent; on a
sick one the voice is asked instead."""

MOST_BYTES = 64 * 1024 * 1024
"""Of all files: some 150 agents' sentences at 22,050 hertz. The longest unused go first."""

MOST_SECONDS = 60.0
"""Of one sentence: longer is none, and a file that is larger is not read."""

_HEAD = struct.Struct("<4sI32s")
_MAGIC = b"vap1"
_SUFFIX = ".phrase"


def voice_identity(name: str, options: BaseModel) -> str:
    """Return what a voice sounds like, as far as its settings say; its keys are not in it."""
    return json.dumps([name, options.model_dump(mode="json")], sort_keys=True)


class PhraseFolder:
    """The folder. Close it in the end.

    What cannot be read or written costs a request to the voice later on, and never a call: it is
    logged. One thread does all of it, so a disk that hangs holds up nobody but the next file.

    Args:
        folder: Made when it is first written to, for its owner alone: texts are private.
        voice: Whose sentences, see :func:`voice_identity`.
        most_bytes: Of all files.
    """

    def __init__(self, folder: Path, voice: str, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._voice = voice
        self._most_bytes = most_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="phrases")
        self._last: asyncio.Future[Any] | None = None  # of what the thread was given
        self._late = self._failed = False

    async def load(self, keys: Sequence[Key]) -> Mapping[Key, Audio]:
        """Return those of ``keys`` that are there, whole."""
        return await self._do(lambda: self._load(keys), {})

    async def save(self, key: Key, audio: Audio) -> None:
        """Keep a sentence, if the disk lets us."""
        if 0 < audio.seconds <= MOST_SECONDS:
            await self._do(lambda: self._save(key, audio), None)

    def close(self) -> None:
        """Take no more; a file that is being written is written to its end, unless that hangs."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _do(self, work: Callable[[], T], otherwise: T) -> T:
        """Do ``work`` in the thread; return ``otherwise`` if that fails, or takes long."""
        until = now() + WITHIN
        while self._last is not None and not self._last.done():
            if self._late or now() >= until:
                return otherwise  # the disk hangs: let nothing pile up
            await asyncio.wait([self._last], timeout=until - now())
        work_done = asyncio.get_running_loop().run_in_executor(self._thread, work)
        self._last = work_done
        done, _ = await asyncio.wait([work_done], timeout=WITHIN)
        self._late = not done
        if not done:
            work_done.add_done_callback(_look_at)
            return self._give_up("takes long", otherwise)
        try:
            result = work_done.result()
        except OSError as error:
            return self._give_up(error.strerror or type(error).__name__, otherwise)
        self._failed = False
        return result

    def _give_up(self, why: str, otherwise: T) -> T:
        if not self._failed:
            log.warning("phrases cannot be kept", folder=str(self._folder), error=why)
        self._failed = True  # once, until it works again
        return otherwise

    # In the thread

    def _path(self, key: Key) -> Path:
        sentence, rate = key
        named = json.dumps([self._voice, rate, sentence]).encode()
        return self._folder / (hashlib.sha256(named).hexdigest() + _SUFFIX)

    def _load(self, keys: Sequence[Key]) -> Mapping[Key, Audio]:
        found = {key: self._read(self._path(key)) for key in keys}
        return {key: audio for key, audio in found.items() if audio is not None}

    def _read(self, path: Path) -> Audio | None:
        """Return what a file holds; None if there is none, or it is damaged, which is made anew."""
        try:
            with path.open("rb") as file:
                head = file.read(_HEAD.size)
                if len(head) < _HEAD.size:
                    return None
                magic, rate, digest = _HEAD.unpack(head)
                pcm = file.read(1 + round(2 * MOST_SECONDS * min(rate, 192_000)))
        except FileNotFoundError:
            return None
        audio = Audio(pcm, rate or 1)
        whole = rate and 0 < audio.seconds <= MOST_SECONDS and len(pcm) % 2 == 0
        if magic != _MAGIC or not whole or digest != _digest(audio):
            log.warning("a kept phrase is damaged", file=path.name)
            return None
        with suppress(OSError):
            os.utime(path)  # it is in use
        return audio

    def _save(self, key: Key, audio: Audio) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        head = _HEAD.pack(_MAGIC, audio.rate, _digest(audio))
        # Written beside it and moved: whoever reads it meanwhile, or after a crash, has it whole.
        handle, name = tempfile.mkstemp(_SUFFIX, dir=self._folder)  # 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(head + audio.pcm)
            Path(name).replace(self._path(key))
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        self._prune()

    def _prune(self) -> None:
        """Delete the longest unused, and what a crash left, beyond the bound."""
        files: list[tuple[float, int, Path]] = []
        for path in self._folder.glob(f"*{_SUFFIX}"):  # whatever else is here is somebody's
            with suppress(FileNotFoundError):  # another process prunes, too
                stat = path.stat()
                files.append((stat.st_mtime, stat.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._most_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size


def _digest(audio: Audio) -> bytes:
    """Return what changes with any bit of a file behind its magic number."""
    return hashlib.sha256(audio.rate.to_bytes(4, "little") + audio.pcm).digest()


def _look_at(done: asyncio.Future[T]) -> None:
    """Take a late failure of work that nobody waits for any more: it was logged as late."""
    if not done.cancelled():
        done.exception()
