"""The other side, for trying things out: a caller on the stream channel, phones, and Sinch's API.

Nothing of the service imports it.
"""
