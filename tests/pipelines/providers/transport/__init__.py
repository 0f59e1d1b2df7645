"""Tests of pipelines/providers/transport."""
