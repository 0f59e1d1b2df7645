"""Callers who are passed on to somebody else, and come back."""
