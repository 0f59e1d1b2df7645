"""Text-to-speech over websockets that all calls share: one engine for every provider."""
