"""The console: its pages, without a browser."""
