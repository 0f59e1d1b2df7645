"""How many calls this machine carries, and what ends the taking of more."""
