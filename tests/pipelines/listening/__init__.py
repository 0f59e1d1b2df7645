"""Tests of pipelines.listening."""
