"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "3067a67c15068df8032e78856c469bf653f5ae3975a00dd4e6497433eb86b9db"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
