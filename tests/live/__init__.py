"""The real services, asked only when their keys are set."""
