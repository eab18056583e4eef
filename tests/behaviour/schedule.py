"""Random but plausible drivers, run on two kernels at once.

A schedule is a function of its seed. It behaves as a driver would (starts what it is asked to start, credits what it
takes, answers what is asked), and now and then as one should not: wrong ports, late chunks, stale epochs, oversized
items, no drain for a long time. Every answer of both kernels is compared at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from moving import Moving
from party import Party
from reached import Coverage, show

from rspp_runtime.abi import Control, Emission, Handler, In, Inbound, Item, Op, Plan, Result, Session, Unit
from rspp_runtime.abi.codes import Flag, text_id
from rspp_runtime.abi.plan import EFFECT, Node

MS = 1_000_000
WORDS = ("yes", "no", "maybe", "the", "Grüße", "answer", "is", "forty-two.", "Why?", "because", "so", "it", "goes.")


class Disagreement(AssertionError):  # noqa: N818 - what a reader looks for
    """The kernels gave different answers."""


@dataclass
class Running:
    """An invocation as the driver knows it."""

    node: int
    id: int
    texts: int = 0  # bytes fed
    words: int = 0
    untaken: int = 0
    finished: bool = False
    emitted: bool = False


def handlers(seed: int) -> list[Handler]:
    """Deterministic Python nodes: what they return depends on the item alone. Mostly right, sometimes wrong."""

    def gate(item: Item) -> Sequence[Emission] | None:
        mood = (item.seq * 7 + seed) % 40
        if mood == 0:
            return None
        if mood == 1:
            return [Emission(0, item.payload)] * 3  # more than it may
        if mood < 6:
            return []
        return [Emission(0, item.payload, item.flags, item.a, item.b)] * (2 if mood < 10 else 1)

    def shout(item: Item) -> Sequence[Emission] | None:
        mood = (item.seq * 11 + seed) % 60
        text = item.payload
        if mood == 0:
            return None
        if mood == 1:
            return [Emission(7, text)]
        if mood == 2:
            return [Emission(1, b"x" * 81)]
        out = Emission(0, text[:200], item.flags, item.a, item.b)
        extra = Emission(1, text[:40], 0, 0, 1)
        return ([out], [out, extra], [extra], [extra, extra], ())[mood % 5]

    return [gate, shout]


class Driver:
    """One schedule on one or two sessions."""

    def __init__(self, seed: int, plan: Plan, sessions: Sequence[Session], coverage: Coverage | None = None) -> None:
        self.rng = random.Random(seed)
        self.plan, self.sessions = plan, sessions
        self.coverage = coverage or Coverage()
        self.now, self.epoch, self.deadline = 0, 1, -1
        self.running: dict[int, Running] = {}
        self.gone: list[Running] = []
        self.asked: list[int] = []
        self.history: list[str] = []
        self.effects = [node for node in plan.nodes if node.execution == EFFECT]
        named = {event.name for event in plan.events if event.node == plan.ingress}
        buttons = {"ingress.button_down": Control.BUTTON_DOWN, "ingress.button_up": Control.BUTTON_UP}
        self.pressed = [code for name, code in {**buttons, "ingress.dtmf": Control.DTMF}.items() if name in named]
        rng = self.rng
        self.key_ports = [
            index
            for index, port in enumerate(plan.nodes[plan.ingress].outputs if plan.ingress >= 0 else ())
            if port.type == "event"
        ]
        self.p_drain = rng.choice((1.0, 0.9, 0.6, 0.15))
        self.p_credit = rng.choice((1.0, 0.9, 0.5))
        self.p_failure = rng.choice((0.02, 0.1, 0.4))
        self.p_early = rng.choice((0.0, 0.0, 0.05, 0.3))  # failures before the first output
        self.p_mischief = rng.choice((0.0, 0.02, 0.15))
        self.p_trouble = rng.choice((0.0, 0.002, 0.02))  # leases, snapshots, disconnects
        self.p_keyless, self.keys = rng.choice((1.0, 0.5, 0.1)), 0
        self.p_mute = rng.choice((0.01, 0.01, 0.4))  # texts without a word
        self.p_usage, self.p_evidence = rng.choice((0.1, 0.3, 0.6)), rng.choice((1.0, 1.0, 0.7))
        self.p_event = rng.choice((0.02, 0.06, 0.15))
        self.burst, self.pace = rng.choice((1, 4, 16)), rng.choice((1, 5, 20, 60)) * MS
        self.party, self.moving = Party(seed, plan), Moving(seed)

    # ---- the three calls, on every kernel

    def each(self, what: str, call: Callable[[Session], Any]) -> Any:
        answers = [call(session) for session in self.sessions]
        shown = "; ".join(map(show, answers[0])) if isinstance(answers[0], list) else repr(answers[0])
        self.history.append(f"{self.now / MS:10.3f} {what} = {shown}")
        for answer in answers[1:]:
            if answer != answers[0]:
                raise Disagreement(self.report(what, answers))
        return answers[0]

    def report(self, what: str, answers: list[Any]) -> str:
        lines = [*self.history[-60:-1], f"{self.now / MS:10.3f} {what}, and here they differ:"]
        if isinstance(answers[0], list):
            for index in range(max(map(len, answers))):
                rows = [show(answer[index]) if index < len(answer) else "nothing" for answer in answers]
                if len(set(rows)) == 1:
                    lines.append(f"  {index:3} both   {rows[0]}")
                else:
                    lines += [f"  {index:3} {name:6} {row}" for name, row in zip(("one", "other"), rows, strict=True)]
        else:
            lines += [f"  {answer!r}" for answer in answers]
        return "\n".join(lines)

    def ingest(self, op: int, **fields: Any) -> int:
        fields.setdefault("epoch", self.epoch)
        event = Inbound(op, **fields)
        shown = {key: value if not isinstance(value, bytes) else f"{len(value)}B" for key, value in fields.items()}
        result = self.each(
            f"ingest {In(op).name if op in In._value2member_map_ else op} {shown}",
            lambda session: session.ingest(event, self.now),
        )
        self.coverage.results[f"{op}:{Result(result).name}"] += 1
        return result

    def advance(self) -> None:
        self.deadline = self.each("advance", lambda session: session.advance(self.now))

    def drain(self) -> None:
        outputs = self.each("drain", lambda session: session.drain())
        for output in outputs:
            self.coverage.see(output)
            self.perform(output)

    def stats(self) -> None:
        self.each("stats", lambda session: session.stats())

    # ---- what a driver does with outputs

    def perform(self, output: Any) -> None:
        if output.op == Op.INVOKE:
            self.running[output.invocation] = Running(output.node, output.invocation)
        elif output.op == Op.FEED and output.invocation in self.running:
            invocation = self.running[output.invocation]
            invocation.texts += len(output.payload)
            invocation.words += len(output.payload.split())
            invocation.untaken += 1
        elif output.op == Op.FINISH and output.invocation in self.running:
            self.running[output.invocation].finished = True
        elif output.op == Op.FORCE:
            self.running.pop(output.invocation, None)
        elif output.op == Op.CANCEL and output.invocation in self.running:
            self.gone.append(self.running[output.invocation])
            if self.rng.random() < 0.8:
                self.done(self.running.pop(output.invocation), 5)
        elif output.op == Op.APPEND:
            self.asked.append(output.turn)
        elif self.party.hears(output):
            self.report_playback()

    # ---- what happens

    def run(self, steps: int) -> None:
        self.moving.begins(self)
        if self.rng.random() < 0.97:
            self.connect()
            self.advance()
        for _ in range(steps):
            self.step()
        self.now += 30_000 * MS
        for _ in range(6):
            self.drain()
            self.advance()
        self.drain()
        self.stats()

    def step(self) -> None:
        rng = self.rng
        if rng.random() < self.p_trouble:
            self.trouble()
        elif rng.random() < self.p_mischief:
            self.mischief()
        else:
            self.ordinary()
        if rng.random() < 0.85:
            self.advance()
        if rng.random() < self.p_drain:
            self.drain()
        if rng.random() < 0.5:
            self.wait()
        if rng.random() < 0.02:
            self.stats()

    def wait(self) -> None:
        rng = self.rng
        choice = rng.random()
        if choice < 0.25 and self.deadline > self.now and self.deadline - self.now < 3_000 * MS:
            self.now = self.deadline - (1 if rng.random() < 0.1 else 0)
        elif choice < 0.97:
            self.now += rng.randrange(self.pace + 1)
        else:
            self.now += rng.randrange(2_500) * MS
        self.advance()

    def ordinary(self) -> None:
        rng = self.rng
        if self.asked and rng.random() < 0.3:
            turn = self.asked.pop(0)
            good = rng.random() < 0.93
            if rng.random() < self.p_evidence:
                self.control(Control.EVIDENCE_APPENDED if good else Control.EVIDENCE_FAILED, a=turn)
            return
        if self.party.is_to_report():
            self.report_playback()
        if self.pressed and rng.random() < 0.03:
            self.control(rng.choice(self.pressed))
            return
        choice = rng.random()
        if self.key_ports and rng.random() < 0.15:
            self.press()
        elif choice < 0.25:
            self.audio()
        elif choice < 0.27:
            self.text()
        elif choice < 0.272:
            names = ("acme", "eu", "gold", "")
            self.control(Control.ATTRIBUTE, a=rng.randrange(-1, 9), b=text_id(rng.choice(names)))
        elif choice < 0.28:
            self.control(rng.choice((Control.END_UTTERANCE, Control.END_UTTERANCE, Control.CANCEL_TURN)))
        elif self.running:
            self.invocation(rng.choice(list(self.running.values())))
        else:
            self.audio()

    def audio(self) -> None:
        node = self.plan.nodes[self.plan.ingress]
        size = node.outputs[0].item_bytes_max
        if self.rng.random() < 0.1:
            size = self.rng.randrange(size + 1)
        self.ingest(
            In.MEDIA, node=node.id, port=0, media_ns=self.now, payload=bytes(size), flags=self.rng.randrange(4),
            **self.key(),
        )  # fmt: skip

    def key(self) -> dict[str, int]:
        """No idempotency key, the next one, or one that was sent before."""
        choice = self.rng.random()
        if choice < self.p_keyless:
            return {}
        self.keys += choice < 0.9
        return {"invocation": self.keys - self.rng.choice((0, 0, 1, 5, 130)) * (choice >= 0.9) or 1}

    def press(self) -> None:
        """A key, or a button."""
        port = self.rng.choice((*self.key_ports, self.key_ports[0], self.key_ports[0]))
        key = self.rng.choice((b"1", b"2", b"3", b"#", b"12", b""))
        self.ingest(
            In.MEDIA, node=self.plan.ingress, port=port, payload=key, a=key[0] if key else 0, **self.key()
        )  # fmt: skip

    def words(self, most: int) -> tuple[bytes, int, int]:
        """A text, where its last sentence ends, how many words it has."""
        words = [self.rng.choice(WORDS) for _ in range(self.rng.choice((1, 1, 2, 3, 8, 30)))]
        text = (" ".join(words) + " ").encode()
        end = max(text.rfind(b"."), text.rfind(b"?")) + 1
        if len(text) > most and self.rng.random() < 0.98:
            text = text[:most]
            end = min(end, most)
        if self.rng.random() < self.p_mute:
            return (b"", 0, 0) if self.rng.random() < 0.3 else (b" ", 0, 0)
        return text, end, len(words)

    def text(self) -> None:
        node = self.plan.nodes[self.plan.ingress]
        text, end, words = self.words(node.outputs[1].item_bytes_max)
        self.ingest(In.MEDIA, node=node.id, port=1, payload=text, a=end, b=words, **self.key())

    def control(self, code: int, **fields: Any) -> None:
        self.ingest(In.CONTROL, port=int(code), **fields)

    def invocation(self, invocation: Running) -> None:
        rng, node = self.rng, self.plan.nodes[invocation.node]
        if invocation.untaken and rng.random() < self.p_credit:
            taken = rng.randrange(1, invocation.untaken + 1)
            invocation.untaken -= taken
            self.ingest(In.CREDIT, node=node.id, invocation=invocation.id, a=taken)
            return
        if node.meter >= 0 and rng.random() < self.p_usage:
            self.usage(invocation, node)
            return
        if not invocation.emitted and rng.random() < self.p_early:
            self.done(self.running.pop(invocation.id), rng.choice((1, 2, 3, 4, 5)))
            return
        ends = 0.3 if invocation.finished else 0.03
        if rng.random() < ends:
            failed = rng.random() < self.p_failure
            self.done(self.running.pop(invocation.id), rng.choice((1, 2, 3, 4, 5)) if failed else 0)
            return
        for _ in range(rng.choice((1, 1, 2, self.burst))):
            self.chunk(invocation, node)

    def usage(self, invocation: Running, node: Node) -> None:
        """It is about to take or to give something that is counted, now and then more than is left."""
        rng = self.rng
        unit = rng.choice((Unit.AUDIO_NS, Unit.CHARS, Unit.TOKENS_IN, Unit.TOKENS_OUT))
        most = 900 * MS if unit == Unit.AUDIO_NS else 90
        amount = rng.randrange(most) if rng.random() < 0.98 else rng.choice((0, 2**32, 20 * most))
        self.ingest(In.USAGE, node=node.id, port=int(unit), invocation=invocation.id, a=amount)

    def done(self, invocation: Running, outcome: int) -> None:
        may_try_again = self.rng.randrange(2)
        result = self.ingest(
            In.DONE, node=invocation.node, invocation=invocation.id, a=outcome, b=may_try_again
        )  # fmt: skip
        if result == Result.FULL:
            self.running[invocation.id] = invocation

    def chunk(self, invocation: Running, node: Node, **fields: Any) -> None:
        rng = self.rng
        invocation.emitted = True
        events = [port for port in range(len(node.outputs)) if node.outputs[port].type == "event"]
        data = [port for port in range(len(node.outputs)) if node.outputs[port].type != "event"]
        if events and (rng.random() < self.p_event):
            port = rng.choice(events[:2] if rng.random() < 0.98 else events)
        else:
            port = rng.choice(data)
        kind, most = node.outputs[port].type, node.outputs[port].item_bytes_max
        values: dict[str, Any] = {"node": node.id, "port": port, "invocation": invocation.id, "flags": rng.randrange(2)}
        if kind == "call":
            values["payload"], values["a"] = bytes(rng.randrange(most + 1)), rng.randrange(99)
        elif kind == "text":
            values["payload"], values["a"], values["b"] = self.words(most)
            values["flags"] |= rng.choice((0, 0, Flag.FAILED)) if node.tool else 0
        elif kind == "audio":
            values["payload"] = bytes(most if rng.random() < 0.8 else rng.randrange(most + 1))
            values["media_ns"] = rng.randrange(1000) * MS
            share = rng.random()
            values["a"] = int(invocation.texts * share) + (rng.randrange(50) if rng.random() < 0.1 else 0)
            values["b"] = int(invocation.words * share)
        self.ingest(In.CHUNK, **(values | fields))

    def trouble(self) -> None:
        """What happens to a session from outside."""
        rng = self.rng
        choice = rng.randrange(11)
        if choice == 0:
            if rng.random() < 0.3:
                self.control(rng.choice((Control.ENDED, Control.CANCEL_SESSION)))
            else:
                self.control(Control.DISCONNECTED)
        elif choice == 1:
            self.connect()
        elif choice == 2:
            offered = self.epoch + rng.choice((0, 1, 1, 2))
            self.ingest(In.CONTROL, port=Control.LEASE_ROTATED, a=offered, epoch=rng.choice((self.epoch, 0, offered)))
            self.advance()
            self.epoch = max(self.epoch, offered)
        elif choice == 3:
            if rng.random() < 0.2:
                self.control(Control.LEASE_REVOKED)
        elif choice in (4, 5):
            self.control(Control.SNAPSHOT, a=rng.choice((0, 0, 0, 1, 2, 3)))
        elif choice == 6:
            self.control(Control.BINDING, a=rng.randrange(len(self.plan.nodes)), b=rng.choice((0, 1, 1)))
        elif choice == 7:
            self.control(Control.CANCEL_NODE, a=rng.randrange(-1, len(self.plan.nodes) + 1))
        elif choice == 8:
            self.control(Control.DISCONNECTED)
            if self.party.rng.random() < 0.9:
                self.advance()
            self.connect()
        elif choice == 9:
            self.hand_over()
        else:
            for _ in range(rng.randrange(1, 30)):
                self.audio()

    def hand_over(self) -> None:
        """Another process goes on, and perhaps yet another, before or after a step; then its transport connects."""
        rng = self.rng
        self.moving.leaves(self)
        for _ in range(rng.choice((1, 1, 1, 2))):
            offered = self.epoch + rng.choice((0, 1, 1, 2))
            self.ingest(In.CONTROL, port=Control.HANDOFF, a=offered, b=rng.choice((0, 0, 1)), epoch=offered)
            if rng.random() < 0.7:
                self.advance()
            self.epoch = max(self.epoch, offered)
        if rng.random() < 0.8:
            self.connect()

    def connect(self) -> None:
        self.control(Control.CONNECTED, **self.party.says_what_it_will_tell())

    def report_playback(self) -> None:
        self.control(Control.PLAYED, **self.party.has_played(self.now))

    def mischief(self) -> None:
        """What a driver should not do."""
        rng = self.rng
        choice = rng.randrange(10)
        node = rng.choice(self.plan.nodes)
        if choice == 0:
            self.ingest(In.MEDIA, node=rng.choice((node.id, -1, 99)), port=rng.randrange(-1, 4), payload=b"x")
        elif choice == 1:
            self.ingest(In.MEDIA, node=self.plan.ingress, port=rng.randrange(2), payload=bytes(5000))
        elif choice == 2:
            effect = rng.choice(self.effects)
            late = rng.choice(self.gone) if self.gone and rng.random() < 0.7 else Running(effect.id, rng.randrange(99))
            self.chunk(late, self.plan.nodes[late.node])
        elif choice == 3 and self.running:
            invocation = rng.choice(list(self.running.values()))
            self.chunk(invocation, self.plan.nodes[invocation.node], payload=bytes(3000))
        elif choice == 4:
            self.ingest(
                rng.choice((In.MEDIA, In.CHUNK, In.CONTROL, In.DONE, In.CREDIT, 77)),
                node=node.id,
                port=rng.randrange(16),
                epoch=self.epoch + rng.choice((-1, 1, 5)),
            )
        elif choice == 5:
            self.ingest(In.CONTROL, port=rng.choice((0, 15, -3, 2**40, Control.SEEN, Control.PLAYED)), a=self.keys + 1)
        elif choice == 6:
            self.ingest(
                In.DONE, node=rng.choice((node.id, -5, 2**33)), invocation=rng.randrange(60), a=rng.randrange(6)
            )
        elif choice == 7:
            self.ingest(In.CREDIT, node=node.id, invocation=rng.randrange(60), a=rng.choice((1, 0, 5)))
        elif choice == 8:
            amount = rng.choice((1, 0, -1, 2**32, 2**32 + 1))
            where, unit = rng.choice((node.id, -1, 2**33)), rng.randrange(-1, 9)
            self.ingest(In.USAGE, node=where, port=unit, invocation=rng.randrange(60), a=amount)
        else:
            self.ingest(In.CHUNK, node=rng.choice((node.id, -1, 2**40)), port=rng.randrange(-1, 9), invocation=1)
