"""How providers are: healthy, or cooling down; in virtual time."""

from __future__ import annotations

import asyncio

from pipelines.stages.attempts import Attempts
from pipelines.stages.pool import FIRST_COOLDOWN, LONGEST_COOLDOWN
from pipelines.stages.usage import Usage
from tests.pipelines.stages.scripted import Model, broken, pool
from tests.virtual_time import run


def test_one_that_failed_comes_last_until_it_works_again() -> None:
    """It cools down, each time twice as long, up to five minutes."""

    async def main() -> None:
        first, second = Model(["Nine."]), Model(["Ten."])
        group = pool(first, second)
        one = group.candidates[0]
        assert group.first is one
        cooldowns = []
        for _ in range(8):
            group.failed(one, broken())
            cooldowns.append(one.cooldown)
        assert cooldowns[:3] == [FIRST_COOLDOWN, 2 * FIRST_COOLDOWN, 4 * FIRST_COOLDOWN]
        assert cooldowns[-1] == LONGEST_COOLDOWN
        assert one.status == "cooling down"
        assert group.first is group.candidates[1]
        assert group.to_probe() == []
        await asyncio.sleep(LONGEST_COOLDOWN)
        assert group.to_probe() == [one]
        assert group.first is group.candidates[1]  # until it has shown that it works
        group.worked(one)
        assert group.first is one

    run(main())


def test_one_that_is_alone_is_asked_whatever_was() -> None:
    """And never probed: its next request is the probe."""

    async def main() -> None:
        group = pool(Model(["Nine."]))
        group.failed(group.candidates[0], broken())
        assert Attempts(group, Usage()).candidate is group.candidates[0]
        await asyncio.sleep(LONGEST_COOLDOWN)
        assert group.to_probe() == []

    run(main())
