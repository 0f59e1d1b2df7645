"""An agent is a file: its front matter, templates, tools, and which calls it answers."""
