"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "d5730af5d195659ea5fd3903e0a054ae7f285de187bdd189dff2d05934232dbd"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
