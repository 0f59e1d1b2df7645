"""Tests of agent.settings."""
