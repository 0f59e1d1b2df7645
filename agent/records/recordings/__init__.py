"""Recordings: both sides of a call, written, finished, kept, read."""
