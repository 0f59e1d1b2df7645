"""Speech-to-text over one websocket a call: one engine for every provider."""
