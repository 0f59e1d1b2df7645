"""One call: its tasks, what it says, what it remembers."""
