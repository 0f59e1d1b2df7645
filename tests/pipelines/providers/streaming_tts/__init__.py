"""Tests of pipelines/providers/streaming_tts."""
