"""What call control says when something cannot be done: each message is for whoever asked."""

from __future__ import annotations


class CallControlError(Exception):
    """It cannot be done. The message is for whoever asked."""


class NoSuchCallError(CallControlError):
    """There is no call of that name, here or in another process."""

    def __init__(self) -> None:
        super().__init__("no such call")


class CallOverError(CallControlError):
    """There was one; its phone has hung up, or never came about."""

    def __init__(self) -> None:
        super().__init__("the call is over")


class CallGoneError(CallControlError):
    """The process that held it has died; its phone is hung up, or about to be."""

    def __init__(self) -> None:
        super().__init__("gone: the process that held the call has died")


class NoAgentError(CallControlError):
    """Nobody of ours talks to the caller: they were passed on, or the stream has not come."""

    def __init__(self) -> None:
        super().__init__("the call has no agent now")


class NotTakenOverError(CallControlError):
    """The agent talks to the caller: there is nobody to come back from."""

    def __init__(self) -> None:
        super().__init__("nobody has taken the call over: the agent talks to the caller")


class StillRingingError(CallControlError):
    """Who is rung for a caller, or with them, is not given up for another by a mere request."""

    def __init__(self) -> None:
        super().__init__(
            "somebody is being rung for this caller, or with them, already: `return` ends that"
        )


class AnsweredError(CallControlError):
    """Whoever was dialled before for the same caller is with them, or about to be."""

    def __init__(self) -> None:
        super().__init__("somebody who was called before has just answered")


class AgentLeftError(CallControlError):
    """The agent has left when the caller was passed on, and cannot be called back."""

    def __init__(self) -> None:
        super().__init__(
            "the agent has left the call: it stays where the call was taken over, and after a "
            "transfer in version 2 of the API only"
        )


class CannotMoveError(CallControlError):
    """The caller cannot be passed on to anybody."""

    def __init__(self) -> None:
        super().__init__(
            "this call cannot be passed on: version 1 of the API moves only calls in a conference "
            "(sinch.conference, or a call that we placed)"
        )


class CannotAddError(CallControlError):
    """Nobody can be dialled onto the line of this call. The message says why."""


class NoSuchPartyError(CallControlError):
    """There is nobody of that name on the line of the call, or to come to it."""

    def __init__(self) -> None:
        super().__init__("no such party on the line of this call, or they have left")


class NoRoomError(CallControlError):
    """No call is taken now; the message says why. Ask again later."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no more calls are taken here now ({why}): ask again later")


class NotSetUpError(CallControlError):
    """A setting is missing; the message says which."""


class KeyInUseError(CallControlError):
    """Another call with this idempotency key is being placed, or could not be."""

    def __init__(self) -> None:
        super().__init__("a call with this key is being placed, or could not be")


class DestinationRefusedError(CallControlError):
    """Our own rules keep a destination from being called. The message quotes nothing of it."""


class AllowanceUsedUpError(CallControlError):
    """As much was dialled as may be, for now. The message says which limit that is."""


class CannotBriefError(CallControlError):
    """Whoever is to be asked cannot be: the platform does not tell when In-App users answer."""

    def __init__(self) -> None:
        super().__init__(
            "an In-App user cannot be asked first: the platform does not tell when they answer; "
            "pass the caller on cold"
        )


class RefusedError(CallControlError):
    """Sinch does not do it. The message is Sinch's, in one line; it may quote a number."""


class UnavailableError(RefusedError):
    """Sinch does not do it now: it fails, is asked too often, or cannot be reached."""
