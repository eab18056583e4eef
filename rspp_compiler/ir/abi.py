"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "e5207f88c17b20e3a8a9eacb4f14ba02a761cc44aef7a668d20288b2500e3ff2"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
