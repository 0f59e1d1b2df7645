"""Tests of agent.console.agents."""
