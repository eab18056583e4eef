"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "4619491ef32a97546014ab292682b964661a3c2e15d1ccd7af0d5a07944f0fe3"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
