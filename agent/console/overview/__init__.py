"""The page of how calls go: what is asked for in its address, and what it shows of that."""
