"""The load tool: callers by the hundred against a stream server, and providers of fixed latency.

It is the other side of the line, as :mod:`agent.simulator` is, but lean: one core carries a hundred
callers beside the providers. What is sent is cut into frames and masked once; one tick sends for
all calls; what comes back is counted, not kept.
"""
