"""The log: what may be in it, how often, and what happens when it cannot be written."""
