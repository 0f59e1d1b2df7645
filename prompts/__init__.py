"""The agents that come with the install; each is one Markdown file."""
