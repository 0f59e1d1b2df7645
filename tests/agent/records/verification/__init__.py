"""Tests of agent.records.verification."""
