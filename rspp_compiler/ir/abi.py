"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "0584234d2656ea92a9f6c70536b295561c25d92078d36f26e16e75f526ea6e77"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
