"""Live calls for whoever looks on: what happens in them, and their audio."""
