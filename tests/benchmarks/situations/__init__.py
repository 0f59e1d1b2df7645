"""Whole calls in virtual time, as situations that are judged: see ``tests.benchmarks``."""
