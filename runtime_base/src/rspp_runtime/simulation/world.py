"""The world around one session, in virtual time: a person, a transport, providers, an evidence store, leases.

It is a driver too: it calls the machine, performs what comes out, and keeps the clock. Everything that happens waits
in one heap; a case is a function of its seed.
"""

from __future__ import annotations

from heapq import heappop, heappush
from random import Random
from typing import Any

from rspp_runtime.abi.codes import Control, In
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.simulation import spending
from rspp_runtime.simulation.listeners import REPORT, Listener
from rspp_runtime.simulation.machine import SPINS_MAX, Machine
from rspp_runtime.simulation.misfortunes import Misfortunes
from rspp_runtime.simulation.people import LAST, MS, SPEECH, Part, Speech, Work, parts
from rspp_runtime.simulation.tables import Tables
from rspp_runtime.simulation.tally import Tally
from rspp_runtime.simulation.violation import Violation
from rspp_runtime.simulation.workloads import WORKLOADS, Workload

PUMP, USER, FRAMES, CONTROL, TROUBLE, EVIDENCE = range(6)
MEDIA, CHUNK, DONE, CREDIT, CONTROLS = (int(k) for k in (In.MEDIA, In.CHUNK, In.DONE, In.CREDIT, In.CONTROL))
USAGE = int(In.USAGE)
ACTIONS_MAX = 120  # things that the person does in one case
BURST = 40  # frames of 20 ms
KEYS = (b"1", b"2", b"3", b"#")


