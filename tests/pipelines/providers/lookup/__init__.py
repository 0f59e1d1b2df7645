"""Tests of pipelines/providers/lookup."""
