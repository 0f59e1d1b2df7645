"""Orders to the agent of a call, in whichever process its stream is."""

from __future__ import annotations

from agent.call.orders import CallerMoved, HangUp, Order
from agent.sinch.contracts import LocalCalls
from agent.sinch.legs.directory import CallDirectory
from agent.sinch.legs.leg_kinds import BridgedCall
from agent.sinch.legs.leg_tables import CallStatus
from agent.sinch.legs.processes import OtherProcesses


class OrderDispatch:
    """Gives orders to calls, here or in another process.

    Args:
        directory: Knows the calls.
        processes: Take what is for one of them.
        calls: Those of this process.
    """

    def __init__(
        self, directory: CallDirectory, processes: OtherProcesses, calls: LocalCalls
    ) -> None:
        self._directory = directory
        self._processes = processes
        self._calls = calls

    async def order(self, call_name: str, order: Order) -> bool:
        """Give an order to a call; return whether there is an agent to take it."""
        call = await self._directory.call(call_name)
        if call is None or call.status is CallStatus.OVER:
            return False
        if call.status is CallStatus.MOVED and not isinstance(order, CallerMoved | HangUp):
            return False
        if self._calls.deliver(call_name, order):
            return True
        if not await self.has_stream(call.call_id):
            return False
        await self._processes.leave_order(call_name, order)
        return True

    async def order_in_turn(self, call: BridgedCall, order: Order) -> bool:
        """Give an order to a call after those that were left in the store for it.

        One that is given at once would be obeyed before an older one that is on its way.

        Returns:
            Whether there is an agent to take it.
        """
        if not await self.has_stream(call.call_id):
            return False
        await self._processes.leave_order(call.name, order)
        self._processes.look_again()  # it may be here
        return True

    def order_here(self, call_name: str, order: Order) -> bool:
        """Give an order to a call of this process, without a look at the database.

        Returns:
            Whether it is here.
        """
        return self._calls.deliver(call_name, order)

    async def order_by_hand(self, name: str, order: Order) -> bool:
        """Give an order to a call that was routed by hand; return whether any process holds it."""
        if self._calls.deliver(name, order):
            return True
        if not await self._processes.hold(name):
            return False
        await self._processes.leave_order(name, order)
        return True

    async def has_stream(self, call_id: str) -> bool:
        """Return whether a call has its stream: here, or with a token of ours in any process."""
        if call_id in self._calls.in_progress:
            return True
        return await self._directory.stream_is_there(call_id)
