"""The phone side."""
