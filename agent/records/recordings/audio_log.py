"""A recording while it is made: stretches of either side, one behind the other in a file.

A file that can be cut off anywhere: what was written whole is read, what follows is let be. It
begins with a line of JSON, then come blocks: which side, the sample at which it starts, the length
of what is stored for its audio, and a checksum of these with that. Blocks go through the seal one
by one, since nobody knows which is the last. Where there is no block there is silence; and where a
block says that there is to be, whatever was recorded.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from agent.private_files import FILE, make_private_folder
from agent.records.journals import locks
from agent.records.recordings.sides import PlacedAudio
from agent.records.seals import Seal

ENDING = ".part"
"""Of the name of a recording that is being made, behind that which it will have."""

Side = Literal["caller", "agent", "end", "silence", "settled"]

_SIDES: tuple[Side, ...] = ("caller", "agent", "end", "silence", "settled")
"""``end`` says where the recording has ended, ``silence`` what of it is to be silenced, ``settled``
that all of that is known."""

_SILENCE = struct.Struct(">Q?")
"""The sample behind the last that is to be silent, and whether it is sure that it is."""

_HEAD = struct.Struct(">BQII")
"""Side, first sample, length of what is stored, checksum."""

_LONGEST_LINE = 4096

_LONGEST_BLOCK = 64_000_000
"""Bytes; 20 s at 96 kHz are 3.8 million. What claims to be longer is no block."""


class DamagedError(Exception):
    """This is no recording of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """What a recording is of."""

    rate: int
    """Hertz."""

    begin: int
    """Its first sample, counted from the call's zero."""

    @property
    def began(self) -> float:
        """Seconds on the call's clock at which its first sample is heard."""
        return self.begin / self.rate


@dataclass(frozen=True, slots=True)
class Block:
    """Where in the file a block is."""

    side: Side
    start: int
    offset: int
    """Of what is stored for its audio."""

    length: int


class AudioLog:
    """Writes one. Its file is locked while it is open. Blocks: use a thread.

    Args:
        path: To be made; there is none.
        head: What it is of.
        seal: Hides the audio.

    Raises:
        OSError: If it cannot be made.
    """

    def __init__(self, path: Path, head: LogHead, seal: Seal) -> None:
        make_private_folder(path.parent)
        self._seal = seal
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        locks.hold(self._file)  # as long as this process lives
        self.size = self._file.write(json.dumps(asdict(head)).encode() + b"\n")
        """Bytes written."""

    def add(self, side: Side, stretch: PlacedAudio) -> None:
        """Write a stretch through to the operating system.

        Raises:
            OSError: If it cannot be written. What is half written is no harm to what is before it.
        """
        stored = b"".join(self._seal.hide_bytes((stretch.pcm,))) if stretch.pcm else b""
        number = _SIDES.index(side)
        bare = _HEAD.pack(number, stretch.start, len(stored), 0)
        block = _HEAD.pack(number, stretch.start, len(stored), zlib.crc32(stored, zlib.crc32(bare)))
        whole = block + stored
        while whole:  # a disk that is nearly full takes a part
            taken = self._file.write(whole) or 0
            self.size += taken
            whole = whole[taken:]

    def silence(self, start: int, end: int, *, sure: bool) -> None:
        """Note that these samples of both sides are not to be kept.

        Raises:
            OSError: If it cannot be written.
        """
        side: Side = "silence"
        self.add(side, PlacedAudio(start, _SILENCE.pack(end, sure)))

    def close(self) -> None:
        """Close the file.

        Raises:
            OSError: If something of it could not be written.
        """
        self._file.close()


def read_log(file: BinaryIO) -> tuple[LogHead, list[Block]]:
    """Return what a recording is of, and its blocks up to where it was cut off.

    Raises:
        DamagedError: If it is none, or was cut off before it had begun.
        OSError: If it cannot be read.
    """
    try:
        head = LogHead(**json.loads(file.readline(_LONGEST_LINE)))
        possible = head.rate > 0 and head.begin >= 0
    except (ValueError, TypeError):
        possible = False
    if not possible:
        raise DamagedError("it is no recording, or was cut off before it had begun")
    blocks: list[Block] = []
    while len(begun := file.read(_HEAD.size)) == _HEAD.size:
        number, start, length, checksum = _HEAD.unpack(begun)
        offset = file.tell()
        if number >= len(_SIDES) or length > _LONGEST_BLOCK:
            break
        stored = file.read(length)
        bare = _HEAD.pack(number, start, length, 0)
        if len(stored) < length or zlib.crc32(stored, zlib.crc32(bare)) != checksum:
            break
        blocks.append(Block(_SIDES[number], start, offset, length))
    return head, blocks


def audio_of(file: BinaryIO, block: Block, seal: Seal) -> PlacedAudio:
    """Return the audio of a block.

    Raises:
        SealError: If there is no key for it.
        OSError: If it cannot be read.
    """
    file.seek(block.offset)
    stored = file.read(block.length)
    return PlacedAudio(block.start, b"".join(seal.show_bytes((stored,))) if stored else b"")


def silences(file: BinaryIO, blocks: list[Block], seal: Seal) -> list[tuple[int, int]]:
    """Return which samples are not to be kept.

    If its process has died before all was known, those too that were not sure.

    Raises:
        SealError: If there is no key for it.
        OSError: If it cannot be read.
    """
    settled = any(block.side == "settled" for block in blocks)
    found = []
    for block in blocks:
        if block.side == "silence":
            end, sure = _SILENCE.unpack(audio_of(file, block, seal).pcm)
            if sure or not settled:
                found.append((block.start, end))
    return found


def stretches(file: BinaryIO, blocks: list[Block], side: Side, seal: Seal) -> Iterator[PlacedAudio]:
    """Yield the audio of one side in the order of its samples; one is read at a time."""
    for block in sorted((one for one in blocks if one.side == side), key=lambda one: one.start):
        yield audio_of(file, block, seal)
