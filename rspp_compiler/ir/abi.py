"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "fb986199af637fe62c58b0f990b10f5528401f56362e9f711b4cc757d12f29e8"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
