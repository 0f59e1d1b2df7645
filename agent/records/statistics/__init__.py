"""How calls went, in figures."""
