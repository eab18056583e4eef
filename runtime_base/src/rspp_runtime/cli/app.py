"""The commands of `rspp` and their options. What a command needs is imported when it runs."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

from rspp_runtime import __version__
from rspp_runtime.cli import serve
from rspp_runtime.cli.failure import EXIT_INTERRUPTED, Failure, apology, told

app = typer.Typer(
    name="rspp",
    help="Runs voice agents that rsppc has compiled, and shows what they did.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Kernel(enum.StrEnum):
    COMPILED = "compiled"
    PURE = "pure"


class Kernels(enum.StrEnum):
    COMPILED = "compiled"
    PURE = "pure"
    BOTH = "both"


class Level(enum.StrEnum):
    L0 = "L0"
    L1 = "L1"
    L2 = "L2"


class ReplayMode(enum.StrEnum):
    RECOMPUTE_DECISIONS = "recompute_decisions"
    PLAYBACK = "playback_recorded_provider_outputs"
    RE_SIMULATE = "re_simulate_nodes"
    REPLAY_DECISIONS = "replay_decisions"


PackageArgument = Annotated[str, typer.Argument(metavar="PACKAGE", help="A generated folder, or an import name.")]
LogArgument = Annotated[Path, typer.Argument(metavar="LOG", help="A log of rspp run, or its JSON lines.")]
KernelOption = Annotated[
    Kernel | None, typer.Option("--kernel", help="Which kernel; default: compiled if it is built.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
PackageOption = Annotated[
    str | None, typer.Option("--package", help="Package of the log, if neither in generated/ nor installed.")
]


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(f"rspp {__version__}")
        raise typer.Exit


@app.command()
def run(
    package: PackageArgument,
    wav: Annotated[Path | None, typer.Option("--wav", help="An audio file as the user's microphone.")] = None,
    text: Annotated[list[str] | None, typer.Option("--text", help="What the user types; may be repeated.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Virtual time: waiting takes no time.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write what was played to this WAV.")] = None,
    timeline: Annotated[
        Path | None, typer.Option("--timeline", help="Draw the conversation to this HTML; as .svg the chart alone.")
    ] = None,
    log: Annotated[Path | None, typer.Option("--log", help="Write the session's log here.")] = None,
    level: Annotated[
        Level | None,
        typer.Option(
            "--level", help="What the log keeps: L0 headers, L1 texts too, L2 all; default: as the pipeline says."
        ),
    ] = None,
    echo: Annotated[
        float | None, typer.Option("--echo", metavar="DB", help="The microphone hears the reply, at this level.")
    ] = None,
    echo_delay: Annotated[int, typer.Option("--echo-delay", metavar="MS", help="… and so much later.", min=0)] = 0,
    session_id: Annotated[
        str | None, typer.Option("--session-id", help="Name of the session; default: made up.")
    ] = None,
    session: Annotated[
        list[str] | None,
        typer.Option("--session", metavar="KEY=TEXT", help="What conditions may ask: tenant=acme; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the chance that Python nodes draw.", min=0)] = 0,
    overhead: Annotated[
        float | None,
        typer.Option("--overhead", metavar="MS", help="Say in which turns a step took the kernel longer.", min=0),
    ] = None,
    mic: Annotated[bool, typer.Option("--mic", help="Your microphone and loudspeaker, until Ctrl-C.")] = False,
    device: Annotated[
        str | None,
        typer.Option("--device", metavar="IN[,OUT]", help="Of --mic: an index or a part of a name, for both or each."),
    ] = None,
    list_devices: Annotated[bool, typer.Option("--list-devices", help="Print the sound devices, and stop.")] = False,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="LOG", help="Go on with a session that another process has left.")
    ] = None,
    kernel: KernelOption = None,
    json: JsonOption = False,
) -> None:
    """Run a conversation, from --wav, --text or --mic.

    A recording, typed text or your own voice in, a spoken answer out.
    """
    from rspp_runtime.cli.run import Request
    from rspp_runtime.cli.run import run as command

    command(
        Request(
            package=package,
            wav=wav,
            texts=tuple(text or ()),
            fast=fast,
            out=out,
            timeline=timeline,
            log=log,
            level=level.value if level else None,
            echo_db=echo,
            echo_delay_ms=echo_delay,
            session_id=session_id,
            attributes=tuple(session or ()),
            kernel=kernel.value if kernel else None,
            json=json,
            seed=seed,
            overhead_ms=overhead,
            mic=mic,
            device=device,
            list_devices=list_devices,
            resume=resume,
        )
    )


@app.command()
def replay(
    log: LogArgument,
    mode: Annotated[
        ReplayMode, typer.Option("--mode", help="What is taken from the log, and what is done again.")
    ] = ReplayMode.RECOMPUTE_DECISIONS,
    start: Annotated[
        str | None, typer.Option("--from", metavar="PLACE", help="Compare from this record (2210) or time (5.54s) on.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="PLACE", help="Stop behind this record or time.")] = None,
    step: Annotated[
        bool, typer.Option("--step", help="Show every record; at a terminal one for each Enter, q stops.")
    ] = False,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write down where the replay stopped.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FILE", help="Go on from where --save was written.")
    ] = None,
    kernel: KernelOption = None,
    package: PackageOption = None,
    json: JsonOption = False,
) -> None:
    """Execute a log again, compare every decision.

    Exit code 1 if one differs.
    """
    from rspp_runtime.cli.replay import Request
    from rspp_runtime.cli.replay import replay as command
    from rspp_runtime.evidence.modes import Mode

    command(
        Request(
            path=log,
            kernel=kernel.value if kernel else None,
            package=package,
            mode=Mode(mode.value),
            start=start,
            end=end,
            step=step,
            save=save,
            resume=resume,
            json=json,
        )
    )


@app.command()
def recover(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="The log of a session that was killed.")],
    epoch: Annotated[
        int | None, typer.Option("--epoch", min=1, help="Authority epoch of the new holder; default: the next one.")
    ] = None,
    kernel: KernelOption = None,
    package: PackageOption = None,
    json: JsonOption = False,
) -> None:
    """End what a killed session left open, in its log.

    Each open turn is aborted (authority_loss) and closed, the session ended, the log closed.
    """
    from rspp_runtime.cli.recover import recover as command

    command(log, kernel.value if kernel else None, package, epoch, json)


@app.command()
def simulate(
    package: PackageArgument,
    turns: Annotated[int, typer.Option("--turns", help="How many turns, at least.")] = 1_000,
    seed: Annotated[int, typer.Option("--seed", help="Of the first case; the next has the next.", min=0)] = 1,
    faults: Annotated[str, typer.Option("--faults", help="What goes wrong: all, none, or F1,F4,…")] = "all",
    kernel: Annotated[
        Kernels, typer.Option("--kernel", help="compiled, pure, or both: then they must agree.")
    ] = Kernels.COMPILED,
    picture: Annotated[Path | None, typer.Option("--picture", help="Draw a case that fails to this HTML.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", help="How many processes; the figures are the same.")] = 1,
    json: JsonOption = False,
) -> None:
    """Try to break a pipeline's kernel, in virtual time.

    People, providers, transports and faults are played; every promise is checked after every step. Exit code 1 if one
    is not kept: then the case is made small and shown, with the command that repeats it.
    """
    from rspp_runtime.cli.simulate import Request, command

    command(Request(package, turns, seed, faults, kernel.value, picture, json, jobs))


@app.command()
def bench(
    package: PackageArgument,
    sessions: Annotated[int, typer.Option("--sessions", help="How many at once, at most.")] = 200,
    seconds: Annotated[float, typer.Option("--seconds", help="How long each number of sessions is observed.")] = 5.0,
    own: Annotated[
        bool, typer.Option("--own", help="With the pipeline's own providers instead of stand-ins that cost nothing.")
    ] = False,
    picture: Annotated[Path | None, typer.Option("--picture", help="Draw the curve to this SVG.")] = None,
    kernel: KernelOption = None,
    json: JsonOption = False,
) -> None:
    """Measure what a pipeline costs here: sessions on one core, latencies of its stages.

    Callers talk in real time, more and more of them, until their frames are late or the core is busy. CPU is that of
    the whole process, callers and stand-ins included.
    """
    from rspp_runtime.cli.bench import Request, command

    command(Request(package, sessions, seconds, own, kernel.value if kernel else None, picture, json))


@app.command()
def timeline(
    log: LogArgument,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Write the picture here: a page, or .svg for the chart alone.")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Draw from here on (5.2s).")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="… to here (5.8s).")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print the log's records as JSON lines.")] = False,
    signals: Annotated[
        bool, typer.Option("--signals", help="Print the decisions in the contracts' JSON form.")
    ] = False,
    plans: Annotated[bool, typer.Option("--plans", help="Print the plan that each turn froze, as JSON lines.")] = False,
    package: PackageOption = None,
) -> None:
    """Draw a log (-o), or print it."""
    from rspp_runtime.cli.failure import usage
    from rspp_runtime.cli.timeline import Drawing
    from rspp_runtime.cli.timeline import timeline as command

    if (start or end) and out is None:
        usage("--from and --to are of a picture: say where with -o")
    command(log, Drawing(out, start, end) if out else None, jsonl, signals, plans, package)


contracts = typer.Typer(
    name="contracts",
    help="Check data against the contracts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(contracts)


@contracts.callback()
def _contracts() -> None:
    """Check data against the contracts."""


@contracts.command()
def validate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Samples: <artifact>/<valid|invalid>/*.json.")],
    json: JsonOption = False,
) -> None:
    """Check samples: valid ones must be taken, invalid ones refused.

    Artifacts: event, control_signal, decision_outcome, turn_transition, resolved_turn_plan.
    Exit code 1 if a sample is not what its folder says.
    """
    from rspp_runtime.cli.contracts import validate as command

    command(folder, json)


# Containers set options by variables: RSPP_SERVE_MAX_SESSIONS is --max-sessions.
app.command("serve", context_settings={"auto_envvar_prefix": "RSPP_SERVE"})(serve.command)

token = typer.Typer(
    name="token",
    help="Make the keys and tokens with which sessions start.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(token)


@token.callback()
def _token() -> None:
    """Make the keys and tokens with which sessions start."""


@token.command("new-key")
def new_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key goes, as PEM; it must be new.")],
    public: Annotated[
        Path | None,
        typer.Option(
            "--public", metavar="JWKS", help="Public keys, for servers; this one is added. Default: FILE.jwks"
        ),
    ] = None,
) -> None:
    """Make an Ed25519 key: the private half signs, servers know the public one."""
    from rspp_runtime.cli.token import new_key as command

    command(file, public)


@token.command("issue")
def issue_token(
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="The private key, PEM or JWK.")],
    tenant: Annotated[str, typer.Option("--tenant", help="Whose session it is.")],
    pipeline: Annotated[str, typer.Option("--pipeline", help="What is talked to.")],
    version: Annotated[str, typer.Option("--version", help="… and its version.")],
    session_id: Annotated[str, typer.Option("--session", help="Name of the session; default: made up.")] = "",
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="talk, observe, issue, admin; may be repeated. Default: talk")
    ] = None,
    epoch: Annotated[int, typer.Option("--epoch", help="Authority epoch.", min=0)] = 1,
    subject: Annotated[str, typer.Option("--subject", help="Who it is, in the backend's words.")] = "",
    ttl_s: Annotated[int, typer.Option("--ttl", metavar="SECONDS", help="How long it is good for.")] = 60,
) -> None:
    """Print a token."""
    from rspp_runtime.cli.token import Request
    from rspp_runtime.cli.token import issue as command

    command(Request(key, tenant, session_id, pipeline, version, epoch, frozenset(scope or ["talk"]), subject, ttl_s))


def run_app(arguments: list[str] | None = None, name: str = "rspp") -> None:
    """Runs the app and exits with the right code."""
    try:
        code = app(arguments, prog_name=name, standalone_mode=False)
    except Failure as failure:
        code = told(name, failure)
    except typer.Abort:
        code = EXIT_INTERRUPTED
    except typer.Exit as leave:
        code = leave.exit_code
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone: nothing more to say
        code = 0
    except Exception as error:
        code = _usage_or_apology(name, error)
    sys.exit(code if isinstance(code, int) else 0)


def _usage_or_apology(name: str, error: Exception) -> int:
    """typer's own complaints know how to show themselves; everything else is unexpected."""
    show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
    if callable(show) and isinstance(code, int):
        show()
        return code
    return apology(name, error)
