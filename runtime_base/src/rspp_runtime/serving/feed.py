"""What happens in a session, as it happens, for whoever looks on: `GET /v1/sessions/ID/events`, and so the console.

    driver ──▶ Feed (an observer) ──▶ ring of `RING_MAX` events ──▶ each watcher: a batch of JSON every `BATCH_S`

Nobody waits for a watcher. One that is slower than the ring loses the oldest events, and is told how many. While nobody
watches, an event costs one look at a flag; only in development are the first `WARM_NS` of a session kept for whoever
comes right after it has begun. Audio is counted, never shown; texts are shown where `reveals`, else
masked (CONTRACTS §11, telemetry of `text_raw`). The form of each event is in docs/console.md.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import islice
from typing import Any

from rspp_runtime.abi.codes import Control, In, Op, Result, Signal
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.entries import Header
from rspp_runtime.evidence.recorder import to_out
from rspp_runtime.evidence.records import Records
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.serving.depth import Depths
from rspp_runtime.serving.looked_on import LookedOn
from rspp_runtime.session.clock import Clock
from rspp_runtime.session.observer import InvocationEnd, Observer

RING_MAX = 4096  # events that are kept for watchers who have not got them yet
BATCH_S = 0.05
BATCH_EVENTS_MAX = 512  # of one message
QUIET_S = 1.0  # a watcher hears at least so often
TEXT_CHARS_MAX = 2_000  # of one event
MASK = "***"
WARM_NS = 10_000_000_000

Event = dict[str, Any]


class Feed(LookedOn, Observer):
    """What happens in one session, for its watchers. `header` says which; `reveals`: texts are shown as they are."""

    INPUTS = (In.MEDIA, In.CHUNK, In.CONTROL)
    QUIET_STEPS = False
    EVERY_CALL = False

    def __init__(self, plan: Plan, header: Header, clock: Clock, *, reveals: bool) -> None:
        self._plan = plan
        self._header = header
        self._clock = clock
        self._reveals = reveals
        self._records = Records(plan, header)
        self._depths = Depths(plan)
        self._ring: deque[Event] = deque(maxlen=RING_MAX)
        self._next = 1  # number of the next event
        self._last: dict[tuple[str, int, int, int], Event] = {}  # what later items of the same batch are added to
        self._watchers = 0
        self._is_warm = reveals  # nobody has come yet, and who comes gets all from the beginning
        self.listens = reveals
        self._over = False

    @property
    def watchers(self) -> int:
        return self._watchers

    def end(self) -> None:
        """The session is over: watchers get the rest, and then the end."""
        self._over = True

    async def watch(self, is_full: Callable[[], bool] = lambda: False) -> AsyncIterator[str]:
        """JSON texts: who it is, then batches, then that it is over. Ends with the session.

        `is_full`: the watcher has not taken what it got before, and is told the rest later, or that it is lost.
        """
        at = 1 if self._is_warm else self._next
        self._is_warm, self.listens = False, True
        self._watchers += 1
        try:
            dropped, quiet_s = 0, 0.0
            yield json.dumps(self._introduction())
            while True:
                is_over = self._over
                if is_full() and not is_over:
                    await asyncio.sleep(BATCH_S)
                    continue
                events, skipped = self._since(at)
                at += skipped + len(events)
                dropped += skipped
                quiet_s += BATCH_S
                if events or quiet_s >= QUIET_S:
                    quiet_s = 0.0
                    yield self._batch(events, dropped)
                if is_over and at == self._next:
                    break
                if len(events) < BATCH_EVENTS_MAX:
                    await asyncio.sleep(BATCH_S)
            yield json.dumps({"type": "over", "now_us": self._now_us()})
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._rest()

    def _rest(self) -> None:
        """Nobody watches."""
        self.listens = self._is_warm = False
        self._ring.clear()
        self._last.clear()

    def _cools(self, now_ns: int) -> bool:
        """Whether nobody came in time."""
        if self._is_warm and now_ns > WARM_NS:
            self._rest()
        return not self.listens

    def _introduction(self) -> Event:
        header = self._header
        return {
            "type": "feed",
            "session_id": header.session_id,
            "pipeline": header.pipeline,
            "template_hash": header.template_hash,
            "kernel": header.kernel,
            "level": header.level,
            "texts": "shown" if self._reveals else "masked",
            "now_us": self._now_us(),
        }

    def _batch(self, events: Sequence[Event], dropped: int) -> str:
        self._last.clear()  # what was told is not added to
        said = {"type": "events", "now_us": self._now_us(), "dropped": dropped, "depths": self._depths.now()}
        return json.dumps(said | {"events": events}, ensure_ascii=False)

    def _since(self, at: int) -> tuple[list[Event], int]:
        """Events from number `at` on, at most a batch; and how many before them are lost."""
        ring = self._ring
        first = ring[0]["n"] if ring else self._next
        skipped = max(0, first - at)
        start = at + skipped - first
        return list(islice(ring, start, start + BATCH_EVENTS_MAX)), skipped

    def _now_us(self) -> int:
        return self._clock.now_ns() // 1000

    # ---- what happens

    def _input(self, event: Inbound, now_ns: int, result: int) -> None:
        if self._cools(now_ns):
            return
        self._records.heard(event)
        if event.op == In.CONTROL:
            if event.port not in (Control.ATTRIBUTE, Control.EVIDENCE_APPENDED):
                self._put("asked", now_ns, "control", what=Control(event.port).name.lower())
            return
        if result != Result.ACCEPTED or event.node < 0:
            return
        node = self._plan.nodes[event.node]
        if not 0 <= event.port < len(node.outputs):
            return
        port = node.outputs[event.port]
        self._depths.gave(event.node, event.port)
        where = {"node": node.name, "port": port.name}
        if port.type == "audio":
            self._add(("out", event.node, event.port, 0), now_ns, "data", len(event.payload), **where)
        elif port.type == "event":
            self._put("event", now_ns, "control", **where, media_us=event.media_ns // 1000)
        else:
            self._put("out", now_ns, "data", **where, **self._text(event.payload), items=1)

    def _step(self, now_ns: int, outputs: Sequence[Output]) -> None:
        if self._cools(now_ns):
            return
        for output in outputs:
            self._output(output)

    def on_invocation(self, end: InvocationEnd) -> None:
        if not self.listens:
            return
        self._put(
            "ended", end.end_ns, "control",
            node=self._plan.nodes[end.node].name, invocation=end.invocation, provider=end.provider,
            outcome=Outcome(end.outcome).name.lower(), reason=end.reason, start_us=end.start_ns // 1000,
            first_us=end.first_ns // 1000 if end.first_ns >= 0 else None,
        )  # fmt: skip

    def _output(self, out: Output) -> None:
        plan, op = self._plan, out.op
        if op == Op.DECISION:
            self._decided(out)
            return
        node = plan.nodes[out.node] if 0 <= out.node < len(plan.nodes) else None
        name = node.name if node else None
        if op in (Op.SEND, Op.FEED):
            assert node is not None
            self._depths.took(out.node, out.port)
            port = node.inputs[out.port]
            where = {"node": name, "port": port.name, "turn": out.turn}
            kind = "send" if op == Op.SEND else "feed"
            if port.type != "audio":
                self._put(kind, out.t_ns, "data", **where, **self._text(out.payload), items=1)
                return
            event = self._add((kind, out.node, out.port, out.turn), out.t_ns, "data", len(out.payload), **where)
            if op == Op.SEND:
                lasts_us = len(out.payload) * 1_000_000 // (plan.audio_bytes_per_second or 32_000)
                event.setdefault("play_us", out.x // 1000)
                event |= {"until_us": out.x // 1000 + lasts_us, "words": out.y}
        elif op == Op.INVOKE:
            assert node is not None
            names = (
                node.attempts.providers
                if node.attempts
                else tuple(provider for owner, provider in plan.provider_bindings if owner == name)
            )
            provider = names[out.x] if out.x < len(names) else ""
            self._put("invoke", out.t_ns, "control", node=name, turn=out.turn, invocation=out.invocation,
                      provider=provider, attempt=out.y + 1)  # fmt: skip
        elif op == Op.FLUSH:
            self._depths.flushed()
            self._put("flush", out.t_ns, "control", turn=out.turn)
        elif op in (Op.CANCEL, Op.FORCE):
            what = "cancel" if op == Op.CANCEL else "force"
            self._put(what, out.t_ns, "control", node=name, turn=out.turn, invocation=out.invocation)
        elif op == Op.METRIC:
            self._put("metric", out.t_ns, "telemetry", edge=plan.edges[out.code].name, turn=out.turn, high=out.x,
                      shed=out.y)  # fmt: skip
        elif op == Op.DEAD_LETTER:
            failed = plan.nodes[out.code]
            text = self._text(out.payload) if failed.inputs[out.port].type == "text" else {"bytes": len(out.payload)}
            self._put("dead_letter", out.t_ns, "telemetry", node=failed.name, turn=out.turn, **text)

    def _decided(self, out: Output) -> None:
        signal = Signal(out.code)
        made = self._records.of(to_out(out, payload=True))
        event: Event = {"signal": signal.name.lower(), "turn": out.turn}
        if made:
            event |= {"emitted_by": made[0].get("emitted_by", ""), "record": made[0]}
            event |= {key: made[0][key] for key in ("reason", "node_id", "edge_id") if key in made[0]}
        if signal is Signal.LATE_AFTER_CANCEL:
            event |= {"emitted_by": "RK-22", "bytes": out.x, "at": "fence" if out.y else "door"}
        elif signal in (Signal.PLAYBACK_COMPLETED, Signal.PLAYBACK_CANCELLED):
            event |= {"words": out.x, "bytes": out.y}
        elif signal is Signal.DROP_NOTICE:
            self._depths.dropped(out.node, out.y - out.x + 1)
        elif signal is Signal.CLOSE:
            self._depths.closed()
        elif signal is Signal.ENDED:
            self._over = True
        self._put("decision", out.t_ns, "control", **event)

    # ---- how it is kept

    def _put(self, kind: str, t_ns: int, lane: str, **what: Any) -> Event:
        event: Event = {"n": self._next, "t": t_ns // 1000, "kind": kind, "lane": lane, **what}
        self._next += 1
        self._ring.append(event)
        return event

    def _add(self, key: tuple[str, int, int, int], t_ns: int, lane: str, size: int, **what: Any) -> Event:
        """Items of one kind and place in one batch are one event: their number, their bytes, and when the last came."""
        event = self._last.get(key)
        if event is None:
            event = self._last[key] = self._put(key[0], t_ns, lane, items=0, bytes=0, **what)
        event["items"] += 1
        event["bytes"] += size
        event["last"] = t_ns // 1000
        return event

    def _text(self, payload: bytes) -> Event:
        if not self._reveals:
            return {"text": MASK, "bytes": len(payload)}
        return {"text": payload.decode("utf-8", "replace")[:TEXT_CHARS_MAX], "bytes": len(payload)}
