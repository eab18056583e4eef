"""What is measured: a row for each competitor in each group. `figures` says what the results mean.

`quick` counts are for finding out whether everything runs; their figures say little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from speed.options import Options

STAGES = 10
TOKEN_PLACES = (("lean", "pipecat lean"), ("default", "pipecat default"))


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement. `fresh`: in a process of its own each time. `rounds`: at most so many in a run, 0 for all."""

    group: str
    label: str
    peer: str
    command: dict[str, Any]
    fresh: bool = False
    rounds: int = 0

    @property
    def name(self) -> str:
        return f"{self.group}/{self.label}"


def cases(options: Options) -> list[Case]:
    """All cases of a run."""
    made = [
        *_hops(options),
        *_cancels(options),
        *_turns(options),
        *_openings(options),
        *_sessions(options),
        *_costs(options),
    ]
    return [case for case in made if not options.only or any(part in case.name for part in options.only)]


def _hops(options: Options) -> list[Case]:
    many = 1_000 if options.quick else 10_000
    few = many // 5

    def paced(label: str, peer: str, case: str = "hop", count: int = few, **more: Any) -> Case:
        return Case("hop_paced", label, peer, {"case": case, "stages": STAGES, "count": count, "paced": True, **more})

    def flooded(label: str, peer: str, case: str = "hop", count: int = many, **more: Any) -> Case:
        return Case(
            "hop_flooded", label, peer, {"case": case, "stages": STAGES, "count": count, "paced": False, **more}
        )

    def native(label: str, peer: str, **more: Any) -> Case:
        return Case("hop_native", label, peer, {"case": "hop", "stages": STAGES, "paced": False, **more})

    def python(label: str, peer: str, **more: Any) -> Case:
        return Case("hop_python", label, peer, {"case": "hop", "stages": STAGES, "count": many, "paced": True, **more})

    return [
        paced("asyncio.Queue", "queues"),
        *(paced(label, "pipecat", config=config, count=few // 4) for config, label in TOKEN_PLACES),
        paced("rspp", "rspp", "hop_asyncio", package="hop_10", config="default"),
        paced("rspp, driver alone", "rspp", "hop_asyncio", package="hop_10", config="lean"),
        flooded("asyncio.Queue", "queues"),
        *(flooded(label, "pipecat", config=config, count=few) for config, label in TOKEN_PLACES),
        flooded("rspp", "rspp", "hop_asyncio", package="hop_10", config="default", count=few),
        flooded("rspp, driver alone", "rspp", "hop_asyncio", package="hop_10", config="lean", count=few),
        native("floor, handle and drain", "floor", kind="c", count=many * 50),
        native("floor, run to completion", "floor", kind="c", fused=True, count=many * 50),
        native("pipecat lean", "pipecat", config="lean", count=few),
        native("rspp", "rspp", package="hop_native", count=many),
        python("floor, function", "floor", kind="function"),
        python("floor, coroutine", "floor", kind="coroutine"),
        python("rspp, function", "rspp", package="hop_10"),
        python("rspp, coroutine", "rspp", package="hop_coroutine"),
    ]


def _cancels(options: Options) -> list[Case]:
    trials = 2 if options.quick else 6

    def waiting(label: str, peer: str, case: str = "cancel", **more: Any) -> Case:
        return Case("cancel", label, peer, {"case": case, "backlog": 2_000, "trials": trials, **more})

    def busy(label: str, peer: str, case: str = "cancel", **more: Any) -> Case:
        command = {"case": case, "backlog": 300, "sink": "busy", "trials": 2, **more}
        return Case("cancel_busy", label, peer, command, rounds=2)

    return [
        waiting("asyncio.Queue", "queues", sink="sleep"),
        waiting("pipecat lean", "pipecat", sink="sleep", config="lean", late=20),
        waiting("pipecat default", "pipecat", sink="sleep", config="default"),
        waiting("floor", "floor", sink="sleep", late=20),
        waiting("rspp", "rspp", late=20),
        waiting("rspp, asyncio", "rspp", "cancel_asyncio", sink="awaiting", by="loop", config="default"),
        waiting("rspp, thread", "rspp", "cancel_asyncio", sink="awaiting", by="thread", config="default"),
        busy("asyncio.Queue", "queues"),
        busy("pipecat lean", "pipecat", config="lean"),
        busy("floor", "floor"),
        busy("rspp", "rspp", "cancel_asyncio", by="thread", config="default"),
    ]


def _turns(options: Options) -> list[Case]:
    trials = 2 if options.quick else 6

    def turn(label: str, peer: str, **more: Any) -> Case:
        return Case("turn", label, peer, {"case": "turn", "trials": trials, **more})

    return [
        turn("asyncio.Queue", "queues"),
        *(turn(label, "pipecat", config=config) for config, label in TOKEN_PLACES),
        turn("pipecat lean, by sentence", "pipecat", config="lean", by="sentence"),
        *(turn(f"livekit {config}", "livekit", config=config) for config in ("lean", "default")),
        turn("rspp", "rspp", config="default"),
        turn("rspp, driver alone", "rspp", config="lean"),
        Case("turn_open", "rspp", "rspp", {"case": "turn_open", "trials": 50 if options.quick else 500}),
    ]


def _openings(options: Options) -> list[Case]:
    trials = 3 if options.quick else 8

    def opening(label: str, peer: str, **more: Any) -> Case:
        return Case("opening", label, peer, {"case": "opening", "trials": trials, **more})

    return [
        opening("asyncio.Queue", "queues"),
        *(opening(label, "pipecat", config=config) for config, label in TOKEN_PLACES),
        opening("livekit lean", "livekit"),
        opening("floor", "floor"),
        opening("rspp", "rspp", what="kernel", package="voice_assistant"),
        opening("rspp, connected", "rspp", what="session", package="voice_assistant"),
    ]


def _sessions(options: Options) -> list[Case]:
    made = []
    for count in options.sessions:
        command = {"sessions": count, "seconds": options.seconds}
        for label, peer, more in (
            ("asyncio.Queue", "queues", {"case": "sessions"}),
            ("source alone", "queues", {"case": "source_alone"}),
            ("pipecat lean", "pipecat", {"case": "sessions", "config": "lean"}),
            ("pipecat default", "pipecat", {"case": "sessions", "config": "default"}),
            ("rspp", "rspp", {"case": "sessions", "config": "default"}),
            ("rspp, driver alone", "rspp", {"case": "sessions", "config": "lean"}),
        ):
            if peer == "pipecat" and count > options.pipecat_most:
                continue  # saturated long before: it would only take time
            made.append(Case("sessions", f"{label}, {count}", peer, {**command, **more}, fresh=True, rounds=1))
    return made


def _costs(options: Options) -> list[Case]:
    held = 50 if options.quick else 1_000
    return [
        *(
            Case("memory", f"rspp, {kind}", "rspp", {"case": "memory", "kind": kind, "sessions": held}, True, 1)
            for kind in ("bare", "connected", "listening")
        ),
        Case("recording", "rspp", "rspp", {"case": "recording", "turns": 3 if options.quick else 10}, rounds=1),
        Case("allocations", "rspp", "rspp", {"case": "allocations", "count": 500}, rounds=1),
        Case("build", "rspp", "compiler", {"case": "build"}, rounds=1),
    ]
