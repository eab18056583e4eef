"""How a package is served: every figure that an operator can set, with its default (docs/serving.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rspp_runtime.serving.party import Manners

PORT = 7860


@dataclass(frozen=True, slots=True)
class Settings:
    """See the module. `development` makes tokens for pages of this machine, and shows what is said to operators."""

    host: str = "127.0.0.1"
    port: int = PORT
    development: bool = False
    log_dir: Path | None = None  # without it nothing is recorded, and no other process can go on with a session
    level: str | None = None  # of recordings; None: the pipeline's
    kernel: str | None = None
    codecs: tuple[str, ...] = ()  # that clients may speak beside pcm16; (): all that are installed
    origins: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()  # addresses whose word on who asks is taken (X-Forwarded-For, -Proto)
    signing_key: Path | None = None
    trusted_keys: tuple[Path, ...] = ()
    session_s_max: int = 2 * 3600
    max_sessions: int = 200
    max_tenant_sessions: int | None = None
    lag_ms_max: int = 60  # of the loop, before nobody new is taken
    attempts_per_second: int = 100  # of connecting, by an address
    tenant_attempts_per_second: int = 100
    server_attempts_per_second: int = 1_000
    grace_s: float = 30.0
    console: bool = True
    otlp: str | None = None  # a collector of traces; None: what OpenTelemetry's environment says
    manners: Manners = field(default_factory=Manners)
