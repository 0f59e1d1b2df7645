"""Tests of pipelines.reply."""
