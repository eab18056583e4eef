"""The registry of rules. A rule looks at two versions of a pipeline and yields what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.plan import Frozen
from rspp_compiler.ir.spec import PipelineSpec
from rspp_compiler.source import Span

Category = Literal["SOURCE", "PLAN", "WIRE", "ABI"]


@dataclass(frozen=True, slots=True)
class Version:
    """One of the two: a pipeline compiled as far as its frozen plan."""

    frozen: Frozen

    @property
    def spec(self) -> PipelineSpec:
        return self.frozen.layout.analysis.graph.spec

    @property
    def analysis(self) -> Analysis:
        return self.frozen.layout.analysis


class Difference(NamedTuple):
    """What a rule found, in words, with the place in the old version and in the new one where there is one."""

    message: str
    before: Span | None = None
    after: Span | None = None


Check = Callable[[Version, Version], Iterator[Difference]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of change.

    SOURCE    who builds on the file: layers, other files, people who name its parts
    PLAN      who runs it: what is decided, and when
    WIRE      who talks to it: clients, and what they hear and see
    ABI       code that is called by it

    `breaks`: someone must act before the new version can take the old one's place. `is_boundary`: the two do not decide
    alike, so that a recording of one is none of the other, and no session moves between them in the middle.
    """

    id: str
    category: Category
    purpose: str
    breaks: bool
    is_boundary: bool
    check: Check


RULES: dict[str, Rule] = {}


def rule(id: str, category: Category, purpose: str, *, breaks: bool, is_boundary: bool) -> Callable[[Check], Check]:
    """Registers a rule under its id."""

    def register(check: Check) -> Check:
        RULES[id] = Rule(id, category, purpose, breaks, is_boundary, check)
        return check

    return register
