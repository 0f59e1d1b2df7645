"""Tests of `agent.store`."""
