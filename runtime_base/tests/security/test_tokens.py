"""Tokens: taken as they were issued, and refused if anything about them is different."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from rspp_runtime.security import keys, tokens
from rspp_runtime.security.tokens import Issuer, Replays, TokenError, Verifier

NOW_S = 1_800_000_000
ISSUER = Issuer.development()
VERIFIER = Verifier.of(ISSUER)
WHAT: dict[str, Any] = {
    "tenant": "acme", "session_id": "s-1", "pipeline": "concierge", "pipeline_version": "1.2.0", "epoch": 3,
    "scopes": {"talk"},
}  # fmt: skip
CLAIMS = ["tenant_id", "session_id", "pipeline", "pipeline_version", "authority_epoch", "scope", "exp", "iat", "jti",
          "sub"]  # fmt: skip
HERE: dict[str, Any] = {"now_s": NOW_S, "scope": "talk", "pipeline": "concierge", "pipeline_version": "1.2.0"}


def issued(**other: Any) -> str:
    return ISSUER.issue(**{"now_s": NOW_S, **WHAT, **other})


def refused(token: str, verifier: Verifier = VERIFIER, **other: Any) -> str:
    with pytest.raises(TokenError) as found:
        verifier.verify(token, **{**HERE, **other})
    assert str(found.value) == tokens.REASONS[found.value.code]
    assert len(token) < 40 or token not in str(found.value)
    return found.value.code


def part(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def signed(claims: dict[str, Any], **header: Any) -> str:
    """By the issuer's own key, whatever it says."""
    return jwt.encode(claims, ISSUER._key.private, "EdDSA", headers={"typ": tokens.TYPE, "kid": ISSUER.kid, **header})


@pytest.mark.feature("F-088", "mapped")
def test_a_token_says_whose_session_of_which_version_it_starts() -> None:
    grant = VERIFIER.verify(issued(subject="user 7"), **HERE, tenant="acme", session_id="s-1", epoch=3)
    assert (grant.tenant, grant.session_id, grant.pipeline, grant.pipeline_version, grant.epoch) == (
        "acme", "s-1", "concierge", "1.2.0", 3,
    )  # fmt: skip
    assert (grant.scopes, grant.subject, grant.expires_s) == ({"talk"}, "user 7", NOW_S + tokens.TTL_S)


@pytest.mark.feature("F-088", "rejected")
@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("wrong_tenant", {"tenant": "other"}),
        ("wrong_session", {"session_id": "s-2"}),
        ("wrong_pipeline", {"pipeline": "other"}),
        ("wrong_version", {"pipeline_version": "1.2.1"}),
        ("wrong_epoch", {"epoch": 4}),
        ("wrong_scope", {"scope": "admin"}),
    ],
)
def test_a_token_opens_only_what_it_names(code: str, other: dict[str, Any]) -> None:
    assert refused(issued(), **other) == code


@pytest.mark.feature("F-119", "tampered")
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bit_can_be_changed(data: st.DataObject) -> None:
    token = TOKEN.encode()
    at = data.draw(st.integers(0, len(token) * 8 - 1))
    flipped = bytearray(token)
    flipped[at // 8] ^= 1 << at % 8
    assert refused(flipped.decode("latin-1")) in ("malformed", "forged")


def test_no_letter_of_a_signature_can_be_spelled_otherwise() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. \n"
    for place in (-1, -2, -86, 0):
        for letter in letters:
            other = TOKEN[: len(TOKEN) + place if place else 0] + letter + (TOKEN[place + 1 or len(TOKEN) :])
            assert other == TOKEN or refused(other) in ("malformed", "forged")
    for other in (TOKEN + "=", TOKEN + "==", TOKEN + "A", TOKEN[:-1], TOKEN + "\n", " " + TOKEN, TOKEN + ".e30"):
        assert refused(other) == "malformed"


@pytest.mark.feature("F-119", "tampered")
@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([*CLAIMS, "iss", "aud"]),
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=30), st.lists(st.text(max_size=3), max_size=2)),
)  # fmt: skip
def test_no_claim_can_be_changed(claim: str, value: Any) -> None:
    head, _, signature = TOKEN.split(".")
    claims = claims_of(TOKEN)
    if claims[claim] == value and type(claims[claim]) is type(value):
        return
    other = f"{head}.{part({**claims, claim: value})}.{signature}"
    assert refused(other, tenant=None) in ("forged", "malformed")


