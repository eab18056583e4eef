"""`ingest`: what is refused, what waits in the inbox, what goes to edges (`docs/kernel.md`, `ingest`)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, In, Result, SessionState, Signal
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.abi.plan import EFFECT
from rspp_runtime.reference import attempts, circuits, edges, events, hearing, letters, paths, spending, stopping, tools
from rspp_runtime.reference.outputs import decide
from rspp_runtime.reference.state import Entry, NodeState, Parcel, State


def reject(s: State, cause: Cause) -> Result:
    """The input is malformed, or comes at the wrong time."""
    decide(s, Signal.REJECT, cause)
    return Result.REFUSED


def put_in_inbox(s: State, event: Inbound, *, propose: bool = False) -> Result:
    """It waits there; a producer that finds no room is told when there is some again."""
    if len(s.inbox) >= s.plan.control_in_max:
        if event.op in (In.CHUNK, In.MEDIA):
            s.nodes[event.node].blocked = True
        return Result.FULL
    s.inbox.append(Entry(event, s.next_seq(), s.now, s.epoch, propose))
    return Result.ACCEPTED


def media(s: State, event: Inbound) -> Result:
    """What a party says, types or presses."""
    ports = s.nodes[s.plan.ingress].plan.outputs if s.plan.ingress >= 0 else ()
    if event.node != s.plan.ingress or not 0 <= event.port < len(ports):
        return reject(s, Cause.UNKNOWN_PORT)
    port = ports[event.port]
    if len(event.payload) > port.item_bytes_max:
        return reject(s, Cause.OVERSIZED)
    if s.state is not SessionState.RUNNING:
        return reject(s, Cause.SESSION_NOT_RUNNING)
    if event.invocation and (taken := [seq for key, seq in s.keys if key == event.invocation]):
        decide(s, Signal.REJECT, Cause.DUPLICATE, x=event.transport_sequence, y=taken[0])
        return Result.REFUSED
    seq = s.seq + 1
    take = _text if port.name == "text" else _key if port.type == "event" else _offer
    answer = take(s, event)
    if event.invocation and answer is Result.ACCEPTED:
        s.keys.append((event.invocation, seq))
    return answer


def _key(s: State, event: Inbound) -> Result:
    """A key or a button: an item for the edges of its port, and an event if reactions name it."""
    named = any(e.node == event.node and e.port == event.port for e in s.plan.events)
    if named and len(s.inbox) >= s.plan.control_in_max:
        s.nodes[event.node].blocked = True
        return Result.FULL
    if _has_edges(s, event):
        answer = _offer(s, event)
        if answer is not Result.ACCEPTED:
            return answer
    elif not named:
        s.next_seq()
    return put_in_inbox(s, event) if named else Result.ACCEPTED


def _has_edges(s: State, event: Inbound) -> bool:
    """Whether its port has edges at all, on or off."""
    return any((e.plan.source, e.plan.source_port) == (event.node, event.port) for e in s.edges)


def _text(s: State, event: Inbound) -> Result:
    """Typed text: another way to say an utterance, and its end."""
    if s.recogniser is None and not _has_edges(s, event):
        return reject(s, Cause.UNKNOWN_PORT)
    if not hearing.fits(s, len(event.payload)):
        return reject(s, Cause.OVERSIZED)
    answer = put_in_inbox(s, event, propose=True)
    if answer is Result.ACCEPTED:
        hearing.join(s, event.payload, event.b)
    return answer


def chunk(s: State, event: Inbound) -> Result:
    """What an invocation produced."""
    known = 0 <= event.node < len(s.nodes) and s.nodes[event.node].plan.execution == EFFECT
    if not known or not 0 <= event.port < len(s.nodes[event.node].plan.outputs):
        return reject(s, Cause.UNKNOWN_PORT)
    node = s.nodes[event.node]
    call = node.find(event.invocation)
    port = node.plan.outputs[event.port]
    if call is None or call.over_output or tools.is_late(s, node, call, port):
        s.refused_outputs += 1
        decide(
            s, Signal.LATE_AFTER_CANCEL, Cause.CANCELLED,
            node=event.node, port=event.port, invocation=event.invocation, x=len(event.payload),
        )  # fmt: skip
        return Result.REFUSED
    if len(event.payload) > port.item_bytes_max:
        return reject(s, Cause.OVERSIZED)
    if port.type == "call":
        return tools.called(s, node, call, event)
    if node.plan.tool:
        return tools.said(s, node, call, event)
    final = event.node == s.plan.recogniser and port.name == "final"
    if final and not hearing.fits(s, len(event.payload)):
        return reject(s, Cause.OVERSIZED)
    voiced = 0
    if s.voices(event.node):
        voiced = min(event.a, call.fed_bytes)
        words = min(event.b, call.fed_words)
        event = event._replace(a=call.base_bytes + voiced, b=call.base_words + words)
    answer = put_in_inbox(s, event) if port.type == "event" else _offer(s, event)
    if answer is Result.ACCEPTED:
        if final:
            hearing.join(s, event.payload, event.b)
        if event.node == s.plan.recogniser and port.type == "text":
            events.said(s, event.b, final=final)
        elif event.node == s.detector and port.type != "event":
            events.goes_on(s)
        if not call.answered:
            attempts.answered(node, call)
            circuits.works(s, node, call)
        call.answered = True
        call.voiced = max(call.voiced, voiced)
        _answered(s, node, event.b)
        if port.type != "event":
            paths.leaves(s, event.node)
    return answer


def _answered(s: State, node: NodeState, words: int) -> None:
    """Something that it produced was taken: its first output is there, and the next one is due, or its first word."""
    identity = node.plan.id
    stopping.said(s, node)
    if identity == s.plan.recogniser or node.answers_each:
        return
    if words > 0:
        node.speak_due_ns = node.held_speak = 0
    if node.filled:
        node.held_first = node.held_speak
    elif node.speak_due_ns:
        s.timers[s.first_timer(identity)] = node.speak_due_ns
    else:
        s.stop(s.first_timer(identity))
    if not node.plan.chunk_ns or node.open:
        return
    if s.voices(identity) and node.live is not None and node.live.voiced >= node.live.fed_bytes:
        s.stop(s.chunk_timer(identity))
    else:
        s.timers[s.chunk_timer(identity)] = s.now + node.plan.chunk_ns


def credit(s: State, event: Inbound) -> Result:
    """Items that an invocation has taken, or is done with."""
    s.next_seq()
    if 0 <= event.node < len(s.nodes):
        node = s.nodes[event.node]
        if node.live is not None and node.live.id == event.invocation:
            node.inflight -= max(0, min(event.a, node.inflight))
        if node.answers_each and node.find(event.invocation) is not None and event.a > 0:
            letters.done(node, event.a)
            timer = s.first_timer(node.plan.id)
            if node.inflight or (node.ending is not None and node.ending.id == event.invocation):
                s.timers[timer] = s.now + node.plan.first_output_ns
            else:
                s.stop(timer)
    return Result.ACCEPTED


def usage(s: State, event: Inbound) -> Result:
    """What an invocation is about to use."""
    cause = spending.wrong(s, event)
    return reject(s, cause) if cause else spending.use(s, s.nodes[event.node], event)


def _offer(s: State, event: Inbound) -> Result:
    if not edges.offer(s, event.node, event.port, len(event.payload), event.b, event.flags):
        return Result.FULL
    seq = s.next_seq()
    parcel = Parcel(seq, 0, s.epoch, event.media_ns, event.flags, event.a, event.b, event.payload)
    edges.push_all(s, event.node, event.port, parcel)
    return Result.ACCEPTED
