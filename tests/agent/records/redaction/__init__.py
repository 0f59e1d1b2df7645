"""Tests of what is taken out of texts."""
