"""The pages of agents: what they would say, and saving what people write in a browser.

:mod:`~agent.console.agents.pages` show what :mod:`~agent.console.agents.agent_list` and
:mod:`~agent.console.agents.preview` know (of drafts, in a process of its own);
:mod:`~agent.console.agents.editing` saves them, with their :mod:`~agent.console.agents.history`,
and :mod:`~agent.console.agents.speech` lets them be heard.
:mod:`~agent.console.agents.assembly` says which of that there is.
"""
