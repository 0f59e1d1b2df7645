"""Sinch's interfaces: requests, signatures, and what version 1 and 2 answer."""
