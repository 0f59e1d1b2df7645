"""Tests of agent.console.sign_in."""
