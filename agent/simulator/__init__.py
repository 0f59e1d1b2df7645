"""The other side, for trying things out: a phone, callers, and Sinch's own interface."""
