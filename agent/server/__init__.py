"""The service: what it answers, and what runs while it does."""
