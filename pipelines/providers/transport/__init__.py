"""How adapters reach their servers: HTTP, server-sent events, websockets, and keys."""
