"""Records as they are searched for: words, and numbers in whatever form."""
