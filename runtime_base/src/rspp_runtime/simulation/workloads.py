"""How people use an agent. A case of the simulator plays one of these; numbers are chances and bounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Workload:
    """One way to talk. Times in ms."""

    name: str
    about: str
    frames: tuple[int, int] = (50, 120)  # of an utterance
    burst: int = 3  # frames that the transport delivers at once, at most
    pause: tuple[int, int] = (200, 1500)  # between the end of a turn and the next word
    interrupts: float = 0.15  # speaks over the answer
    typed: float = 0.03
    push_to_talk: float = 0.03  # ends the utterance by a control
    stops: float = 0.04  # presses stop
    goes_on: float = 0.08  # speaks again before there is an answer
    words: tuple[int, int] = (8, 30)  # of an answer
    drains: float = 0.97  # the driver drains after a step
    takes: tuple[int, int] = (1, 12)  # until a provider takes what it was fed
    turns: int = 12  # of a case, at most


WORKLOADS = (
    Workload("chatty", "questions and answers of ordinary length"),
    Workload("brief", "short questions, short answers, no time between", (20, 60), pause=(0, 100), words=(2, 8)),
    Workload("silent", "long silences; some never say a word", (40, 90), pause=(2_000, 40_000), typed=0.2),
    Workload("interrupter", "speaks over almost every answer", interrupts=0.75, goes_on=0.2, stops=0.1),
    Workload("flood", "everything at once, in bursts that no queue holds", (60, 160), burst=40, words=(20, 60)),
    Workload("slow_listener", "providers take late, the driver drains seldom", drains=0.4, takes=(10, 150)),
    Workload("typist", "types, and holds a button to talk", typed=0.4, push_to_talk=0.4),
    Workload("monologue", "long answers, heard to the end", interrupts=0.02, words=(40, 90), turns=6),
)
