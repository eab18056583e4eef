"""Who may open a session now (RK-25; CONTRACTS §4): decided before anything is spent on them, and before anybody who
talks already is degraded.

    knock(address)           a connection attempt, before its token is looked at
    ask(tenant, address)     a session, once the token says whose
    opened, closed           what became of it
    lag, memory              how the process is

Capacity is shared by weight among the tenants who want it. A tenant may hold more than its share, but only what the
others do not ask for: whoever was turned away and is below its share has a claim on the next places, for `claim_ns`
after it has asked. While several tenants are here the last places (`reserve_percent`) are kept for those below
theirs, so that a newcomer need not wait for somebody to hang up. Nobody is thrown out.

Pure: the time is given. Every table is bounded. A session that is admitted is `opened` before the next one asks.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SECOND_NS = 1_000_000_000
MS_NS = 1_000_000

Outcome = Literal["admit", "reject", "defer"]
REASONS: Mapping[str, Outcome] = {
    "ok": "admit",
    "attempt_rate": "reject",  # of this address
    "server_attempt_rate": "reject",  # of everybody
    "tenant_attempt_rate": "reject",
    "draining": "reject",  # this process takes nobody any more
    "capacity": "reject",
    "tenant_capacity": "reject",
    "fair_share": "defer",  # others have a claim on the places that are left
    "loop_lag": "defer",  # frames of those who talk are in danger
    "memory_pressure": "defer",
}
"""Each reason, and the outcome that it comes with."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process takes. 0 means no limit where it says so."""

    sessions_max: int = 200
    tenant_sessions_max: int = 0  # 0: none but its share
    weights: Mapping[str, int] = field(default_factory=dict)  # of tenants' shares; 1 for those that are not named
    reserve_percent: int = 5  # of sessions_max, for tenants below their share while others are here
    claim_ns: int = 30 * SECOND_NS  # how long a place is kept for who was turned away and does not ask again
    attempts_per_s_max: int = 100  # of an address (IPv6: of its /64)
    tenant_attempts_per_s_max: int = 100
    server_attempts_per_s_max: int = 1_000
    addresses_max: int = 16_384  # whose attempts are counted at once
    tenants_max: int = 4_096
    lag_ns_max: int = 60 * MS_NS  # of the loop: well within the 200 ms that audio is sent ahead of its moment
    memory_bytes_max: int = 0  # of the process; 0: none
    retry_ms: int = 2_000  # after which to ask again, where nothing better is known

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, int) and (value < 0 or (value == 0 and name not in _MAY_BE_ZERO)):
                raise ValueError(f"{name} is {value}: at least {0 if name in _MAY_BE_ZERO else 1}")
        if self.reserve_percent > 50:
            raise ValueError(f"reserve_percent is {self.reserve_percent}: at most 50")
        if any(weight < 1 for weight in self.weights.values()):
            raise ValueError("weights are whole numbers from 1 on")


_MAY_BE_ZERO = frozenset({"tenant_sessions_max", "reserve_percent", "memory_bytes_max"})


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome of CONTRACTS §4. `retry_after_ms` is 0 with `admit`."""

    outcome: Outcome
    reason: str
    retry_after_ms: int = 0

    @property
    def is_admitted(self) -> bool:
        return self.outcome == "admit"

    def record(
        self, *, session_id: str, event_id: str, runtime_timestamp_ms: int, wall_clock_timestamp_ms: int
    ) -> dict[str, Any]:
        """The decision in the contract's form (`rspp.decision_outcome.v1`)."""
        return {
            "outcome_kind": self.outcome,
            "phase": "pre_turn",
            "scope": "tenant" if self.reason in _OF_TENANT else "session",
            "session_id": session_id,
            "event_id": event_id,
            "runtime_timestamp_ms": runtime_timestamp_ms,
            "wall_clock_timestamp_ms": wall_clock_timestamp_ms,
            "emitted_by": "RK-25",
            "reason": self.reason,
        }


_OF_TENANT = frozenset({"tenant_capacity", "tenant_attempt_rate", "fair_share"})
_ADMITTED = Decision("admit", "ok")


