"""The agent's words: cut into sentences, and written as a voice reads them."""
