"""The caller's audio: voices, keys, and the utterance that is handed on."""
