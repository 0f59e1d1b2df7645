"""Tests of agent.stream."""
