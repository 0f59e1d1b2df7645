"""The speech side of the voice agent: it knows nothing of phones, servers or files."""
