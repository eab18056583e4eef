"""Admission: what is promised to a tenant, whatever the others do; and what an attempt costs."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rspp_runtime.cli.app import run_app
from rspp_runtime.contracts.validation import check
from rspp_runtime.serving.admission import MS_NS, REASONS, SECOND_NS, Admission, Decision, Limits

RATE = {"attempts_per_s_max": 10**6, "tenant_attempts_per_s_max": 10**6, "server_attempts_per_s_max": 10**6}


def limits(**other: Any) -> Limits:
    """Without limits of attempts."""
    return Limits(**{**RATE, **other})


def ask(admission: Admission, tenant: str, now_ns: int = 0) -> Decision:
    """A session of that tenant, which begins if it may."""
    decision = admission.ask(tenant, "", now_ns)
    if decision.is_admitted:
        admission.opened(tenant)
    return decision


def fill(admission: Admission, tenant: str, count: int) -> None:
    for _ in range(count):
        assert ask(admission, tenant).is_admitted


# ---- bounds


def test_a_full_process_takes_nobody() -> None:
    admission = Admission(limits(sessions_max=3))
    fill(admission, "a", 3)
    assert ask(admission, "a") == Decision("reject", "capacity", 2_000)
    admission.closed("a")
    assert ask(admission, "a").is_admitted
    assert admission.counts["admit", "ok"] == 4
    assert admission.counts["reject", "capacity"] == 1


@pytest.mark.feature("F-098", "limited")
def test_a_tenant_has_a_limit_of_its_own() -> None:
    admission = Admission(limits(sessions_max=9, tenant_sessions_max=2))
    fill(admission, "a", 2)
    assert ask(admission, "a").reason == "tenant_capacity"
    assert ask(admission, "b").is_admitted


def test_a_process_that_drains_takes_nobody() -> None:
    admission = Admission(limits())
    admission.draining = True
    assert ask(admission, "a") == Decision("reject", "draining", 2_000)
    assert admission.knock("10.0.0.1", 0).reason == "draining"


@pytest.mark.feature("NF-006", "engages")
def test_a_late_process_keeps_new_sessions_out_before_anybody_suffers() -> None:
    admission = Admission(limits(lag_ns_max=20 * MS_NS, memory_bytes_max=1_000))
    admission.lag(20 * MS_NS)
    assert ask(admission, "a").is_admitted
    admission.lag(21 * MS_NS)
    assert ask(admission, "a") == Decision("defer", "loop_lag", 2_000)
    admission.lag(15 * MS_NS)
    assert admission.is_pressed  # it is not let in and out with every reading
    admission.lag(9 * MS_NS)
    assert ask(admission, "a").is_admitted
    admission.memory(1_001)
    assert ask(admission, "a") == Decision("defer", "memory_pressure", 2_000)
    admission.memory(901)
    assert admission.is_pressed
    admission.memory(900)
    assert ask(admission, "a").is_admitted


# ---- fairness


def test_a_tenant_alone_may_have_everything() -> None:
    admission = Admission(limits(sessions_max=100))
    fill(admission, "a", 100)


def test_a_newcomer_finds_a_place_though_another_took_what_it_could() -> None:
    admission = Admission(limits(sessions_max=100, reserve_percent=5))
    fill(admission, "b", 1)
    fill(admission, "a", 94)
    assert ask(admission, "a") == Decision("defer", "fair_share", 2_000)
    fill(admission, "b", 5)
    assert ask(admission, "c").reason == "capacity"


def test_who_was_turned_away_has_a_claim_on_what_gets_free() -> None:
    admission = Admission(limits(sessions_max=10, reserve_percent=0, claim_ns=30 * SECOND_NS))
    fill(admission, "a", 10)
    assert ask(admission, "b").reason == "capacity"
    admission.closed("a")
    assert ask(admission, "a").reason == "fair_share"
    assert ask(admission, "b").is_admitted
    admission.closed("a")
    assert ask(admission, "a").reason == "fair_share"  # b has less than its five, and has asked for more
    assert ask(admission, "a", 31 * SECOND_NS).is_admitted  # b has not asked again


def test_shares_are_by_weight() -> None:
    admission = Admission(limits(sessions_max=10, reserve_percent=0, weights={"gold": 4}))
    fill(admission, "a", 10)
    assert ask(admission, "gold").reason == "capacity"
    assert (admission.share("gold"), admission.share("a")) == (8, 2)
    for _ in range(8):
        admission.closed("a")
        assert ask(admission, "a").reason == "fair_share"
        assert ask(admission, "gold").is_admitted
    assert (admission.tenant_sessions("gold"), admission.tenant_sessions("a")) == (8, 2)


def test_more_tenants_than_places_still_fill_them() -> None:
    admission = Admission(limits(sessions_max=100, reserve_percent=5))
    assert sum(ask(admission, f"t{number}").is_admitted for number in range(300)) == 100


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(4, 40), st.integers(0, 20))
def test_whoever_wants_its_share_gets_it(seed: int, tenants: int, places: int, reserve: int) -> None:
    """One had everything; all want everything. After each session has ended once or twice each has its share."""
    chance = random.Random(seed)
    admission = Admission(limits(sessions_max=places, reserve_percent=reserve))
    names = [f"t{number}" for number in range(tenants)]
    running = ["t0"] * places
    fill(admission, "t0", places)
    for step in range(places * 8):
        admission.closed(running.pop(chance.randrange(len(running))))
        for name in chance.sample(names, tenants):
            if ask(admission, name, step * SECOND_NS).is_admitted:
                running.append(name)
        assert admission.sessions == len(running) <= places
    held = Counter(running)
    assert all(held[name] >= places // tenants for name in names), held


class Model:
    """What admission promises, worked out anew from what happened."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.open: Counter[str] = Counter()
        self.claims: dict[str, int] = {}

    def ask(self, tenant: str, now_ns: int) -> None:
        most, free = self.admission.limits.sessions_max, self.admission.limits.sessions_max - self.open.total()
        self.claims = {one: until for one, until in self.claims.items() if until > now_ns}
        wanting = {one for one in self.open if self.open[one]} | self.claims.keys() | {tenant}
        share = max(most // len(wanting), 1)
        claimed = sum(max(share - self.open[one], 0) for one in self.claims if one != tenant)
        decision = ask(self.admission, tenant, now_ns)
        if decision.is_admitted:
            assert free > 0
            assert self.open[tenant] < share or len(wanting) == 1 or free > claimed, "others had a claim on it"
            self.open[tenant] += 1
        else:
            assert decision.reason in ("capacity", "fair_share")
            assert free == 0 or (self.open[tenant] >= share and len(wanting) > 1), "it was its own"
            self.claims[tenant] = now_ns + self.admission.limits.claim_ns
            if len(self.claims) > most:
                del self.claims[min(self.claims, key=lambda one: self.claims[one])]


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(0, 30),
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["ask", "ask", "close", "wait"])), max_size=120),
)
def test_nobody_gets_what_another_has_a_claim_on(places: int, reserve: int, story: list[tuple[str, str]]) -> None:
    model = Model(Admission(limits(sessions_max=places, reserve_percent=reserve, claim_ns=50)))
    now_ns = 0
    for tenant, what in story:
        now_ns += 30 if what == "wait" else 1
        if what == "ask":
            model.ask(tenant, now_ns)
        elif what == "close" and model.open[tenant]:
            model.open[tenant] -= 1
            model.admission.closed(tenant)
        assert model.admission.sessions == model.open.total() <= places
        assert all(model.admission.tenant_sessions(one) == model.open[one] for one in "abcde")


