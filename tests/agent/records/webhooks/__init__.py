"""Tests of agent.records.webhooks."""
