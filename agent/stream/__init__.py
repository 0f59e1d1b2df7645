"""Sinch's stream channel: its protocol without a network, and the socket that carries it."""
