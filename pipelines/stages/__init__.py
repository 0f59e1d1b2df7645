"""Whom each stage asks, in which order, and what they have used."""