def test_a_session_that_was_not_opened_cannot_close() -> None:
    with pytest.raises(ValueError, match="no session of a is open"):
        Admission(limits()).closed("a")


# ---- attempts


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 50), st.lists(st.integers(0, 200 * MS_NS), max_size=200))
def test_attempts_of_an_address_are_bounded(per_s: int, gaps: list[int]) -> None:
    admission = Admission(limits(attempts_per_s_max=per_s))
    now_ns, taken = 0, list[int]()
    for gap in gaps:
        now_ns += gap
        decision = admission.knock("10.0.0.1", now_ns)
        if decision.is_admitted:
            taken.append(now_ns)
        else:
            assert decision.reason == "attempt_rate"
            assert 1 <= decision.retry_after_ms <= 1_000
            later = Admission(limits(attempts_per_s_max=per_s))
            for then in [*taken]:
                later.knock("10.0.0.1", then)
            assert later.knock("10.0.0.1", now_ns + decision.retry_after_ms * MS_NS).is_admitted
        first = taken[-per_s - 1] if len(taken) > per_s else None
        # A burst of as many as a second brings, then no more than come in: in two seconds at most three seconds' worth.
        assert sum(now_ns - then <= SECOND_NS for then in taken) <= 2 * per_s
        assert first is None or taken[-1] > first


