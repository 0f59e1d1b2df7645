"""Records while they are written: a journal a call on disk, and how it comes into the database."""
