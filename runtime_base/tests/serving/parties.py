"""A party under test: the real `Party` in a real session, in virtual time; only the socket and the engines are ours.

async def user(line):
    await line.come()
    await line.say(type="text", text="hello")
    await line.until(signal="close")

seen = parties.play(user)
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rspp import wire
from rspp_runtime.abi.codes import Control, In
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.abi.plan import Plan
from rspp_runtime.serving.connection import Patience
from rspp_runtime.serving.dialect import Hello, Welcome
from rspp_runtime.serving.party import Manners, Party
from rspp_runtime.serving.rspp1 import Rspp1
from rspp_runtime.serving.tally import Tally
from rspp_runtime.session.clock import VirtualClock
from rspp_runtime.session.host import Finished, Options, converse
from rspp_runtime.session.virtual import run

scripted = sys.modules["rspp_scripted"]

MS = 1_000_000
TICK_S = 0.1
WAIT_S_MAX = 120.0  # of virtual time, for anything
MANNERS = Manners(patience=Patience(idle_ns=60_000 * MS))


class Socket:
    """What the party writes to. `clock` stamps what comes."""

    def __init__(self, clock: VirtualClock, subprotocol: str) -> None:
        self.came: list[tuple[int, dict[str, Any]]] = []
        self.closed: tuple[int, str] | None = None
        self.waiting = 0
        self.pings = 0
        self._clock = clock
        self._subprotocol = subprotocol

    def send(self, message: wire.Message) -> None:
        if self.closed is None:
            self.came.append((self._clock.now_ns(), wire.decode(message, self._subprotocol)))

    send_bytes = send

    def ping(self) -> None:
        self.pings += 1

    def waiting_bytes(self) -> int:
        return self.waiting

    def close(self, code: int, reason: str) -> None:
        if self.closed is None:
            self.closed = (code, reason)


class Line:
    """The user's end: connects, speaks, listens. `sockets` are those that it had, the last one last."""

    def __init__(self, party: Party, clock: VirtualClock, subprotocol: str) -> None:
        self.party = party
        self.clock = clock
        self.sockets: list[Socket] = []
        self.sequence = 0
        self._subprotocol = subprotocol
        self._dialect: Rspp1 | None = None

    @property
    def socket(self) -> Socket:
        return self.sockets[-1]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """All that came, over all connections."""
        return [fields for socket in self.sockets for _, fields in socket.came]

    @property
    def received(self) -> int:
        return max((fields.get("seq", 0) for fields in self.messages), default=0)

    def dial(self, **hello: Any) -> Socket:
        """Connects and says hello; does not wait."""
        socket, dialect = Socket(self.clock, self._subprotocol), Rspp1(self._subprotocol, "s-1")
        fields = {"type": "hello", "protocol": wire.PROTOCOL, **hello}
        word = dialect.receive(wire.encode(fields, self._subprotocol))
        assert isinstance(word, Hello)
        self.sockets.append(socket)
        self.party.attach(socket, dialect, word)
        return socket

    async def come(self, **hello: Any) -> dict[str, Any]:
        """Connects, and waits for the welcome."""
        self.dial(**hello)
        return await self.until(type="welcome")

    async def back(self, received: int | None = None, **hello: Any) -> dict[str, Any]:
        """Comes back, with what was received."""
        return await self.come(resume={"received": self.received if received is None else received}, **hello)

    def cut(self) -> None:
        """The connection is gone."""
        self.party.detach(self.socket)

    def say(self, **fields: Any) -> None:
        """One message; gets its number unless it brings one."""
        if fields["type"] in ("audio", "text", "control", "delivery") and "seq" not in fields:
            self.sequence += 1
            fields["seq"] = self.sequence
        self.raw(wire.encode(fields, self._subprotocol))

    def raw(self, message: wire.Message) -> None:
        if self.socket.closed is None:  # a closed socket hears nothing more
            self.party.message(message)

    async def talk(self, frames: int, payload: bytes = scripted.FRAME) -> None:
        """Speaks (or is silent) for so many frames of 20 ms."""
        for _ in range(frames):
            await asyncio.sleep(0.02)
            self.say(type="audio", payload=payload)

    async def hush(self, frames: int) -> None:
        await self.talk(frames, bytes(640))

    async def until(self, **wanted: Any) -> dict[str, Any]:
        """The next message of the present connection with these fields, from now on or already there."""
        at, end_s = 0, asyncio.get_running_loop().time() + WAIT_S_MAX
        while True:
            for _, fields in self.socket.came[at:]:
                if fields.items() >= wanted.items():
                    return fields
            at = len(self.socket.came)
            if asyncio.get_running_loop().time() > end_s:
                came = [fields for _, fields in self.socket.came if fields["type"] != "audio"]
                raise AssertionError(f"{wanted} did not come: {came}")
            await asyncio.sleep(0.005)

    async def wait(self, ms: float) -> None:
        await asyncio.sleep(ms / 1000)


