"""What a language model may have done during a call."""
