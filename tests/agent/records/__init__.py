"""Tests of agent.records."""
