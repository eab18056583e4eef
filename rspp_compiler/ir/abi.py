"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "31521df5a5859648c5307737405ea92b8477b78e2e68b7eefc32068091016ac1"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
