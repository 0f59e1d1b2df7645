"""The speech side."""
