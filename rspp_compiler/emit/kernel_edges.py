"""One edge as the compiled kernel prints it: what a push does, what it waits for, and who goes on with it."""

from __future__ import annotations

from collections.abc import Callable

from rspp_compiler.emit.kernel_guards import guard_lines
from rspp_compiler.emit.kernel_names import Names, duration
from rspp_compiler.emit.kernel_records import EdgeView, PathSet, Step
from rspp_compiler.ir import memory
from rspp_compiler.ir.budgets import PathBudget
from rspp_compiler.ir.layout import BOUNDARY, EFFECT, TURN, Edge, Plan


def _steps(edge: Edge) -> list[Step]:
    """What a push does before it finds out whether the item gets in."""
    found = [Step(edge.gather.rule, always=True)] if edge.gather else []
    for number, step in enumerate(edge.overflow):
        if step.strategy == "drop_newest":
            break
        if step.strategy == "coalesce" and not (edge.gather and number == 0):
            found.append(Step(step.rule, always=number == 0))
        elif step.strategy == "sample":
            found.append(Step("sample", always=number == 0, percent=step.keep_percent))
        elif step.strategy in ("drop_oldest", "latest_only") and (step.strategy, number) != ("latest_only", 0):
            found.append(Step(step.strategy))
    return found


def _together(edge: Edge) -> str:
    sync = edge.sync
    if sync is None or sync.policy != "atomic" or sync.peers.bit_count() == 1:
        return ""
    lowest = (sync.peers & -sync.peers).bit_length() - 1
    return f"move_together_{lowest}"


def _is_plain(edge: Edge) -> bool:
    """Whether a push to the empty edge only has to put the item on the ring."""
    return not (
        edge.flow != "signal"
        or edge.gather
        or edge.sync
        or edge.watermark
        or (edge.overflow and edge.overflow[0].strategy in ("sample", "coalesce"))
    )


def _is_sure(plan: Plan, edge: Edge) -> bool:
    """Whether a push always finds room: who pushes has seen to it, and of the latest only nothing else waits then."""
    source = plan.nodes[edge.source]
    replaces = bool(edge.overflow) and edge.overflow[0].strategy == "latest_only" and edge.items_max > 1
    return _is_plain(edge) and not edge.handoff and not replaces and (source.label >= 0 or source.join is not None)


def _is_quick(plan: Plan, edge: Edge) -> bool:
    """Whether nothing but the ring changes when its head is taken. Only who offers is held back, for a time or not."""
    offers = plan.nodes[edge.source].execution in (EFFECT, BOUNDARY)
    waits = offers and any(step.strategy == "block" and step.block_ns for step in edge.overflow[:1])
    return not (waits or edge.gather or edge.watermark)


def _calm(plan: Plan, names: Names, maskable: int, edge: Edge) -> str:
    """What a move of the edge answers: whether only another item can be next, once nothing was decided.

    Of a flow of the turn, what is asked when an input ends may have another answer once it is empty; so may what is
    asked of a soft cancel. A flow outside of turns is asked about by nobody, as long as it stays there.
    """
    target = plan.nodes[edge.target]
    native = target.kind == "tap" or target.label >= 0 or target.join is not None
    behind = [one for one in plan.edges if one.source == target.id]
    on = [one for one in behind if goes_straight(plan, one, maskable)]
    if not native or _together(edge) or any(_calm(plan, names, maskable, one) == "MOVED" for one in on):
        return "MOVED"
    if edge.scope != TURN:
        scopes = {target.scope, *(one.scope for one in behind), *(plan.nodes[one.target].scope for one in behind)}
        return "MOVED" if TURN in scopes else "CALM"
    const = f"EDGE_{names.edge_ids[edge.id].upper()}"
    return "MOVED" if plan.soft_nodes else f"CALM if (core.waiting_edges & bit({const})) != 0 else MOVED"


