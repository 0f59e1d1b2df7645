"""Tests of agent.console.calls."""
