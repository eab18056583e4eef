"""Effect nodes as the world plays them: what a provider says when it is fed, by the kind of its node."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random

from rspp_runtime.abi.plan import EFFECT, Node, Plan

MS = 1_000_000
SILENCE, SPEECH, LAST = 0, 1, 2
"""First byte of a frame: what it holds."""

WORDS = ("yes", "no", "maybe", "the", "Grüße", "answer", "is", "forty-two.", "Why?", "because", "so", "it", "goes.")
Planned = tuple[int, int, bytes, int, int]
"""What a provider will say: (ns after the one before, port, payload, a, b)."""


@dataclass(slots=True)
class Work:
    """An invocation at the provider's side."""

    node: int
    id: int
    epoch: int
    queue: deque[Planned] = field(default_factory=deque)
    untaken: int = 0
    untaken_bytes: int = 0
    counted: int = 0  # outputs that were counted before they were given
    fed_bytes: int = 0
    fed_words: int = 0
    frames: int = 0
    finished: bool = False
    blocked: bool = False
    scheduled: bool = False
    said: int = 0
    fault: str = ""
    over: bool = False
    calls: int = 0  # of tools, so far
    waits: bool = False  # for an answer


@dataclass(slots=True)
class Part:
    """What the world knows of an effect node's ports."""

    node: Node
    data: tuple[int, ...]  # data ports on which it speaks
    calls: tuple[int, ...] = ()  # ports by which it calls tools
    start: int = -1  # event ports
    end: int = -1
    others: tuple[int, ...] = ()
    partial: int = -1
    final: int = -1
    speaking: bool = False


def parts(plan: Plan) -> dict[int, Part]:
    """By node id."""
    start = plan.events[plan.speech_start] if plan.speech_start >= 0 else None
    end = plan.events[plan.turn_owner] if plan.turn_owner >= 0 else None
    found: dict[int, Part] = {}
    for node in plan.nodes:
        if node.execution != EFFECT:
            continue
        events = [index for index, port in enumerate(node.outputs) if port.type == "event"]
        names = {port.name: index for index, port in enumerate(node.outputs)}
        spoken = [i for i, port in enumerate(node.outputs) if port.type not in ("event", "call")]
        data = tuple(i for i in spoken if node.outputs[i].name != "utterance")
        part = Part(node, data, tuple(i for i, port in enumerate(node.outputs) if port.type == "call"))
        part.start = start.port if start and start.node == node.id else -1
        part.end = end.port if end and end.node == node.id else -1
        part.others = tuple(port for port in events if port not in (part.start, part.end))
        part.partial, part.final = names.get("partial", -1), names.get("final", -1)
        found[node.id] = part
    return found


