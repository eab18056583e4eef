"""`ingest`, `advance`, `drain` (`docs/kernel.md`)."""

from __future__ import annotations

from collections.abc import Sequence

from rspp_runtime.abi.codes import Cause, Control, In, Op, Origin, Result, SessionState, Signal, Turn
from rspp_runtime.abi.messages import Handler, Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.reference import (
    attempts,
    choices,
    edges,
    events,
    gateway,
    handoff,
    hearing,
    invocations,
    joins,
    moving,
    paths,
    pauses,
    reactions,
    reports,
    spending,
    stopping,
    timed,
    turns,
)
from rspp_runtime.reference.outputs import control_room, decide, request
from rspp_runtime.reference.outputs import drain as drain_outputs
from rspp_runtime.reference.state import EVIDENCE, TOTAL, TURN_BUDGET, WARNING, End, Entry, NodeState, State

_NOT_FENCED = (Control.LEASE_ROTATED, Control.HANDOFF, Control.EVIDENCE_APPENDED, Control.EVIDENCE_FAILED)
_CONTROLS = frozenset(Control)
_PRESSED = {Control.BUTTON_DOWN: ".button_down", Control.BUTTON_UP: ".button_up", Control.DTMF: ".dtmf"}


class Session:
    """A conversation, executed from the plan's tables. Implements `rspp_runtime.abi.Session`."""

    def __init__(self, plan: Plan, session_id: str, epoch: int = 0, handlers: Sequence[Handler | None] = ()) -> None:
        if len(session_id.encode()) > 64:
            raise ValueError("session_id is longer than 64 bytes")
        self._s = State(plan, session_id, epoch, handlers)

    def ingest(self, event: Inbound, now_ns: int) -> int:
        s = self._s
        self._tick(now_ns)
        s.chain.clear()
        producer = event.op in (In.MEDIA, In.CHUNK) and 0 <= event.node < len(s.nodes)
        if not control_room(s):
            if producer:
                s.nodes[event.node].blocked = True
            return Result.FULL
        control = event.op == In.CONTROL
        fenced = event.op not in (In.DONE, In.CREDIT, In.USAGE) and not (control and event.port in _NOT_FENCED)
        if fenced and event.epoch != s.epoch:
            decide(s, Signal.STALE_EPOCH_REJECT, Cause.AUTHORITY_EPOCH_MISMATCH, x=event.epoch)
            return Result.REFUSED
        if event.op == In.MEDIA:
            return gateway.media(s, event)
        if event.op == In.CHUNK:
            return gateway.chunk(s, event)
        if event.op == In.CREDIT:
            return gateway.credit(s, event)
        if event.op == In.USAGE:
            return gateway.usage(s, event)
        if control and event.port == Control.SEEN:
            s.next_seq()
            s.keys.append((event.a, 0))
            return Result.ACCEPTED
        if control and event.port == Control.PLAYED:
            return reports.played(s, event)
        if control and event.port == Control.LEAVE:
            handoff.leave(s)
            return Result.ACCEPTED
        if control and event.port in (Control.RECALL, Control.GO_ON_FROM):
            return handoff.follow(s, event)
        if event.op == In.DONE or (control and event.port in _CONTROLS):
            return gateway.put_in_inbox(s, event)
        return gateway.reject(s, Cause.UNKNOWN_PORT)

    def advance(self, now_ns: int) -> int:
        s = self._s
        self._tick(now_ns)
        s.outputs_full = False
        while True:
            if not control_room(s):
                return s.now
            s.outputs_full = False
            if not self._step():
                break
        edges.grant(s)
        edges.resume(s)
        if s.outputs_full:
            return s.now
        wakes = [ns for ns in (moving.wake_for_egress(s), joins.wakes_ns(s)) if ns >= 0]
        deadlines = [*s.timers.values(), *wakes]
        return max(s.now, min(deadlines)) if deadlines else -1

    def drain(self) -> list[Output]:
        return drain_outputs(self._s)

    def stats(self) -> dict[str, int]:
        s = self._s
        counters = {
            "memory_bytes": s.plan.memory_bytes,
            "runtime_sequence": s.seq,
            "turns": s.turns,
            "invocations": s.invocations,
            "refused_outputs": s.refused_outputs,
            "flushed_items": s.flushed_items,
        }
        for edge in s.edges:
            counters[f"edge.{edge.plan.id}.high"] = edge.high
            counters[f"edge.{edge.plan.id}.dropped"] = edge.dropped
            counters[f"edge.{edge.plan.id}.merged"] = edge.merged
        return counters

    def close(self) -> None:
        """Nothing to release: the twin's memory is Python's."""

    def _tick(self, now_ns: int) -> None:
        if now_ns < self._s.now:
            raise ValueError(f"time went back: {now_ns} after {self._s.now}")
        self._s.now = now_ns

    # -- advance -------------------------------------------------------------------------------------------------

    def _step(self) -> bool:
        """Do the first thing that applies; returns whether there was one."""
        s = self._s
        s.input_seq, s.input_epoch = s.seq, s.epoch
        if s.raised:
            reactions.next_raised(s)
        elif s.handed_over:
            handoff.step(s)
        elif s.inbox:
            s.chain.clear()
            self._enter(s.inbox.popleft())
        elif events.is_due(s):
            s.speech.due = False
            reactions.raise_event(s, s.plan.barge_in, Cause.BARGE_IN)
        elif spending.cut_one(s):
            pass
        elif (slot := self._due()) is not None:
            del s.timers[slot]
            s.chain.clear()
            self._fire(slot)
        elif reports.begins(s):
            pass
        elif s.turn.ends:
            turns.resolve_ends(s)
        elif s.ending and s.turn.state not in (Turn.OPENING, Turn.ACTIVE):
            turns.end_session(s)
        elif s.turn.state is Turn.OPENING:
            turns.decide_opening(s)
        elif (s.plan.soft_nodes and stopping.step(s)) or (s.active and turns.finishing(s)):
            pass
        elif hearing.can_finish(s):
            hearing.finish(s)
        elif invocations.feed_again(s) or pauses.send_again(s):
            pass
        elif s.state is SessionState.ENDED or not moving.move_one(s):
            return False
        return True

    def _due(self) -> int | None:
        s = self._s
        due = [(deadline, slot) for slot, deadline in s.timers.items() if deadline <= s.now]
        return min(due)[1] if due else None

    def _fire(self, slot: int) -> None:
        s = self._s
        nodes = len(s.nodes)
        if slot == WARNING:
            decide(s, Signal.BUDGET_WARNING, Cause.BUDGET_EXHAUSTED, y=-1)
        elif slot in (TURN_BUDGET, TOTAL):
            decide(s, Signal.BUDGET_EXHAUSTED, Cause.BUDGET_EXHAUSTED, y=-1 if slot == TURN_BUDGET else -2)
            exhausted = s.event_named("turn.budget_exhausted") if slot == TURN_BUDGET else -1
            if s.active and not reactions.raise_event(s, exhausted, Cause.BUDGET_EXHAUSTED):
                s.turn.ends.add(End.BUDGET)
        elif slot == EVIDENCE:
            self._evidence_failed()
        elif slot == s.pause_timer:
            pauses.too_long(s)
        elif slot == s.stop_timer:
            stopping.too_long(s)
        elif slot > s.stop_timer:
            paths.fired(s, slot - s.stop_timer - 1)
        elif slot < 4 + 3 * nodes:
            self._fire_node(s.nodes[(slot - 4) // 3], (slot - 4) % 3)
        else:
            edge, blocked = divmod(slot - 4 - 3 * nodes, 2)
            if blocked:
                s.edges[edge].shedding = True
            elif s.edges[edge].plan.gather:
                s.edges[edge].open = True
            else:
                edges.release(s, s.edges[edge])

    def _fire_node(self, node: NodeState, which: int) -> None:
        s = self._s
        if node.plan.clock or node.plan.pause or node.plan.keys:
            timed.fired(s, node)
            return
        if which == 2:
            request(s, Op.FORCE, node=node.plan.id, invocation=node.cancelling)
            node.cancelling = 0
            return
        if node.backing_off and which == 1:
            node.backing_off = False
            return
        mute = 0 < node.speak_due_ns <= s.now
        exhausted = which == 0 and not mute and not node.plan.tool and attempts.budget_is_over(s, node)
        if exhausted:
            decide(s, Signal.BUDGET_EXHAUSTED, Cause.BUDGET_EXHAUSTED, node=node.plan.id, y=node.plan.id)
        invocations.timed_out(s, node, exhausted=exhausted)

    def _evidence_failed(self) -> None:
        s = self._s
        if s.active:
            s.turn.ends.add(End.ERROR)
            s.turn.end_cause = Cause.RECORDING_EVIDENCE_UNAVAILABLE

    def _enter(self, entry: Entry) -> None:
        s, event = self._s, entry.event
        s.input_seq, s.input_epoch = entry.seq, entry.epoch
        if entry.propose:
            s.hearing.last_seq = entry.seq
            turns.propose(s, Origin.TEXT, entry.epoch)
        elif event.op in (In.CHUNK, In.MEDIA):
            self._event(entry)
        elif event.op == In.DONE:
            self._done(event)
        else:
            self._control(Control(event.port), entry)

    def _event(self, entry: Entry) -> None:
        s, event = self._s, entry.event
        if event.op == In.CHUNK and s.nodes[event.node].find(event.invocation) is None:
            return
        found = next((e.id for e in s.plan.events if e.node == event.node and e.port == event.port), -1)
        if found < 0:
            return
        if found == s.plan.turn_owner:
            hearing.end_utterance(s, entry.seq, Origin.SPEECH, entry.epoch)
        if found == s.plan.speech_start:
            events.speech_begins(s)
            s.hearing.first_seq = s.hearing.first_seq or entry.seq
            decide(s, Signal.HEARD, x=s.hearing.first_seq)
        if s.plan.events[found].name.endswith(".idle") and event.node == s.detector:
            s.speech.idles += 1
        cause = Cause.BARGE_IN if found == s.plan.speech_start else Cause.USER
        reactions.raise_event(s, found, cause)
        if s.plan.events[found].name.endswith(".speech_end") and event.node == s.detector:
            events.speech_ends(s)
        if found == s.plan.speech_start and s.active and s.plan.barge_in >= 0:
            decide(s, Signal.BARGE_IN, Cause.BARGE_IN)
            s.speech.turn = s.turn.serial
            reactions.raise_event(s, s.plan.barge_in, Cause.BARGE_IN)

    def _done(self, event: Inbound) -> None:
        s = self._s
        if not 0 <= event.node < len(s.nodes):
            return
        node = s.nodes[event.node]
        if node.cancelling and event.invocation == node.cancelling:
            node.cancelling = 0
            s.stop(s.grace_timer(node.plan.id))
            return
        call = node.find(event.invocation)
        if call is None:
            return
        invocations.ended(s, node, call, event.a, retryable=event.b != 0)

    def _control(self, code: Control, entry: Entry) -> None:
        s, event = self._s, entry.event
        if code is Control.CONNECTED:
            if s.state in (SessionState.CREATED, SessionState.DEGRADED):
                s.state = SessionState.RUNNING
                reports.connected(s, event.a, event.b)
                events.connected(s)
                choices.freeze(s)
                decide(s, Signal.CONNECTED)
                reactions.raise_event(s, s.event_named("session.connected"))
        elif code is Control.DISCONNECTED:
            if s.state is SessionState.RUNNING:
                s.state = SessionState.DEGRADED
                decide(s, Signal.DISCONNECTED)
                s.turn.ends.add(End.DISCONNECT)
                s.deferred = None
        elif code is Control.ENDED:
            s.ending = s.state is not SessionState.ENDED
            s.turn.ends.add(End.DISCONNECT)
        elif code is Control.CANCEL_TURN:
            turns.cancel(s, Cause.USER)
        elif code is Control.CANCEL_SESSION:
            if s.state is not SessionState.ENDED:
                reactions.cancel_session(s, Cause.USER)
        elif code is Control.CANCEL_NODE:
            if 0 <= event.a < len(s.nodes):
                reactions.cancel_node(s, event.a, Cause.USER)
        elif code is Control.ATTRIBUTE:
            if 0 <= event.a < len(s.attributes):
                s.attributes[event.a] = event.b
        elif code is Control.END_UTTERANCE:
            hearing.end_utterance(s, entry.seq, Origin.API, entry.epoch)
        elif code in _PRESSED:
            self._pressed(_PRESSED[code], entry)
        else:
            self._authority_or_evidence(code, event)

    def _pressed(self, what: str, entry: Entry) -> None:
        """A key or a button: it may own the end of the utterance, as push to talk does."""
        s = self._s
        found = next((e.id for e in s.plan.events if e.node == s.plan.ingress and e.name.endswith(what)), -1)
        if found >= 0 and found == s.plan.turn_owner:
            hearing.end_utterance(s, entry.seq, Origin.SPEECH, entry.epoch)
        reactions.raise_event(s, found)

    def _authority_or_evidence(self, code: Control, event: Inbound) -> None:
        s = self._s
        if code in handoff.LEASES:
            handoff.lease(s, code, event)
        elif code is Control.SNAPSHOT:
            s.snapshot = event.a
        elif code is Control.BINDING:
            if 0 <= event.a < len(s.nodes):
                s.bindings_off = s.bindings_off & ~(1 << event.a) | (0 if event.b else 1 << event.a)
        elif s.active and s.turn.evidence_asked and event.a == s.turn.serial:
            if code is Control.EVIDENCE_APPENDED:
                turns.commit(s)
            else:
                self._evidence_failed()
