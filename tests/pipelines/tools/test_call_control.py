"""What a model is told that it may do with the call itself."""

from __future__ import annotations

from pipelines.conversation import Brief, Destination
from pipelines.tools.arguments import argument_error, check_schema
from pipelines.tools.call_control import call_control


def test_call_control_as_the_call_allows() -> None:
    """Passing on needs somebody, and keys a call that we placed; the schemas hold both."""
    assert [spec.name for spec in call_control(Brief())] == ["end_call"]
    brief = Brief(
        destinations=(Destination(name="desk", when="they ask for a person"),), may_press_keys=True
    )
    end, transfer, press = call_control(brief)
    assert "desk: they ask for a person." in transfer.description
    for spec in (end, transfer, press):
        check_schema(spec.parameters)
    assert not argument_error(end.parameters, {})
    assert not argument_error(transfer.parameters, {"to": "desk"})
    assert argument_error(transfer.parameters, {"to": "moon"})
    assert not argument_error(press.parameters, {"keys": "12#w"})
    assert argument_error(press.parameters, {"keys": "hello"})