def goes_straight(plan: Plan, edge: Edge, maskable: int) -> bool:
    """Whether an item can pass over this edge in the step that brings it: from one label to the next, where nobody
    could tell. Its ring holds nothing then; nothing on it or before it decides, begins or ends anything by that; and it
    is the only way between two labels, so that nothing nearer to the egress, which could not move when this item did,
    can now. (`maskable`: edges that are off in some mode.)
    """
    source, target = plan.nodes[edge.source], plan.nodes[edge.target]
    if source.label < 0 or target.label < 0:
        return False
    before = [one for one in plan.edges if one.target == source.id]
    behind = [one for one in plan.edges if one.source == target.id]
    largest = source.outputs[edge.source_port].item_bytes_max
    return (
        [one.id for one in plan.edges if one.source == source.id] == [edge.id]
        and [one.id for one in plan.edges if one.target == target.id] == [edge.id]
        and _is_plain(edge)
        and not (edge.handoff or edge.guard or maskable >> edge.id & 1)
        and edge.items_max >= 1
        and edge.bytes_max >= largest
        and all(one.pool == edge.pool for one in behind if not one.handoff)
        and not any(one.watermark or one.scope != edge.scope or _together(one) for one in before)
        and not (edge.scope == TURN and plan.soft_nodes)
        and not any(path.pushed >> edge.id & 1 or path.ends_edges >> edge.id & 1 for path in plan.paths)
        and not any(path.ends_node == target.id for path in plan.paths)
    )


def paths(plan: Plan, which: Callable[[PathBudget], int]) -> PathSet | None:
    """Those of the paths with a budget of their own; None if there are none."""
    found = [path for path in plan.paths if which(path)]
    return PathSet(hex(sum(1 << path.id for path in found)), ", ".join(path.name for path in found)) if found else None


def edge_view(plan: Plan, names: Names, maskable: int, edge: Edge) -> EdgeView:
    """What the templates print of one edge. `maskable` are the edges that are off in some mode."""
    target = plan.nodes[edge.target]
    strategies = [step.strategy for step in edge.overflow]
    first = strategies[0] if strategies else "drop_newest"
    kind, port = target.kind, memory.source_port(plan, edge)
    if edge.target == plan.egress:
        kind = "speaker" if target.inputs[edge.target_port].type == "audio" else "screen"
    elif target.tool is not None:
        kind = "tool"
    elif plan.nodes[edge.source].tool is not None:
        kind = "answer"
    elif target.execution == EFFECT:
        kind = "effect"
    elif target.join:
        kind = "join"
    elif target.label >= 0:
        kind = "label"
    bounds = f"{edge.items_max} items, {edge.bytes_max} bytes"
    bounds += f", {duration(edge.age_ns_max)}" if edge.age_ns_max else ""
    order = [
        f"block {duration(step.block_ns)}" if step.strategy == "block" and step.block_ns else step.strategy
        for step in edge.overflow
    ] or ["drop_newest"]
    return EdgeView(
        id=names.edge_ids[edge.id],
        const=f"EDGE_{names.edge_ids[edge.id].upper()}",
        name=edge.name,
        line=edge.line,
        bounds=f"{bounds}; then {', '.join(order).replace('_', ' ')}",
        source=f"NODE_{names.node_ids[edge.source].upper()}",
        target=f"NODE_{names.node_ids[edge.target].upper()}",
        target_port=str(edge.target_port),
        target_kind=kind,
        pool=f"POOL_{names.pool_ids[edge.pool].upper()}",
        turn_scoped=edge.scope == TURN,
        ages=edge.age_ns_max > 0,
        blocks=first == "block" or edge.flow != "signal",
        block_ns=edge.overflow[0].block_ns if first == "block" else 0,
        keeps_latest=first == "latest_only",
        steps=_steps(edge),
        handoff=edge.handoff is not None,
        handoff_min=edge.handoff is not None and edge.handoff.bytes_min > 1,
        mark=port.mark if port is not None else "",
        maskable=bool(maskable >> edge.id & 1),
        watched=edge.watermark is not None,
        turn="outputs.active_turn(core)" if edge.scope == TURN else "0",
        guard=guard_lines(edge.guard),
        text=port is not None and port.type == "text",
        gather_ns=edge.gather.ns if edge.gather else 0,
        watermark=edge.watermark,
        telemetry={"sample": "outputs.TELLS_HALF", "drop": "outputs.TELLS_NOTHING"}.get(edge.telemetry, ""),
        credit=edge.flow != "signal",
        silent=edge.flow == "credit",
        sync=edge.sync is not None,
        peers=hex(edge.sync.peers) if edge.sync else "",
        atomic=edge.sync is not None and edge.sync.policy == "atomic",
        by_media=edge.sync is not None and edge.sync.by == "media",
        marks=edge.sync is not None and edge.sync.policy == "discontinuity",
        begins=paths(plan, lambda path: path.pushed >> edge.id & 1),
        ends=paths(plan, lambda path: path.ends_edges >> edge.id & 1),
        together=_together(edge),
        plain=_is_plain(edge),
        sure=_is_sure(plan, edge),
        quick=_is_quick(plan, edge),
        calm=_calm(plan, names, maskable, edge),
        straight=goes_straight(plan, edge, maskable),
    )
