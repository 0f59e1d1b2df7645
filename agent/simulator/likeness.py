"""Whether two sounds are the same words of the same voice, said twice.

A voice does not say a sentence twice with the same samples, so spectra are compared: windows of
0.6 s in 16 bands, wherever they fit best. Over 124 to 140 windows of eight sentences of Piper's
voice, each said twice: the same words fit by 0.92 in the median and 0.75 in one of 20, other words
by 0.66 in the median and 0.77 in one of four. So a window proves nothing, and most of many do.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipelines.audio import Audio, at_rate

RATE = 8000
SIZE, HOP = 256, 80
"""Samples of a spectrum, and between two: 32 and 10 ms."""

BANDS = 16
WINDOW = 60
"""Spectra: 0.6 s."""

STEP = 10
"""Spectra between two windows."""

FITS = 0.75
"""Correlation from which a window is taken for the same words."""

SHARE = 0.75
"""Of windows: from there on it is the same."""

Spectra = npt.NDArray[np.float64]


def covered(piece: Audio, within: Audio) -> float | None:
    """Return which share of ``piece`` is heard in ``within``; None if too little is known.

    Less than 0.4 s is too little, as is a sound that never changes: any tone is like any other.
    """
    wanted, heard = _spectra(piece), _spectra(within)
    size = min(WINDOW, len(wanted))
    if size < WINDOW * 2 // 3:
        return None
    if len(heard) < size:
        return 0.0
    places = np.lib.stride_tricks.sliding_window_view(heard, size, axis=0)
    flat = _normal(places.swapaxes(1, 2).reshape(len(places), -1, BANDS))
    starts = [*range(0, len(wanted) - size, STEP), len(wanted) - size]
    windows = _normal(np.stack([wanted[start : start + size] for start in starts]))
    told = np.abs(windows).max(axis=1) > 0
    if not told.any():
        return None
    best = (windows[told] @ flat.T).max(axis=1)
    return float((best >= FITS).mean())


def is_again(piece: Audio, within: Audio) -> bool | None:
    """Return whether ``piece`` is heard in ``within``; None if too little is known."""
    share = covered(piece, within)
    return None if share is None else share >= SHARE


def _normal(windows: Spectra) -> Spectra:
    """Return windows as vectors of length 1, without what is the same all along: the line."""
    changes = windows - windows.mean(axis=1, keepdims=True)
    flat = changes.reshape(len(windows), -1)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    still: Spectra = np.where(length > _nothing(flat.shape[1]), flat / np.maximum(length, 1e-9), 0)
    return still


def _nothing(values: int) -> float:
    """Return the length of a vector whose values differ by 2 dB, as those of a tone do at most."""
    return 2.0 * float(np.sqrt(values))


def _spectra(audio: Audio) -> Spectra:
    """Return the decibels in each band, every 10 ms."""
    pcm = at_rate([audio], RATE).pcm if audio.rate != RATE else audio.pcm
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    if len(samples) < SIZE:
        return np.zeros((0, BANDS))
    frames = np.lib.stride_tricks.sliding_window_view(samples, SIZE)[::HOP] * np.hanning(SIZE)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1)))
    edges = np.exp(np.linspace(np.log(500.0), np.log(3900.0), BANDS + 1)) - 300.0
    bins = np.searchsorted(np.fft.rfftfreq(SIZE, 1 / RATE), edges)
    bands = np.add.reduceat(power[:, : bins[-1]], bins[:-1], axis=1)
    found: Spectra = 10 * np.log10(bands + 1e4)  # of a sound below -47 dBFS nothing is left
    return found
