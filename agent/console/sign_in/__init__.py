"""Who is let in, and whose page it is that asks.

The :mod:`~agent.console.sign_in.guard` stands before every route. Who somebody is, is known of a
session, of a proxy's header or of this machine (:mod:`~agent.console.sign_in.recognition`); the
:mod:`~agent.console.sign_in.pages` open a session by one of the
:mod:`~agent.console.sign_in.passwords` or an
:mod:`identity provider <agent.console.sign_in.identity_provider>`.
"""
