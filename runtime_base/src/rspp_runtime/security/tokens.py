"""Tokens with which a session starts: signed (JWT, EdDSA with Ed25519), short-lived, and used once (F-088, F-119).

    backend ── Issuer.issue ──▶ token ──▶ client ──▶ Verifier.verify ──▶ Grant ──▶ Replays.use ──▶ a session

Header: `{"alg": "EdDSA", "typ": "rspp-session+jwt", "kid"}`. Claims: `iss` `aud` `jti` `iat` `exp`, perhaps `sub` and
`nbf`; `tenant_id` `session_id` `pipeline` `pipeline_version` `authority_epoch`; `scope`, words with a space between
them. Nothing else is believed: not another `alg`, not a key that the token brings along.

A token is looked at before anything is spent on its bearer. What is wrong is told in words that do not depend on the
token; of a token that nobody signed no claim is looked at. Seconds are those of the wall clock, and given.
"""

from __future__ import annotations

import heapq
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rspp_runtime.security.keys as key_files
from rspp_runtime.security.errors import KeyFileError
from rspp_runtime.security.keys import Ed25519PublicKey, KeyPair, jwt

__all__ = ["Grant", "Issuer", "KeyFileError", "Replays", "TokenError", "Verifier"]

ALGORITHM = "EdDSA"
TYPE = "rspp-session+jwt"
ISSUER = "rspp"
AUDIENCE = "rspp-session"
SCOPES = frozenset({"talk", "resume", "observe", "issue", "admin"})
RESUME = "resume"  # the session of the token may be gone on with, by whatever version of its pipeline

TTL_S = 60  # to connect; a session then lasts as long as it likes
TTL_S_MAX = 3_600
LEEWAY_S = 5  # by which two machines' clocks may differ
TOKEN_CHARS_MAX = 4_096
REPLAYS_MAX = 100_000

REASONS: Mapping[str, str] = {
    "missing": "a token is needed",
    "malformed": "the token has not the form of a session's token",
    "forged": "the token was not signed by anybody who may, or not for this server",
    "expired": "the token has expired",
    "not_yet": "the token is not valid yet",
    "too_long": f"the token lasts longer than the {TTL_S_MAX} s that are allowed",
    "replayed": "the token was used before",
    "too_many": "too many tokens were used of late",
    "wrong_tenant": "the token is of another tenant",
    "wrong_session": "the token is of another session",
    "wrong_pipeline": "the token is for another pipeline",
    "wrong_version": "the token is for another version of the pipeline",
    "wrong_epoch": "the token is of another authority epoch",
    "wrong_scope": "the token does not allow this",
}
"""By code: what a client is told."""

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]")
# The last letter of a signature has four bits that mean nothing: only one of the sixteen spellings is taken.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # they name files and labels
_SUBJECT = re.compile(r"[\x20-\x7e]{0,128}")
_TOKEN_ID = re.compile(r"[\x21-\x7e]{8,64}")
_SECONDS_MAX = 1 << 53
_CLAIMS = ["iss", "aud", "jti", "iat", "exp", "tenant_id", "session_id", "pipeline", "pipeline_version",
           "authority_epoch", "scope"]  # fmt: skip


class TokenError(Exception):
    """A token that is refused: `code` is one of `REASONS`, the text a sentence that is the same for all tokens."""

    def __init__(self, code: str) -> None:
        super().__init__(REASONS[code])
        self.code = code


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token that was verified allows. `session_id` "" is for any of the tenant's, and never with talk."""

    tenant: str
    session_id: str
    pipeline: str
    pipeline_version: str
    epoch: int
    scopes: frozenset[str]
    subject: str
    token_id: str
    expires_s: int  # wall clock


