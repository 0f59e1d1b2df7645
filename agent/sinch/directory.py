"""What all processes of the service know of legs and calls: the one place that keeps it.

A callback may reach one process and the stream of its call another, so any process can answer for
any leg. What stands here is read before it is changed, and changed only as the tables of
:mod:`agent.sinch.legs` allow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

import structlog

from agent.call import orders
from agent.call.orders import Order, OrderError
from agent.sinch.legs import (
    BridgedCall,
    CallEvent,
    LegError,
    LegEvent,
    LegFacts,
    OwnLeg,
    PlacedLeg,
    TransferLeg,
    decode_call,
    decode_leg,
    encode_call,
    encode_leg,
)
from agent.sinch.tokens import stream_claim
from agent.store.folder import FolderStore

log = structlog.get_logger()

L = TypeVar("L", PlacedLeg, TransferLeg)

NOTHING_NEW = LegFacts()


class CallDirectory:
    """Legs that we asked for, calls with a stream, and orders to these, by our names of them.

    Whatever cannot be read, because another version of ours or a failing disk has left it, is
    logged and taken for not there: a leg that we do not know is let be, and its call goes on.

    Every method raises OSError if the store cannot be read or written.

    Args:
        store: Shared by all processes.
    """

    def __init__(self, store: FolderStore) -> None:
        self._store = store

    # Legs

    def add_leg(self, leg: OwnLeg) -> None:
        """Keep a leg; do it before it is asked for, since its callbacks may be faster."""
        self._store.note(f"leg {leg.name}", encode_leg(leg))

    def leg(self, name: str) -> OwnLeg | None:
        """Return the leg of that name; None if we did not ask for it."""
        value = self._store.noted(f"leg {name}")
        try:
            return None if value is None else decode_leg(name, value)
        except LegError as error:
            log.warning("a leg in the store cannot be read", fields=str(error))
            return None

    def placed(self, name: str) -> PlacedLeg | None:
        """Return the leg of that name that we placed; None if there is none."""
        leg = self.leg(name)
        return leg if isinstance(leg, PlacedLeg) else None

    def transfer(self, name: str) -> TransferLeg | None:
        """Return the leg of that name that a caller is passed on to; None if there is none."""
        leg = self.leg(name)
        return leg if isinstance(leg, TransferLeg) else None

    def advance(self, leg: L, event: LegEvent, facts: LegFacts = NOTHING_NEW) -> L | None:
        """Note what happened to a leg; return it as it is then.

        Args:
            leg: As it was when it was last looked at: it is read again.
            event: What happened.
            facts: What is known of it by that.

        Returns:
            None if that cannot happen to it, or there is no such leg any more: nothing has changed
            then.
        """
        now = self.leg(leg.name)
        after = now.after(event, facts) if isinstance(now, type(leg)) else None
        if after is not None:
            self.add_leg(after)
        return after

    # Calls

    def add_call(self, call: BridgedCall) -> None:
        """Keep a call."""
        self._store.note(f"call {call.name}", encode_call(call))

    def call(self, name: str) -> BridgedCall | None:
        """Return the call of that name; None if there is none with a stream of ours."""
        value = self._store.noted(f"call {name}")
        try:
            return None if value is None else decode_call(name, value)
        except LegError as error:
            log.warning("a call in the store cannot be read", fields=str(error))
            return None

    def advance_call(self, name: str, event: CallEvent) -> BridgedCall | None:
        """Note what happened to a call; return it as it is then.

        Returns:
            None if that cannot happen to it, or there is no such call: nothing has changed then.
        """
        call = self.call(name)
        after = call.after(event) if call is not None else None
        if after is not None:
            self.add_call(after)
        return after

    def set_transfer(self, call_name: str, leg_name: str) -> None:
        """Note which leg a caller is being passed on to; ``""`` if nobody any more."""
        call = self.call(call_name)
        if call is not None:
            self.add_call(replace(call, transfer=leg_name))

    # Streams; these and the ends of legs go by the platform's id of the phone's leg

    def stream_came(self, call_id: str) -> bool:
        """Return whether a stream of ours has come for a call, in any process."""
        return self._store.claimed(stream_claim(call_id))

    def stream_is_there(self, call_id: str) -> bool:
        """Return whether it has come, and not ended."""
        return self.stream_came(call_id) and not self._store.claimed(f"stream over {call_id}")

    def stream_ended(self, call_id: str) -> None:
        """Note that the stream of a call has ended, or will never come."""
        self._store.claim(f"stream over {call_id}")

    # What is done once, whichever process does it

    def first_to_end(self, call_id: str) -> bool:
        """Return whether nobody has been told of the end of this leg before."""
        return self._store.claim(f"ended {call_id}") is None

    def first_to_connect(self, name: str) -> bool:
        """Return whether nobody has connected this leg with an agent before."""
        return self._store.claim(f"connect {name}") is None

    def first_to_dial(self, key: str, name: str) -> bool:
        """Return whether this idempotency key is new; then it stands for the leg ``name``."""
        if self._store.claim(f"dial key {key}") is not None:
            return False
        self._store.note(f"dial key {key}", {"id": name})
        return True

    def dialled_with(self, key: str) -> PlacedLeg | None:
        """Return the leg that an idempotency key stands for; None if it is not on record yet."""
        known = self._store.noted(f"dial key {key}") or {}
        return self.placed(str(known.get("id", "")))

    def forget_key(self, key: str) -> None:
        """Let the next dial with this key be the first."""
        self._store.release(f"dial key {key}")

    # Orders

    def leave_order(self, name: str, order: Order) -> None:
        """Leave an order for the process that holds the call of that name."""
        self._store.order(name, orders.encode(order))

    def take_orders(self, names: Iterable[str]) -> list[tuple[str, Order]]:
        """Take the orders for these calls, oldest first; each is given to one process once."""
        taken: list[tuple[str, Order]] = []
        for name, value in self._store.orders(names):
            try:
                taken.append((name, orders.decode(value)))
            except OrderError as error:
                log.warning("an order to a call is lost", reason=str(error))
        return taken
