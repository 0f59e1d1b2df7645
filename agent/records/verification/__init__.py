"""Whether a record is what its recording has: every word at its time, and no other."""
