"""Tests of agent.simulator."""
