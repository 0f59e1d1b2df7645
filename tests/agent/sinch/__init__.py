"""Sinch's side: signatures, callbacks, SVAML, REST, whole calls."""
