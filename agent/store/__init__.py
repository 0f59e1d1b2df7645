"""What the processes of one service share: one database.

A callback may reach one process, and the stream of its call another. What both must know stands in
the database, and is changed in transactions, so that processes may be started, stopped and lost at
any time.
"""
