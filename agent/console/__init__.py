"""Pages of the service: browser phone, live calls, records, agents. Routes of its web server."""
