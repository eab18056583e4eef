"""A small pipeline and scripted providers for driver tests: no engine, no file, every answer written in the test.

ingress.audio -> ears -> stt -> llm -> voice -> egress.audio,  stt.partial -> captions,  llm.delta -> egress.text
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from rspp_runtime.abi import Action, Edge, Event, Handoff, Mode, Node, Overflow, Plan, Pool, Port, Reaction
from rspp_runtime.abi.codes import Control
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.providers.contract import Cancelled, Invocation
from rspp_runtime.reference import Session
from rspp_runtime.session.clock import VirtualClock, sleep_until
from rspp_runtime.session.driver import Driver
from rspp_runtime.session.observer import InvocationEnd, Observer
from rspp_runtime.session.package import Package

MS = 1_000_000
AUDIO, TEXT, EVENT = 640, 4096, 1024
# Longer than the audio edge holds, so that its voice is still at work when it is interrupted.
LONG = "One two three four five six seven eight nine ten eleven and so on to twenty and to thirty one."
FRAME = b"\1\0" * 320
INGRESS, EARS, STT, LLM, VOICE, CAPTIONS, EGRESS = range(7)

RESOLVED = {
    "snapshot_provenance": {"policy_resolution_snapshot": "policy/v1", "routing_view_snapshot": "routing/v1"},
    "determinism": {
        "merge_rule_id": "arrival", "merge_rule_version": "v1.0.0",
        "ordering_markers": ["runtime_sequence"], "nondeterministic_inputs": [],
    },
}  # fmt: skip


def package(plan: Plan) -> Package:
    """The plan as a package on the twin, without providers: those are the test's."""
    return Package(
        "scripted", plan, plan.template_hash, {}, {}, {}, RESOLVED,
        lambda session_id, epoch, handlers, kernel=None: Session(plan, session_id, epoch, handlers),
    )  # fmt: skip


