"""What is kept of a call: its transcript, line by line, as it happens."""
