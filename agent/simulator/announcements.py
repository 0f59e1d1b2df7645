"""What the platform's own voice says to a phone, which nobody else hears."""

from __future__ import annotations

import asyncio

from agent.simulator.sinch.phone_network import PhoneLeg, PhoneNetwork
from pipelines.audio import FRAME_SECONDS, Chunker, at_rate, frame_bytes


async def announce(leg: PhoneLeg, network: PhoneNetwork, text: str) -> None:
    """Have something said to the phone of a leg; return when it has been said, or the leg is over.

    It takes its time, and is in what the phone has heard, where conferences are mixed and the
    platform was given a voice.
    """
    leg.said.append(text)
    if network.voice is None or not network.mixes:
        return
    recording = network.person_at(leg).recording
    frames = Chunker(frame_bytes(recording.rate))
    for frame in frames.feed(at_rate([network.voice(text)], recording.rate).pcm):
        if leg.over.is_set():
            return
        recording.add(bytes(len(frame)), frame)
        await asyncio.sleep(FRAME_SECONDS)
