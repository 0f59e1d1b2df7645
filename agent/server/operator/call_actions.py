"""What an operator does to calls in progress, whichever process holds them, by REST or a page."""

from __future__ import annotations

import os
from typing import Any

from agent import phone_numbers
from agent.call.orders import (
    ControlRecording,
    HangUp,
    Order,
    RecordingAction,
    TransferCaller,
    Whisper,
)
from agent.server.operator.errors import (
    CannotBeDialledError,
    NotFollowedError,
    NotRecordedError,
    UnreadableError,
)
from agent.server.operator.requests import TakeOverRequest, TransferRequest
from agent.server.registry import CallRegistry
from agent.sinch.call_control import CallControl
from agent.sinch.contracts import Party
from agent.sinch.legs.leg_kinds import PartyLeg, TakeOver
from agent.sinch.legs.processes import OtherProcesses
from agent.sinch.refusals import NoSuchCallError, NotSetUpError
from agent.store.errors import StoreError
from agent.store.live_calls import HOST
from pipelines.providers.contracts import InstructedModel, LanguageModel
from pipelines.stages.pool import ProviderPool


class CallActions:
    """Looks for calls in progress here and in other processes, and gives them orders.

    Every method raises NoSuchCallError if nobody holds a call of that name, and StoreError if the
    database fails.

    Args:
        registry: The calls of this process.
        others: What the others hold; None if this process keeps to itself.
        call_control: Does what takes an account; None if there is none.
        country: Two letters, of a number without ``+``; ``""`` if there is none.
        models: Who answers callers; None if that is not known.
    """

    def __init__(
        self,
        registry: CallRegistry,
        others: OtherProcesses | None,
        call_control: CallControl | None,
        country: str = "",
        models: ProviderPool[LanguageModel] | None = None,
    ) -> None:
        self._calls = registry
        self._others = others
        self._call_control = call_control
        self._country = country
        self._models = models

    @property
    def refusing(self) -> str:
        """Why no call would be taken now; ``""`` if one would."""
        return self._calls.no_room()

    async def in_progress(self) -> list[dict[str, Any]]:
        """Return the calls of all processes: ``id``, ``agent``, ``host`` and ``pid`` of each."""
        here = self._calls.in_progress.items()
        there = await self._others.calls() if self._others is not None else []
        mine = {"host": HOST, "pid": os.getpid()}
        return [{"id": name, "agent": agent, **mine} for name, agent in here] + [
            {"id": call.name, "agent": call.agent, "host": call.host, "pid": call.pid}
            for call in there
        ]

    async def hang_up(self, name: str, *, goodbye: bool) -> None:
        """End a call, after the agent's goodbye or at once."""
        order = HangUp(goodbye=goodbye)
        try:
            await self._hang_up_anywhere(name, order)
        except StoreError:  # what is here can be ended without it
            if not self._calls.deliver(name, order):
                raise

    async def _hang_up_anywhere(self, name: str, order: HangUp) -> None:
        if self._call_control is not None:
            await self._call_control.hang_up(name, goodbye=order.goodbye)
        else:
            await self.order(name, order)

    async def transfer(self, name: str, asked: TransferRequest) -> None:
        """Have the caller passed on.

        Args:
            name: Of the call.
            asked: To whom, and how.

        Raises:
            UnreadableError: If ``to`` is neither.
            CannotBeDialledError: If nobody can have this number.
            CallControlError: If it cannot be done; the message says why.
        """
        order = TransferCaller(
            to=dialable("to", asked.to, self._country),
            announcement=asked.announcement,
            warm=asked.terms,
            discloses=asked.discloses,
        )
        await self.with_account().request_transfer(name, order)

    async def parties(self, name: str) -> list[dict[str, Any]]:
        """Return who is, was or is to be on the line of a call: ``party``, ``to`` and ``status``.

        ``title``, ``host`` and ``why`` where there is something to say. Nobody is, if it is a call
        to or from one phone.
        """
        if self._call_control is None:
            return []
        return [described(leg) for leg in await self._call_control.parties.of(name)]

    async def add_party(self, name: str, party: Party) -> dict[str, Any]:
        """Dial somebody onto the line of a call; return how it stands with them.

        Raises:
            CallControlError: If it cannot be done; the message says why.
        """
        return described(await self.with_account().parties.add(name, party))

    async def drop_party(self, name: str, party: str) -> None:
        """Have somebody on the line of a call hung up.

        Raises:
            CallControlError: If it cannot be done; the message says why.
        """
        await self.with_account().parties.drop(name, party)

    async def take_over(self, name: str, asked: TakeOverRequest) -> None:
        """Have the caller passed on to an operator's phone, and the agent stay, silent.

        Raises:
            UnreadableError: If ``asked.phone`` is neither a number nor an address.
            CannotBeDialledError: If nobody can have this number.
            CallControlError: If it cannot be done; the message says why.
        """
        to = dialable("phone", asked.phone, self._country)
        take_over = TakeOver(to=to, after=asked.after, introduction=asked.introduction)
        order = TransferCaller(to=to, announcement=asked.announcement)
        await self.with_account().request_transfer(name, order, take_over)

    async def give_back(self, name: str) -> None:
        """Have the agent talk to a caller again who was taken over, and hang up on the operator.

        Raises:
            CallControlError: If it cannot be done; the message says why.
        """
        await self.with_account().give_back(name)

    async def control_recording(self, name: str, action: RecordingAction) -> None:
        """Pause the recording of a call, have it go on, or end it.

        Raises:
            NotRecordedError: If the call is here, and not recorded.
        """
        if name in self._calls.in_progress and not self._calls.is_recorded(name):
            raise NotRecordedError("the call is not recorded")
        await self.order(name, ControlRecording(action=action))

    async def whisper(self, name: str, text: str, by: str) -> None:
        """Give the agent of a call an instruction that the caller does not hear.

        Args:
            name: Of the call.
            text: The instruction, of :data:`~agent.call.orders.LONGEST_WHISPER` characters at most.
            by: Who gives it, as the record will have it.

        Raises:
            NotFollowedError: If answers are looked up in the agent file, by no language model.
        """
        models = self._models.candidates if self._models is not None else ()
        if models and not any(_follows(one.provider) for one in models):
            raise NotFollowedError(
                "answers are looked up in the agent file: there is no language model that could "
                "follow an instruction (docs/providers.md)"
            )
        await self.order(name, Whisper(text=text, by=by))

    async def order(self, name: str, order: Order) -> None:
        """Give an order to a call, here or in another process."""
        if self._calls.deliver(name, order):
            return
        if self._others is None or not await self._others.hold(name):
            raise NoSuchCallError
        await self._others.leave_order(name, order)

    def with_account(self) -> CallControl:
        """Return what talks to the platform.

        Raises:
            NotSetUpError: If there is no account.
        """
        if self._call_control is None:
            raise NotSetUpError("Sinch is not set up: see the settings of `sinch`")
        return self._call_control


def described(leg: PartyLeg) -> dict[str, Any]:
    """Return a party as an operator is told of them."""
    known = {
        "party": leg.name,
        "title": leg.title,
        "to": leg.to,
        "status": leg.standing,
        "why": leg.why if leg.standing == "not reached" else "",
        "host": leg.host,
    }
    return {name: value for name, value in known.items() if value}


def _follows(model: LanguageModel) -> bool:
    return not isinstance(model, InstructedModel) or model.follows_whispers


def dialable(field: str, text: str, country: str) -> str:
    """Return whom to dial, as it is dialled.

    Args:
        field: Where it was given, for the error.
        text: Number, as people write it, or address.
        country: Two letters, of a number without ``+``; ``""`` if there is none.

    Raises:
        UnreadableError: If it is neither.
        CannotBeDialledError: If nobody can have this number.
    """
    try:
        return phone_numbers.address(text, country)
    except phone_numbers.ImpossibleNumberError as error:
        raise CannotBeDialledError(f"{field}: {error}") from None
    except ValueError as error:
        raise UnreadableError(f"{field}: {error}") from None
