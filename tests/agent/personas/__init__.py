"""Tests of agent.personas."""
