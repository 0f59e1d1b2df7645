"""Tests of agent.console.overview."""
