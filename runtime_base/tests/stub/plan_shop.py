"""The assistant with a model that calls two tools, by hand: see `plans`."""

from __future__ import annotations

from dataclasses import replace

from plan_assistant import assistant
from units import MS, OLDEST, mask

from rspp_runtime.abi.budgets import PathBudget
from rspp_runtime.abi.plan import Action, Attempts, Edge, Event, Node, Overflow, Plan, Pool, Port, Reaction, Tool

LLM, HELLO, VOICE, FIND, REFUND, CALL = 4, 6, 7, 9, 10, 11
IDLE, FIND_STARTED, FIND_TIMEOUT, REFUND_DONE, REFUND_ERROR = 3, 9, 10, 11, 12
TO_FIND, TO_REFUND, FROM_FIND, FROM_REFUND, BY_REACTION = 9, 10, 11, 12, 13
CALLS_MAX = 3


def shop() -> Plan:
    """`find` is quick, and something is said for it; `refund` runs to its end when it is cancelled, and
    reactions call it too.
    """
    plan = assistant()
    call, answer = Port("call", "call", 96), Port("result", "text", 160)
    calls, answers = len(plan.pools), len(plan.pools) + 1

    def tool(id: int, name: str, made: Tool, ways_in: tuple[int, ...], timeout_ns: int, **events: int) -> Node:
        return Node(
            id=id, name=name, kind="tool", execution="effect", scope="turn", line=50 + id, inputs=(call,),
            outputs=(answer,), edges_in=ways_in, window=1, first_output_ns=timeout_ns, tool=made, **events,
        )  # fmt: skip

    def edge(id: int, name: str, source: int, source_port: int, target: int, target_port: int, pool: int) -> Edge:
        size = call.item_bytes_max if pool == calls else answer.item_bytes_max
        return Edge(
            id=id, name=name, line=50 + id, source=source, source_port=source_port, target=target,
            target_port=target_port, scope="turn", pool=pool, items_max=CALLS_MAX, bytes_max=CALLS_MAX * size,
        )  # fmt: skip

    def taught(node: Node) -> Node:
        if node.id != LLM:
            return node
        return replace(
            node,
            inputs=(*node.inputs, Port("answer", "call", 160)),
            outputs=(*node.outputs, Port("find", "call", 96), Port("refund", "call", 96)),
            edges_in=(*node.edges_in, FROM_FIND, FROM_REFUND),
            calls_max=CALLS_MAX,
            speakable_ns=600 * MS,
            attempts=Attempts(("llm", "other"), 3, 500 * MS, 20 * MS, retain_items=4),
        )

    nodes = (
        *(taught(node) for node in plan.nodes),
        tool(FIND, "find", Tool("finds", (("number", "text"),), filler=True), (TO_FIND,), 400 * MS,
             event_started=FIND_STARTED, event_timeout=FIND_TIMEOUT),
        tool(REFUND, "refund", Tool("pays back", once=True, soft=True), (TO_REFUND, BY_REACTION), 900 * MS,
             event_done=REFUND_DONE, event_error=REFUND_ERROR, upstream=mask(CALL)),
        Node(id=CALL, name="call refund", kind="say", execution="kernel", scope="turn", line=61,
             outputs=(Port("call", "text", 96),), text="{}"),
    )  # fmt: skip
    edges = (
        *(replace(one, overflow=(Overflow(OLDEST),)) if one.id == 1 else one for one in plan.edges),
        edge(TO_FIND, "llm.find -> find", LLM, 1, FIND, 0, calls),
        edge(TO_REFUND, "llm.refund -> refund", LLM, 2, REFUND, 0, calls),
        edge(FROM_FIND, "find -> llm.answer", FIND, 0, LLM, 1, answers),
        edge(FROM_REFUND, "refund -> llm.answer", REFUND, 0, LLM, 1, answers),
        edge(BY_REACTION, "call refund -> refund", CALL, 0, REFUND, 0, calls),
    )
    rows = [
        *((row.event, row.action) for row in plan.reactions),
        (FIND_STARTED, Action("trigger", HELLO)),
        (FIND_TIMEOUT, Action("cancel_node", REFUND)),
        (FIND_TIMEOUT, Action("trigger", CALL)),
        (IDLE, Action("trigger", CALL)),
        (REFUND_DONE, Action("cancel_node", FIND)),
        (REFUND_ERROR, Action("trigger", HELLO)),
    ]
    retained = {"utterance": 4}
    return replace(
        plan,
        pipeline="stub_shop",
        template_hash="9" * 64,
        paths=(
            PathBudget(
                id=0,
                name="stt.utterance -> llm.delta",
                line=60,
                limit_ns=520 * MS,
                warning_ns=416 * MS,
                pushed=mask(5),
                ends_node=LLM,
                edges=mask(5),
                nodes=mask(LLM),
                modes=3,
            ),
            PathBudget(
                id=1,
                name="stt.utterance -> voice.audio",
                line=61,
                limit_ns=1300 * MS,
                warning_ns=1040 * MS,
                pushed=mask(5),
                ends_node=VOICE,
                edges=mask(4, 5),
                nodes=mask(LLM, VOICE),
                modes=1,
            ),
        ),
        nodes=nodes,
        edges=edges,
        pools=(
            *(replace(pool, slots=pool.slots + retained.get(pool.name, 0)) for pool in plan.pools),
            Pool("call", 96, 3 * CALLS_MAX + 24 + 4),
            Pool("answer", 160, 2 * CALLS_MAX + 24 + 4),
        ),
        events=(
            *plan.events,
            Event(FIND_STARTED, "find.started", FIND, -1),
            Event(FIND_TIMEOUT, "find.timeout", FIND, -1),
            Event(REFUND_DONE, "refund.done", REFUND, -1),
            Event(REFUND_ERROR, "refund.error", REFUND, -1),
        ),
        reactions=tuple(
            Reaction(id=id, event=event, action=action, line=40 + id) for id, (event, action) in enumerate(rows)
        ),
        turn_nodes=plan.turn_nodes | mask(FIND, REFUND, CALL),
        stages=(*plan.stages, CALL, REFUND),
        turn_edges=plan.turn_edges | mask(TO_FIND, TO_REFUND, FROM_FIND, FROM_REFUND, BY_REACTION),
        modes=tuple(replace(mode, edges_off=mode.edges_off) for mode in plan.modes),
        soft_nodes=mask(VOICE),
        soft_edges=mask(0, 1),
        soft_ns=400 * MS,
        control_step_max=48,
        provider_bindings=(*plan.provider_bindings, ("find", "tool"), ("refund", "tool")),
    )
