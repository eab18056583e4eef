"""How often an address may try to connect: a bucket of tokens each, in a table that is bounded."""

from __future__ import annotations

import time
from collections import OrderedDict

from rspp_runtime.serving.guard import Refused

ADDRESSES_MAX = 10_000


class Attempts:
    """`per_second` attempts of an address, and as many at once. Who is not in the table any more begins anew."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address: (tokens, since)

    def made(self, address: str) -> None:
        """Raises `Refused` if the address comes too often."""
        now_s = time.monotonic()
        tokens, since_s = self._buckets.pop(address, (float(self._per_second), now_s))
        tokens = min(tokens + (now_s - since_s) * self._per_second, self._per_second) - 1
        self._buckets[address] = (max(tokens, -1.0), now_s)
        if len(self._buckets) > ADDRESSES_MAX:
            self._buckets.popitem(last=False)
        if tokens < 0:
            raise Refused(429, "rate", "too many attempts from this address", 1_000)
