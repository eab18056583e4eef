"""The built packages, and a session of one driven by hand: no driver, no event loop, time as it is told."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from rspp_runtime.abi.codes import Control, In, Op, Result
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.session.clock import Clock, MonotonicClock
from rspp_runtime.session.handlers import Calls, make_handlers
from rspp_runtime.session.package import Package, load

PIPELINES = Path(__file__).resolve().parents[3] / "pipelines"
MS_NS = 1_000_000


@cache
def package(name: str) -> Package:
    """The package of that pipeline, as `speed.prepare` had it built. Raises LookupError, `PackageError`."""
    folder = Path(os.environ["RSPP_BENCH"]) / "packages" / name
    if not folder.exists():
        raise LookupError(f"there is no pipeline {name} yet")
    if str(PIPELINES) not in sys.path:
        sys.path.insert(0, str(PIPELINES))  # where the pipelines' Python nodes are
    return load(str(folder))


class Machine:
    """One session of a package. Its Python nodes are called as a driver calls them: stamped on both sides."""

    def __init__(self, name: str, clock: Clock | None = None) -> None:
        made = package(name)
        self.plan = made.plan
        handlers = make_handlers(made.plan, made.handlers, clock or MonotonicClock(), Calls())
        self.session = made.open_session("bench", 1, handlers)
        self.nodes = {node.name: node for node in made.plan.nodes}
        self.now_ns = 0
        self.calls: dict[int, int] = {}  # the newest invocation, by node id
        self.offer(Inbound(In.CONTROL, port=Control.CONNECTED, epoch=1))
        self.step()

    def offer(self, event: Inbound) -> None:
        """Raises `RuntimeError` if it is not taken."""
        result = self.session.ingest(event, self.now_ns)
        if result != Result.ACCEPTED:
            raise RuntimeError(f"the session answered {Result(result).name} to {event}")

    def step(self, forward_ns: int = 0) -> list[Output]:
        """Lets time pass, and answers what the kernel asks for: every fed item is taken at once."""
        self.now_ns += forward_ns
        self.session.advance(self.now_ns)
        outputs = self.session.drain()
        for output in outputs:
            if output.op == Op.INVOKE:
                self.calls[output.node] = output.invocation
            elif output.op == Op.FEED:
                self.offer(Inbound(In.CREDIT, output.node, invocation=output.invocation, epoch=1, a=1))
            elif output.op == Op.APPEND:
                self.offer(Inbound(In.CONTROL, port=Control.EVIDENCE_APPENDED, epoch=1, a=output.turn))
        return outputs

    def chunk(self, node: str, port: str, payload: bytes = b"", a: int = 0, b: int = 0) -> Inbound:
        """An output of that node's newest invocation."""
        row = self.nodes[node]
        index = [output.name for output in row.outputs].index(port)
        return Inbound(In.CHUNK, row.id, index, self.calls[row.id], epoch=1, a=a, b=b, payload=payload)

    def done(self, node: str) -> Inbound:
        row = self.nodes[node]
        return Inbound(In.DONE, row.id, invocation=self.calls[row.id], epoch=1)

    def text(self, said: bytes) -> Inbound:
        """Typed text of the user."""
        ingress = self.nodes["ingress"]
        ports = [port.name for port in ingress.outputs]
        index = ports.index("text") if "text" in ports else -1
        return Inbound(In.MEDIA, ingress.id, index, epoch=1, media_ns=self.now_ns, a=len(said), b=1, payload=said)

    def control(self, code: Control, **more: Any) -> Inbound:
        return Inbound(In.CONTROL, port=code, epoch=1, **more)

    def open_turn(self) -> None:
        """The user asks; afterwards the model's invocation is there."""
        self.offer(self.text(b"go"))
        self.step()
        self.step()
        if self.nodes["llm"].id not in self.calls:
            raise RuntimeError("no turn has opened")

    def close(self) -> None:
        self.session.close()
