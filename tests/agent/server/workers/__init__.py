"""Tests of agent.server.workers."""
