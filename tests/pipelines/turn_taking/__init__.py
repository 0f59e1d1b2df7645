"""Tests of pipelines.turn_taking."""
