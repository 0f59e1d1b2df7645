"""Tests of agent.server."""
