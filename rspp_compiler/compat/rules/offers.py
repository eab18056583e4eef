"""Providers, tools, policies, secrets."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.compat.compare import compare
from rspp_compiler.compat.rule import Difference, Version, rule
from rspp_compiler.ir.condition import show
from rspp_compiler.ir.spec import PipelineSpec, SecretRef
from rspp_compiler.source import Span


@rule("PROVIDERS_CHANGED", "PLAN", "Someone else performs, or in another order.", breaks=False, is_boundary=True)
def providers_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in compare(old.spec.providers, new.spec.providers, lambda provider: provider.id).kept:
        was, now = (", ".join(one.name for one in provider.candidates) for provider in (before, after))
        if was != now:
            yield Difference(f"`{after.id}` was performed by {was}; now by {now}", before.span, after.span)


@rule("PROVIDER_SETTING_CHANGED", "PLAN", "A provider is asked for something else.", breaks=False, is_boundary=True)
def provider_setting_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in compare(old.spec.providers, new.spec.providers, lambda provider: provider.id).kept:
        for one, other in compare(before.candidates, after.candidates, lambda candidate: candidate.name).kept:
            for key in sorted(one.settings.keys() | other.settings.keys()):
                if one.settings.get(key) != other.settings.get(key) and not isinstance(
                    other.settings.get(key), SecretRef
                ):
                    yield Difference(f"`{other.name}` of `{after.id}`: `{key}` changed", one.span, other.span)


@rule("POOL_REMOVED", "SOURCE", "Who names the pool finds nothing.", breaks=True, is_boundary=True)
def pool_removed(old: Version, new: Version) -> Iterator[Difference]:
    for provider in compare(old.spec.providers, new.spec.providers, lambda provider: provider.id).removed:
        if provider.id != provider.kind:
            yield Difference(f"pool `{provider.id}` is gone", provider.span)


@rule("SECRET_NEEDED", "SOURCE", "A deployment must provide a secret first.", breaks=True, is_boundary=False)
def secret_needed(old: Version, new: Version) -> Iterator[Difference]:
    before, after = _secrets(old.spec), _secrets(new.spec)
    for reference in sorted(after.keys() - before.keys()):
        yield Difference(f'`secret("{reference}")` must be there', None, after[reference])


def _secrets(spec: PipelineSpec) -> dict[str, Span]:
    blocks = [*spec.providers, *(provider for policy in spec.policies for provider in policy.providers)]
    return {
        value.secret: candidate.span
        for provider in blocks
        for candidate in provider.candidates
        for value in candidate.settings.values()
        if isinstance(value, SecretRef)
    }


@rule("TOOL_REMOVED", "ABI", "The model, and who calls the tool, can no longer do so.", breaks=True, is_boundary=True)
def tool_removed(old: Version, new: Version) -> Iterator[Difference]:
    for tool in compare(old.spec.tools, new.spec.tools, lambda tool: tool.id).removed:
        yield Difference(f"tool `{tool.id}` is gone", tool.span)


@rule("TOOL_CHANGED", "ABI", "The code of a tool is called in another way.", breaks=True, is_boundary=True)
def tool_changed(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in compare(old.spec.tools, new.spec.tools, lambda tool: tool.id).kept:
        signatures = [[(param.name, param.type) for param in tool.params] for tool in (before, after)]
        if signatures[0] != signatures[1]:
            yield Difference(f"tool `{after.id}` takes other arguments", before.span, after.span)
        if (before.kind, before.implementation) != (after.kind, after.implementation):
            was, now = (f"{tool.kind} {tool.implementation}".strip() for tool in (before, after))
            yield Difference(f"tool `{after.id}` called {was}, and calls {now}", before.span, after.span)


@rule("TOOL_REPEATABLE", "ABI", "A tool that ran once may run again.", breaks=True, is_boundary=False)
def tool_repeatable(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in compare(old.spec.tools, new.spec.tools, lambda tool: tool.id).kept:
        if before.once and not after.once:
            yield Difference(f"tool `{after.id}` is no longer `once`", before.span, after.span)


@rule("POLICY_CHANGED", "PLAN", "Some sessions are treated in another way.", breaks=False, is_boundary=True)
def policy_changed(old: Version, new: Version) -> Iterator[Difference]:
    compared = compare(old.spec.policies, new.spec.policies, lambda policy: policy.id)
    for policy in compared.removed:
        yield Difference(f"policy `{policy.id}` is gone", policy.span)
    for policy in compared.added:
        yield Difference(f"policy `{policy.id}` is new", None, policy.span)
    for before, after in compared.kept:
        conditions = [show(policy.condition) for policy in (before, after)]
        if conditions[0] != conditions[1]:
            message = f"policy `{after.id}` held when {conditions[0]}; now when {conditions[1]}"
            yield Difference(message, before.span, after.span)
        if [node.settings for node in before.nodes] != [node.settings for node in after.nodes] or [
            (insert.node, insert.target) for insert in before.inserts
        ] != [(insert.node, insert.target) for insert in after.inserts]:
            yield Difference(f"policy `{after.id}` inserts something else", before.span, after.span)
    if not compared.removed and not compared.added:
        orders = [[policy.id for policy in version.spec.policies] for version in (old, new)]
        if orders[0] != orders[1]:
            yield Difference("policies are tried in another order", old.spec.span, new.spec.span)


@rule("CLASS_ACCEPTED", "SOURCE", "Someone outside gets data that they did not get.", breaks=True, is_boundary=False)
def class_accepted(old: Version, new: Version) -> Iterator[Difference]:
    for before, after in compare(old.spec.providers, new.spec.providers, lambda provider: provider.id).kept:
        known = {name for candidate in before.candidates for name in candidate.accept}
        for candidate in after.candidates:
            if more := sorted(set(candidate.accept) - known):
                message = f"`{candidate.name}` of `{after.id}` now takes {', '.join(more)}"
                yield Difference(message, before.span, candidate.span)