def plan(**changes: Any) -> Plan:
    """The pipeline of the module's docstring, as the compiler would lay it out; `changes` replace fields."""
    audio, text = (lambda name: Port(name, "audio", AUDIO)), (lambda name: Port(name, "text", TEXT))
    event = lambda name: Port(name, "event", EVENT)  # noqa: E731
    effect = {"execution": "effect", "event_error": -1, "event_timeout": -1}
    nodes = (
        Node(id=0, name="ingress", kind="ingress", execution="boundary", scope="session", line=1,
             outputs=(audio("audio"), text("text"))),
        Node(id=1, name="ears", kind="vad", scope="session", line=2, inputs=(audio("audio"),),
             outputs=(audio("speech"), event("speech_start"), event("speech_end")), edges_in=(6,), window=8, **effect),
        Node(id=2, name="stt", kind="stt", scope="session", line=3, inputs=(audio("audio"),),
             outputs=(text("utterance"), text("partial"), text("final")), edges_in=(5,), window=8,
             first_output_ns=300 * MS, **effect),
        Node(id=3, name="llm", kind="llm", scope="turn", line=4, inputs=(text("prompt"),),
             outputs=(text("delta"), text("final")), edges_in=(3,), window=2, first_output_ns=800 * MS,
             chunk_ns=300 * MS, **effect),
        Node(id=4, name="voice", kind="tts", scope="turn", line=5, inputs=(text("text"),), outputs=(audio("audio"),),
             edges_in=(2,), upstream=1 << 3, window=2, first_output_ns=300 * MS, chunk_ns=300 * MS, **effect),
        Node(id=5, name="captions", kind="tap", execution="kernel", scope="session", line=6, inputs=(text("in"),),
             edges_in=(4,)),
        Node(id=6, name="egress", kind="egress", execution="boundary", scope="turn", line=7,
             inputs=(audio("audio"), text("text")), edges_in=(0, 1), upstream=1 << 3 | 1 << 4),
    )  # fmt: skip
    block = (Overflow("block"),)
    edges = (
        Edge(id=0, name="voice.audio -> egress.audio", line=1, source=4, source_port=0, target=6, target_port=0,
             scope="turn", pool=0, items_max=100, bytes_max=64_000, overflow=block, commit_point=True),
        Edge(id=1, name="llm.delta -> egress.text", line=1, source=3, source_port=0, target=6, target_port=1,
             scope="turn", pool=1, items_max=64, bytes_max=65_536, overflow=block),
        Edge(id=2, name="llm.delta -> voice.text", line=1, source=3, source_port=0, target=4, target_port=0,
             scope="turn", pool=1, items_max=8, bytes_max=32_768, overflow=block, handoff=Handoff(150 * MS, 2048)),
        Edge(id=3, name="stt.utterance -> llm.prompt", line=1, source=2, source_port=0, target=3, target_port=0,
             scope="turn", pool=1, items_max=4, bytes_max=16_384, overflow=block),
        Edge(id=4, name="stt.partial -> captions", line=1, source=2, source_port=1, target=5, target_port=0,
             scope="session", pool=1, items_max=4, bytes_max=16_384, overflow=(Overflow("latest_only"),)),
        Edge(id=5, name="ears.speech -> stt.audio", line=1, source=1, source_port=0, target=2, target_port=0,
             scope="session", pool=0, items_max=64, bytes_max=64_000, age_ns_max=400 * MS,
             overflow=(Overflow("drop_oldest"),)),
        Edge(id=6, name="ingress.audio -> ears.audio", line=1, source=0, source_port=0, target=1, target_port=0,
             scope="session", pool=0, items_max=64, bytes_max=64_000, age_ns_max=400 * MS,
             overflow=(Overflow("drop_oldest"),)),
    )  # fmt: skip
    made = Plan(
        pipeline="scripted", pipeline_version="1.0.0", profile="simple/v1", template_hash="ab" * 32,
        recording_level="L0",
        nodes=nodes, edges=edges, pools=(Pool("audio", AUDIO, 512), Pool("text", TEXT, 256)),
        events=(
            Event(0, "ears.speech_start", 1, 1), Event(1, "ears.speech_end", 1, 2), Event(2, "ears.barge_in", 1, -1),
        ),
        reactions=(Reaction(id=0, event=2, action=Action("cancel_turn"), line=8),),
        modes=(Mode(id=0, name="full", nodes_off=0, edges_off=0),),
        ingress=0, egress=6, turn_owner=1, recogniser=2, speech_start=0, barge_in=2,
        speech_nodes=1 << 4, turn_nodes=1 << 3 | 1 << 4 | 1 << 6, turn_edges=0b1111, stages=(3, 4),
        turn_ns=2000 * MS, turn_warning_ns=1600 * MS, turn_total_ns=120_000 * MS, grace_ns=75 * MS, lead_ns=200 * MS,
        evidence_ns=500 * MS, audio_bytes_per_second=32_000, utterance_bytes_max=4096, spoken_bytes_max=8192,
        context_items_max=16, context_bytes_max=16_384, control_in_max=32, control_out_max=256, control_step_max=32,
        data_out_max=64, telemetry_out_max=64, ledger_max=64, memory_bytes=1 << 20,
        provider_bindings=(("ears", "ears"), ("stt", "stt"), ("llm", "llm"), ("voice", "voice")),
    )  # fmt: skip
    return replace(made, **changes)


class Fake:
    """A provider whose work is one function."""

    def __init__(self, modality: str, work: Callable[[Invocation], Awaitable[None]]) -> None:
        self.modality = modality
        self._work = work

    async def prepare(self) -> None: ...

    async def invoke(self, call: Invocation) -> None:
        await self._work(call)

    async def close(self) -> None: ...


async def listen(call: Invocation) -> None:
    """A voice-activity model: a frame that is not silence is speech, silence after it ends it."""
    speaking = False
    async for item in call.inputs():
        loud = any(item.payload)
        if loud and not speaking:
            await call.emit("speech_start", media_ns=item.media_ns)
        if loud:
            await call.emit("speech", item.payload, media_ns=item.media_ns)
        if speaking and not loud:
            await call.emit("speech_end", media_ns=item.media_ns)
        speaking = loud