class Admission:
    """Of one process. Safe to call from its loop only."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.counts: dict[tuple[Outcome, str], int] = {(outcome, reason): 0 for reason, outcome in REASONS.items()}
        self.draining = False
        self._open: dict[str, int] = {}  # sessions by tenant; those with none are not in it
        self._total = 0
        self._claims: OrderedDict[str, int] = OrderedDict()  # tenant → until when; newest last
        self._addresses = _Buckets(limits.attempts_per_s_max, limits.addresses_max)
        self._tenants = _Buckets(limits.tenant_attempts_per_s_max, limits.tenants_max)
        self._server = _Buckets(limits.server_attempts_per_s_max, 1)
        self._is_late = self._is_big = False
        self._reserve = limits.sessions_max * limits.reserve_percent // 100

    @property
    def sessions(self) -> int:
        """How many are open."""
        return self._total

    @property
    def tenants(self) -> Mapping[str, int]:
        """Sessions that are open, by tenant."""
        return self._open

    def tenant_sessions(self, tenant: str) -> int:
        return self._open.get(tenant, 0)

    @property
    def is_pressed(self) -> bool:
        """Whether new sessions wait because the process is late or big."""
        return self._is_late or self._is_big

    # ---- how the process is

    def lag(self, ns: int) -> None:
        """The loop's lag of late. Too much of it keeps new sessions out until it is half of that again."""
        self._is_late = ns > self.limits.lag_ns_max // (2 if self._is_late else 1)

    def memory(self, in_use_bytes: int) -> None:
        """What the process holds. Too much keeps new sessions out until it is nine tenths of that again."""
        most = self.limits.memory_bytes_max
        self._is_big = bool(most) and in_use_bytes > (most * 9 // 10 if self._is_big else most)

    # ---- who comes

    def knock(self, address: str, now_ns: int) -> Decision:
        """A connection attempt. One that is refused costs no more than this."""
        wait_ns = self._addresses.take(_network(address), now_ns)
        if wait_ns:
            return self._decided("attempt_rate", wait_ns)
        wait_ns = self._server.take("", now_ns)
        if wait_ns:
            return self._decided("server_attempt_rate", wait_ns)
        if self.draining:
            return self._decided("draining")
        return _ADMITTED

    def ask(self, tenant: str, address: str, now_ns: int) -> Decision:
        """A session of that tenant. `address` is "" where it has knocked before."""
        if address and not (knocked := self.knock(address, now_ns)).is_admitted:
            return knocked
        if self.draining:
            return self._decided("draining")
        wait_ns = self._tenants.take(tenant, now_ns)
        if wait_ns:
            return self._decided("tenant_attempt_rate", wait_ns)
        mine = self._open.get(tenant, 0)
        if self.limits.tenant_sessions_max and mine >= self.limits.tenant_sessions_max:
            return self._decided("tenant_capacity")
        if self._is_late or self._is_big:
            return self._turned_away(tenant, "loop_lag" if self._is_late else "memory_pressure", now_ns)
        if self._total >= self.limits.sessions_max:
            return self._turned_away(tenant, "capacity", now_ns)
        if not self._is_fair(tenant, mine, now_ns):
            return self._turned_away(tenant, "fair_share", now_ns)
        return self._decided("ok")

    def opened(self, tenant: str) -> None:
        """A session that was admitted has begun; or one that is resumed, which nobody is asked about."""
        self._open[tenant] = self._open.get(tenant, 0) + 1
        self._total += 1

    def closed(self, tenant: str) -> None:
        """It has ended. Raises `ValueError` if there was none."""
        left = self._open.get(tenant, 0) - 1
        if left < 0:
            raise ValueError(f"no session of {tenant} is open")
        self._total -= 1
        if left:
            self._open[tenant] = left
        else:
            del self._open[tenant]

    # ---- shares

    def _is_fair(self, tenant: str, mine: int, now_ns: int) -> bool:
        """Whether a place that is free may be this tenant's."""
        self._forget_claims(now_ns)
        wanting = self._open.keys() | self._claims.keys() | {tenant}
        whole = sum(map(self._weight, wanting))
        if mine < self._part(tenant, whole) or len(wanting) == 1:
            return True  # with this one it is within its share
        free = self.limits.sessions_max - self._total
        claimed = sum(
            max(self._part(other, whole) - self._open.get(other, 0), 0) for other in self._claims if other != tenant
        )
        return free > max(claimed, self._reserve)

    def share(self, tenant: str) -> int:
        """How many sessions are the tenant's, of right, while those want some who are here or have a claim."""
        return self._part(tenant, sum(map(self._weight, self._open.keys() | self._claims.keys() | {tenant})))

    def _part(self, tenant: str, whole: int) -> int:
        return max(self._weight(tenant) * self.limits.sessions_max // whole, 1)

    def _weight(self, tenant: str) -> int:
        return self.limits.weights.get(tenant, 1)

    def _forget_claims(self, now_ns: int) -> None:
        while self._claims and next(iter(self._claims.values())) <= now_ns:
            self._claims.popitem(last=False)

    # ---- what is said

    def _turned_away(self, tenant: str, reason: str, now_ns: int) -> Decision:
        """It has a claim on what gets free next."""
        self._claims[tenant] = now_ns + self.limits.claim_ns
        self._claims.move_to_end(tenant)
        if len(self._claims) > min(self.limits.tenants_max, self.limits.sessions_max):
            self._claims.popitem(last=False)
        return self._decided(reason)

    def _decided(self, reason: str, wait_ns: int = 0) -> Decision:
        outcome = REASONS[reason]
        self.counts[outcome, reason] += 1
        if outcome == "admit":
            return _ADMITTED
        return Decision(outcome, reason, -(-wait_ns // MS_NS) or self.limits.retry_ms)


class _Buckets:
    """A token bucket for each key: `per_s` a second, bursts of as many. Of at most `keys_max` keys, those seen last."""

    def __init__(self, per_s: int, keys_max: int) -> None:
        self._gap_ns = SECOND_NS // per_s or 1
        self._keys_max = keys_max
        self._full_ns: OrderedDict[str, int] = OrderedDict()  # when each is full again; least recently seen first

    def take(self, key: str, now_ns: int) -> int:
        """0 if there was a token; else after how long there is one, in ns."""
        full_ns = max(self._full_ns.get(key, now_ns), now_ns)
        wait_ns = full_ns + self._gap_ns - now_ns - SECOND_NS
        self._full_ns[key] = full_ns if wait_ns > 0 else full_ns + self._gap_ns
        self._full_ns.move_to_end(key)
        if len(self._full_ns) > self._keys_max:
            self._full_ns.popitem(last=False)
        return max(wait_ns, 0)


def _network(address: str) -> str:
    """Whose attempts are counted together: an IPv4 address, or an IPv6 network that one party has."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)
