"""Tests of the console: who is let in, and what they see."""