class World:
    """One case: `run` plays it to its end."""

    def __init__(self, plan: Plan, tables: Tables, machine: Machine, seed: int, faults: tuple[str, ...], tally: Tally
                 ) -> None:  # fmt: skip
        self.plan, self.tables, self.machine, self.tally = plan, tables, machine, tally
        self.rng = rng = Random(seed)
        self.workload: Workload = rng.choice(WORKLOADS)
        self.listener = Listener(plan, seed)
        self.speech = Speech(rng, self.workload.words, plan.audio_bytes_per_second)
        self.parts: dict[int, Part] = parts(plan)
        self.misfortunes = Misfortunes(self, faults)
        self.now, self.epoch = 0, 1
        self.heap: list[tuple[int, int, int, Any]] = []
        self.count = 0
        self.works: dict[int, Work] = {}
        self.owed: list[Inbound] = []  # ends of invocations that found no room: offered again
        self.deadline = -1
        self.over = self.ending = False
        self.actions = 0
        self.user_token = 0
        self.again = False
        self.answered = False
        self.faulted = self.interrupted = False
        self.marks = (0, 0)  # data events and invocations at the last close
        self.outcome = ""
        self.undrained_until = self.held_until = 0
        self.held_node = -1  # of which provider the credits are held, -1 of all
        self.evidence_fault = ""
        self.crash_at_append = self.is_on_the_brink = False
        self.with_keys = rng.random() < 0.5  # whether the transport has idempotency keys
        self.keys = 0
        ingress = plan.nodes[plan.ingress].outputs if plan.ingress >= 0 else ()
        self.audio_port = next((i for i, port in enumerate(ingress) if port.type == "audio"), -1)
        size = min(ingress[self.audio_port].item_bytes_max, 640) if self.audio_port >= 0 else 0
        self.frames = tuple(bytes([mark]) + bytes(max(0, size - 1)) for mark in (0, SPEECH, LAST))

    # ---- the case

    def run(self) -> None:
        rng = self.rng
        self.control(Control.CONNECTED)
        self.step()
        self.next_user(rng.randrange(0, 300) * MS)
        heap = self.heap
        while heap and not self.over:
            due, deadline = heap[0][0], self.deadline
            if -1 < deadline < due:
                self.now = max(self.now, deadline)
            else:
                self.now = max(self.now, due)
                limit = self.now + MS  # what falls within a millisecond is one scheduling window
                while heap and heap[0][0] <= limit:
                    _, _, kind, what = heappop(heap)
                    self.happen(kind, what)
            self.step()
        self.finish()

    def finish(self) -> None:
        """Silence until everything has ended; where it never does by itself, the person hangs up."""
        self.ending = True
        self.step()
        if self.tables.repeats:
            self.epoch = max(self.epoch, self.machine.book.epoch)  # whoever still had to learn of it has by now
            self.control(Control.ENDED)
            self.step()
        for _ in range(SPINS_MAX):
            if self.deadline < 0:
                break
            self.now = max(self.now, self.deadline)
            self.step()
        if self.machine.book.turn_state == 2:
            raise Violation("every_turn_ends_in_time", "a turn is still active after everything has ended")

    def at(self, ns: int, kind: int, what: Any) -> None:
        """`ns` from now."""
        self.count += 1
        heappush(self.heap, (self.now + ns, self.count, kind, what))

    def happen(self, kind: int, what: Any) -> None:
        if kind == PUMP:
            self.pump(what)
        elif kind == FRAMES:
            self.send_frames(*what)
        elif kind == USER:
            if what == self.user_token:
                self.act()
        elif kind == CONTROL:
            self.control(*what)
        elif kind == REPORT:
            self.listener.report(self)
        elif kind == TROUBLE:
            self.misfortunes.strike(what)
        else:
            self.offer(Inbound(CONTROLS, -1, what[0], 0, self.epoch, a=what[1]))

    # ---- the driver

    def step(self) -> None:
        machine = self.machine
        machine.now = self.now
        for _ in range(SPINS_MAX):
            self.again = False
            if self.owed:
                owed, self.owed = self.owed, []
                for event in owed:
                    self.offer(event)
            deadline = machine.advance()
            if deadline != self.now and self._drains_later():
                break
            self.perform(machine.drain())
            if deadline != self.now and not self.again:
                break
            if deadline == machine.now and self.is_on_the_brink:
                self.misfortunes.push()
        else:
            raise Violation("a_step_ends", f"{SPINS_MAX} steps at {self.now} ns, and there is more to do")
        self.deadline = deadline

    def _drains_later(self) -> bool:
        drains = self.workload.drains
        if self.ending:
            return False
        return self.now < self.undrained_until or (drains < 1 and self.rng.random() > drains)

    def offer(self, event: Inbound) -> int:
        result = self.machine.ingest(event)
        if result == 1 and event.op in (DONE, CONTROLS):
            self.owed.append(event)
        return result

    def control(self, code: int, a: int = 0, b: int = 0) -> None:
        if code == Control.CONNECTED:
            a, b = self.listener.basis, self.listener.interval_ns
        self.offer(Inbound(CONTROLS, -1, int(code), 0, self.epoch, a=a, b=b))

    def perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            op = output[0]
            if op == 22:
                work = self.works.get(output[6])
                if work is not None and (output[3], output[4]) in self.machine.book.called.answers:
                    work.waits = False
                    self.schedule(work, MS)
                elif work is not None:
                    self.fed(work, output[11])
            elif op == 1:
                self.decided(output)
            elif op == 24 and (output[3], output[4]) in self.tables.audio_out and self.listener.hears(output):
                self.at(0, REPORT, None)
            elif op == 20:
                self.begin(output)
            elif op == 23:
                work = self.works.get(output[6])
                if work is not None:
                    work.finished = True
                    if self.parts[work.node].node.kind == "stt":
                        self.speech.transcript(self.parts[work.node], work)
                    self.schedule(work, MS)
            elif op == 6:
                for work in list(self.works.values()):
                    if work.node == output[3] and work.blocked:
                        work.blocked = False
                        self.schedule(work, MS)
            elif op == 2 or op == 3:
                self.cancelled(output)
            elif op == 5:
                self.append(output[5])
            elif op == 4:
                self.listener.stops(self.now)

    def decided(self, output: Output) -> None:
        code = output[7]
        if code == 5:
            self.closed()
        elif code == 3 or code == 4:
            self.outcome = "commit" if code == 3 else "abort"
            self.interrupted = self.interrupted or output[8] == 1
        elif code == 6 or code == 7:
            self.interrupted = True
        elif code == 21:
            self.over = True
        elif code == 23 and self.rng.random() < self.workload.interrupts:
            self.next_user(self.rng.randrange(100, 1_500) * MS)

    def closed(self) -> None:
        book = self.machine.book
        data, calls = self.marks
        self.tally.turn(
            book.data_events - data, book.invocations - calls, self.faulted, self.interrupted, self.outcome,
        )  # fmt: skip
        self.marks = (book.data_events, book.invocations)
        self.faulted = self.interrupted = False
        if self.machine.accepted_turns >= self.workload.turns:
            self.over = True
        self.next_user(self.rng.randint(*self.workload.pause) * MS)

    def append(self, turn: int) -> None:
        if self.crash_at_append:
            self.crash_at_append = False
            self.at(0, TROUBLE, "crash")
            return
        fault, self.evidence_fault = self.evidence_fault, ""
        if fault == "evidence_silent":
            return
        code = Control.EVIDENCE_FAILED if fault else Control.EVIDENCE_APPENDED
        self.at(self.rng.randrange(1, 20) * MS, EVIDENCE, (int(code), turn))

    # ---- providers

    def begin(self, output: Output) -> None:
        work = Work(output[3], output[6], self.epoch)
        self.works[work.id] = work
        work.fault = self.misfortunes.of_call(work.node)

    def fed(self, work: Work, payload: bytes) -> None:
        part = self.parts[work.node]
        kind = part.node.kind
        if kind == "vad" or kind == "stt":
            self.speech.heard(part, work, payload)
        elif kind == "llm":
            if not work.fed_bytes:
                self.speech.answer(part, work)
        elif kind == "tts":
            self.speech.voice(part, work, payload)
        elif kind == "tool":
            self.speech.tool(part, work)
        else:
            self.speech.other(part, work)
        work.fed_bytes += len(payload)
        work.fed_words += len(payload.split()) if kind != "vad" and kind != "stt" else 0
        work.untaken += 1
        work.untaken_bytes += len(payload)
        if kind != "vad" and kind != "stt":
            self.schedule(work, self.rng.randint(*self.workload.takes) * MS)
        elif not work.scheduled:  # at once, or within the window in which the next frame comes
            work.scheduled = True
            self.at(MS if self.now >> 20 & 3 == 0 else 19 * MS + MS // 2, PUMP, work)

    def schedule(self, work: Work, ns: int) -> None:
        if not work.scheduled:
            work.scheduled = True
            self.at(ns, PUMP, work)

    def pump(self, work: Work) -> None:
        """The provider takes what it was fed, says what is due, and ends when all is said."""
        work.scheduled = False
        if work.over:
            return
        if work.untaken:
            held = self.held_until - self.now
            if held > MS and self.held_node in (-1, work.node):  # less is within this window, which would never end
                self.schedule(work, held)
                return
            if self.uses(work, work.untaken_bytes, gives=False):
                self.machine.ingest(Inbound(CREDIT, work.node, 0, work.id, work.epoch, 0, 0, 0, work.untaken))
            else:
                work.finished = True  # it gets no more
            work.untaken = work.untaken_bytes = 0
        if work.waits:
            return
        queue, fault = work.queue, work.fault
        if fault and self.misfortunes.hinders(work):
            return
        epoch = self.epoch
        budget = 10_000 if fault == "flood" else 4
        while queue and not work.blocked and budget:
            gap, port, payload, a, b = queue[0]
            if gap > 3 * MS:
                queue[0] = (0, port, payload, a, b)
                self.schedule(work, gap)
                return
            budget -= gap > 0
            if work.counted < work.said + 1:
                if not self.uses(work, len(payload), gives=True):
                    queue.clear()
                    return
                work.counted = work.said + 1
            result = self.machine.ingest(Inbound(CHUNK, work.node, port, work.id, epoch, 0, 0, 0, a, b, payload))
            if result == 1:
                work.blocked = True
                return
            queue.popleft()
            work.said += 1
            if result == 0 and port in self.parts[work.node].calls and self.rng.random() < 0.9:
                work.waits = True
                return
        if queue:
            self.schedule(work, 2 * MS * 4)
        elif work.finished:
            self.end(work, 0)

    def burst(self, work: Work) -> None:
        """Much audio at once, as long as it is taken."""
        part = self.parts[work.node]
        port = next((port for port in part.data if part.node.outputs[port].type == "audio"), -1)
        for _ in range(BURST if port >= 0 and not work.blocked else 0):
            if not self.uses(work, len(self.frames[1]), gives=True):
                return
            chunk = Inbound(CHUNK, work.node, port, work.id, self.epoch, payload=self.frames[1])
            if self.machine.ingest(chunk) == 1:
                work.blocked = True
                return

    def uses(self, work: Work, size: int, *, gives: bool) -> bool:
        """Tells what the provider is about to use; False if it may not."""
        node = self.plan.nodes[work.node]
        if node.meter < 0:
            return True
        found = spending.stamps(self.plan, node, size, gives=gives)
        return all(
            self.machine.ingest(Inbound(USAGE, work.node, int(unit), work.id, self.epoch, a=much)) == 0
            for unit, much in found
        )

    def end(self, work: Work, outcome: int) -> None:
        work.over = True
        self.works.pop(work.id, None)
        self.offer(Inbound(DONE, work.node, 0, work.id, self.epoch, a=outcome))

    def cancelled(self, output: Output) -> None:
        work = self.works.get(output[6])
        if work is None:
            return
        if output[0] == 3:
            work.over = True
            del self.works[work.id]
        elif (tool := self.plan.nodes[work.node].tool) is not None and tool.soft:
            work.waits = False  # it runs to its end, whatever becomes of what it says
        elif work.fault != "late":
            work.queue.clear()
            self.end(work, 5)
            self.again = True
        else:
            work.finished = False  # it does not listen: what it still says is late, until it is forced

    # ---- the person

    def next_user(self, ns: int) -> None:
        self.user_token += 1
        self.at(ns, USER, self.user_token)

    def act(self) -> None:
        """Says something, types, or presses a button; then waits for an answer, or does not."""
        rng, style = self.rng, self.workload
        self.actions += 1
        if self.actions > ACTIONS_MAX:
            self.over = True
            return
        self.misfortunes.draw()
        chance = rng.random()
        if chance < style.stops:
            self.control(Control.CANCEL_TURN)
        elif chance < style.stops + style.typed or self.audio_port < 0:
            self.type()
        else:
            frames = rng.randint(*style.frames)
            by_button = rng.random() < style.push_to_talk or self.plan.turn_owner < 0
            self.at(0, FRAMES, (frames, by_button, self.misfortunes.of_frames()))
            if rng.random() < style.goes_on:
                self.next_user((frames * 20 + rng.randrange(50, 900)) * MS)
                return
        self.next_user(rng.randrange(9_000, 15_000) * MS)

    def type(self) -> None:
        port = self.tables.text_port
        if self.tables.key_ports and self.rng.random() < 0.7:
            self.press()
            return
        if port < 0:
            self.control(Control.END_UTTERANCE)
            return
        most = self.plan.nodes[self.plan.ingress].outputs[port].item_bytes_max
        text, a, b = self.speech.text(most, self.rng.randint(1, 9))
        self.offer(Inbound(MEDIA, self.plan.ingress, port, 0, self.epoch, a=a, b=b, payload=text))

    def press(self) -> None:
        """A few keys, or a button."""
        port = self.rng.choice(self.tables.key_ports)
        for _ in range(self.rng.randint(1, 5)):
            key = self.rng.choice(KEYS)
            self.keys += 1
            named = self.keys if self.with_keys else 0
            event = Inbound(MEDIA, self.plan.ingress, port, named, self.epoch, a=key[0], payload=key)
            self.offer(event)
            if self.rng.random() < 0.1:  # the transport sends it twice
                self.offer(event)

    def send_frames(self, left: int, by_button: bool, fault: str) -> None:
        """The transport delivers a few frames of an utterance, and comes again for the rest."""
        rng, now = self.rng, self.now
        count = min(left, rng.randint(1, self.workload.burst) if fault != "frames_flood" else 40)
        for n in range(count):
            mark = LAST if left - n == 1 else SPEECH
            if fault == "frames_lost" and rng.random() < 0.3:
                continue
            if fault == "frames_swapped" and left - n == 3:
                mark = LAST  # the end overtakes what was said before it
            self.keys += 1
            key = self.keys if self.with_keys else 0
            event = Inbound(
                MEDIA, self.plan.ingress, self.audio_port, key, self.epoch, 0, now, 0, 0, 0, self.frames[mark]
            )
            self.machine.ingest(event)
            if fault == "frames_twice":
                self.machine.ingest(event)
        left -= count
        if left > 0:
            self.at(count * 20 * MS, FRAMES, (left, by_button, fault))
        elif by_button:
            self.control(Control.END_UTTERANCE)
