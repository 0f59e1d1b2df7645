"""Recorded calls, held once more by the present configuration, and compared with what they were."""
