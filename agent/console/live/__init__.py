"""The pages of calls in progress, and what is pushed to them as it happens."""
