"""Several phones on one line, whose audio is mixed."""