class Issuer:
    """Signs tokens with one key."""

    def __init__(self, key: KeyPair, issuer: str = ISSUER, audience: str = AUDIENCE) -> None:
        self.kid = key.kid
        self.issuer, self.audience = issuer, audience
        self._key = key

    @classmethod
    def development(cls) -> Issuer:
        """With a key that is made now, and gone with the process."""
        return cls(key_files.new_key())

    @classmethod
    def load(cls, path: Path | str) -> Issuer:
        """With the private key of a file, PEM or JWK. Raises `KeyFileError`."""
        return cls(key_files.read_private(Path(path)))

    @property
    def public_keys(self) -> dict[str, Ed25519PublicKey]:
        return {self.kid: self._key.public}

    def jwks(self) -> dict[str, Any]:
        """The public key as a JWKS (RFC 7517)."""
        return key_files.jwks(self.public_keys)

    def issue(
        self,
        *,
        tenant: str,
        session_id: str,
        pipeline: str,
        pipeline_version: str,
        epoch: int,
        scopes: frozenset[str] | set[str],
        subject: str = "",
        ttl_s: int = TTL_S,
        now_s: int,
    ) -> str:
        """A token for these, valid from `now_s` on. Raises `ValueError` for what no verifier would take."""
        grant = Grant(
            tenant, session_id, pipeline, pipeline_version, epoch, frozenset(scopes), subject,
            uuid.uuid4().hex, now_s + ttl_s,
        )  # fmt: skip
        if not 1 <= ttl_s <= TTL_S_MAX:
            raise ValueError(f"ttl_s is {ttl_s}: 1 to {TTL_S_MAX} seconds")
        if fault := _fault(grant):
            raise ValueError(fault)
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "jti": grant.token_id,
            "iat": now_s,
            "exp": grant.expires_s,
            "tenant_id": tenant,
            "session_id": session_id,
            "pipeline": pipeline,
            "pipeline_version": pipeline_version,
            "authority_epoch": epoch,
            "scope": " ".join(sorted(grant.scopes)),
        }
        return jwt.encode(claims, self._key.private, ALGORITHM, headers={"typ": TYPE, "kid": self.kid})


class Verifier:
    """Takes tokens that one of `keys` (by key id) has signed. Several keys are known while they are rotated."""

    def __init__(
        self,
        keys: Mapping[str, Ed25519PublicKey],
        *,
        issuer: str = ISSUER,
        audience: str = AUDIENCE,
        leeway_s: int = LEEWAY_S,
        ttl_s_max: int = TTL_S_MAX,
    ) -> None:
        if not keys:
            raise ValueError("a verifier needs a key")
        self._keys = dict(keys)
        self._issuer, self._audience = issuer, audience
        self._leeway_s, self._ttl_s_max = leeway_s, ttl_s_max

    @classmethod
    def of(cls, *issuers: Issuer) -> Verifier:
        """Of issuers in this process."""
        keys = {kid: key for one in issuers for kid, key in one.public_keys.items()}
        return cls(keys, issuer=issuers[0].issuer, audience=issuers[0].audience)

    @classmethod
    def load(cls, *paths: Path | str) -> Verifier:
        """With the public keys of files: JWKS, JWK or PEM. Raises `KeyFileError`."""
        keys: dict[str, Ed25519PublicKey] = {}
        for path in map(Path, paths):
            for kid, key in key_files.read_public(path).items():
                if kid in keys and key_files.thumbprint(keys[kid]) != key_files.thumbprint(key):
                    raise KeyFileError(path, f"has another key under the id {kid} than a file before it")
                keys[kid] = key
        return cls(keys)

    @property
    def key_ids(self) -> list[str]:
        return sorted(self._keys)

    def verify(
        self,
        token: str,
        *,
        now_s: int,
        scope: str,
        pipeline: str,
        pipeline_version: str | None,
        tenant: str | None = None,
        session_id: str | None = None,
        epoch: int | None = None,
        resumes: bool = False,
    ) -> Grant:
        """What the token allows, if that is `scope` here and now. Of version, tenant, session and epoch those are asked
        for that are given. With `resumes`, a token of scope `resume` may be of another version: its session may be gone
        on with, which the caller sees to. Raises `TokenError`."""
        claims = self._signed(token)
        grant = _granted(claims)
        issued_s, begins_s = claims["iat"], claims.get("nbf", claims["iat"])
        if not _is_count(issued_s) or not _is_count(begins_s):
            raise TokenError("malformed")
        if now_s >= grant.expires_s + self._leeway_s:
            raise TokenError("expired")
        if now_s < max(issued_s, begins_s) - self._leeway_s:
            raise TokenError("not_yet")
        if grant.expires_s - issued_s > self._ttl_s_max:
            raise TokenError("too_long")
        is_other_session = session_id is not None and grant.session_id not in ("", session_id)
        is_other_version = pipeline_version is not None and grant.pipeline_version != pipeline_version
        if resumes and RESUME in grant.scopes:
            is_other_version = False
        for code, is_wrong in (
            ("wrong_tenant", tenant is not None and grant.tenant != tenant),
            ("wrong_pipeline", grant.pipeline != pipeline),
            ("wrong_version", is_other_version),
            ("wrong_session", is_other_session),
            ("wrong_epoch", epoch is not None and grant.epoch != epoch),
            ("wrong_scope", scope not in grant.scopes),
        ):
            if is_wrong:
                raise TokenError(code)
        return grant

    def _signed(self, token: str) -> dict[str, Any]:
        """The claims of a token that one of the keys has signed, for this audience."""
        if not token:
            raise TokenError("missing")
        if len(token) > TOKEN_CHARS_MAX or not _SHAPE.fullmatch(token):
            raise TokenError("malformed")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenError("malformed") from None
        kid = header.get("kid")
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None or header.keys() != {"alg", "typ", "kid"} or header["alg"] != ALGORITHM or header["typ"] != TYPE:
            raise TokenError("forged")
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                options={"require": _CLAIMS, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except (jwt.InvalidSignatureError, jwt.InvalidAudienceError, jwt.InvalidIssuerError):
            raise TokenError("forged") from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenError("malformed") from None


class Replays:
    """The ids of tokens that were used: each starts one connection. It remembers a token until that has expired anyway,
    and at most `tokens_max` of them: what comes on top is refused. Of one process; `refused` counts by code."""

    def __init__(self, tokens_max: int = REPLAYS_MAX, leeway_s: int = LEEWAY_S) -> None:
        self.refused = {"replayed": 0, "too_many": 0}
        self._tokens_max, self._leeway_s = tokens_max, leeway_s
        self._used: set[str] = set()
        self._given_back: set[str] = set()  # of them, those that are good once more
        self._expiries: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._used)

    def use(self, grant: Grant, now_s: int) -> None:
        """Raises `TokenError`: replayed, too_many."""
        while self._expiries and self._expiries[0][0] + self._leeway_s <= now_s:
            _, gone = heapq.heappop(self._expiries)
            self._used.discard(gone)
            self._given_back.discard(gone)
        if grant.token_id in self._given_back:
            self._given_back.discard(grant.token_id)
            return
        code = "replayed" if grant.token_id in self._used else "too_many" if self._is_full() else ""
        if code:
            self.refused[code] += 1
            raise TokenError(code)
        self._used.add(grant.token_id)
        heapq.heappush(self._expiries, (grant.expires_s, grant.token_id))

    def give_back(self, grant: Grant) -> None:
        """What it was used for has come to nothing: it may be used once more."""
        if grant.token_id in self._used:
            self._given_back.add(grant.token_id)

    def _is_full(self) -> bool:
        return len(self._used) >= self._tokens_max


