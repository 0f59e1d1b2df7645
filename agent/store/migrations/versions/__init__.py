"""The steps, numbered; one that was released is never changed."""
