"""E1001 to E1004: what would still be heard after a cancel, by which way, and the smallest change that silences it."""

from __future__ import annotations

from rspp_compiler.analysis.shared.repairs import act, set_on_node, without_flow
from rspp_compiler.analysis.shared.words import in_mode, ports
from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.diagnostics.statements import without_setting
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.ir.proofs.cancel import Leak


def report(graph: Graph, leak: Leak, ctx: Context) -> None:
    """One finding for one leak."""
    report_of = {
        "survivor": _survivor, "exempt": _exempt, "commit": _commit, "restart": _restart, "endless": _endless,
    }  # fmt: skip
    report_of[leak.kind](graph, leak, ctx)


def _survivor(graph: Graph, leak: Leak, ctx: Context) -> None:
    node = graph.find(leak.subject)
    written = node.spec.origin("scope") if node else None
    if leak.cause:
        reaction = next(one for one in graph.spec.reactions if one.id == leak.cause)
        fix, help = remove(ctx.source(reaction.span), reaction.span), "let it trigger a `say`: that opens a turn"
        secondary = []
    elif node and written and "scope" in node.spec.origins and written.kind == "user":
        fix, help = Fix(written.span, "turn"), f"let `{node.id}` live as long as a turn: `scope = turn`"
        secondary = [(written.span, "it lives as long as the session")]
    else:
        edge = next(one for one in graph.edges if one.spec.span == leak.span and one.source == leak.subject)
        fix, help = without_flow(ctx, edge), "remove this flow, or begin a turn: `stt -> …`"
        secondary = [(node.spec.span, f"`{node.id}` lives as long as the session")] if node else []
    ctx.sink.add(
        "E1001",
        f"a cancel of the turn does not reach `{leak.subject}`, which is heard at `{leak.path[-1]}`",
        leak.span,
        label="from here it comes to the user without a turn",
        secondary=secondary,
        notes=[f"the way: {ports(leak.path)}", "whatever is heard belongs to a turn, so that a cancel can silence it"],
        help=help,
        fix=fix,
    )  # fmt: skip


def _exempt(graph: Graph, leak: Leak, ctx: Context) -> None:
    node = graph.node(leak.subject)
    ctx.sink.add(
        "E1001",
        f"a barge-in must not interrupt `{leak.subject}`, and it never comes to an end",
        leak.span,
        label="it goes on whatever the user says",
        secondary=[(node.spec.origin("settings.loop").span, "again and again")],
        notes=[f"the way: {ports(leak.path)}"],
        help="let it be interrupted: `interruptible = true`; or play it once",
        fix=Fix(leak.span, "true"),
    )


def _commit(graph: Graph, leak: Leak, ctx: Context) -> None:
    edge = next(one for one in graph.edges if one.id == leak.subject)
    at = edge.spec.origin("commit_point").span
    ctx.sink.add(
        "E1003",
        f"what has passed `{leak.subject}` is not recalled, and `{leak.path[-1]}` is yet to come",
        at,
        label="nothing behind this point is cancelled",
        notes=[f"the way: {ports(leak.path)}", "the last flow is the commit point by itself"],
        help="remove it, and write `commit_point` on the flow into the egress if you want to see it",
        fix=without_setting(ctx.source(at), at),
    )


def _restart(graph: Graph, leak: Leak, ctx: Context) -> None:
    reaction = next(
        one
        for one in graph.spec.reactions
        if one.span == leak.span and (one.verb, one.object) == ("cancel_node", leak.subject)
    )
    node = graph.node(leak.cause)
    ctx.sink.add(
        "E1004",
        f"`{leak.subject}` is cancelled, and what `{leak.cause}` sends next starts it again",
        reaction.span,
        label=f"silences `{leak.subject}` until the next item",
        secondary=[(node.spec.span, f"`{leak.cause}` goes on")],
        notes=[f"the way: {ports(leak.path)}"],
        help="cancel the turn: `-> cancel turn`",
        fix=act(ctx, reaction, "cancel turn"),
    )


def _endless(graph: Graph, leak: Leak, ctx: Context) -> None:
    node = graph.node(leak.subject).spec
    is_written = "cancel" in node.origins or bool(leak.cause)
    ctx.sink.add(
        "E1002",
        f"after a cancel `{leak.subject}` may end what it is at, and nothing says how long that takes",
        leak.span,
        label="stops at the end of a segment that has no bound",
        notes=[f"the way: {ports(leak.path)}", *in_mode(leak.cause)],
        help="stop it at once: `cancel = hard`",
        fix=Fix(leak.span, "hard") if is_written else set_on_node(ctx, node, "cancel = hard"),
    )
