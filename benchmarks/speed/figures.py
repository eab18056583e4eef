"""What the measurements say: each figure, which cases feed it, and its goals.

A figure's rows are cases of a group with one metric, or rows that are named one by one. A goal is about one row. Less
is better everywhere, but where a goal says `at least`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from speed.options import Options

KIB = 1024


@dataclass(frozen=True, slots=True)
class Goal:
    """`at most`, `at least`: a number in the metric's base unit. `times better`: the row, so many times, is no more
    than row `than`. `within`: the row is at most so many times row `than`."""

    row: str
    kind: Literal["at most", "at least", "times better", "within"]
    number: float
    than: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a figure: a case, by name, and which of its metrics (the first of them that it has)."""

    label: str
    case: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """`unit` is how it is shown: base units (ns, bytes, counts) are divided by `scale`."""

    key: str
    title: str
    says: str
    group: str
    metrics: tuple[str, ...]
    unit: str
    scale: float
    statistic: Literal["p50", "p95", "p99", "most", "least"]
    goals: tuple[Goal, ...] = ()
    named: tuple[Row, ...] = ()

    def rows(self, names: list[str]) -> list[Row]:
        """Its rows, given the names of all cases."""
        if self.named:
            return [row for row in self.named if row.case in names]
        own = [name for name in names if name.startswith(f"{self.group}/")]
        return [Row(name.partition("/")[2], name, self.metrics) for name in own]


