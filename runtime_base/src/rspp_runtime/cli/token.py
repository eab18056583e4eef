"""`rspp token`: keys, and tokens signed with them. A token is printed; a private key never is."""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rspp_runtime.cli.failure import EXIT_FINDINGS, EXIT_USAGE, Failure
from rspp_runtime.security.errors import KeyFileError


@dataclass(frozen=True, slots=True)
class Request:
    """What a token is to say."""

    key: Path
    tenant: str
    session_id: str  # "": made up if it is to talk, else any of the tenant's
    pipeline: str
    version: str
    epoch: int
    scopes: frozenset[str]
    subject: str
    ttl_s: int


def new_key(file: Path, public: Path | None) -> None:
    """Raises `Failure`."""
    with _told():
        from rspp_runtime.security import keys

        known = public or file.with_name(file.name + ".jwks")
        others = keys.read_public(known) if known.exists() else {}
        key = keys.new_key()
        keys.write_private(file, key)
        _put(known, json.dumps(keys.jwks({**others, key.kid: key.public}), indent=2) + "\n")
    print(f"private  {file}: whoever has it can let anybody in; give it to what signs, and to nobody else")
    print(f"public   {known}: for servers (--keys); {len(others) + 1} of them")
    print(f"kid      {key.kid}")


def issue(request: Request) -> None:
    """Raises `Failure`."""
    with _told():
        from rspp_runtime.security.tokens import Issuer

        session_id = request.session_id
        if not session_id and "talk" in request.scopes:
            session_id = f"s-{uuid.uuid4().hex[:12]}"
        issuer = Issuer.load(request.key)
        try:
            token = issuer.issue(
                tenant=request.tenant,
                session_id=session_id,
                pipeline=request.pipeline,
                pipeline_version=request.version,
                epoch=request.epoch,
                scopes=request.scopes,
                subject=request.subject,
                ttl_s=request.ttl_s,
                now_s=int(time.time()),
            )
        except ValueError as error:
            raise Failure(EXIT_USAGE, str(error)) from None
    print(token)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """A file without a key, and a missing extra, as one line."""
    try:
        yield
    except (KeyFileError, ModuleNotFoundError) as error:
        raise Failure(EXIT_FINDINGS, str(error)) from None


def _put(path: Path, text: str) -> None:
    """The whole file or nothing of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise Failure(EXIT_FINDINGS, f"{path}: cannot be written: {error.strerror}") from None
