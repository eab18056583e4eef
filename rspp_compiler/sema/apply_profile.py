"""apply_profile: missing fields → values with an origin: the user, a line of the profile, or what they follow from."""

from __future__ import annotations

from rspp_compiler.ir.bound import (
    Bound,
    BoundParty,
    BoundPolicy,
    Filled,
    FilledMode,
    FilledNode,
    FilledPolicy,
    FilledReaction,
)
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.filling.budget import Budgets
from rspp_compiler.sema.filling.edges import Edges
from rspp_compiler.sema.filling.modes import fill_modes
from rspp_compiler.sema.filling.nodes import Nodes
from rspp_compiler.sema.filling.ports import Ports
from rspp_compiler.sema.filling.providers import Blocks, InMode
from rspp_compiler.sema.filling.tools import fill_meta, fill_party, fill_record, fill_tool
from rspp_compiler.sema.language.profile import ProfileTable, profile_table

# Bounds of every session, and the profile's keys for them.
LIMITS = {
    "cancel_grace_ns": "cancel.grace",
    "egress_lead_ns": "egress.lead",
    "egress_hold_ns": "egress.hold",
    "egress_stall_ns": "egress.stall",
    "evidence_append_ns": "evidence.append",
    "utterance_bytes_max": "context.utterance",
    "spoken_bytes_max": "context.spoken",
    "context_items_max": "context.items",
    "context_bytes_max": "context.size",
    "control_in_max": "control.inbound",
}


def apply_profile(bound: Bound, ctx: Context) -> Filled:
    """Fills every field.

    `node llm` without a budget gets `first_output_ns = 800 ms`, from `execution_profile/simple/v1`, line 9.
    """
    profile = profile_table(bound.profile)
    ctx.sources[profile.source.name] = profile.source
    return _Filler(bound, profile, ctx).filled()


class _Filler:
    def __init__(self, bound: Bound, profile: ProfileTable, ctx: Context) -> None:
        self._bound = bound
        self._profile = profile
        self._ctx = ctx
        self._ports = Ports(profile)
        self._budgets = Budgets(bound, profile, ctx)
        self._blocks = Blocks(bound.providers, profile, ctx)
        tools = [tool.id for tool in bound.tools]
        self._nodes = Nodes(profile, self._ports, self._budgets, self._blocks, tools, ctx)
        self._edges = Edges(profile, self._ports, self._budgets.fields["edge_ns"], ctx)

    def filled(self) -> Filled:
        bound, profile, ctx = self._bound, self._profile, self._ctx
        nodes = tuple(self._nodes.fill(node) for node in bound.nodes)
        of_policies = [
            tuple(self._nodes.fill(node, _pools(policy)) for node in policy.nodes) for policy in bound.policies
        ]
        modes = fill_modes(bound.modes, nodes, self._nodes, ctx)
        in_modes = _pools_of(modes, nodes)
        added = [node for of in of_policies for node in of]
        return Filled(
            bound=bound,
            meta=fill_meta(bound.meta, ctx),
            parties=tuple(fill_party(party, profile, ctx) for party in bound.parties or (_only(bound),)),
            nodes=nodes,
            edges=tuple(self._edges.fill(edge) for edge in bound.edges),
            reactions=tuple(
                FilledReaction(reaction, tuple(self._edges.fill(edge) for edge in reaction.path))
                for reaction in bound.reactions
            ),
            modes=modes,
            tools=tuple(fill_tool(tool, profile, ctx) for tool in bound.tools),
            budget=self._budgets.fields,
            path_budgets=self._budgets.paths(),
            limits={field: profile.get(key) for field, key in LIMITS.items()},
            recording=fill_record(bound.record, profile, ctx),
            providers=self._blocks.fill((*nodes, *added), in_modes),
            policies=tuple(
                self._policy(policy, own, nodes, in_modes)
                for policy, own in zip(bound.policies, of_policies, strict=True)
            ),
        )

    def _policy(
        self,
        policy: BoundPolicy,
        own: tuple[FilledNode, ...],
        nodes: tuple[FilledNode, ...],
        in_modes: tuple[InMode, ...],
    ) -> FilledPolicy:
        return FilledPolicy(
            bound=policy,
            nodes=own,
            edges=tuple(self._edges.fill(insert.edge) for insert in policy.inserts),
            providers=self._blocks.fill_policy(policy.providers, (*nodes, *own), in_modes),
            recording=fill_record(policy.record, self._profile, self._ctx) if policy.record else None,
        )


def _only(bound: Bound) -> BoundParty:
    """The party of a pipeline that declares none."""
    return BoundParty("", (), bound.span)


def _pools(policy: BoundPolicy) -> dict[str, str]:
    return {provider.id: provider.kind for provider in policy.providers}


def _pools_of(modes: tuple[FilledMode, ...], nodes: tuple[FilledNode, ...]) -> tuple[InMode, ...]:
    """The pools that nodes use in a mode."""
    by_id = {node.bound.id: node for node in nodes}
    return tuple(
        (value.text, by_id[id]) for mode in modes for id, field, value in mode.overrides if field == "provider"
    )
