"""What differs between a log and its replay, by the classes of CONTRACTS §8."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rspp_runtime.abi.codes import Cause, Op, Signal
from rspp_runtime.abi.plan import Plan
from rspp_runtime.evidence.entries import End, Out

MS_NS = 1_000_000
_AUTHORITY = frozenset({Signal.STALE_EPOCH_REJECT, Signal.DEAUTHORIZED_DRAIN, Signal.LEASE_ROTATED}) | frozenset(
    {Signal.MIGRATION_START, Signal.SESSION_HANDOFF, Signal.MIGRATION_FINISH}
)


class Divergence(enum.StrEnum):
    """Classes of CONTRACTS §8."""

    PLAN = "PLAN_DIVERGENCE"
    OUTCOME = "OUTCOME_DIVERGENCE"
    ORDERING = "ORDERING_DIVERGENCE"
    TIMING = "TIMING_DIVERGENCE"
    AUTHORITY = "AUTHORITY_DIVERGENCE"
    PROVIDER_CHOICE = "PROVIDER_CHOICE_DIVERGENCE"


@dataclass(frozen=True, slots=True)
class Difference:
    """`record` counts from 1 with the header, as the lines of the JSON form do; `t_ns` is session time."""

    kind: Divergence
    record: int
    t_ns: int
    recorded: str
    replayed: str
    diff_ms: float = 0.0  # for TIMING

    def __str__(self) -> str:
        late = f" by {self.diff_ms:g} ms" if self.kind is Divergence.TIMING else ""
        place = f"record {self.record}, at {self.t_ns / 1e9:.3f} s"
        return f"{self.kind}{late}: {place}\n  recorded  {self.recorded}\n  replayed  {self.replayed}"


# ---- comparing


class Same(enum.Enum):
    """How an output that was replayed compares with the one that was recorded."""

    NO = 0
    YES = 1
    BUT_FOR_WHAT_WAS_LEFT_OUT = 2  # where the bytes differ, the replay has the zeros of a payload that it was not given


def same(recorded: Out, got: Out, *, left_out: bool) -> Same:
    """`left_out`: some payload before it was not recorded. Without a recorded payload only headers are compared."""
    if recorded.payload is None or recorded == got:
        return Same.YES if recorded[:-1] == got[:-1] else Same.NO
    if not left_out or recorded[:-1] != got[:-1] or got.payload is None or len(got.payload) != len(recorded.payload):
        return Same.NO
    if any(new and old != new for old, new in zip(recorded.payload, got.payload, strict=True)):
        return Same.NO
    return Same.BUT_FOR_WHAT_WAS_LEFT_OUT


def compare(
    plan: Plan, recorded: list[Out], got: list[Out], record: int, *, left_out: bool
) -> tuple[Difference | None, int]:
    """Compares one step's outputs; `record` is the place of the first. At most one difference a step is described:
    what follows the first one in a step follows from it. And how many were the same but for what was left out."""
    but = 0
    for index in range(max(len(recorded), len(got))):
        old = recorded[index] if index < len(recorded) else None
        new = got[index] if index < len(got) else None
        if old is not None and new is not None and (how := same(old, new, left_out=left_out)) is not Same.NO:
            but += how is Same.BUT_FOR_WHAT_WAS_LEFT_OUT
            continue
        kind, diff_ms = _classify(recorded, got, old, new)
        t_ns = (old or new or got[0]).t_ns
        told = _told(plan, old, new)
        return Difference(kind, record + index, t_ns, told[0], told[1], diff_ms), but
    return None, but


def _classify(recorded: list[Out], got: list[Out], old: Out | None, new: Out | None) -> tuple[Divergence, float]:
    signals = {o.code for o in (old, new) if o is not None and o.op == Op.DECISION}
    if signals & _AUTHORITY:
        return Divergence.AUTHORITY, 0.0
    if old is None or new is None:
        return Divergence.OUTCOME, 0.0
    if signals == {Signal.TURN_OPEN} and old.payload != new.payload:
        return Divergence.PLAN, 0.0
    if Op.INVOKE in (old.op, new.op) and (old.op, old.node, old.x) != (new.op, new.node, new.x):
        return Divergence.PROVIDER_CHOICE, 0.0
    if sorted(map(_unordered, recorded)) == sorted(map(_unordered, got)):
        return Divergence.ORDERING, 0.0
    times = (old.t_ns - new.t_ns, old.x - new.x if old.op in (Op.SEND, Op.CANCEL, Op.FEED) else 0)
    if any(times) and same(old._replace(t_ns=new.t_ns, x=old.x - times[1]), new, left_out=False) is Same.YES:
        return Divergence.TIMING, max(map(abs, times)) / MS_NS
    return Divergence.OUTCOME, 0.0


def _unordered(out: Out) -> tuple[int, ...]:
    """All but the sequence number and the bytes."""
    return (*out[:2], *out[3:-1])


def compare_deadlines(recorded: int, replayed: int, record: int, now_ns: int) -> Difference | None:
    if recorded == replayed:
        return None
    told = f"next deadline {recorded} ns", f"next deadline {replayed} ns"
    if recorded < 0 or replayed < 0:
        return Difference(Divergence.OUTCOME, record, now_ns, *told)
    return Difference(Divergence.TIMING, record, now_ns, *told, abs(recorded - replayed) / MS_NS)


def compare_stats(row: End, stats: Mapping[str, int], record: int) -> Iterator[Difference]:
    """The size of the block belongs to the kernel, everything else to the session."""
    for name in sorted((row.stats.keys() | stats.keys()) - {"memory_bytes"}):
        if row.stats.get(name) != stats.get(name):
            told = f"{name} = {row.stats.get(name)}", f"{name} = {stats.get(name)}"
            yield Difference(Divergence.OUTCOME, record, row.now_ns, *told)


# ---- in words


def node_name(plan: Plan, node: int) -> str:
    return plan.nodes[node].name if 0 <= node < len(plan.nodes) else f"node {node}"


def _told(plan: Plan, old: Out | None, new: Out | None) -> tuple[str, str]:
    if old is None or new is None:
        return ("nothing" if old is None else describe(plan, old), "nothing" if new is None else describe(plan, new))
    changed = [
        name
        for name, before, after in zip(Out._fields, old, new, strict=True)
        if before != after and not (name == "payload" and old.payload is None)
    ]

    def tell(out: Out) -> str:
        values = []
        for name in changed:
            value = getattr(out, name)
            values.append(f"{name} = {value.hex()[:16] + '…' if isinstance(value, bytes) else value}")
        return f"{describe(plan, out)}  ({', '.join(values)})"

    return tell(old), tell(new)


def describe(plan: Plan, out: Out) -> str:
    """One output in a few words."""
    turn = f" turn {out.turn}" if out.turn else ""
    if out.op == Op.DECISION:
        cause = f" ({Cause(out.cause).name.lower()})" if out.cause else ""
        name = Signal(out.code).name.lower() if out.code in Signal._value2member_map_ else f"signal {out.code}"
        return f"{name}{cause}{turn}"
    name = Op(out.op).name if out.op in Op._value2member_map_ else f"op {out.op}"
    where = f" {node_name(plan, out.node)}" if out.node >= 0 else ""
    call = f" invocation {out.invocation}" if out.invocation else ""
    return f"{name}{where}{call}{turn}"
