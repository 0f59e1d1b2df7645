"""Tests of agent.call, and stories of whole calls."""
