"""A reply, from the transcript to audio, and the ledger of what was heard of it."""
