"""Runs a Python node without a pipeline, under the rules of the kernel. For tests of one's own nodes.

assert run(shout, ["hello"]) == [Emitted("text", "HELLO")]
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from rspp_runtime.abi.codes import Flag
from rspp_runtime.abi.messages import Item as KernelItem
from rspp_runtime.abi.plan import KERNEL, TURN, Node, Port, State
from rspp_runtime.nodes.item import Item
from rspp_runtime.session.clock import MonotonicClock
from rspp_runtime.session.gateway import check_audio, text_mark
from rspp_runtime.session.handlers import Calls, wrap
from rspp_runtime.session.scopes import guarded, hold, is_stateful

EMISSIONS_MAX = 4
STATE_BYTES = 4096
BYTES_MAX = {"text": 4096, "audio": 640, "event": 1024}


class Emitted(NamedTuple):
    """One emission: text of a text port, bytes of any other."""

    port: str
    payload: str | bytes
    final: bool = False


def run(
    node: Callable[[Item, Any], None] | type,
    items: Iterable[str | bytes | tuple[str, str | bytes]],
    *,
    inputs: Mapping[str, str] | None = None,
    outputs: Mapping[str, str] | None = None,
    emissions_max: int = EMISSIONS_MAX,
    turns: Iterable[int] | None = None,
    state_bytes: int = STATE_BYTES,
) -> list[Emitted]:
    """Calls `node` (a function, or a class, which is instantiated) with each item; returns what it emitted, in order.

    `inputs`, `outputs` map port names to types (text, audio, event; default one port `text`). An item is a payload for
    the first input, or (port, payload). `turns` are those of the items (default: all of turn 1); of what the node
    remembers (`nodes.state`) each scope has room for `state_bytes`. Raises `AssertionError` where the kernel would say
    that the node failed.
    """
    ins, outs = inputs or {"text": "text"}, outputs or {"text": "text"}
    made: Any = node
    if isinstance(node, type):
        made = guarded(node)() if is_stateful(node) else node()
    plan_node = Node(
        id=0,
        name=getattr(node, "__name__", type(node).__name__),
        kind="python",
        execution=KERNEL,
        scope=TURN,
        line=0,
        inputs=tuple(Port(name, kind, BYTES_MAX[kind]) for name, kind in ins.items()),
        outputs=tuple(Port(name, kind, BYTES_MAX[kind]) for name, kind in outs.items()),
        handler=0,
        emissions_max=emissions_max,
        state=State(state_bytes, state_bytes, state_bytes),
    )
    calls = Calls(every=True)
    handler = wrap(plan_node, made, MonotonicClock(), calls, hold(plan_node, made))
    of_turns = itertools.chain(turns or (), itertools.repeat(1))
    emitted: list[Emitted] = []
    for seq, given in enumerate(items, 1):
        port, payload = given if isinstance(given, tuple) else (next(iter(ins)), given)
        data = payload.encode() if isinstance(payload, str) else payload
        a = b = 0
        if ins[port] == "text":
            a, b = text_mark(data)
        elif ins[port] == "audio":
            check_audio(data, port)
        answer = handler(
            KernelItem(list(ins).index(port), next(of_turns), seq, (seq - 1) * 20_000_000, int(Flag.FINAL), a, b, data)
        )
        if answer is None:
            raise AssertionError(f"the node failed on item {seq}: {calls.rows[-1].reason}")
        for emission in answer:
            out = plan_node.outputs[emission.port]
            value = emission.payload.decode() if out.type == "text" else emission.payload
            emitted.append(Emitted(out.name, value, bool(emission.flags & Flag.FINAL)))
    return emitted
