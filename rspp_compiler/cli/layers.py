"""`--environment`, `--set`, `--tenant`, `--session`: layers of configuration, read into a compilation's options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rspp_compiler.ir.context import Context, Layer, LayerName
from rspp_compiler.syntax.layers import read_layer, read_set

Files = Sequence[tuple[LayerName, Path]]


def with_layers(ctx: Context, files: Files, values: Sequence[str]) -> None:
    """Reads layers into the options: files in their order, and what `--set` says right behind the environment's."""
    by_name = [(name, read_layer(name, path, ctx)) for name, path in files]
    layers: list[Layer | None] = [layer for name, layer in by_name if name == "environment"]
    layers.append(read_set(values, ctx) if values else None)
    layers += [layer for name, layer in by_name if name != "environment"]
    ctx.options = ctx.options.with_layers(tuple(layer for layer in layers if layer))
