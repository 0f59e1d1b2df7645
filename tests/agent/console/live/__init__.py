"""Tests of agent.console.live."""
