"""What is read otherwise than it is written: a kind of thing a file."""
