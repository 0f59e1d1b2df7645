"""The operator's REST interface: requests, answers, and what is done to calls."""
