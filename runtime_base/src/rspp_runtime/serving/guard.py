"""Who may do what: tokens and origins, as the server asks for them. Looked at before anything is spent on anybody."""

from __future__ import annotations

import time
import uuid

from rspp_runtime.security import origins
from rspp_runtime.security.keys import read_public
from rspp_runtime.security.tokens import REASONS, RESUME, TTL_S, TTL_S_MAX, Grant, Issuer, Replays, TokenError, Verifier
from rspp_runtime.serving.settings import Settings
from rspp_runtime.session.package import Package

DEVELOPER = "developer"  # the tenant of who talks to a server in development


class Refused(Exception):  # noqa: N818 - an answer, not a mistake
    """No, with an HTTP status, a code and a sentence; `retry_after_ms` if it is worth asking again. `outcome` is that
    of CONTRACTS §4, where admission refused."""

    def __init__(self, status: int, code: str, reason: str, retry_after_ms: int = 0, outcome: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = reason
        self.retry_after_ms = retry_after_ms
        self.outcome = outcome

    def describe(self) -> dict[str, str | int]:
        """The body of the answer."""
        said: dict[str, str | int] = {"code": self.code, "reason": self.reason}
        if self.outcome:
            said["outcome_kind"] = self.outcome
        if self.retry_after_ms:
            said["retry_after_ms"] = self.retry_after_ms
        return said

    def headers(self) -> dict[str, str]:
        """Of the answer."""
        again = {"retry-after": str(-(-self.retry_after_ms // 1000))} if self.retry_after_ms else {}
        return {"cache-control": "no-store", **again}


class Guard:
    """See the module. Raises `KeyFileError` if a key cannot be read."""

    def __init__(self, package: Package, settings: Settings) -> None:
        self.pipeline = package.plan.pipeline
        self.version = package.plan.pipeline_version
        self.development = settings.development
        self._origins = settings.origins
        self.issuer: Issuer | None = None
        if settings.signing_key is not None:
            self.issuer = Issuer.load(settings.signing_key)
        elif settings.development:
            self.issuer = Issuer.development()
        # Tokens to come back with need no key of an operator's, as long as nobody else has to take them.
        self._own = self.issuer or Issuer.development()
        keys = dict(self._own.public_keys)
        for path in settings.trusted_keys:
            keys |= read_public(path)
        self._verifier = Verifier(keys)
        self._replays = Replays()

    # ---- who asks

    def from_page(self, origin: str | None, host: str) -> None:
        """Raises `Refused` if a browser brings somebody else's page."""
        if not origins.allowed(origin, host, self._origins):
            raise Refused(403, "origin", "pages of this origin may not: see --origin")

    def use(self, grant: Grant) -> None:
        """A token that was looked at lets somebody in, once. Raises `Refused`."""
        try:
            self._replays.use(grant, now_s())
        except TokenError as error:
            raise Refused(401, error.code, str(error)) from None

    def give_back(self, grant: Grant) -> None:
        """Whoever came in with it was cut off before it could say anything: it may come in again."""
        self._replays.give_back(grant)

    def look(self, token: str, scope: str, session_id: str | None = None) -> Grant:
        """What a token allows, as often as it is shown; only who talks is bound to a version (decision 0057). Raises
        `Refused`."""
        try:
            return self._verifier.verify(
                token,
                now_s=now_s(),
                scope=scope,
                pipeline=self.pipeline,
                pipeline_version=self.version if scope == "talk" else None,
                session_id=session_id,
                resumes=scope == "talk",
            )
        except TokenError as error:
            raise Refused(401, error.code, str(error)) from None

    def may_begin(self, grant: Grant) -> None:
        """A session may begin with it: a token of another version is for coming back. Raises `Refused`."""
        if grant.pipeline_version != self.version:
            raise Refused(401, "wrong_version", REASONS["wrong_version"])

    def may_issue(self, bearer: str, origin: str | None, host: str) -> str:
        """The tenant for which a session may be asked for. Raises `Refused`.

        In development a page or a script of this machine may, without a token.
        """
        if bearer:
            return self.look(bearer, "issue").tenant
        if self.development and origins.host_allowed(host, self._origins):
            self.from_page(origin, host)
            return DEVELOPER
        raise Refused(401, "missing", "asking for a session needs a token of scope `issue`")

    def may_operate(self, bearer: str, origin: str | None, host: str, session_id: str | None = None) -> str:
        """The tenant whose sessions may be looked at, or "" for all. Raises `Refused`."""
        if bearer:
            return self.look(bearer, "observe", session_id).tenant
        if self.development and origins.host_allowed(host, self._origins):
            self.from_page(origin, host)
            return ""
        raise Refused(401, "missing", "looking on needs a token of scope `observe`")

    # ---- tokens of one's own

    def token(self, tenant: str, session_id: str, epoch: int) -> str:
        """To connect with, once; "" if this server was given no key to sign with."""
        return "" if self.issuer is None else self._sign(self.issuer, tenant, session_id, epoch, TTL_S, {"talk"})

    def returning(self, tenant: str, session_id: str, epoch: int) -> str:
        """To come back with, once, to whatever version. Without a key to sign with, this process alone takes it."""
        return self._sign(self._own, tenant, session_id, epoch, TTL_S_MAX, {"talk", RESUME})

    def _sign(self, issuer: Issuer, tenant: str, session_id: str, epoch: int, ttl_s: int, scopes: set[str]) -> str:
        return issuer.issue(
            tenant=tenant,
            session_id=session_id,
            pipeline=self.pipeline,
            pipeline_version=self.version,
            epoch=epoch,
            scopes=scopes,
            ttl_s=ttl_s,
            now_s=now_s(),
        )


def now_s() -> int:
    return int(time.time())


def new_session_id() -> str:
    return f"s-{uuid.uuid4().hex[:20]}"