@pytest.mark.feature("F-119", "expired")
def test_a_token_ends_with_its_time() -> None:
    token = issued(ttl_s=60)
    VERIFIER.verify(token, **{**HERE, "now_s": NOW_S + 60 + tokens.LEEWAY_S - 1})
    assert refused(token, now_s=NOW_S + 60 + tokens.LEEWAY_S) == "expired"
    assert refused(token, now_s=NOW_S + 10**9) == "expired"
    assert refused(token, now_s=NOW_S - tokens.LEEWAY_S - 1) == "not_yet"
    VERIFIER.verify(token, **{**HERE, "now_s": NOW_S - tokens.LEEWAY_S})
    claims = claims_of(token)
    assert refused(signed({**claims, "nbf": NOW_S + 30})) == "not_yet"
    assert refused(signed({**claims, "exp": NOW_S + tokens.TTL_S_MAX + 1})) == "too_long"
    VERIFIER.verify(signed({**claims, "exp": NOW_S + tokens.TTL_S_MAX}), **HERE)


@pytest.mark.feature("F-119", "expired")
def test_a_token_is_used_once() -> None:
    replays = Replays(tokens_max=3)
    grant = VERIFIER.verify(issued(), **HERE)
    replays.use(grant, NOW_S)
    for now_s in (NOW_S, NOW_S + 60 + tokens.LEEWAY_S - 1):
        with pytest.raises(TokenError) as found:
            replays.use(grant, now_s)
        assert found.value.code == "replayed"
    assert replays.refused == {"replayed": 2, "too_many": 0}


def test_what_is_remembered_of_tokens_is_bounded() -> None:
    replays = Replays(tokens_max=3)
    for _ in range(3):
        replays.use(VERIFIER.verify(issued(), **HERE), NOW_S)
    late = VERIFIER.verify(issued(), **HERE)
    with pytest.raises(TokenError) as found:
        replays.use(late, NOW_S)
    assert found.value.code == "too_many"
    assert replays.refused["too_many"] == 1
    after_s = NOW_S + 60 + tokens.LEEWAY_S
    replays.use(VERIFIER.verify(issued(now_s=after_s), **{**HERE, "now_s": after_s}), after_s)
    assert len(replays) == 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), max_size=60))
def test_no_token_is_used_twice_while_it_is_good(uses: list[tuple[int, int]]) -> None:
    replays, now_s, used = Replays(tokens_max=4), NOW_S, set[int]()
    grants = [VERIFIER.verify(TOKENS[one], **HERE) for one in range(10)]
    for one, pause_s in uses:
        now_s += pause_s
        if now_s >= grants[one].expires_s + tokens.LEEWAY_S:
            continue  # the verifier has refused it
        code = outcome_of(replays, grants[one], now_s)
        assert code == "replayed" if one in used else code in ("", "too_many")
        if not code:
            used.add(one)
        assert len(replays) <= 4


def outcome_of(replays: Replays, grant: tokens.Grant, now_s: int) -> str:
    try:
        replays.use(grant, now_s)
    except TokenError as error:
        return error.code
    return ""


# ---- forgeries, as they are tried


def test_another_algorithm_is_not_believed() -> None:
    claims = part(claims_of(TOKEN))
    public = ISSUER.jwks()["keys"][0]["x"]
    for algorithm in ("none", "None", "NONE", "HS256"):
        head = part({"alg": algorithm, "typ": tokens.TYPE, "kid": ISSUER.kid})
        mac = hmac.digest(base64.urlsafe_b64decode(public + "="), f"{head}.{claims}".encode(), hashlib.sha512)
        assert refused(f"{head}.{claims}.{part(mac)}") in ("forged", "malformed")
        assert refused(f"{head}.{claims}.") == "malformed"


def test_a_key_that_a_token_brings_along_is_not_believed() -> None:
    attacker = Issuer.development()
    brought = jwt.encode(
        claims_of(TOKEN), attacker._key.private, "EdDSA",
        headers={"typ": tokens.TYPE, "kid": ISSUER.kid, "jwk": attacker.jwks()["keys"][0]},
    )  # fmt: skip
    assert refused(brought) == "forged"
    assert refused(attacker.issue(now_s=NOW_S, **WHAT)) == "forged"
    assert (
        refused(jwt.encode(claims_of(TOKEN), attacker._key.private, "EdDSA", headers={"kid": ISSUER.kid})) == "forged"
    )
    head = {"alg": "EdDSA", "typ": tokens.TYPE, "kid": ["a"]}
    assert refused(f"{part(head)}.{part({})}.{part(bytes(64))}") in ("forged", "malformed")


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": "rspp-other+jwt"}, {"crit": ["x"], "x": 1}, {"extra": 1}])
def test_a_token_of_another_kind_is_not_taken(header: dict[str, Any]) -> None:
    assert refused(signed(claims_of(TOKEN), **header)) in ("forged", "malformed")


