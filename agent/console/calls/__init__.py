"""The pages of calls that are over: their list, each one's story, and its answers replayed."""
