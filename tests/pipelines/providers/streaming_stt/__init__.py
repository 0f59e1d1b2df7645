"""Tests of pipelines/providers/streaming_stt."""
