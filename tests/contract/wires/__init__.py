"""Servers that speak the wire formats of providers, on loopback."""
