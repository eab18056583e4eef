"""What a pod needs of processor and memory, for so many sessions at once: every figure with the terms it is made of.

Processor: what the compiler proves of each node that works on audio (`throughput`: work × items a second), all
sessions speaking at once; or, instead of that, what somebody has measured (`rspp bench --own`). Memory: the block that
the compiler lays out for a session, to the byte, and what the process and the engines take beside it, which is
measured (tests/containers holds the figures to what an image takes).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.plan import Frozen
from rspp_compiler.ir.proofs.memory import Memory

_MI = 1 << 20
_CORE = 1000  # a core is 1000 of what Kubernetes writes as `m`

# ---- measured, on two slow cores; what a machine of today takes is less
PROCESS_MILLICPU = 50  # the server with nobody connected, its probes and its metrics asked for
SESSION_MILLICPU = 10  # a session's frames both ways through socket, driver and kernel: docs/performance.md
PROCESS_BYTES = 64 * _MI  # interpreter, server, runtime, telemetry
SESSION_BYTES = 512 << 10  # beside its block: tasks, a socket's buffers and what waits to be sent, tails of the log
SPARE_PERCENT = 25  # what an allocator keeps and does not use

# Of a session's log, while both sides talk; texts are next to nothing beside the headers of frames.
LOG_BYTES_PER_S = {"L0": 24 << 10, "L1": 24 << 10, "L2": 164 << 10}

# Engine -> bytes of a process that has loaded it, and of each session beside that.
ENGINE_BYTES = {
    "silero": (24 * _MI, 64 << 10),
    "pocketsphinx": (96 * _MI, 0),
    "espeak": (16 * _MI, 0),
}


@dataclass(frozen=True, slots=True)
class Pod:
    """`cpu_millis` and `memory_bytes` are requests; `cpu_limit_millis` is the limit, that of memory is its request.

    `cpu_terms`, `session_terms` and `memory_terms` say what they are made of, a sentence each. `untold` are nodes of
    the user that declare no memory, and `unpaced` those that work on text: no bound counts them.
    """

    sessions: int
    session_millicpu: int
    cpu_millis: int
    cpu_limit_millis: int
    memory_bytes: int
    cpu_terms: tuple[str, ...]
    memory_terms: tuple[str, ...]
    untold: tuple[str, ...]
    unpaced: tuple[str, ...]

    @property
    def memory_mi(self) -> int:
        """In units of `Mi`."""
        return self.memory_bytes // _MI


def pod(frozen: Frozen, memory: Memory, sessions: int | None = None, session_millicpu: int | None = None) -> Pod:
    """A pod of `sessions` sessions, or of as many as one core can serve. `memory` is that of one session.

    `session_millicpu` is what a session was measured to take, in thousandths of a core, instead of the bound.
    """
    each, cpu_terms = _cpu_of_a_session(frozen, session_millicpu)
    sessions = sessions or max(1, (_CORE - PROCESS_MILLICPU) // each)
    cpu = PROCESS_MILLICPU + sessions * each
    terms = (f"{PROCESS_MILLICPU}m the process, and {sessions} × {each}m the sessions", *cpu_terms)
    needed, memory_terms = _memory(frozen, memory, sessions)
    return Pod(
        sessions=sessions,
        session_millicpu=each,
        cpu_millis=cpu,
        cpu_limit_millis=_CORE * -(-cpu // _CORE),
        memory_bytes=needed,
        cpu_terms=terms,
        memory_terms=memory_terms,
        untold=memory.untold,
        unpaced=() if session_millicpu else _unpaced(frozen.layout.analysis),
    )


def _cpu_of_a_session(frozen: Frozen, measured: int | None) -> tuple[int, tuple[str, ...]]:
    if measured is not None:
        return measured, (f"{measured}m a session: measured, given as --cpu-per-session",)
    found = max(_variants(frozen.layout.analysis), key=_busy_millis)
    terms = [
        f"{use.node} {use.work_ns / 1e6:g} ms × {float(use.per_second):g}/s = {_millis(use.work_ns * use.per_second)}m"
        for use in found.throughput.nodes
    ]
    whole = SESSION_MILLICPU + _busy_millis(found)
    text = " + ".join([*terms, f"{SESSION_MILLICPU}m its frames"])
    return whole, (f"{whole}m a session, while it is spoken to, at most: {text}",)


def _variants(analysis: Analysis) -> Iterator[Analysis]:
    yield analysis
    yield from analysis.variants


def _busy_millis(analysis: Analysis) -> int:
    return sum(_millis(use.work_ns * use.per_second) for use in analysis.throughput.nodes)


def _millis(ns_per_second: Fraction) -> int:
    """Nanoseconds of work a second, as thousandths of a core, rounded up."""
    return math.ceil(ns_per_second / 1_000_000)


def _unpaced(analysis: Analysis) -> tuple[str, ...]:
    """Nodes inside of the process that compute something of which no bound is proved: models, voices."""
    paced = {use.node for use in analysis.throughput.nodes}
    kinds = {"stt", "llm", "tts", "python", "wasm"}
    return tuple(node.id for node in analysis.graph.nodes if node.kind in kinds and node.id not in paced)


def _memory(frozen: Frozen, memory: Memory, sessions: int) -> tuple[int, tuple[str, ...]]:
    engines = tuple(sorted({one.provider for one in frozen.providers} & ENGINE_BYTES.keys()))
    loaded = sum(ENGINE_BYTES[name][0] for name in engines)
    beside = SESSION_BYTES + sum(ENGINE_BYTES[name][1] for name in engines)
    each = memory.session_bytes + beside
    used = PROCESS_BYTES + loaded + sessions * each
    needed = used * (100 + SPARE_PERCENT) // 100
    terms = [f"{mi(PROCESS_BYTES)} the process"]
    if engines:
        terms.append(f"{mi(loaded)} what {_listed(engines)} load")
    terms.append(f"{sessions} × {kib(each)} the sessions")
    return -(-needed // _MI) * _MI, (
        f"{' + '.join(terms)}, and {SPARE_PERCENT} % that an allocator keeps",
        f"{kib(each)} a session: {kib(memory.session_bytes)} laid out, {kib(beside)} measured beside it",
    )


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def mi(count: int) -> str:
    """`96Mi`, rounded up."""
    return f"{-(-count // _MI)}Mi"


def kib(count: int) -> str:
    """`1,240 KiB`, rounded up."""
    return f"{-(-count // 1024):,} KiB"
