"""What can be known of a session from outside: its inputs, their answers, and its outputs; nothing else.

The invariants (`turns`, `flows`, `calls`) read this book and never the kernel. It is kept in the order of runtime
sequences, so that an input and a decision made in the same step stand in the order in which the kernel took them.
Times are ns, sizes bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from rspp_runtime.abi.codes import Cause, Control, In
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import TURN, Check
from rspp_runtime.simulation.choosing import passes
from rspp_runtime.simulation.pages import (
    ACTIVE,
    APPEND,
    AUTHORITY,
    BRING_AN_EPOCH,
    BUDGET,
    CANCEL,
    CANCELLED,
    CLOSED,
    DISCONNECT,
    ERROR,
    FAILURES,
    FEED,
    FINISH,
    FLUSH,
    FORCE,
    IDLE,
    INVOKE,
    OF_AN_OPENING,
    OPENING,
    OPENING_ENDS,
    RESUME,
    SECOND_NS,
    SEND,
    TAP,
    TERMINAL,
    Call,
    Pages,
    TurnBook,
)  # fmt: skip
from rspp_runtime.simulation.spent import began, used

_MEDIA, _CHUNK, _DONE, _CREDIT, _CONTROL, _USAGE = (int(kind) for kind in tuple(In)[:6])


class Book(Pages):
    """See the module. `ingested`, `advanced`, `drained` are called by the machine, in the order of the calls."""

    # ---- what the machine reports

    def ingested(self, event: Inbound, result: int, undrained: bool) -> None:
        """An input was offered; `undrained`: a step before it has not been drained."""
        op = event.op
        if result == 1:
            if op in (_CHUNK, _MEDIA):
                self.blocked[event.node] = self.now
                if undrained and self.undrained_ns <= self.now:
                    self.unsure.add(event.node)
                call = self.calls.get(event.invocation)
                if call is not None:
                    call.blocked = True
            return
        if result == 2:
            self.refusals += 1
            self.stale += [event.epoch] if event.epoch != self.epoch else []
            return
        self.unplaced.append(event)
        if op == _CHUNK:
            call = self.calls.get(event.invocation)
            if call is not None and (event.node, event.port) not in self.called.calls:
                call.answered_ns = self.now
                call.spoke = call.spoke or event.b > 0
            if (event.node, event.port) in self.tables.event_ports:
                self.entries += 1
            else:
                self.data_events += 1
        elif op == _MEDIA:
            self.data_events += 1
            if event.invocation:
                self.keys.append(event.invocation)
            if event.port == self.tables.text_port or event.port in self.tables.key_ports:
                self.entries += 1
        elif op == _CREDIT:
            if undrained:
                self.uncounted.add(event.invocation)
            call = self.calls.get(event.invocation)
            if call is not None and call.node == event.node and not call.finished:
                call.untaken -= min(max(event.a, 0), call.untaken)
        elif op == _CONTROL and event.port == Control.PLAYED:
            self.turn.reported_ns, self.turn.reported_at_ns = event.b, self.now + undrained  # later than that step
        elif op != _USAGE:
            self.entries += 1
            if op == _CONTROL and event.port in BRING_AN_EPOCH:
                self.epochs_offered.add(event.a)

    # ---- an accepted input, at its place

    def take(self, seq: int, event: Inbound) -> None:
        """An accepted input has its effect on the book."""
        op = event.op
        for one in self.watching:
            one.take(seq, event, self.turn.serial, self.calls.get(event.invocation))
        if op in (_CHUNK, _MEDIA):
            for edge in self.tables.edges_of.get((event.node, event.port), ()):
                if self.edges_off >> edge & 1 or not self.tracked[edge]:
                    continue
                if self.tables.turn_edge[edge] and self.turn_state != ACTIVE:
                    self.tracked[edge] = False  # an item of no turn: it vanishes without a word
                    self.held[edge].clear()
                    self.held_bytes[edge] = 0
                    continue
                if (edge, seq) in self.consumed:
                    self.came[edge] += 1
                    continue
                guard = self.tables.guards[edge]
                if guard and not self._passes(guard, event):
                    continue
                size = len(event.payload)
                if not self.held[edge]:
                    self.held_since[edge] = self.now
                self.held[edge].append((seq, size))
                if self.tables.together[edge]:
                    self.media[seq] = event.media_ns
                self.held_bytes[edge] += size
                self.offered[edge] += 1
                self.came[edge] += 1
        elif op == _CONTROL:
            self._control(event)
        elif op == _USAGE:
            used(self.plan, self.spent, event)
        elif op == _DONE:
            call = self.calls.get(event.invocation)
            if call is not None and call.node == event.node:
                self._excuse(event.node)

    def _passes(self, guard: tuple[Check, ...], event: Inbound) -> bool:
        serial = self.turn.serial if self.turn_state == ACTIVE else 0
        return passes(guard, event, self.mode, serial, self.turn.origin)

    def _excuse(self, node: int) -> None:
        self.excused.add(node)
        if 0 <= node < len(self.plan.nodes):
            self.hazy.update(edge for edge in self.plan.nodes[node].edges_in if self.held[edge])

    def _control(self, event: Inbound) -> None:
        active = self.turn_state == ACTIVE
        code = event.port
        if code == Control.LEASE_REVOKED:
            self.revoked = True
            if active:
                self.turn.ends.add(AUTHORITY)
        elif code in (Control.CANCEL_TURN, Control.CANCEL_SESSION):
            self.leaving = self.leaving or code == Control.CANCEL_SESSION
            if active:
                self.turn.ends.add(CANCELLED)
        elif code == Control.CONNECTED:
            self.basis, self.interval_ns = event.a, event.b
        elif code == Control.HANDOFF and event.b:
            self.blank_epochs.add(event.a)
        elif code == Control.ENDED:
            self.leaving = True
            if active:
                self.turn.ends.add(DISCONNECT)
        elif code == Control.EVIDENCE_APPENDED and event.a == self.turn.serial and active and self.turn.asked_ns >= 0:
            self.turn.appended = True
        elif code == Control.EVIDENCE_FAILED and event.a == self.turn.serial and active and self.turn.asked_ns >= 0:
            self.turn.ends.add(ERROR)

    # ---- outputs, one by one

    def decide(self, output: Output) -> None:
        """A decision has its effect on the book."""
        _, t, seq, node, _, turn, _, code, cause, x, y, _ = output
        book = self.turn
        if code == 12:  # DROP_NOTICE
            self._dropped(node, x, y, cause, output[6])
        elif code == 1:
            self.proposed(t, x, y)
        elif code == 2:
            self.turn_state = ACTIVE
            self.accepted_turns += 1
            self.opened += 1
            for of_a_turn in [one for one in self.selected if self.plan.nodes[one].scope == TURN]:
                del self.selected[of_a_turn]
            self.turn = TurnBook(turn, self.input_end_ns, t, seq, self.origin, is_apology=self.apologises_for > 0)
            self.failed = 0
            self.mode, self.edges_off = self.entered, self.plan.modes[self.entered].edges_off
        elif code == 3 or code == 4:
            self.turn_state = TERMINAL
            if code == 4:
                self.open_records.add(turn)
                self.failed = 0 if book.is_apology or cause not in FAILURES else turn
        elif code == 5:
            self._closed(turn)
            for spent in self.spent:
                spent.turn_closed(seq)
        elif code == 10:
            self.mode = x
            self.edges_off = self.plan.modes[x].edges_off
        elif code == 17 and x in self.stale:
            self.stale.remove(x)
        elif code == 15 and cause == 14 and self.turn_state == OPENING:
            self.doubtful = True
        elif code in OPENING_ENDS and self.turn_state == OPENING and cause in OF_AN_OPENING:
            self.turn_state = IDLE
        elif code == 14:
            self.epoch = x
            self.epochs_offered = {epoch for epoch in self.epochs_offered if epoch > x}
            if self.turn_state == ACTIVE:
                book.ends.add(AUTHORITY)
        elif code == 9 and x and node >= 0 and y >= 0:
            self.spent[self.plan.nodes[node].meter].reached_seq = seq
        elif code == 9 and y < 0:
            book.budgets.add(y)
            if self.turn_state == ACTIVE and not ((y == -1 or y < -3) and self.tables.budget_reacts):
                book.ends.add(BUDGET)
        elif code == 20:
            self.running = False
            if self.turn_state == ACTIVE:
                book.ends.add(DISCONNECT)
        elif code == 19:
            self.running = True
        elif code == 21:
            self.ended = True
        elif code == 22:
            book.output = True
        elif code == 23:
            book.playback = 1
        elif code == 24 or code == 25:
            book.playback = 2
            book.paused_ns = -1 if code == 24 else book.paused_ns
        elif code == 60:
            book.pauses_at(t, x, by_time=not output[4])
        elif code == 61:
            book.goes_on(t, x)
        elif code == 62:
            self._pending(node, t, seq, x)
        elif code == 26 and y == 1:
            book.refused += 1
            self.departed -= 1
        elif code == 27:
            self.xoff |= 1 << node
        elif code == 28:
            self.xoff &= ~(1 << node)
        elif code == 55:
            self.entered = x
            if self.turn_state != ACTIVE:
                self.mode, self.edges_off = x, self.plan.modes[x].edges_off
        elif code == 29:
            self.heard = turn
        elif code == 50:
            self.selected[node] = x
        elif code == 40:
            self.above ^= 1 << node
        elif code == 90 or code == 92:
            self.migrates(x, begins=code == 90)
        elif code == 6:
            self.heard = 0
            if self.tables.barge_in_cancels:
                book.ends.add(CANCELLED)

    def _dropped(self, edge: int, first: int, last: int, cause: int, into: int) -> None:
        flushed = cause in (Cause.CANCEL_FLUSH, Cause.COALESCED)  # both are not counted as dropped
        self.thinned[edge] += cause == Cause.SAMPLED
        if not self.tracked[edge]:
            self.dropped[edge] += 0 if flushed else 1
            return
        kept: deque[tuple[int, int]] = deque()
        count = gone = 0
        for item in self.held[edge]:
            if first <= item[0] <= last:
                count += 1
                gone += item[1]
            else:
                kept.append(item)
        if cause == Cause.COALESCED and into < first:  # what came later was added to the end of what waited
            kept = deque((seq, size + gone if seq == into else size) for seq, size in kept)
        else:
            self.held_bytes[edge] -= gone
        self.held[edge] = kept
        if not flushed:
            self.dropped[edge] += count

    def _closed(self, turn: int) -> None:
        self.turn_state = CLOSED
        self.mode, self.edges_off = self.entered, self.plan.modes[self.entered].edges_off
        self.closing.add(turn)
        self.heard = 0
        tables = self.tables
        for edge in tables.turn_edges:
            # of a turn that paused, what was taken back on its way out goes without a word: it was never sent
            if tables.egress_edge[edge] and self.tracked[edge] and not self.turn.pauses:
                self.departed += len(self.held[edge])
            self.held[edge].clear()
            self.held_bytes[edge] = 0
            self.went_on[edge].clear()  # the fence may have refused one copy, while another was in time

    def request(self, output: Output) -> None:
        """Any output that is no decision has its effect on the book."""
        op, t, seq, node, port, turn, invocation, _, _, x, y, payload = output
        for one in self.watching:
            one.request(output)
        if op in (FEED, SEND, TAP):
            self._moved(op, t, seq, node, port, invocation, x, y, payload)
        elif op == INVOKE:
            tables = self.tables
            self.calls[invocation] = Call(node, invocation, turn, tables.first_ns[node], tables.chunk_ns[node], y)
            if not y:
                self.given[node] = {}
            self.stopping.discard(node)
            self.last_call = invocation
            self.invocations += 1
            began(self.plan, self.spent, node, y, seq)
        elif op == FINISH:
            self.calls[invocation].finished = True
            self.calls[invocation].untaken = 0
        elif op == CANCEL:
            self.stopping.discard(node)
            self.calls.pop(invocation, None)
            self.gone[invocation] = node
            self.grace[node] = (invocation, x)
            self.early.discard(node)
            self._excuse(node)
        elif op == FORCE:
            if t < self.grace.get(node, (0, t))[1]:
                self.early.add(node)
            if self.grace.get(node, (0, 0))[0] == invocation:
                del self.grace[node]
        elif op == APPEND:
            self.open_records.discard(turn)
            if self.turn_state == ACTIVE and turn == self.turn.serial:
                self.turn.asked_ns = t
                self.turn.paused_ns = -1
        elif op == FLUSH:
            self._forgotten(turn, t)
        elif op == RESUME:
            full_ns = self.blocked.get(node, -1)
            if full_ns < t or (full_ns == t and node not in self.unsure):
                self.blocked.pop(node, None)
                self.unsure.discard(node)
            for call in self.calls.values():
                if call.node == node and call.blocked:
                    call.blocked = False
                    if call.answered_ns >= 0:
                        call.answered_ns = t

    def _moved(self, op: int, t: int, seq: int, node: int, port: int, invocation: int, x: int, y: int, payload: bytes
               ) -> None:  # fmt: skip
        call = self.calls[invocation] if op == FEED and (node, port) not in self.called.answers else None
        if call is not None:
            again = call.attempts > 0 and seq in self.given.get(node, ())
            self._fed(call, t, seq)
            if again:
                return
        edge = self.edge_of(node, port, seq)
        if edge >= 0 and self.tracked[edge]:
            held = self.held[edge]
            while held and held[0][0] <= seq:
                self.held_bytes[edge] -= held.popleft()[1]
            self.hazy.discard(edge)
            self.held_since[edge] = self.now  # at the latest, for those that are left
        if edge >= 0:
            self.last_seq_out[edge] = max(seq, self.last_seq_out[edge])
        if op == SEND and (node, port) in self.tables.audio_out:
            end = x + len(payload) * SECOND_NS // self.plan.audio_bytes_per_second
            self.cursor_ns = end
            self.turn.sends(x, end, y, self.plan.ledger_max if self.basis else 0)
            self.turn.frames.append(seq)
            self.turn.comes_again(seq)
        elif op == SEND:
            self.turn.text = True

    def _pending(self, node: int, t: int, seq: int, deadline: int) -> None:
        """A soft cancel is asked for, of a node or of the turn."""
        if node >= 0:
            self.stopping.add(node)
            return
        turn = self.turn
        turn.stopping_ns, turn.asked_to_stop = deadline, (t, seq)
        heard = [words for end, words in turn.audio if end <= t]
        sure = self.undrained_ns >= t  # else frames that nobody has drained may have been heard
        until = (heard[-1] if heard else 0) + 1 if sure else 1 << 60
        begins = self.basis and turn.playback == 0 and (turn.audio or not sure)
        turn.words_until = until if turn.playback == 1 or begins else -1

    def _fed(self, call: Call, t: int, seq: int) -> None:
        call.untaken += 1
        call.fed += 1
        given = self.given.setdefault(call.node, {})
        call.last_fed = given.setdefault(seq, len(given))
        if call.first_fed_ns < 0:
            call.first_fed_ns = t
        if call.answered_ns >= 0:
            call.answered_ns = max(call.answered_ns, t)

    def taps_lost(self) -> None:
        """Telemetry was full: what taps were to be shown may have been dropped, as it may be, without a word."""
        self.hazy.update(edge for edge in self.tables.tap_edges if self.held[edge])

    def _forgotten(self, turn: int, t: int) -> None:
        """The transport forgets what is not played: it is not heard, or it comes again."""
        book = self.turn
        if turn != book.serial:
            return
        book.takes_back(t)
        self.cursor_ns, book.flushed_ns = min(self.cursor_ns, t), t

    def take_out(self, edge: int, seq: int) -> bool:
        """Removes one waiting item, wherever it stands; returns whether it was there."""
        for item in self.held[edge]:
            if item[0] == seq:
                self.held[edge].remove(item)
                self.held_bytes[edge] -= item[1]
                return True
        return False

    def edge_of(self, node: int, port: int, seq: int) -> int:
        """The edge by which an item came, or -1 if that cannot be told."""
        edges = self.tables.edges_into.get((node, port), ())
        if len(edges) == 1:
            return edges[0]
        unknown = []
        for edge in edges:
            if not self.tracked[edge]:
                unknown.append(edge)
            elif any(item[0] == seq for item in self.held[edge]):
                return edge
        return unknown[0] if len(unknown) == 1 else -1

    def settle_opening(self) -> None:
        """A complete step has decided: what was refused while Opening was the turn itself."""
        if self.turn_state == OPENING and self.doubtful:
            self.turn_state = IDLE

    def ends_of_calls(self, ends: Sequence[Inbound]) -> None:
        """Invocations whose end was taken by a complete step are over."""
        for event in ends:
            node, grace = event.node, self.grace.get(event.node)
            if grace is not None and grace[0] == event.invocation:
                del self.grace[node]
            call = self.calls.get(event.invocation)
            if call is not None and call.node == node:
                del self.calls[event.invocation]
                self.gone[event.invocation] = node
