"""Calls as traces of OpenTelemetry: a span for the call, for each turn, and for each stage of it.

They are made of the lines of records, with the times that stand there, in the thread that writes
them (:mod:`~agent.server.tracing.call_traces`), and leave in batches from a thread of their own
(:mod:`~agent.server.tracing.export`). Only these two need OpenTelemetry, which is an extra: they
are imported where traces are wanted.
"""
