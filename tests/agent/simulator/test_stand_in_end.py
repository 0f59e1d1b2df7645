"""When the stand-in for Sinch has nothing more to do."""

from __future__ import annotations

import asyncio

from agent.simulator.sinch.phone_network import PhoneLeg
from agent.simulator.sinch.stand_in import StandIn
from agent.simulator.virtual_time import run


def test_the_last_leg_is_waited_for_and_told_of() -> None:
    """Whoever was with a caller is hung up after them; nobody is waited for for ever."""

    async def story() -> tuple[list[str], list[float]]:
        standin, told, took = StandIn("http://127.0.0.1:9/sinch"), list[str](), list[float]()

        async def tell(leg: PhoneLeg) -> None:
            await asyncio.sleep(0.5)
            told.append(leg.number)

        clock = asyncio.get_running_loop().time
        legs = [PhoneLeg(when_over=tell, number=number) for number in ("caller", "manager", "left")]
        network = standin._network
        network.legs.extend(legs[:2])
        await standin.hang_up(legs[0])

        async def hang_up_later() -> None:
            await asyncio.sleep(1)
            await standin.hang_up(legs[1])

        for leg in (None, legs[2]):
            if leg is None:
                network.start(hang_up_later())
            else:
                network.legs.append(leg)
            began = clock()
            await standin.over(5)
            took.append(clock() - began)
        return told, took

    told, took = run(story())
    assert told == ["caller", "manager"]
    assert took == [1.5, 5.0]