async def recognise(call: Invocation) -> None:
    """A recogniser: counts frames."""
    count = 0
    async for _ in call.inputs():
        count += 1
        if count % 10 == 0:
            await call.emit("partial", f"{count} frames".encode())
    await call.emit("final", f"{count} frames".encode(), final=True)


def answer(text: str, pause_s: float = 0.01) -> Callable[[Invocation], Awaitable[None]]:
    """A model that always says `text`, word by word."""

    async def work(call: Invocation) -> None:
        async for _ in call.inputs():
            pass
        for index, word in enumerate(text.split()):
            await asyncio.sleep(pause_s)
            await call.emit("delta", (f" {word}" if index else word).encode())

    return work


async def speak(call: Invocation) -> None:
    """A voice: 200 ms for each word."""
    words = size = 0
    async for item in call.inputs():
        for word in item.payload.split(b" "):
            size = min(size + len(word) + 1, size + len(item.payload))
            for _ in range(10):
                await call.emit("audio", FRAME, words=words, text_end=size - len(word) - 1)
            words += bool(word)
        await call.emit("audio", FRAME, words=words, text_end=size)


class Watch(Observer):
    """Keeps everything."""

    def __init__(self) -> None:
        self.inputs: list[tuple[int, Inbound, int]] = []
        self.outputs: list[Output] = []
        self.ends: list[InvocationEnd] = []

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        self.inputs.append((now_ns, event, result))

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        self.outputs += outputs

    def on_invocation(self, end: InvocationEnd) -> None:
        self.ends.append(end)

    def signals(self, *codes: int) -> list[Output]:
        return [o for o in self.outputs if o.op == 1 and (not codes or o.code in codes)]


class Party:
    """A transport whose user is one coroutine; keeps what was played."""

    def __init__(self, script: Callable[[Any, Party], Awaitable[None]]) -> None:
        self._script = script
        self.sent: list[tuple[int, str, bytes]] = []
        self.flushes: list[int] = []

    async def run(self, ears: Any) -> None:
        await ears.control(Control.CONNECTED)
        await self._script(ears, self)
        await ears.control(Control.ENDED)

    def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None:
        self.sent.append((play_at_ns, port, payload))

    def flush(self, turn: int, now_ns: int) -> None:
        self.flushes.append(now_ns)
        self.sent = [item for item in self.sent if item[0] < now_ns]

    async def close(self) -> None: ...


async def talk(ears: Any, frames: int, payload: bytes = FRAME) -> None:
    """The user speaks (or is silent) for so many frames of 20 ms."""
    for _ in range(frames):
        now = ears.clock.now_ns()
        await ears.media("audio", payload, now)
        await sleep_until(ears.clock, now + 20 * MS)


async def hush(ears: Any, frames: int) -> None:
    await talk(ears, frames, bytes(AUDIO))


async def quiet(ears: Any, quiet_ns: int = 300 * MS, limit_ns: int = 60_000 * MS) -> None:
    """Silence until nothing goes on any more."""
    start = ears.clock.now_ns()
    while ears.activity.quiet_ns(ears.clock.now_ns()) < quiet_ns and ears.clock.now_ns() - start < limit_ns:
        await hush(ears, 1)


async def converse(
    party: Party,
    *,
    the_plan: Plan | None = None,
    append: Any = None,
    observers: Any = (),
    journal: Any = None,
    **work: Callable[[Invocation], Awaitable[None]],
) -> tuple[Driver, Watch, Party]:
    """One session on the pure twin in the running (virtual) loop; `work` replaces a node's provider."""
    the_plan = the_plan or plan()
    usual = {"ears": listen, "stt": recognise, "llm": answer("It is four o'clock. Good bye."), "voice": speak}
    providers = {name: [(name, Fake("x", function))] for name, function in (usual | work).items()}
    watch = Watch()
    session = Session(the_plan, "t", 1, [])
    driver = Driver(
        session, the_plan, clock=VirtualClock(asyncio.get_running_loop()), epoch=1, providers=providers,
        transport=party, append=append or (lambda turn: True), observers=[watch, *observers], journal=journal,
    )  # fmt: skip
    carrying = asyncio.create_task(party.run(driver))
    await driver.run()
    await carrying
    return driver, watch, party


__all__ = ["Cancelled"]
