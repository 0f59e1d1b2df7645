"""The other processes of the service: which calls they hold, and orders from them and to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog

from agent.call import orders
from agent.call.orders import Order, OrderError
from agent.sinch.tokens import stream_claim
from agent.store.live_calls import LiveCall, OrphanCall
from agent.store.store import Store

log = structlog.get_logger()


class OtherProcesses:
    """What this process tells the others of its calls, and what it hears of theirs.

    Every method that waits raises StoreError if the database fails.

    Args:
        store: Shared by all processes.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: Callable[[Mapping[str, Any]], None] = _nobody_tells
        """Told what another process wants to know of the calls here."""

    @property
    def own(self) -> str:
        """Our name among the processes."""
        return self._store.live_calls.process

    def database_failure(self) -> str:
        """Return why the database could not be written a moment ago; ``""`` if it could."""
        return self._store.live_calls.failing

    def announced(self, name: str, agent: str, rings: float = 0.0) -> None:
        """Tell the others that the stream of a call is about to come, or how long a leg may ring.

        Returns at once.
        """
        self._store.live_calls.announced(name, agent, rings)

    def began(self, name: str, agent: str) -> None:
        """Tell the others that this process holds a call now. Returns at once."""
        self._store.live_calls.began(name, agent)
        self._store.orders.arrivals.look()  # it may have been given some before

    def ended(self, name: str) -> None:
        """Tell the others that this process holds a call no more, or a leg rings no more.

        Returns at once.
        """
        self._store.live_calls.ended(name)

    async def died(self) -> dict[str, float]:
        """Return the processes that are found dead, each with its last beat."""
        return await self._store.live_calls.died()

    async def inherit(self, process: str, at: float) -> list[OrphanCall]:
        """Return the calls that a dead process has left, which are ours to see to then."""
        return await self._store.live_calls.inherit(process, at)

    async def settled(self, name: str) -> None:
        """Tell that nothing is left to be done about a call of a dead process."""
        await self._store.live_calls.settled(name)

    async def hold(self, name: str) -> bool:
        """Return whether one of the others holds a call, and is alive."""
        holder = await self._store.live_calls.where(name)
        return holder not in (None, self._store.live_calls.process)

    async def calls(self) -> list[LiveCall]:
        """Return the calls that the others hold, and are alive; see :meth:`LiveCalls.others`."""
        return await self._store.live_calls.others()

    async def took(self, call_id: str) -> bool:
        """Return whether the stream of an announced call has come, to whichever process."""
        return await self._store.claims.find(stream_claim(call_id)) is not None

    async def leave_order(self, name: str, order: Order) -> None:
        """Leave an order for the process that holds the call of that name."""
        await self._store.orders.leave(name, orders.encode(order))

    async def orders_arrive(self) -> None:
        """Return when it is time to look for orders."""
        await self._store.orders.arrivals.wait()

    def look_again(self) -> None:
        """Have :meth:`orders_arrive` return at once: orders were not taken, or are new."""
        self._store.orders.arrivals.look()

    async def take_orders(self, names: Iterable[str]) -> list[tuple[str, Order]]:
        """Take the orders for these calls, oldest first; each is given to one process once."""
        taken: list[tuple[str, Order]] = []
        for name, value in await self._store.orders.take(self._with_own(names)):
            if name == _address(self.own):
                self.asked(value)
                continue
            try:
                taken.append((name, orders.decode(value)))
            except OrderError as error:
                log.warning("an order to a call is lost", reason=str(error))
        return taken

    def _with_own(self, names: Iterable[str]) -> list[str]:
        """Return the names, and what this process is asked by; nothing if it holds no call."""
        calls = [*names]
        return [*calls, _address(self.own)] if calls else []

    # What happens in calls, for those who look at them by another process

    async def ask(self, wanted: Mapping[str, dict[str, Any]]) -> None:
        """Ask processes, by our name of them, to tell what happens in calls that they hold."""
        given = {_address(process): value for process, value in wanted.items()}
        await self._store.orders.leave_each(given)

    async def tell(self, texts: Mapping[str, str]) -> None:
        """Tell processes, by our name of them, what happens in calls here."""
        await self._store.live_mail.leave(texts)

    async def told(self) -> list[str]:
        """Return what others have told us since the last time, the oldest first."""
        return await self._store.live_mail.take(self.own)


def _address(process: str) -> str:
    """Return the name by which a process is asked, among those of calls."""
    return f"process {process}"


def _nobody_tells(_wanted: Mapping[str, Any]) -> None:
    """Nobody is told."""
