"""Every adapter keeps the contract."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from . import wires
from .case import Case
from .kit import contract


def _cases() -> list[Case]:
    """Return the ``CASE``, or the ``CASES``, of every module in ``wires``."""
    cases: list[Case] = []
    for each in iter_modules(wires.__path__):
        module = import_module(f"{wires.__name__}.{each.name}")
        cases += module.CASES if hasattr(module, "CASES") else [module.CASE]
    return cases


test_contract = contract(_cases())
