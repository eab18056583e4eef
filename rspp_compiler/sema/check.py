"""What must hold in the graph: types, reachability, cycles, fan-in, capabilities, the turn's bounds, echo, modes.

Each rule is one function that looks at the whole graph and reports all that breaks it; none depends on another. The
graph comes back unchanged. The variant of each policy is held against the same rules.
"""

from __future__ import annotations

from rspp_compiler.ir.context import Context
from rspp_compiler.ir.graph import Graph
from rspp_compiler.sema.rules.capabilities import languages_known, providers_can
from rspp_compiler.sema.rules.edges import connected_once, joins_have_several, triggered_by_reactions
from rspp_compiler.sema.rules.fairness import fairness_where_it_counts
from rspp_compiler.sema.rules.modes import degrade_goes_down, modes_leave_something
from rspp_compiler.sema.rules.package_name import importable, version_number
from rspp_compiler.sema.rules.reach import no_cycles, reachable, something_reaches_the_user
from rspp_compiler.sema.rules.reactions import paths_take_what_failed
from rspp_compiler.sema.rules.recognisers import one_recogniser, something_ends_the_utterance
from rspp_compiler.sema.rules.settings import priorities
from rspp_compiler.sema.rules.sizes import fit
from rspp_compiler.sema.rules.turn import detector_hears_no_echo, nothing_reaches_back, typed_text_needs_no_flow
from rspp_compiler.sema.rules.types import same_types

RULES = (
    importable,
    version_number,
    priorities,
    same_types,
    fit,
    triggered_by_reactions,
    connected_once,
    fairness_where_it_counts,
    joins_have_several,
    no_cycles,
    reachable,
    something_reaches_the_user,
    languages_known,
    providers_can,
    typed_text_needs_no_flow,
    nothing_reaches_back,
    one_recogniser,
    something_ends_the_utterance,
    detector_hears_no_echo,
    paths_take_what_failed,
    modes_leave_something,
    degrade_goes_down,
)


def check(graph: Graph, ctx: Context) -> Graph:
    """Applies every rule; findings go to the sink."""
    for rule in RULES:
        rule(graph, ctx)
    for variant in graph.variants:
        under = ctx.of_policy(variant.policy)
        for rule in RULES:
            rule(variant, under)
        ctx.add_findings(under)
    return graph
