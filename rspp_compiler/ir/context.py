"""What every pass may use besides its value: `pass(value, ctx)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rspp_compiler.diagnostics import Sink
from rspp_compiler.source import Source, Span

if TYPE_CHECKING:
    from rspp_compiler.ir import ast

Stage = Literal["ast", "spec", "graph", "analysis", "layout", "plan"]
STAGES: tuple[Stage, ...] = ("ast", "spec", "graph", "analysis", "layout", "plan")


LayerName = Literal["environment", "tenant", "session"]


@dataclass(frozen=True, slots=True)
class Layer:
    """Values that override those of the pipeline's file: of an environment, a tenant or a session."""

    name: LayerName
    source: Source
    overrides: tuple[ast.Override, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for. But for `layers`, none of it may change what a pipeline *is*: only how far to go and
    where to write. `layers` apply in their order, the last one wins.

    `output` is the folder that receives one folder per pipeline; `check_drift` compares instead of writing, `force`
    overwrites files that were edited by hand, `install` puts the built wheel into the current environment. `debug`
    compiles the same files with checks and without optimisation.
    """

    until: str = "compile"  # last pass to run, by name
    output: Path = Path("generated")
    backend: Literal["cython", "python"] = "cython"
    check_drift: bool = False
    force: bool = False
    install: bool = True
    debug: bool = False
    layers: tuple[Layer, ...] = ()

    def with_layers(self, layers: tuple[Layer, ...]) -> Options:
        """The same, with other layers."""
        return replace(self, layers=layers)


def _silent(_message: str) -> None:
    """Nobody listens to the progress."""


@dataclass(slots=True, kw_only=True)
class Context:
    """One compilation. `sources` holds every text that a span may point into, the profile's included.

    `overlays` are texts that stand in for files, by the path as it is given to `load` (with `/`): an editor's unsaved
    text. Such a file need not exist on disk.
    `progress` is told, in a few words, what is being done: `compiling voice_assistant (gcc)`.
    `policy` is the policy whose variant is looked at; "" for the pipeline as written.
    """

    sink: Sink = field(default_factory=Sink)
    options: Options = field(default_factory=Options)
    sources: dict[str, Source] = field(default_factory=dict)
    overlays: dict[str, str] = field(default_factory=dict)
    progress: Callable[[str], None] = _silent
    policy: str = ""

    def source(self, span: Span) -> Source:
        """The text that a span points into."""
        return self.sources[span.file]

    def of_policy(self, policy: str) -> Context:
        """The same compilation for the variant of a policy: `add_findings` brings what is found there home."""
        return replace(self, sink=Sink(), policy=policy)

    def add_findings(self, variant: Context) -> None:
        """Findings of a policy's variant, each with a note that names it; what holds without it was said before."""
        known = {(found.code, found.primary) for found in self.sink.diagnostics}
        for found in variant.sink.diagnostics:
            if (found.code, found.primary) not in known:
                notes = (*found.notes, f"so it is under policy `{variant.policy}`")
                self.sink.take(replace(found, notes=notes))
