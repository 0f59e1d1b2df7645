"""An agent is a file: front matter, templates, tools, and the calls it answers; here it is read."""
