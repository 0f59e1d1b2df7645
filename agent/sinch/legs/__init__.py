"""Legs and calls: their tables, and where all processes find them."""
