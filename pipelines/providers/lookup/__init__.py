"""The language stage when there is no language model: answers found in the agent file.

It looks up which frequent question or fact of the :class:`Brief` the caller means and says that
answer, word for word; when none is near enough it says that it does not know. Apart from the
brief it has only the few fixed sentences of :mod:`pipelines.providers.lookup.languages`, so it
cannot invent anything.
"""
