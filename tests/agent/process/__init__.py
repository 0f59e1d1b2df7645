"""The service as a process of its own: what only a real one shows."""
