"""The layout with everything that `freeze` and the printers need, and the frozen plan template."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.layout import Plan


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """One row of a session's memory: `count` things of `each_bytes`."""

    what: str
    count: int
    each_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The plan tables (without their hash), and where a session's memory goes.

    `handlers` are the `module:Callable` of the Python nodes, by index. `policy` is the policy whose variant this is (""
    for the pipeline as written); `variants` has one layout for each policy.
    """

    policy: str
    plan: Plan
    memory: tuple[MemoryRow, ...]
    handlers: tuple[str, ...]
    analysis: Analysis = field(repr=False, metadata={"dump": False})
    variants: tuple[Layout, ...] = ()

    @property
    def memory_bytes_max(self) -> int:
        """Memory of a session at most, whichever policy applies."""
        return max(one.plan.memory_bytes for one in (self, *self.variants))


@dataclass(frozen=True, slots=True)
class Resource:
    """A file that the pipeline names with `file(...)`; it becomes part of the package."""

    path: str
    sha256: str
    data: bytes = field(repr=False, metadata={"dump": False})


@dataclass(frozen=True, slots=True)
class ProviderBinding:
    """Which provider performs a node, with the settings of the node and of the `use` line in one."""

    node: str
    provider: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frozen:
    """The plan template. `template` is what the pipeline *is*: its canonical JSON is what `template_hash` covers.

    `resolved_plan` is the template of CONTRACTS §6, complete but for what a turn adds.
    """

    template_hash: str
    template: dict[str, Any]
    resolved_plan: dict[str, Any]
    providers: tuple[ProviderBinding, ...]
    resources: tuple[Resource, ...]
    layout: Layout = field(metadata={"dump": False})