@pytest.mark.parametrize("other", [{"iss": "else"}, {"aud": "rspp-other"}, {"aud": ["x"]}])
def test_a_token_for_another_server_is_not_taken(other: dict[str, Any]) -> None:
    assert refused(signed({**claims_of(TOKEN), **other})) == "forged"


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([*CLAIMS, "nbf"]),
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=70),
              st.sampled_from(["../../etc", "a/b", "a\x00b", "", " ", "a" * 65, "talk fly"]),
              st.recursive(st.none(), lambda inner: st.lists(inner, max_size=2), max_leaves=4)),
)  # fmt: skip
def test_whoever_signs_nonsense_is_refused_and_nothing_breaks(claim: str, value: Any) -> None:
    token = signed({**claims_of(TOKEN), claim: value})
    try:
        grant = VERIFIER.verify(token, **HERE)
    except TokenError:
        return
    assert tokens._fault(grant) == ""


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=300), st.binary(max_size=300).map(lambda raw: f"{part(raw)}.{part(raw)}.{'A' * 86}")))
def test_rubbish_is_refused(token: str) -> None:
    assert refused(token) in ("missing", "malformed", "forged")


def test_what_is_too_long_or_too_deep_is_not_read() -> None:
    assert refused("a" * 10_000_000) == "malformed"
    deep = part(b"[" * 1_400 + b"]" * 1_400)
    assert refused(f"{deep}.{part({})}.{'A' * 86}"[: tokens.TOKEN_CHARS_MAX]) == "malformed"
    assert refused("") == "missing"


# ---- keys come and go


def test_several_keys_are_known_while_they_are_rotated() -> None:
    old, new = Issuer.development(), Issuer.development()
    both = Verifier.of(old, new)
    for issuer in (old, new):
        both.verify(issuer.issue(now_s=NOW_S, **WHAT), **HERE)
    assert both.key_ids == sorted([old.kid, new.kid])
    assert refused(old.issue(now_s=NOW_S, **WHAT), Verifier.of(new)) == "forged"


def test_a_token_for_any_session_of_a_tenant_cannot_talk() -> None:
    token = issued(session_id="", scopes={"observe"})
    VERIFIER.verify(token, **{**HERE, "scope": "observe"}, tenant="acme", session_id="s-9")
    with pytest.raises(ValueError, match="session_id is ''"):
        issued(session_id="")
    assert refused(signed({**claims_of(TOKEN), "session_id": ""})) == "malformed"


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"tenant": "a/b"}, "tenant"),
        ({"session_id": ".."}, "session_id"),
        ({"scopes": {"fly"}}, "scopes"),
        ({"scopes": set()}, "scopes"),
        ({"epoch": -1}, "epoch"),
        ({"ttl_s": 0}, "ttl_s"),
        ({"ttl_s": tokens.TTL_S_MAX + 1}, "ttl_s"),
        ({"subject": "a\nb"}, "subject"),
    ],
)
def test_an_issuer_says_what_it_will_not_sign(other: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        issued(**other)


def test_a_key_does_not_show_itself() -> None:
    key = keys.new_key()
    raw = key.private.private_bytes_raw()
    assert repr(key) == f"KeyPair({key.kid})"
    assert raw.hex() not in repr(key) + str(key)


TOKEN = issued(subject="user 7")
TOKENS = [issued(ttl_s=20 + 10 * one) for one in range(10)]


def test_the_page_of_operations_has_every_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = dict(
        re.findall(
            r"^\| `(\w+)` \| (.+) \|$", page.partition("### What is refused")[2].partition("### Pages")[0], re.MULTILINE
        )
    )
    assert rows == tokens.REASONS


def test_a_token_of_a_backend_is_taken() -> None:
    """As docs/operations.md has it."""
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.+?)```", page, re.DOTALL)[0].replace('open("issuer.pem", "rb").read()', "PEM")
    pem = ISSUER._key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    names: dict[str, Any] = {"PEM": pem, "KID": ISSUER.kid}
    exec(code, names)
    here = {"scope": "talk", "pipeline": "voice_assistant", "pipeline_version": "0.1.0", "now_s": int(time.time())}
    assert VERIFIER.verify(names["token"], **here).subject == "user 7"
