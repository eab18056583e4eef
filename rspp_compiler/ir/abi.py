"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "73eedc6a5e16f361fbe116609dc281ac9c733a8f275d2cd0801120cce2686f79"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
