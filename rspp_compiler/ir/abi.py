"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "b1e94ef16ed3871bcfaa4de5bfe66030640a00ecdc1f6971337fea139992a225"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
