"""How the tables came to be, step by step; Alembic runs what a database does not have yet.

A step is a file in ``versions``, numbered, whose ``upgrade`` gets Alembic's operations. It leaves
what the version before it reads and writes, and SQLite changes a column by
``op.batch_alter_table`` only. The newest is named in :data:`agent.store.schema.HEAD`.
"""
