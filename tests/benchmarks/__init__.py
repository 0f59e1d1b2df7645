"""Benchmarks: they print, and assert no times."""
