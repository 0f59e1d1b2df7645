"""How providers are: healthy, or cooling down; in virtual time."""

from __future__ import annotations

import asyncio

from pipelines.stages.attempts import Attempts
from pipelines.stages.pool import DOWN_PROBED_EVERY, FIRST_COOLDOWN, LONGEST_COOLDOWN
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
    """And probed at once when it fails: nobody else can say whether the stage works."""

    async def main() -> None:
        group = pool(Model(["Nine."]))
        (one,) = group.candidates
        group.failed(one, broken())
        assert Attempts(group, Usage()).candidate is one
        assert group.to_probe() == [one]
        for _ in range(6):
            group.failed(one, broken())
            assert group.to_probe() == []
            await asyncio.sleep(DOWN_PROBED_EVERY)
            assert group.to_probe() == [one]

    run(main())


def test_a_stage_is_down_when_all_of_it_have_failed_twice_in_a_row() -> None:
    """Once may be the request's fault; one that works is enough."""

    async def main() -> None:
        group = pool(Model(["Nine."]), Model(["Ten."]))
        one, other = group.candidates
        for failing in (one, one, other):
            group.failed(failing, broken())
            assert not group.down
        group.failed(other, broken())
        assert group.down
        assert Attempts(group, Usage()).patience(5.0, 2.0) == 2.0
        group.worked(one)
        assert not group.down

    run(main())
