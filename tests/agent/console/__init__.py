"""Tests of agent.console."""
