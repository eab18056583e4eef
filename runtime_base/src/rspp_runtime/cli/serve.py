"""`rspp serve`: a package as a service, until it is told to stop."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from rspp_runtime.cli.failure import EXIT_FINDINGS, EXIT_USAGE, Failure, usage

if TYPE_CHECKING:
    from rspp_runtime.serving.settings import Settings
    from rspp_runtime.telemetry.logs import Form

PORT = 7860
HERE = ("127.0.0.1", "0.0.0.0")  # shown as localhost
LEVELS = ("L0", "L1", "L2")
KERNELS = ("compiled", "pure")
FORMATS = ("json", "text")
CODECS = ("ulaw", "opus")


def command(
    package: Annotated[str, typer.Argument(metavar="PACKAGE", help="A generated folder, or an import name.")],
    host: Annotated[str, typer.Option("--host", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: one that is free.")] = PORT,
    dev: Annotated[
        bool, typer.Option("--dev", help="Tokens for whoever asks from this machine; operators see what is said.")
    ] = False,
    log_dir: Annotated[
        Path | None, typer.Option("--log-dir", help="Record each session here; others go on with what is left here.")
    ] = None,
    level: Annotated[str | None, typer.Option("--level", metavar="L0|L1|L2", help="Of the recordings.")] = None,
    kernel: Annotated[str | None, typer.Option("--kernel", metavar="compiled|pure", help="Which kernel.")] = None,
    codec: Annotated[
        list[str] | None,
        typer.Option("--codec", metavar="ulaw|opus", help="Clients may speak it; may be repeated. Default: all here."),
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="A site whose pages may connect; may be repeated.")
    ] = None,
    proxy: Annotated[
        list[str] | None, typer.Option("--proxy", help="Address of a proxy that says who asks; may be repeated.")
    ] = None,
    signing_key: Annotated[
        Path | None, typer.Option("--signing-key", help="Private key for tokens (rspp token new-key).")
    ] = None,
    trust: Annotated[
        list[Path] | None, typer.Option("--trust", help="Public keys of whoever else makes tokens; may be repeated.")
    ] = None,
    max_sessions: Annotated[int, typer.Option("--max-sessions", min=1, help="At once.")] = 200,
    max_tenant_sessions: Annotated[
        int | None, typer.Option("--max-tenant-sessions", min=1, help="At once, of one tenant.")
    ] = None,
    max_session: Annotated[
        int, typer.Option("--max-session", min=1, help="Seconds a session may last; then it ends after its turn.")
    ] = 7200,
    max_lag: Annotated[
        int, typer.Option("--max-lag", min=1, metavar="MS", help="Nobody new while the loop is later than that.")
    ] = 60,
    grace: Annotated[float, typer.Option("--grace", min=0, help="Seconds for running turns, at SIGTERM.")] = 30.0,
    otlp: Annotated[
        str | None, typer.Option("--otlp", metavar="URL", help="Send traces to this collector (http://collector:4318).")
    ] = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            "--log-format", metavar="json|text", help="Of what it logs to stderr. Default: text on a terminal."
        ),
    ] = None,
    no_console: Annotated[bool, typer.Option("--no-console", help="Do not serve the console.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Say where it listens as one line of JSON on stdout.")] = False,
) -> None:
    """Serve a package: people talk to it over WebSocket, from browsers and programs."""
    for option, value, known in (("--level", level, LEVELS), ("--kernel", kernel, KERNELS)):
        if value is not None and value not in known:
            usage(f"{option} is one of {', '.join(known)}, not {value!r}")
    for one in codec or ():
        if one not in CODECS:
            usage(f"--codec is one of {', '.join(CODECS)}, not {one!r}; pcm16 is always spoken")
    try:
        from rspp_runtime.serving.settings import Settings
    except ModuleNotFoundError as error:
        raise Failure(EXIT_FINDINGS, f"serving needs {error.name}: pip install 'rspp-runtime[serve]'") from None
    settings = Settings(
        host=host,
        port=port,
        development=dev,
        log_dir=log_dir,
        level=level,
        kernel=kernel,
        codecs=tuple(codec or ()),
        origins=tuple(origin or ()),
        proxies=tuple(proxy or ()),
        signing_key=signing_key,
        trusted_keys=tuple(trust or ()),
        max_sessions=max_sessions,
        max_tenant_sessions=max_tenant_sessions,
        session_s_max=max_session,
        lag_ms_max=max_lag,
        grace_s=grace,
        console=not no_console,
        otlp=otlp,
    )
    if log_format not in (None, *FORMATS):
        usage(f"--log-format is one of {', '.join(FORMATS)}, not {log_format!r}")
    serve(package, settings, json=json, log_format=log_format)


def serve(name: str, settings: Settings, *, json: bool, log_format: str | None = None) -> None:
    """Raises `Failure`."""
    import asyncio

    try:
        import uvloop

        from rspp_runtime.security.errors import KeyFileError
        from rspp_runtime.security.origins import is_origin
        from rspp_runtime.serving.memory import give_back
        from rspp_runtime.serving.server import ServeError, Server, url_host
    except ModuleNotFoundError as error:
        raise Failure(EXIT_FINDINGS, f"serving needs {error.name}: pip install 'rspp-runtime[serve]'") from None
    from rspp_runtime.session.handlers import NodeError, find_nodes_here
    from rspp_runtime.session.package import PackageError, load
    from rspp_runtime.telemetry.logs import configure

    for one in settings.origins:
        if not is_origin(one):
            usage(f"--origin is a site like https://app.example, not {one!r}")
    give_back()
    try:
        package = load(name)
        find_nodes_here()
        server = Server(package, settings)
        listening = server.bind()
    except ServeError as error:
        raise Failure(EXIT_USAGE, str(error)) from None
    except (PackageError, NodeError, KeyFileError) as error:
        raise Failure(EXIT_FINDINGS, str(error)) from None

    def ready() -> None:
        host = "localhost" if settings.host in HERE else url_host(settings.host)
        url = f"http://{host}:{server.port}/"
        if json:
            print(json_module.dumps({"url": url, "port": server.port, "pipeline": package.plan.pipeline}), flush=True)
        else:
            print(f"{package.plan.pipeline} {package.plan.pipeline_version} is served at {url}", flush=True)

    plan = package.plan
    lines = configure(
        cast("Form | None", log_format), common={"pipeline": plan.pipeline, "pipeline_version": plan.pipeline_version}
    )
    try:
        with listening, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve(listening, ready))
    except ServeError as error:
        raise Failure(EXIT_USAGE, str(error)) from None
    except (PackageError, NodeError, ModuleNotFoundError) as error:
        raise Failure(EXIT_FINDINGS, str(error)) from None
    finally:
        lines.close()
