"""What Sinch's platform takes: facts of theirs that the settings, the stream and the API share."""

from __future__ import annotations

RATES = (8000, 16000, 24000, 44100, 48000, 96000)
"""Hertz. The sample rates of the stream channel (AsyncAPI "Voice Stream 1.0.0")."""

DEFAULT_RATE = 8000
"""Hertz. What the platform uses when nobody names a rate; also what a phone carries."""

MAX_SECONDS = 14400
"""Seconds that the platform lets a call last, four hours."""

MAX_SAY = 600
"""Characters that the platform speaks at once."""

MAX_TITLE = 64
"""Characters of what somebody on a line is called: a limit of ours, since voices say it."""

V1_REGIONS = ("euc1", "use1", "sae1", "apse1", "apse2")
V2_REGIONS = ("us1", "br1", "eu1", "sg1", "au1")
"""Where each version of the API can be asked."""
