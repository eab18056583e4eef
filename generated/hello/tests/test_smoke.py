"""The package imports, and a session opens and connects on each kernel that is there, with the same decisions."""

from __future__ import annotations

from rspp_runtime.abi import Control, In, Inbound, Op, Output, Signal

from hello import HANDLERS, PLAN, TEMPLATE_HASH, has_compiled_kernel, open_session


def _connect(kernel: str) -> list[Output]:
    session = open_session("smoke", 1, [lambda _item: []] * len(HANDLERS), kernel)  # type: ignore[arg-type]
    session.ingest(Inbound(In.CONTROL, port=Control.CONNECTED, epoch=1), 0)
    session.advance(0)
    outputs = session.drain()
    session.close()
    return outputs


def test_the_plan_is_frozen() -> None:
    assert PLAN.pipeline == "hello"
    assert TEMPLATE_HASH == "a1bb65b2a057ce29fcf5be7c0e9013e76788e83918f789a780779f13ccd901f6"


def test_a_session_connects() -> None:
    outputs = _connect("pure")
    assert (outputs[0].op, outputs[0].code) == (Op.DECISION, Signal.CONNECTED)
    if has_compiled_kernel():
        assert _connect("compiled") == outputs