def figures(options: Options) -> list[Figure]:
    """All figures, those of most worth first."""
    most = max(options.sessions)
    return [
        Figure(
            "hop_paced",
            "A hop under asyncio, paced",
            "Processor time of one hop of ten, one text in flight, from the provider's `emit` to the transport's "
            "`send`, the wakes of the loop included.",
            "hop_paced", ("cpu_ns",), "µs", 1e3, "p50",
            (Goal("rspp", "times better", 25, "pipecat lean"), Goal("rspp", "times better", 5, "asyncio.Queue")),
        ),
        Figure(
            "hop_native",
            "A native hop, flooded",
            "One hop of ten through native nodes, each of which changes one word of the item's header; of ours the "
            "time of `advance`.",
            "hop_native", ("advance_ns", "wall_ns"), "ns", 1, "p50",
            (
                Goal("rspp", "within", 3, "floor, handle and drain"),
                Goal("rspp", "times better", 500, "pipecat lean"),
            ),
        ),
        Figure(
            "hop_python",
            "A hop through a Python node",
            "A node that reads one attribute and emits one payload, its calls stamped on both sides; of ours the time "
            "of `advance`. The floor's stages neither read nor emit, and nothing is stamped.",
            "hop_python", ("advance_ns", "cpu_ns"), "ns", 1, "p50",
            (Goal("rspp, function", "at most", 150), Goal("rspp, coroutine", "at most", 180)),
        ),
        Figure(
            "hop_flooded",
            "A hop under asyncio, flooded",
            "The same chains as paced, all texts at once.",
            "hop_flooded", ("cpu_ns",), "µs", 1e3, "p50",
        ),
        Figure(
            "cancel",
            "A cancel with 2,000 frames queued",
            "`rspp`: from `ingest` to the transport's flush in `drain`. The others, and ours under asyncio: from "
            "asking (in the loop or in another thread) until nothing of the turn is touched any more.",
            "cancel", ("latency_ns",), "µs", 1e3, "p95", (Goal("rspp", "at most", 10_000),),
        ),
        Figure(
            "stale",
            "Stale frames behind a cancel",
            "Frames of the cancelled turn that the sink began after it was asked for; the most of all trials.",
            "cancel", ("stale",), "", 1, "most",
            tuple(Goal(row, "at most", 0) for row in ("rspp", "rspp, asyncio", "rspp, thread")),
        ),
        Figure(
            "late",
            "Twenty late frames of the cancelled turn",
            "A producer that goes on after the cancel: how many of its frames came out, and of ours how many were "
            "refused at the door and recorded as a decision.",
            "cancel", (), "", 1, "most",
            (
                Goal("rspp, delivered", "at most", 0),
                Goal("rspp, refused", "at least", 20),
                Goal("rspp, recorded", "at least", 20),
            ),
            (
                Row("pipecat lean, delivered", "cancel/pipecat lean", ("late_delivered",)),
                Row("floor, delivered", "cancel/floor", ("late_delivered",)),
                Row("rspp, delivered", "cancel/rspp", ("late_delivered",)),
                Row("rspp, refused", "cancel/rspp", ("late_refused",)),
                Row("rspp, recorded", "cancel/rspp", ("late_recorded",)),
            ),
        ),
        Figure(
            "cancel_busy",
            "A cancel while a stage keeps the core busy",
            "Asked for by another thread while frames pass a stage that computes a millisecond for each; the goal is "
            "the rest of the frame in service and 50 µs.",
            "cancel_busy", ("latency_ns",), "ms", 1e6, "p95", (Goal("rspp", "at most", 1_050_000),),
        ),
        Figure(
            "turn_open",
            "Opening a turn",
            "From `ingest` of typed text to `turn_open`, with its plan frozen and hashed, and the model's call.",
            "turn_open", ("latency_ns",), "µs", 1e3, "p95", (Goal("rspp", "at most", 10_000),),
        ),
        Figure(
            "turn",
            "Transcript to first audio",
            "From the recogniser's final text to the first frame at the output; fakes that take no time. Ours with the "
            "record of each turn and a log on the disk, which it waits for.",
            "turn", ("first_ns",), "µs", 1e3, "p50",
            (
                Goal("rspp", "at most", 100_000),
                Goal("rspp", "times better", 25, "pipecat lean"),
                Goal("rspp", "times better", 50, "livekit lean"),
            ),
        ),
        Figure(
            "interruption",
            "An interruption of the answer",
            "From the detector's speech to the last thing that the output did with the old answer.",
            "turn", ("interruption_ns",), "µs", 1e3, "p50",
        ),
        Figure(
            "opening",
            "Opening a session",
            "`rspp`: `open_session` with its handlers. `rspp, connected`: until the transport is connected under "
            "asyncio, evidence and all.",
            "opening", ("up_ns",), "µs", 1e3, "p50", (Goal("rspp", "at most", 20_000),),
        ),
        Figure(
            "sessions_cpu",
            "Many sessions on one core: processor time",
            "Processor time for each frame of 20 ms through five stages, in real time, by the number of sessions; the "
            "source of the frames alone is what all of them pay.",
            "sessions", ("cpu_frame_ns",), "µs", 1e3, "p50", (Goal("rspp, 1000", "within", 1.2, "rspp, 100"),),
        ),
        Figure(
            "sessions_p99",
            "Many sessions on one core: traversal",
            "p99 from the source to the last stage.",
            "sessions", ("p99_ns",), "ms", 1e6, "p50", (Goal("rspp, 1000", "at most", 1_000_000),),
        ),
        Figure(
            "sessions_late",
            "Many sessions on one core: the latest frame",
            "How long after its time a frame was handed over, at most: what shares the core with the source has not "
            "kept up once that is 20 ms, and the other figures of that number of sessions say little.",
            "sessions", ("source_late_max_ns",), "ms", 1e6, "p50", (Goal("rspp, 1000", "at most", 20_000_000),),
        ),
        Figure(
            "memory",
            "Memory of a session",
            "The slope of resident memory over sessions, every page touched. Ours: a voice assistant beside its arena, "
            "whose size was computed: `bare`, as `open_session` gives it; `connected`, with driver, transport and "
            "evidence; `listening`, with the detector's call open. `idle` is all of a connected one, its pages not yet "
            "touched.",
            "memory", (), "KiB", KIB, "p50",
            tuple(Goal(f"rspp, {kind}", "at most", 32 * KIB) for kind in ("bare", "connected", "listening")),
            (
                Row("asyncio.Queue", f"sessions/asyncio.Queue, {most}", ("session_bytes",)),
                Row("pipecat lean", f"sessions/pipecat lean, {most}", ("session_bytes",)),
                Row("pipecat default", f"sessions/pipecat default, {most}", ("session_bytes",)),
                Row("rspp, arena", "memory/rspp, connected", ("arena_bytes",)),
                Row("rspp, bare", "memory/rspp, bare", ("beside_bytes",)),
                Row("rspp, connected", "memory/rspp, connected", ("beside_bytes",)),
                Row("rspp, listening", "memory/rspp, listening", ("beside_bytes",)),
                Row("rspp, idle", "memory/rspp, connected", ("idle_bytes",)),
            ),
        ),
        Figure(
            "recording",
            "What a log costs",
            "Processor time of a log on the disk, all threads: of a turn of the voice assistant (620 records at every "
            "level: 50 frames of a microphone, 100 of a voice), and at L2 of each frame that is recorded. Told: what a "
            "turn waits for; the rest is done later.",
            "recording", (), "µs", 1e3, "p50",
            (Goal("rspp, L0 a turn", "at most", 5_000), Goal("rspp, L2 a frame", "at most", 2_000)),
            (
                Row("rspp, told", "recording/rspp", ("l0_told_ns",)),
                Row("rspp, L0 a turn", "recording/rspp", ("l0_turn_ns",)),
                Row("rspp, L2 a turn", "recording/rspp", ("l2_turn_ns",)),
                Row("rspp, L2 a frame", "recording/rspp", ("l2_frame_ns",)),
            ),
        ),
        Figure(
            "allocations",
            "Python allocations of a frame on a native path",
            "Counted at Python's three allocators. What goes in and comes out are Python's tuples: only `advance` is "
            "the kernel's own.",
            "allocations", (), "", 1, "p50", (Goal("rspp, advance", "at most", 0),),
            tuple(Row(f"rspp, {what}", "allocations/rspp", (what,)) for what in ("ingest", "advance", "drain")),
        ),
        Figure(
            "build",
            "Building the voice assistant",
            "Generating: processor time of all passes up to the files, in a warm process. The others: the command "
            "from start to end, into an empty folder, once more, and into an empty folder with what the cache keeps.",
            "build", (), "ms", 1e6, "p50",
            (
                Goal("rsppc, generating", "at most", 100e6),
                Goal("rsppc, cold", "at most", 20e9),
                Goal("rsppc, warm", "at most", 0.5e9),
                Goal("rsppc, from the cache", "at most", 0.5e9),
            ),
            (
                Row("rsppc, generating", "build/rspp", ("generate_ns",)),
                Row("rsppc, cold", "build/rspp", ("cold_ns",)),
                Row("rsppc, cold, processor time", "build/rspp", ("cold_cpu_ns",)),
                Row("rsppc, warm", "build/rspp", ("warm_ns",)),
                Row("rsppc, from the cache", "build/rspp", ("kept_ns",)),
            ),
        ),
    ]  # fmt: skip