class Speech:
    """Says things; all chance comes from the case's generator."""

    def __init__(self, rng: Random, words: tuple[int, int], bytes_per_second: int) -> None:
        self.rng, self.words = rng, words
        self.frame_ns = 20 * MS
        self.bytes_per_second = bytes_per_second or 32_000

    def text(self, most: int, words: int) -> tuple[bytes, int, int]:
        """A text, where its last sentence ends, and its words."""
        text = (" ".join(self.rng.choices(WORDS, k=words)) + " ").encode()
        end = max(text.rfind(b"."), text.rfind(b"?")) + 1
        return (text, end, words) if len(text) <= most else (text[:most], min(end, most), words)

    def heard(self, part: Part, work: Work, payload: bytes) -> None:
        """Detection and recognition: a frame of audio came."""
        mark = payload[0] if payload else SILENCE
        add = work.queue.append
        if mark and not part.speaking and part.start >= 0:
            part.speaking = True
            add((0, part.start, b"", 0, 0))
        if part.node.kind == "stt":
            work.frames += 1
            if part.partial >= 0 and work.frames % 12 == 0:
                text, a, b = self.text(part.node.outputs[part.partial].item_bytes_max, 3)
                add((0, part.partial, text, a, b))
        elif mark:
            for port in part.data:
                if part.node.outputs[port].type == "audio":
                    add((0, port, payload, 0, 0))
        if mark == LAST and part.end >= 0:
            part.speaking = False
            add((0, part.end, b"", 0, 0))
        elif part.others and self.rng.random() < 0.0005:
            add((0, self.rng.choice(part.others), b"", 0, 0))

    def transcript(self, part: Part, work: Work) -> None:
        """The recogniser has all of an utterance."""
        if part.final >= 0 and work.frames:
            gap = self.rng.randrange(5, 60) * MS
            for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
                text, a, b = self.text(part.node.outputs[part.final].item_bytes_max, self.rng.randint(1, 9))
                work.queue.append((gap, part.final, text, a, b))
                gap = 2 * MS

    def answer(self, part: Part, work: Work) -> None:
        """A model answers, a few words at a time."""
        rng = self.rng
        words = rng.randint(*self.words)
        gap = rng.randrange(50, 400) * MS
        port = part.data[0] if part.data else -1
        if part.node.speakable_ns and port >= 0 and rng.random() < 0.2:  # it thinks aloud before it says a word
            for _ in range(rng.randrange(2, 8)):
                work.queue.append((gap, port, b" ", 0, 0))
                gap = rng.randrange(40, 160) * MS
        while words > 0 and port >= 0:
            count = min(words, rng.choice((1, 1, 2, 4)))
            words -= count
            text, a, b = self.text(part.node.outputs[port].item_bytes_max, count)
            work.queue.append((gap, port, text, a, b))
            gap = rng.randrange(1, 25) * MS
        if part.calls and rng.random() < 0.7:
            self._call(part, work)

    def _call(self, part: Part, work: Work) -> None:
        """It calls tools somewhere in its answer, now and then more often than it may; most wait for each answer."""
        rng = self.rng
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, part.node.calls_max + 1))):
            port = rng.choice(part.calls)
            most = part.node.outputs[port].item_bytes_max
            work.calls += 1
            call = (rng.randrange(1, 60) * MS, port, bytes(rng.randrange(most)), work.calls, 0)
            work.queue.insert(rng.choice((0, 0, rng.randrange(len(work.queue) + 1))), call)

    def tool(self, part: Part, work: Work) -> None:
        """A tool answers once; some are too slow, some say it twice, some say nothing."""
        rng = self.rng
        text, a, b = self.text(part.node.outputs[0].item_bytes_max, rng.randint(1, 6))
        limit = part.node.first_output_ns
        gap = rng.choice((MS, limit // 10, limit // 3, limit * 9 // 10, limit * 11 // 10))
        for _ in range(rng.choice((1, 1, 1, 1, 1, 1, 1, 2, 0))):
            work.queue.append((gap, 0, (b"%d " % work.id + text)[: part.node.outputs[0].item_bytes_max], a, b))
            gap = MS

    def voice(self, part: Part, work: Work, text: bytes) -> None:
        """A voice speaks a text, with marks."""
        port = next((p for p in part.data if part.node.outputs[p].type == "audio"), -1)
        if port < 0:
            return
        size = min(part.node.outputs[port].item_bytes_max, self.bytes_per_second // 50)
        frames = max(1, len(text) * 4 // 5)
        words = len(text.split())
        frame, gap = bytes(size), self.rng.randrange(10, 120) * MS
        for n in range(1, frames + 1):
            at = work.fed_bytes + len(text) * n // frames
            work.queue.append((gap, port, frame, at, work.fed_words + words * n // frames))
            gap = 2 * MS

    def other(self, part: Part, work: Work) -> None:
        """Any other effect answers each item with one item on each of its ports."""
        for port in part.data:
            kind, most = part.node.outputs[port].type, part.node.outputs[port].item_bytes_max
            if kind == "audio":
                work.queue.append((5 * MS, port, bytes(min(most, 640)), 0, 0))
            else:
                text, a, b = self.text(most, 3)
                work.queue.append((5 * MS, port, text, a, b))
