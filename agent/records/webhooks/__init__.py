"""What systems of the user's are told of calls: Standard Webhooks, from a durable outbox.

A line of a journal that is worth a message has it put into the outbox by the transaction that
stores the line (:mod:`~agent.records.webhooks.outbox`); from there it is sent until it is taken,
or given up (:mod:`~agent.records.webhooks.delivery`). A process that dies loses nothing: what it
was sending is sent again, by whichever process is there, with the same ``webhook-id``.
"""