@dataclass
class Seen:
    """What a session left behind."""

    watch: Any
    line: Line
    tally: Tally
    finished: Finished | None
    over: str
    greeted: list[Hello] = field(default_factory=list)

    @property
    def controls(self) -> list[Control]:
        """Control inputs that came from the party."""
        own = {Control.EVIDENCE_APPENDED, Control.EVIDENCE_FAILED, Control.ATTRIBUTE}
        return [Control(one.port) for _, one, _ in self.watch.inputs if one.op == In.CONTROL and one.port not in own]

    def media(self, port: int | None = None) -> list[tuple[int, Inbound, int]]:
        return [row for row in self.watch.inputs if row[1].op == In.MEDIA and port in (None, row[1].port)]


User = Callable[[Line], Awaitable[None]]


async def perform(
    user: User,
    *,
    plan: Plan | None = None,
    manners: Manners = MANNERS,
    subprotocol: str = wire.JSON,
    log: Path | None = None,
    resume: bool = False,
    sequence: int = 0,
    level: str = "L2",
    **work: Any,
) -> Seen:
    """One session in the running loop, ticked as the hub does; `work` replaces a node's engine."""
    plan = plan or scripted.plan()
    loop = asyncio.get_running_loop()
    clock, tally, watch = VirtualClock(loop), Tally(), scripted.Watch()
    greeted: list[Hello] = []

    def greet(party: Party, hello: Hello) -> Welcome:
        greeted.append(hello)
        return Welcome(
            "s-1", plan.pipeline, plan.pipeline_version, plan.template_hash, party.epoch, "acme",
            hello.audio_in if party.hears else None, hello.audio_out if party.speaks else None,
            hello.received is not None, party.received, plan.lead_ns // MS, manners.ping_ms, "token", 32_000,
        )  # fmt: skip

    party = Party(plan, "s-1", greet, tally, clock, manners, sequence=sequence, can_be_left=log is not None)
    line = Line(party, clock, subprotocol)
    usual = {
        "ears": scripted.listen, "stt": scripted.recognise, "voice": scripted.speak,
        "llm": scripted.answer("It is four o'clock. Good bye."),
    }  # fmt: skip
    providers = {name: [(name, scripted.Fake("x", function))] for name, function in (usual | work).items()}
    options = Options(level=level, log=log, session_id="s-1", resume=resume)

    async def ticking() -> None:
        while True:
            await asyncio.sleep(TICK_S)
            party.tick()

    using = asyncio.create_task(user(line))
    await asyncio.sleep(0)  # it has dialled
    carrying = asyncio.create_task(converse(scripted.package(plan), providers, party, clock, options, [party, watch]))
    ticks = asyncio.create_task(ticking())
    finished: Finished | None = None
    try:
        await asyncio.wait({using, carrying}, return_when=asyncio.FIRST_COMPLETED)
        if using.done():
            using.result()
            if not party.is_over:
                party.hang_up()
        finished = await carrying
        over = "handed_over" if finished.handed_over else "ended"
        party.over(over)
        await asyncio.wait_for(using, WAIT_S_MAX)
    finally:
        for task in (using, carrying, ticks):
            task.cancel()
        await asyncio.gather(using, carrying, ticks, return_exceptions=True)
    assert clock.now_ns() < 1e9 * WAIT_S_MAX
    return Seen(watch, line, tally, finished, over, greeted)


def play(user: User, **how: Any) -> Seen:
    return run(perform(user, **how), virtual=True)
