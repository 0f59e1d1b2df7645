"""Sinch's Voice API, both versions: callbacks in, SVAML out, signatures, tokens, REST."""
