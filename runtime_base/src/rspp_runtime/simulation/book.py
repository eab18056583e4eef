"""What can be known of a session from outside: its inputs, their answers, and its outputs; nothing else.

The invariants (`turns`, `flows`, `calls`) read this book and never the kernel. It is kept in the order of runtime
sequences, so that an input and a decision made in the same step stand in the order in which the kernel took them.
Times are ns, sizes bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from rspp_runtime.abi.codes import Cause, Control, In, Signal, Turn
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import TURN, Plan
from rspp_runtime.simulation.pages import Call, TurnBook
from rspp_runtime.simulation.tables import Tables

DECISION, CANCEL, FORCE, FLUSH, APPEND, RESUME = 1, 2, 3, 4, 5, 6
INVOKE, CONTEXT, FEED, FINISH, SEND, TAP, METRIC = 20, 21, 22, 23, 24, 40, 41
IDLE, OPENING, ACTIVE, TERMINAL, CLOSED = (int(state) for state in Turn)
SECOND_NS = 1_000_000_000
AUTHORITY, CANCELLED, BUDGET, ERROR, DISCONNECT = range(5)
"""Reasons to end a turn, the strongest first (CONTRACTS §5)."""

_MEDIA, _CHUNK, _DONE, _CREDIT, _CONTROL = (int(kind) for kind in (In.MEDIA, In.CHUNK, In.DONE, In.CREDIT, In.CONTROL))
_OPENING_ENDS = frozenset(
    int(s) for s in (Signal.REJECT, Signal.DEFER, Signal.STALE_EPOCH_REJECT, Signal.DEAUTHORIZED_DRAIN)
)
_OF_AN_OPENING = frozenset(
    int(c) for c in (Cause.SNAPSHOT_STALE, Cause.SNAPSHOT_MISSING, Cause.SNAPSHOT_INCOMPATIBLE,
                     Cause.PLAN_NOT_FREEZABLE, Cause.AUTHORITY_LOSS, Cause.AUTHORITY_EPOCH_MISMATCH)
)  # fmt: skip


class Book:
    """See the module. `ingested`, `advanced`, `drained` are called by the machine, in the order of the calls."""

    def __init__(self, plan: Plan, tables: Tables, session_id: str, epoch: int) -> None:
        self.plan, self.tables, self.session_id = plan, tables, session_id
        self.now = 0
        self.seq = 0  # the last runtime sequence that is accounted for
        self.epoch = epoch
        self.epochs_offered: set[int] = set()
        self.revoked = False
        self.mode = 0
        self.edges_off = 0
        self.turn_state = IDLE
        self.turn = TurnBook()
        self.accepted_turns = 0
        self.input_end_ns = 0
        self.doubtful = False  # SESSION_NOT_RUNNING while Opening: of that turn, or of another proposal
        self.running = False
        self.leaving = False  # hung up, or the session was cancelled
        self.ended = False
        self.calls: dict[int, Call] = {}
        self.gone: dict[int, int] = {}  # invocation → node, of all that were cancelled or ended
        self.uncounted: set[int] = set()  # invocations credited for items that were not drained yet
        self.grace: dict[int, tuple[int, int]] = {}  # node → (invocation, deadline)
        self.early: set[int] = set()  # nodes of which FORCE came before the grace was over
        self.last_call = 0
        edges = len(plan.edges)
        self.held: list[deque[tuple[int, int]]] = [deque() for _ in range(edges)]  # (seq, bytes), where it is known
        self.held_bytes = [0] * edges
        self.tracked = list(tables.tracked)
        self.last_seq_out = [0] * edges
        self.dropped = [0] * edges
        self.dropped_before = [0] * edges  # … when the drain began
        self.xoff = 0  # mask of edges
        self.blocked: dict[int, int] = {}  # nodes told FULL, and when last
        self.unsure: set[int] = set()  # nodes told FULL after a step whose RESUME may still wait to be drained
        self.excused: set[int] = set()  # nodes of which an invocation ended since the last drain
        # edges of which items may have been on their way to an invocation that ended: those vanish without a word
        self.hazy: set[int] = set()
        self.consumed: set[tuple[int, int]] = set()  # (edge, seq) that Python nodes took in the step that is read
        self.departed = 0  # items of a closed turn that must show up as refused at the fence
        self.closing: set[int] = set()  # turns that closed in this drain
        self.cursor_ns = 0  # when the next sample would play
        self.unplaced: list[Inbound] = []  # accepted since the last drain
        self.known: list[tuple[int, int]] = []  # (index in it, the runtime sequence before it)
        self.stale = 0  # of these under another epoch, whose decision has not come yet
        self.refusals = 0  # REFUSED answers since the last drain
        self.entries = 0  # inbox entries accepted since the last drain
        self.emitted = 0  # items that Python nodes made since the last drain
        self.complete = False  # the last advance had nothing more to do
        self.deadline = -1
        self.open_records: set[int] = set()  # turns that aborted, whose APPEND has not come yet
        self.data_events = 0
        self.invocations = 0
        self.undrained_ns = 0  # when the first step after the last drain was
        self.selected: dict[int, int] = {}  # select → edge that it chose
        self.heard = 0  # the turn of a HEARD that awaits its BARGE_IN
        self.outputs_kind = 0  # whether the last drain held anything but items

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
            self.stale += event.epoch != self.epoch
            return
        self.unplaced.append(event)
        if op == _CHUNK:
            call = self.calls.get(event.invocation)
            if call is not None:
                call.answered_ns = self.now
            if (event.node, event.port) in self.tables.event_ports:
                self.entries += 1
            else:
                self.data_events += 1
        elif op == _MEDIA:
            self.data_events += 1
            if event.port == self.tables.text_port:
                self.entries += 1
        elif op == _CREDIT:
            if undrained:
                self.uncounted.add(event.invocation)
            call = self.calls.get(event.invocation)
            if call is not None and call.node == event.node and not call.finished:
                call.untaken -= min(max(event.a, 0), call.untaken)
        else:
            self.entries += 1
            if op == _CONTROL and event.port == Control.LEASE_ROTATED:
                self.epochs_offered.add(event.a)

    def place(self, outputs: Sequence[Output]) -> list[tuple[int, Inbound]]:
        """The runtime sequence of each input accepted since the last drain: the numbers that no decision has."""
        taken = [o[2] for o in outputs if o[0] == DECISION and not (o[7] == 26 and o[10] == 1)]
        placed: list[tuple[int, Inbound]] = []
        p, i, n = self.seq, 0, len(taken)
        known = dict(self.known)
        for index, event in enumerate(self.unplaced):
            p = max(p, known.get(index, 0)) + 1
            while i < n and taken[i] <= p:
                if taken[i] == p:
                    p += 1
                i += 1
            placed.append((p, event))
        return placed

    # ---- an accepted input, at its place

    def take(self, seq: int, event: Inbound) -> None:
        """An accepted input has its effect on the book."""
        op = event.op
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
                    continue
                size = len(event.payload)
                self.held[edge].append((seq, size))
                self.held_bytes[edge] += size
        elif op == _CONTROL:
            self._control(event)
        elif op == _DONE:
            call = self.calls.get(event.invocation)
            if call is not None and call.node == event.node:
                self._excuse(event.node)

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
            self._dropped(node, x, y, cause)
        elif code == 1:
            self.turn_state = OPENING
            self.doubtful = False
            self.input_end_ns = t
        elif code == 2:
            self.turn_state = ACTIVE
            self.accepted_turns += 1
            self.turn = TurnBook(turn, self.input_end_ns, t, seq)
            for of_a_turn in [one for one in self.selected if self.plan.nodes[one].scope == TURN]:
                del self.selected[of_a_turn]
            self.mode = self.edges_off = 0
        elif code == 3 or code == 4:
            self.turn_state = TERMINAL
            if code == 4:
                self.open_records.add(turn)
        elif code == 5:
            self._closed(turn)
        elif code == 10:
            self.mode = x
            self.edges_off = self.plan.modes[x].edges_off
        elif code == 17 and self.stale:
            self.stale -= 1
        elif code == 15 and cause == 14 and self.turn_state == OPENING:
            self.doubtful = True
        elif code in _OPENING_ENDS and self.turn_state == OPENING and cause in _OF_AN_OPENING:
            self.turn_state = IDLE
        elif code == 14:
            self.epoch = x
            self.epochs_offered = {epoch for epoch in self.epochs_offered if epoch > x}
            if self.turn_state == ACTIVE:
                book.ends.add(AUTHORITY)
        elif code == 9 and y < 0:
            book.budgets.add(y)
            if self.turn_state == ACTIVE:
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
            book.paused_ns = t
            book.pauses += 1
        elif code == 61:
            book.paused_ns = -1
        elif code == 26 and y == 1:
            book.refused += 1
            self.departed -= 1
        elif code == 27:
            self.xoff |= 1 << node
        elif code == 28:
            self.xoff &= ~(1 << node)
        elif code == 29:
            self.heard = turn
        elif code == 50:
            self.selected[node] = x
        elif code == 6:
            self.heard = 0
            if self.tables.barge_in_cancels:
                book.ends.add(CANCELLED)

    def _dropped(self, edge: int, first: int, last: int, cause: int) -> None:
        flushed = cause == Cause.CANCEL_FLUSH
        if not self.tracked[edge]:
            self.dropped[edge] += 0 if flushed else 1
            return
        kept: deque[tuple[int, int]] = deque()
        count = 0
        for item in self.held[edge]:
            if first <= item[0] <= last:
                count += 1
                self.held_bytes[edge] -= item[1]
            else:
                kept.append(item)
        self.held[edge] = kept
        if not flushed:
            self.dropped[edge] += count

    def _closed(self, turn: int) -> None:
        self.turn_state = CLOSED
        self.mode = self.edges_off = 0
        self.closing.add(turn)
        self.heard = 0
        tables = self.tables
        for edge in tables.turn_edges:
            # of a turn that paused, what was taken back on its way out goes without a word: it was never sent
            if tables.egress_edge[edge] and self.tracked[edge] and not self.turn.pauses:
                self.departed += len(self.held[edge])
            self.held[edge].clear()
            self.held_bytes[edge] = 0

    def request(self, output: Output) -> None:
        """Any output that is no decision has its effect on the book."""
        op, t, seq, node, port, turn, invocation, _, _, x, y, payload = output
        if op in (FEED, SEND, TAP):
            self._moved(op, t, seq, node, port, invocation, x, y, payload)
        elif op == INVOKE:
            self.calls[invocation] = Call(node, invocation, turn)
            self.last_call = invocation
            self.invocations += 1
        elif op == FINISH:
            self.calls[invocation].finished = True
            self.calls[invocation].untaken = 0
        elif op == CANCEL:
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
        edge = self.edge_of(node, port, seq)
        if edge >= 0 and self.tracked[edge]:
            held = self.held[edge]
            while held and held[0][0] <= seq:
                self.held_bytes[edge] -= held.popleft()[1]
            self.hazy.discard(edge)
        if edge >= 0:
            self.last_seq_out[edge] = max(seq, self.last_seq_out[edge])
        if op == FEED:
            call = self.calls[invocation]
            call.untaken += 1
            call.fed += 1
            if call.first_fed_ns < 0:
                call.first_fed_ns = t
            if call.answered_ns >= 0:
                call.answered_ns = max(call.answered_ns, t)
        elif op == SEND and (node, port) in self.tables.audio_out:
            end = x + len(payload) * SECOND_NS // self.plan.audio_bytes_per_second
            self.cursor_ns = end
            self.turn.audio.append((end, y))
            self.turn.frames.append(seq)
            if self.turn.again and self.turn.again[0] == seq:
                self.turn.again.popleft()
        elif op == SEND:
            self.turn.text = True

    def _forgotten(self, turn: int, t: int) -> None:
        """The transport forgets what is not played: it is not heard, or it comes again."""
        book = self.turn
        if turn != book.serial:
            return
        while book.audio and book.audio[-1][0] > t:
            book.audio.pop()
            book.again.appendleft(book.frames.pop())
        self.cursor_ns = min(self.cursor_ns, t)

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
