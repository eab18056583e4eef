"""Dead letters: which nodes keep what they are working on, because a reaction shows it when they fail.

`on find.error or timeout -> lost`, where `lost` is a tap.
"""

from __future__ import annotations

from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.spec import ReactionSpec

FAILURES = ("error", "timeout")
HEARING = ("vad", "stt")


def unshown(graph: Graph, line: ReactionSpec) -> str:
    """Why the runtime cannot show what a line asks for yet; "" where it can."""
    for event in line.events:
        node = graph.find(event.subject)
        if event.event not in FAILURES or node is None:
            return f"a path into a `tap` for `{event}`: a tap is shown what a node failed with, by `error` or `timeout`"
        if node.kind in HEARING:
            return f"a path into a `tap` for what hears (`{node.id}`): what it works on is the whole of the audio"
    return ""


def letters(graph: Graph, node: GraphNode) -> int:
    """Items that are kept: as many as may be with whoever performs the node; of a node in the kernel, the one."""
    subjects = {event.subject for line in graph.spec.reactions if graph.shows(line) for event in line.events}
    if node.id not in subjects:
        return 0
    return node.spec.window_items if node.execution == "effect" else 1
