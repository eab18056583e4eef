"""The runtime's binary interface that generated packages are laid out for."""

from __future__ import annotations

ABI_HASH = "bd816fbe1566abcc835a2181fcc7507cef5558e9611109ff94d3104cadd595e4"
"""Equal to `rspp_runtime.abi.ABI_HASH`; a test holds them together, since the compiler never imports the runtime."""

NODES_MAX = 63
EDGES_MAX = 63
"""Nodes and edges of one pipeline: the kernel keeps sets of them as bits of one 64-bit word."""
