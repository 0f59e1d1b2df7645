"""Several processes that answer calls at one port of this machine.

The :mod:`~agent.server.workers.supervisor` starts them, each with an
:mod:`~agent.server.workers.inheritance` of :mod:`~agent.server.workers.listening` sockets, and each
is a :mod:`~agent.server.workers.worker` in a :mod:`slot <agent.server.workers.worker_slot>` of its
own. Over the :mod:`~agent.server.workers.board` it knows its :mod:`~agent.server.workers.siblings`:
by them, whose turn a connection is (:mod:`~agent.server.workers.shared_port`) and which calls have
a place (:mod:`~agent.server.workers.call_places`).
"""
