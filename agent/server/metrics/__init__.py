"""What `/metrics` says, in Prometheus' text format: no word of a call, and no number dialled.

What happens in calls is counted of the lines of their records, in the thread that writes them
(:mod:`~agent.server.metrics.call_counts`); how the process is, is read when somebody asks
(:mod:`~agent.server.metrics.process_state`). :mod:`~agent.server.metrics.scrape` has both as text,
and :mod:`~agent.server.metrics.worker_sockets` that of the other workers of this machine.
"""
