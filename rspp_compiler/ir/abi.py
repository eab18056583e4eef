"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "2d1f5525b265452fc11d969d49a4ddc93dbae9eb13cb0a1572f53777aede96ad"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
