"""Tests of agent.records.exports."""