def test_one_address_does_not_keep_others_out() -> None:
    admission = Admission(Limits())
    refused = sum(not admission.knock("10.0.0.1", number * MS_NS // 10).is_admitted for number in range(10_000))
    assert refused == 10_000 - 100 - 99  # in a second
    assert admission.knock("10.0.0.2", SECOND_NS).is_admitted
    assert admission.counts["reject", "attempt_rate"] == refused


def test_all_addresses_together_are_bounded_and_so_is_what_is_kept_of_them() -> None:
    admission = Admission(Limits(addresses_max=100, server_attempts_per_s_max=500))
    seen = Counter(admission.knock(f"10.0.{number // 256}.{number % 256}", 0).reason for number in range(1_000))
    assert seen == {"ok": 500, "server_attempt_rate": 500}
    assert len(admission._addresses._full_ns) == 100


def test_addresses_of_one_network_are_one_party() -> None:
    admission = Admission(limits(attempts_per_s_max=1))
    assert admission.knock("2001:db8::1", 0).is_admitted
    assert not admission.knock("2001:db8::2:3", 0).is_admitted
    assert admission.knock("2001:db8:0:1::1", 0).is_admitted
    assert admission.knock("10.0.0.1", 0).is_admitted
    assert not admission.knock("::ffff:10.0.0.1", 0).is_admitted
    assert admission.knock("", 0).is_admitted
    assert admission.knock("fe80::1%eth0", 0).is_admitted


def test_a_tenant_is_bounded_whatever_its_addresses() -> None:
    admission = Admission(Limits(tenant_attempts_per_s_max=5, sessions_max=100))
    seen = Counter(admission.ask("a", f"10.0.0.{number}", 0).reason for number in range(8))
    assert seen == {"ok": 5, "tenant_attempt_rate": 3}
    assert admission.ask("b", "10.0.0.1", 0).is_admitted


# ---- the contract


def test_every_decision_is_a_valid_outcome(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "decision_outcome" / "valid"
    folder.mkdir(parents=True)
    for number, (reason, outcome) in enumerate(REASONS.items()):
        record = Decision(outcome, reason).record(
            session_id="s-1", event_id=f"s-1/admission/{number}", runtime_timestamp_ms=1, wall_clock_timestamp_ms=2
        )
        assert not list(check("decision_outcome", json.dumps(record).encode()))
        (folder / f"{reason}.json").write_text(json.dumps(record))
    with pytest.raises(SystemExit) as left:
        run_app(["contracts", "validate", str(tmp_path)])
    assert left.value.code in (0, None)
    assert f"{len(REASONS)} samples: {len(REASONS)} as expected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"sessions_max": 0}, "sessions_max is 0: at least 1"),
        ({"retry_ms": -1}, "retry_ms is -1"),
        ({"reserve_percent": 80}, "at most 50"),
        ({"weights": {"a": 0}}, "weights"),
    ],
)
def test_limits_that_make_no_sense_are_refused(other: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Limits(**other)


def test_the_page_of_operations_has_every_reason() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", page.partition("## Admission")[2], re.MULTILINE))
    assert rows == {reason: outcome for reason, outcome in REASONS.items() if outcome != "admit"}
