"""What goes wrong in a case, and how: the faults of `faults`, one after another or together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rspp_runtime.abi.codes import Control, In
from rspp_runtime.abi.messages import Inbound
from rspp_runtime.simulation.faults import FAULTS, OF_CALLS, RARE
from rspp_runtime.simulation.people import MS, Work

if TYPE_CHECKING:
    from rspp_runtime.simulation.world import World

CHANCE = 0.45  # that something goes wrong around one thing that the person does
_TROUBLE, _CONTROL = 4, 3


class Misfortunes:
    """Draws them, and makes them happen."""

    def __init__(self, world: World, faults: tuple[str, ...]) -> None:
        self.world = world
        self.kinds = [(name, kind) for name in faults for kind in FAULTS[name][1]]
        self.armed: dict[int, tuple[str, str]] = {}  # node → (class, what its next invocation does)
        self.frames = ""
        self.jump_ns = 0

    def draw(self) -> None:
        """Perhaps arms one, or a combination of two or three, for the next seconds."""
        rng = self.world.rng
        if not self.kinds or rng.random() > CHANCE:
            return
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            name, kind = rng.choice(self.kinds)
            if rng.random() > RARE.get(kind, 1.0):
                continue
            if kind in OF_CALLS:
                tables = self.world.tables
                often = tables.turn_effects or tuple(node.id for node in tables.effects)
                node = rng.choice(often) if rng.random() < 0.7 else rng.choice(tables.effects).id
                self.armed[node] = name, kind
            elif kind.startswith("frames_"):
                self.frames = kind
                self._count(name, kind)
            else:
                self.world.at(rng.choice((0, rng.randrange(4_000) * MS)), _TROUBLE, kind)

    def of_call(self, node: int) -> str:
        """What the invocation that begins suffers from."""
        if not self.armed:
            return ""
        name, kind = self.armed.pop(node, ("", ""))
        if kind:
            self._count(name, kind)
        return kind

    def of_frames(self) -> str:
        """What the utterance that begins suffers from."""
        fault, self.frames = self.frames, ""
        return fault

    def _count(self, name: str, kind: str) -> None:
        self.world.tally.faults[name, kind] += 1
        self.world.faulted = True

    def hinders(self, work: Work) -> bool:
        """A call with a fault is about to speak; returns whether it is kept from it."""
        world, fault, rng = self.world, work.fault, self.world.rng
        if fault == "silent":
            return True
        if fault == "stalls":
            return work.said >= 2
        if fault == "fails_at_once" or (fault == "fails" and work.said >= 2):
            world.end(work, rng.choice((1, 2, 3, 4)))
            return True
        if fault == "slow":
            work.fault = ""
            limit = world.plan.nodes[work.node].first_output_ns or 300 * MS
            world.schedule(work, limit * rng.choice((9, 10, 15)) // 10)
            return True
        if fault == "rubbish":
            port = rng.choice((-1, 0, 99))
            world.machine.ingest(Inbound(int(In.CHUNK), work.node, port, work.id, world.epoch, payload=bytes(70_000)))
        elif fault == "drips" and work.queue:
            port = next((said[1] for said in work.queue if said[1] not in world.parts[work.node].calls), 0)
            work.fault = ""
            work.queue.clear()  # a sign of life now and then, and never a word
            work.queue.extend([(250 * MS, port, b"", 0, 0)] * 14)
        elif fault == "marks_lost" and len(work.queue) > 3:
            del work.queue[1]
        return False

    def strike(self, kind: str) -> None:
        """It happens now."""
        name = next(name for name, (_, kinds) in FAULTS.items() if kind in kinds)
        self._count(name, kind)
        getattr(self, f"_{kind}")()

    # ---- F1

    def _snapshot(self) -> None:
        rng = self.world.rng
        self.world.control(Control.SNAPSHOT, rng.randint(1, 3))
        self.world.at(rng.randrange(100, 3_000) * MS, _CONTROL, (int(Control.SNAPSHOT), 0, 0))

    def _binding(self) -> None:
        rng = self.world.rng
        node = rng.choice(self.world.tables.effects).id
        self.world.control(Control.BINDING, node, 0)
        self.world.at(rng.randrange(100, 3_000) * MS, _CONTROL, (int(Control.BINDING), node, 1))

    def _proposals(self) -> None:
        for _ in range(self.world.rng.randint(2, 20)):
            self.world.control(Control.END_UTTERANCE)

    def _control_flood(self) -> None:
        for _ in range(self.world.plan.control_in_max + 8):
            self.world.control(Control.SNAPSHOT, 0)

    def _text_flood(self) -> None:
        for _ in range(self.world.rng.randint(3, 30)):
            self.world.type()

    def _brink(self) -> None:
        """So many decisions wait that a step stops when it has proposed a turn: what comes then finds it Opening."""
        world = self.world
        for _ in range(world.plan.control_out_max - world.plan.control_step_max):
            world.machine.ingest(Inbound(int(In.CONTROL), -1, 99, 0, world.epoch))
        world.control(Control.END_UTTERANCE)
        world.is_on_the_brink = True

    def push(self) -> None:
        """The step has stopped: much happens before it goes on."""
        world, rng = self.world, self.world.rng
        world.is_on_the_brink = False
        gone = world.machine.book.gone
        if gone:
            late = rng.choice(tuple(gone))
            world.machine.ingest(Inbound(int(In.CHUNK), gone[late], 0, late, world.epoch))
        if world.audio_port >= 0:
            ingress, port = world.plan.ingress, world.audio_port
            frame = Inbound(int(In.MEDIA), ingress, port, 0, world.epoch, payload=world.frames[1])
            for _ in range(rng.choice((0, 2, 30))):
                world.machine.ingest(frame)
        if rng.random() < 0.2:
            self._burst()
        chance = rng.random()
        if chance < 0.3:
            for work in list(world.works.values())[:2]:
                world.end(work, rng.choice((1, 2, 4)))
        elif chance < 0.5:
            self._clock_jump()
        elif chance < 0.7:
            world.control(rng.choice((Control.CANCEL_SESSION, Control.ENDED, Control.DISCONNECTED)))
            world.at(50 * MS, _CONTROL, (int(Control.CONNECTED), 0, 0))
        elif chance < 0.8:
            world.control(Control.CANCEL_NODE, rng.choice(world.tables.effects).id)
        elif chance < 0.9:
            world.control(Control.DISCONNECTED)
            world.control(Control.CONNECTED)
        elif chance < 0.93 and ("F7", "revoke") in self.kinds:
            self._revoke()
        elif chance < 0.97 and ("F8", "hand_over") in self.kinds:
            self._hand_over()

    # ---- F2: of the evidence store

    def _evidence_fails(self) -> None:
        self.world.evidence_fault = "evidence_fails"

    def _evidence_silent(self) -> None:
        self.world.evidence_fault = "evidence_silent"

    # ---- F4

    def _burst(self) -> None:
        """A detector lets out at once what it has held back."""
        world = self.world
        ears = [work for work in world.works.values() if world.parts[work.node].node.kind == "vad"]
        if ears:
            world.burst(world.rng.choice(ears))

    def _credits_held(self) -> None:
        world, rng = self.world, self.world.rng
        world.held_until = world.now + rng.randrange(50, 1_500) * MS
        world.held_node = rng.choice((-1, rng.choice(world.tables.effects).id))

    def _undrained(self) -> None:
        self.world.undrained_until = self.world.now + self.world.rng.randrange(20, 800) * MS

    # ---- F6

    def _disconnect(self) -> None:
        self.world.control(Control.DISCONNECTED)
        self.world.at(self.world.rng.randrange(10, 3_000) * MS, _CONTROL, (int(Control.CONNECTED), 0, 0))

    def _flapping(self) -> None:
        for _ in range(self.world.rng.randint(1, 4)):
            self.world.control(Control.DISCONNECTED)
            self.world.control(Control.CONNECTED)

    def _hang_up(self) -> None:
        self.world.control(self.world.rng.choice((Control.ENDED, Control.CANCEL_SESSION)))

    def _clock_jump(self) -> None:
        self.world.now += self.world.rng.choice((30, 500, 2_500, 130_000)) * MS
        self.world.machine.now = self.world.now

    # ---- F7

    def _rotate(self) -> None:
        world = self.world
        new = world.epoch + world.rng.choice((1, 1, 2))
        world.offer(Inbound(int(In.CONTROL), -1, int(Control.LEASE_ROTATED), 0, world.epoch, a=new))
        if world.rng.random() < 0.7:
            world.epoch = new  # the driver knows at once; otherwise its next inputs are stale until it learns
        else:
            world.at(world.rng.randrange(5, 60) * MS, _TROUBLE, "learn_epoch")

    def _learn_epoch(self) -> None:
        self.world.epoch = max(self.world.epoch, self.world.machine.book.epoch)

    def _rotate_twice(self) -> None:
        self._rotate()
        self._rotate()

    def _stale_inputs(self) -> None:
        world = self.world
        stale = max(0, world.epoch - 1)
        machine, plan = world.machine, world.plan
        machine.ingest(Inbound(int(In.CONTROL), -1, int(Control.CANCEL_TURN), 0, stale))
        if world.audio_port >= 0:
            machine.ingest(Inbound(int(In.MEDIA), plan.ingress, world.audio_port, 0, stale, payload=world.frames[1]))
        for work in list(world.works.values())[:2]:
            machine.ingest(Inbound(int(In.CHUNK), work.node, 0, work.id, stale + 7, payload=b"stale"))

    def _revoke(self) -> None:
        self.world.control(Control.LEASE_REVOKED)
        self.world.at(self.world.rng.randrange(500, 4_000) * MS, _CONTROL, (int(Control.ENDED), 0, 0))

    def _ends_at_once(self) -> None:
        """Several reasons to end fall into one scheduling window, in any order; best while a turn is active."""
        world, rng = self.world, self.world.rng
        if world.machine.book.turn_state != 2 and rng.random() < 0.9:
            world.at(200 * MS, _TROUBLE, "ends_at_once")
            return
        ends = [Control.DISCONNECTED, Control.CANCEL_TURN, Control.LEASE_ROTATED]
        rng.shuffle(ends)
        for end in ends[: rng.choice((2, 2, 3))]:
            world.control(end, world.epoch + 1)
        world.at(MS, _TROUBLE, "learn_epoch")
        world.at(rng.randrange(50, 500) * MS, _CONTROL, (int(Control.CONNECTED), 0, 0))

    # ---- F8

    def _crash(self) -> None:
        """The process dies; another one goes on at a higher epoch, and what the first had asked for still answers."""
        world = self.world
        before, world.epoch = world.epoch, max(world.epoch, world.machine.book.epoch) + 1
        in_a_turn = world.machine.book.turn_state == 2
        world.machine.crash(world.epoch)
        if in_a_turn:
            world.tally.crashed += 1
        world.marks = (0, 0)
        world.interrupted = False
        for work in world.works.values():
            if work.queue and world.rng.random() < 0.7:
                _, port, payload, a, b = work.queue[0]
                world.machine.ingest(
                    Inbound(int(In.CHUNK), work.node, port, work.id, before, a=a, b=b, payload=payload)
                )
            work.over = True
        world.works.clear()
        world.owed.clear()
        for part in world.parts.values():
            part.speaking = False
        world.control(Control.CONNECTED)

    def _crash_at_append(self) -> None:
        self.world.crash_at_append = True

    def _hand_over(self) -> None:
        """The process dies; another one builds the session from the log and goes on, perhaps without its texts."""
        world, rng = self.world, self.world.rng
        before, world.epoch = world.epoch, max(world.epoch, world.machine.book.epoch) + rng.choice((1, 1, 3))
        world.machine.rebuild()
        if world.machine.book.turn_state == 2:
            world.tally.crashed += 1
        world.offer(
            Inbound(int(In.CONTROL), -1, int(Control.HANDOFF), 0, world.epoch, a=world.epoch, b=rng.randrange(2))
        )
        for work in world.works.values():
            if work.queue and rng.random() < 0.7:
                _, port, payload, a, b = work.queue[0]
                epoch = rng.choice((before, world.epoch))
                world.machine.ingest(Inbound(int(In.CHUNK), work.node, port, work.id, epoch, a=a, b=b, payload=payload))
            work.over = True
        world.works.clear()
        world.owed = [event for event in world.owed if event.op == int(In.CONTROL) and event.port == Control.HANDOFF]
        world.interrupted = False
        for part in world.parts.values():
            part.speaking = False
        if rng.random() < 0.5:
            world.control(Control.CONNECTED)
        else:
            world.at(rng.randrange(1, 900) * MS, _CONTROL, (int(Control.CONNECTED), 0, 0))

    def _hand_over_twice(self) -> None:
        """The new process dies, too, before or after it has said a word."""
        self._hand_over()
        self.world.at(self.world.rng.choice((0, 40)) * MS, _TROUBLE, "hand_over")