def _granted(claims: Mapping[str, Any]) -> Grant:
    """The claims in our words; whoever signed them may still have written what no session can have."""
    texts = [claims[name] for name in ("tenant_id", "session_id", "pipeline", "pipeline_version", "scope", "jti")]
    texts.append(claims.get("sub", ""))
    numbers = [claims["authority_epoch"], claims["exp"]]
    if not all(isinstance(text, str) for text in texts) or not all(_is_count(number) for number in numbers):
        raise TokenError("malformed")
    tenant, session_id, pipeline, version, scope, token_id, subject = texts
    epoch, expires_s = numbers
    grant = Grant(tenant, session_id, pipeline, version, epoch, frozenset(scope.split()), subject, token_id, expires_s)
    if _fault(grant):
        raise TokenError("malformed")
    return grant


def _fault(grant: Grant) -> str:
    """What no token may say; "" if there is nothing."""
    names = {"tenant": grant.tenant, "pipeline": grant.pipeline, "pipeline_version": grant.pipeline_version}
    if grant.session_id or "talk" in grant.scopes:
        names["session_id"] = grant.session_id
    for what, name in names.items():
        if not _NAME.fullmatch(name):
            return f"{what} is {name!r}: 1 to 64 letters, digits and . _ -, the first a letter or digit"
    if not grant.scopes or not grant.scopes <= SCOPES:
        return f"scopes are {sorted(grant.scopes)}: some of {', '.join(sorted(SCOPES))}"
    if not _is_count(grant.epoch):
        return f"epoch is {grant.epoch!r}: a whole number from 0 on"
    if not _SUBJECT.fullmatch(grant.subject):
        return "subject is not text of at most 128 printable ASCII characters"
    if not _TOKEN_ID.fullmatch(grant.token_id):
        return "jti is not 8 to 64 printable ASCII characters"
    if not _is_count(grant.expires_s):
        return "exp is no number of seconds"
    return ""


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= _SECONDS_MAX
