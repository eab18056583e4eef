"""One conversation on one kernel, or on two that must agree; every call is put down and every answer checked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from rspp_runtime.abi.codes import In, Op, Signal
from rspp_runtime.abi.messages import Emission, Handler, Inbound, Item, Output, Session
from rspp_runtime.abi.plan import Plan
from rspp_runtime.simulation import calls, flows, letters, reports, turns
from rspp_runtime.simulation.book import Book
from rspp_runtime.simulation.checks import WHEN, StepCheck
from rspp_runtime.simulation.invariants import ROOMS
from rspp_runtime.simulation.legal import legal
from rspp_runtime.simulation.pages import ACTIVE, DECISION, TAP
from rspp_runtime.simulation.show import difference, show_input
from rspp_runtime.simulation.tables import Tables
from rspp_runtime.simulation.violation import Violation

INGEST, ADVANCE, DRAIN, CRASH, REBUILD = range(5)
Action = tuple[int, int, Inbound | int | None]
"""What the world did: (kind, now, the input, or of a crash the new epoch)."""

Opener = Callable[[str, int, Sequence[Handler | None]], list[Session]]
"""Opens the session on every kernel under test; the first one is the one that is checked, the others must agree."""

SPINS_MAX = 10_000  # steps without progress of time that are still no endless loop
_ITEMS = frozenset((int(Op.FEED), int(Op.SEND), int(Op.TAP)))
_DONE = int(In.DONE)
_DECISION_CHECKS = {code: tuple(c for room in ROOMS for c in room.decisions.get(code, ())) for code in map(int, Signal)}
_REQUEST_CHECKS = {op: tuple(c for room in ROOMS for c in room.requests.get(op, ())) for op in map(int, Op)}
_STEP_CHECKS = {when: tuple(c for room in ROOMS for c in room.steps.get(when, ())) for when in WHEN}
_FEW_CHECKS: dict[tuple[bool, ...], tuple[StepCheck, ...]] = {
    facts: tuple(c for when, holds in zip(WHEN, (True, *facts), strict=True) if holds for c in _STEP_CHECKS[when])
    for facts in itertools.product((False, True), repeat=len(WHEN) - 1)
}
"""Those that can find something, by the facts of `WHEN`."""


class Machine:
    """Offers `ingest`, `advance`, `drain`, `crash`; raises `Violation` at the first promise that is not kept."""

    def __init__(self, plan: Plan, tables: Tables, opener: Opener, seed: int, session_id: str = "simulated") -> None:
        self.plan, self.tables, self.opener, self.seed, self.session_id = plan, tables, opener, seed, session_id
        self.trace: list[Action] = []
        self.seen: list[Callable[[Book, Output], None]] = []  # who watches outputs: coverage, a picture
        self.now = 0
        self._began = 0  # of the present session, in the trace
        self._rebuilding = False
        self.past_turns = 0  # accepted in sessions that crashed
        self.past_invocations = self.past_data_events = 0
        self.telemetry_max = max(1, plan.telemetry_out_max)
        self.legal = legal(plan)
        self.python = bool(tables.handlers)
        self._open(1)

    def _sessions(self, epoch: int) -> list[Session]:
        sessions = self.opener(self.session_id, epoch, ())
        for index, session in enumerate(sessions):
            if self.python:
                session.close()
                handlers = [self._handler(n, counted=index == 0) for n in range(len(self.tables.handlers))]
                sessions[index] = self.opener(self.session_id, epoch, handlers)[index]
        return sessions

    def _open(self, epoch: int) -> None:
        self._began, self._first_epoch = len(self.trace), epoch
        self._take(self._sessions(epoch))
        self.book = Book(self.plan, self.tables, self.session_id, epoch)
        self.book.legal = self.legal
        self.book.now = self.now
        self._undrained = self._unknown = False
        self._consumed: list[tuple[int, int, int]] = []  # by Python nodes, since the last drain
        self._ends: list[Inbound] = []  # ends of invocations that no complete step has taken yet
        self._counted = 0  # runtime sequences that inputs, decisions and Python nodes took since the last drain

    @property
    def accepted_turns(self) -> int:
        return self.past_turns + self.book.accepted_turns

    # ---- the calls

    def ingest(self, event: Inbound) -> int:
        now, book = self.now, self.book
        self.trace.append((INGEST, now, event))
        before = 0
        if self._unknown:  # a step that is not drained yet may have taken sequences: ask once
            self._unknown = False
            before = self.session.stats()["runtime_sequence"]
        result = self.session.ingest(event, now)
        for other in self.others:
            answer = other.ingest(event, now)
            if answer != result:
                raise self._apart(f"ingest {show_input(event)}", [result], [answer])
        book.complete = False
        book.now = now
        calls.answer_is_right(book, event, result)
        calls.nothing_is_taken_twice(book, event, result)
        calls.credit_sets_its_deadline_anew(book, event)
        reports.a_report_is_believed_if_it_can_be_true(book, event, result, undrained=self._undrained)
        if book.lost.given:
            book.lost.credited(event, undrained=self._undrained)
        if before:
            book.known.append((len(book.unplaced), before))
        book.ingested(event, result, self._undrained)
        return result

    def advance(self) -> int:
        now, book = self.now, self.book
        self.trace.append((ADVANCE, now, None))
        deadline = self.session.advance(now)
        for other in self.others:
            answer = other.advance(now)
            if answer != deadline:
                raise self._apart("advance", [deadline], [answer])
        book.now = now
        book.deadline = deadline
        book.complete = deadline != now
        if not self._undrained:
            self._undrained, book.undrained_ns = True, now
        self._unknown = True
        if -1 < deadline < now:
            raise Violation("the_next_deadline_is_not_past", f"advance at {now} answered {deadline}")
        return deadline

    def drain(self) -> list[Output]:
        now, book = self.now, self.book
        self.trace.append((DRAIN, now, None))
        outputs = self.session.drain()
        for other in self.others:
            answer = other.drain()
            if answer != outputs:
                raise self._apart("drain", outputs, answer)
        if outputs:
            calls.lanes_in_order(book, outputs)
            calls.decisions_count_up(book, outputs)
            book.dropped_before[:] = book.dropped
        self._read(outputs)
        is_full = len(outputs) >= self.telemetry_max and outputs[-self.telemetry_max][0] >= TAP
        if is_full:
            book.taps_lost()
        if book.lost.ways:
            letters.a_failure_is_shown(book, is_full=is_full)
        self._settle()
        if book.closing:
            turns.every_turn_is_recorded(book)
            flows.refused_outputs_are_recorded(book)
            book.closing.clear()
        if book.complete:
            book.settle_opening()
            book.waiting = waiting = [edge for edge, held in enumerate(book.held) if held]
            for check in _FEW_CHECKS[book.turn_state == ACTIVE, bool(book.calls), bool(waiting)]:
                wrong = check(book)
                if wrong:
                    raise Violation(check.__name__, wrong)
            book.excused.clear()
        return outputs

    def crash(self, epoch: int) -> None:
        """The process dies; another opens the session at a higher epoch (CONTRACTS §13, F8)."""
        self.trace.append((CRASH, self.now, epoch))
        self.past_turns += self.book.accepted_turns
        self.past_invocations += self.book.invocations
        self.past_data_events += self.book.data_events
        self.close()
        self._open(epoch)

    def rebuild(self) -> None:
        """The process dies; another one builds the session from what was recorded (F8)."""
        self._rebuilding = True
        built = self._sessions(self._first_epoch)
        for index, session in enumerate(built):
            for kind, now, what in self.trace[self._began :]:
                if kind == INGEST:
                    assert isinstance(what, Inbound)
                    session.ingest(what, now)
                elif kind == ADVANCE:
                    session.advance(now)
                elif kind == DRAIN:
                    session.drain()
            before, after = self.sessions[index].stats(), session.stats()
            if after != before:
                raise Violation("a_log_builds_the_session", f"{before}, and then {after}")
        self._rebuilding = False
        self.trace.append((REBUILD, self.now, None))
        self.close()
        self._take(built)

    def _take(self, sessions: list[Session]) -> None:
        self.sessions, self.session, self.others = sessions, sessions[0], sessions[1:]

    def close(self) -> None:
        for session in self.sessions:
            session.close()

    # ---- how outputs are read

    def _read(self, outputs: Sequence[Output]) -> None:
        book, seen = self.book, self.seen
        for node, port, item_seq in self._consumed:
            flows.consumed(book, node, port, item_seq)
        self._consumed.clear()
        placed = book.place(outputs)
        at, count = 0, len(placed)
        kinds = decisions = 0
        for output in outputs:
            op, seq = output[0], output[2]
            if op < 20:
                while at < count and placed[at][0] <= seq:
                    book.take(*placed[at])
                    at += 1
            elif at < count:
                while at < count:
                    book.take(*placed[at])
                    at += 1
            is_decision = op == DECISION
            for check in _DECISION_CHECKS.get(output[7], ()) if is_decision else _REQUEST_CHECKS.get(op, ()):
                wrong = check(book, output)
                if wrong:
                    raise Violation(check.__name__, wrong)
            for watch in seen:
                watch(book, output)
            if is_decision:
                kinds = 1
                decisions += 1
                book.decide(output)
            else:
                kinds = 1 if op not in _ITEMS else kinds
                book.request(output)
        while at < count:
            book.take(*placed[at])
            at += 1
        book.known.clear()
        book.consumed.clear()
        self._ends += [event for _, event in placed if event.op == _DONE]
        if book.complete and self._ends:
            book.ends_of_calls(self._ends)
            self._ends.clear()
        self._counted = (
            count
            + sum(one.op == In.MEDIA and one.port in self.tables.twice_ports for _, one in placed)
            + decisions
            + book.emitted
        )
        book.unplaced.clear()
        book.outputs_kind = kinds

    def _settle(self) -> None:
        """Brings the book's sequence up to the kernel's. Pure movement makes no number, so it is not asked for."""
        book = self.book
        self._undrained = self._unknown = False
        if not (book.outputs_kind or book.entries or self.python or self.tables.joins or not book.complete):
            book.seq += self._counted
            book.refusals = book.opened = 0
            book.stale.clear()
            return
        seq = self.session.stats()["runtime_sequence"]
        calls.sequence_is_gapless(book, seq, self._counted)
        book.seq = seq
        book.emitted = book.entries = book.refusals = book.opened = 0
        book.stale.clear()

    # ---- Python nodes

    def _handler(self, index: int, *, counted: bool) -> Handler:
        """Plays a Python node: what it answers depends on the item and the seed alone; now and then it is wrong."""
        node = self.plan.nodes[self.tables.handlers[index]]
        ports, most, seed = node.outputs, node.emissions_max, self.seed

        def handler(item: Item) -> Sequence[Emission] | None:
            counts = counted and not self._rebuilding
            if counts:
                self._consumed.append((node.id, item.port, item.seq))
            mood = (item.seq * 2_654_435_761 + seed * 40_503 + index) >> 7 & 255
            if mood < 3 and counts and node.letters:
                self.book.lost.refused.append((node.id, item.seq))
            if mood == 0:
                return None
            if mood == 1:
                return [Emission(0, b"")] * (most + 1)
            if mood == 2:
                return [Emission(len(ports), b"")]
            emissions = []
            for n in range(min(most, 2 if mood < 40 else 1)):
                port = (mood + n) % len(ports) if mood < 128 else 0
                payload = item.payload[: ports[port].item_bytes_max]
                emissions.append(Emission(port, payload, item.flags, min(item.a, len(payload)), item.b))
            if counts:
                self.book.emitted += len(emissions)
            return emissions

        return handler

    # ---- disagreement

    def _apart(self, what: str, one: Sequence[object], other: Sequence[object]) -> Violation:
        return Violation("both_kernels_agree", f"{what}: {difference(one, other)}")
