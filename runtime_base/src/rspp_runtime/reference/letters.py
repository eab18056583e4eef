"""Dead letters: what a node could not work on, for whoever watches (`docs/kernel.md`, Dead letters)."""

from __future__ import annotations

from rspp_runtime.abi.codes import Cause, Flag, Op
from rspp_runtime.abi.messages import Output
from rspp_runtime.reference.state import NodeState, Parcel, State


def keep(node: NodeState, port: int, parcel: Parcel, *, anew: bool) -> None:
    """The node is given an item; with `anew`, it begins with it. Only the newest are kept."""
    if not node.plan.letters:
        return
    if anew:
        node.letters.clear()
    elif len(node.letters) == node.plan.letters:
        node.letters.popleft()
    node.letters.append((port, parcel))


def done(node: NodeState, count: int) -> None:
    """A node that answers for each item is done with so many of them, the oldest first."""
    for _ in range(min(count, len(node.letters))):
        node.letters.popleft()


def show(s: State, identity: int, tap: int, cause: Cause) -> None:
    """A node failed: what it was working on goes to a tap, unless that is off or the telemetry outputs are full."""
    if s.node_off(tap):
        return
    for port, parcel in s.nodes[identity].letters:
        if len(s.telemetry_out) < s.plan.telemetry_out_max:
            s.telemetry_out.append(
                Output(
                    Op.DEAD_LETTER, s.now, parcel.seq, tap, port, parcel.turn, 0, identity, cause,
                    parcel.media_ns, parcel.flags & ~Flag.DISCONTINUITY, parcel.payload,
                )
            )  # fmt: skip
