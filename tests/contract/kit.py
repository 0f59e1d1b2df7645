"""The contract kit: what every adapter must do, asked of each against its loopback server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from .bench import TooSlowError, Trial
from .case import Case
from .checks import CHECKS, Check
from .watch import watched

ATTEMPTS = 3
"""Times that a check is made if the adapter was too slow: the machine may have been busy."""


def contract(cases: Iterable[Case]) -> Callable[..., None]:
    """Return a test of each case by each check; give it a name that begins with ``test``."""
    trials = [
        pytest.param(
            case, each, id=f"{case.name}-{case.stage}-{each.name}", marks=_marks(case, each)
        )
        for case in cases
        for each in CHECKS
        if case.stage in each.stages
    ]

    @pytest.mark.parametrize(("case", "check"), trials)
    def test(case: Case, check: Check, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """The adapter keeps the contract."""
        put(case, check, monkeypatch, tmp_path)

    return test


def put(case: Case, check: Check, environment: pytest.MonkeyPatch, folder: Path) -> None:
    """Put an adapter to a check; again, if it was too slow."""
    if case.variable:
        environment.delenv(case.variable, raising=False)
        environment.delenv(f"{case.variable}_FILE", raising=False)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with watched() as runner:
                trial = Trial(case=case, runner=runner, environment=environment, folder=folder)
                if (asked := check.ask(trial)) is not None:
                    runner.run(asked)
        except TooSlowError:
            if attempt == ATTEMPTS:
                raise
        else:
            return


def _marks(case: Case, check: Check) -> list[pytest.MarkDecorator]:
    reason = case.skips.get(check.name) or case.skips.get(check.name.partition("-")[0])
    return [pytest.mark.skip(reason=reason)] if reason else []
