"""`rspp run`: one conversation, shown as it happens."""

from __future__ import annotations

import asyncio
import contextlib
import json as json_module
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from rspp_runtime.abi.codes import Attribute
from rspp_runtime.audio.format import MissingExtraError
from rspp_runtime.cli.failure import (
    EXIT_FINDINGS,
    EXIT_INTERRUPTED,
    EXIT_TERMINATED,
    EXIT_USAGE,
    Failure,
    ending_on_signals,
    usage,
)
from rspp_runtime.evidence.assumptions import as_data
from rspp_runtime.evidence.entries import LogError
from rspp_runtime.evidence.live import Live
from rspp_runtime.evidence.summary import broken_assumptions, figures, letter_figures, over_budget, rows
from rspp_runtime.session.clock import MS_NS, Clock, MonotonicClock, VirtualClock
from rspp_runtime.session.handlers import NodeError, find_nodes_here
from rspp_runtime.session.host import Finished, Options, converse
from rspp_runtime.session.observer import Observer
from rspp_runtime.session.package import Package, PackageError, close_providers, load, make_providers
from rspp_runtime.session.virtual import run as run_loop
from rspp_runtime.transports.audio_file import AudioFile, AudioFileError, MissingFileError
from rspp_runtime.transports.console import ConsoleView
from rspp_runtime.transports.contract import Transport
from rspp_runtime.transports.recording import Recording
from rspp_runtime.transports.sound_device import DeviceError, choose, listing
from rspp_runtime.transports.sound_device import load as load_sound
from rspp_runtime.transports.text import TextTransport
from rspp_runtime.transports.wav import WavTransport


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for."""

    package: str
    wav: Path | None
    texts: tuple[str, ...]
    fast: bool
    out: Path | None
    timeline: Path | None
    log: Path | None
    level: str | None
    echo_db: float | None
    echo_delay_ms: int
    session_id: str | None
    attributes: tuple[str, ...]  # KEY=TEXT
    kernel: str | None
    json: bool
    seed: int = 0
    overhead_ms: float | None = None  # the most that one step may take the kernel, or it is told
    mic: bool = False
    device: str | None = None  # IN or IN,OUT
    list_devices: bool = False
    resume: Path | None = None  # the log of a session that another process has left


def run(request: Request) -> None:
    """Raises `Failure`."""
    if request.list_devices:
        _list_devices()
        return
    if request.wav is None and not request.texts and not request.mic:
        usage("say what the user says: --wav FILE, --text TEXT, or --mic to say it yourself")
    if (request.wav is not None) + bool(request.texts) + request.mic > 1:
        usage("--wav, --text and --mic are ways to say it; take one")
    if request.mic and request.fast:
        usage("--mic takes as long as it takes: leave --fast out")
    if request.device is not None and not request.mic:
        usage("--device is of --mic")
    if not all(text.strip() for text in request.texts):
        usage("--text is empty: a turn needs a word")
    if any(0xD800 <= ord(letter) <= 0xDFFF for text in request.texts for letter in text):
        usage("--text is not UTF-8")  # Python hands bytes that it cannot read on as lone surrogates
    if request.echo_db is not None and request.wav is None:
        usage("--echo needs a microphone: --wav FILE")
    _check_distinct(request)
    _check_resume(request)
    console = Console(stderr=request.json, highlight=False)
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    source = _source(request)
    try:
        package = load(request.package)
        _check_inputs(package, request)
        _check_outputs(request)
        find_nodes_here()
        with ending_on_signals() as ended:
            try:
                talk = _conversation(request, package, source, console)
                finished, live = run_loop(talk, virtual=request.fast)
            except KeyboardInterrupt:
                raise _interrupted(request, is_sigterm=ended.is_set()) from None
    except (PackageError, NodeError) as error:
        raise Failure(EXIT_FINDINGS, str(error)) from None
    except LogError as error:
        raise Failure(EXIT_FINDINGS, f"{request.resume}: {error}") from None
    except (AudioFileError, DeviceError, MissingExtraError) as error:
        raise Failure(EXIT_FINDINGS, str(error)) from None
    _show(request, live, finished, console)


def _source(request: Request) -> AudioFile | None:
    if request.wav is None:
        return None
    try:
        return AudioFile(request.wav)
    except MissingFileError as error:
        raise Failure(EXIT_USAGE, str(error)) from None
    except AudioFileError as error:
        raise Failure(EXIT_FINDINGS, str(error)) from None


def _check_inputs(package: Package, request: Request) -> None:
    plan = package.plan
    outputs = plan.nodes[plan.ingress].outputs if plan.ingress >= 0 else ()
    ports = {port.name: port.item_bytes_max for port in outputs}
    wanted = "text" if request.texts else "audio"
    if wanted not in ports:
        raise Failure(
            EXIT_USAGE, f"{package.name} takes no {wanted} (it takes: {', '.join(sorted(ports)) or 'nothing'})"
        )
    for text in request.texts:
        if (size := len(text.encode())) > ports["text"]:
            usage(f"--text has {size:,} bytes, and {package.name} takes {ports['text']:,} at once; use several --text")


def _interrupted(request: Request, *, is_sigterm: bool) -> Failure:
    kept = [str(path) for path in (request.log, request.out) if path is not None]
    told = f"; what was until then is in {' and '.join(kept)}" if kept else ""
    return Failure(EXIT_TERMINATED if is_sigterm else EXIT_INTERRUPTED, f"interrupted{told}")


def _check_distinct(request: Request) -> None:
    """What the user said would be lost if the reply were written over it."""
    named = (
        ("--wav", request.wav),
        ("--out", request.out),
        ("--timeline", request.timeline),
        ("--log", request.log),
        ("--resume", request.resume),
    )
    seen: dict[Path, str] = {}
    for option, path in named:
        if path is not None and (first := seen.setdefault(path.resolve(), option)) != option:
            usage(f"{first} and {option} name the same file, {path}; give {option} another one")


def _check_resume(request: Request) -> None:
    """Who goes on with a session has its log, its name, its seed and its level."""
    if request.resume is None:
        return
    for option, is_given in (
        ("--log", request.log is not None),
        ("--level", request.level is not None),
        ("--session-id", request.session_id is not None),
        ("--seed", request.seed != 0),
    ):
        if is_given:
            usage(f"--resume goes on with a session and its log as they are: leave {option} out")
    if not request.resume.is_file():
        raise Failure(EXIT_USAGE, f"{request.resume}: there is no such log")


def _check_outputs(request: Request) -> None:
    """A conversation is not held, only to find that what it leaves cannot be written."""
    for path in (request.out, request.timeline, request.log):
        if path is None:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            path.open("ab").close()
            if is_new:
                path.unlink()
        except OSError as error:
            raise Failure(EXIT_FINDINGS, f"{path} cannot be written: {error.strerror}") from None


def _attributes(written: Sequence[str]) -> dict[Attribute, str]:
    """`tenant=acme`; the session's id has an option of its own."""
    known = {attribute.name.lower(): attribute for attribute in Attribute if attribute is not Attribute.ID}
    found: dict[Attribute, str] = {}
    for one in written:
        key, equals, text = one.partition("=")
        if key not in known or not equals:
            usage(f"--session takes KEY=TEXT with one of {', '.join(known)}, not {one!r}")
        found[known[key]] = text
    return found


async def _conversation(
    request: Request, package: Package, source: AudioFile | None, console: Console
) -> tuple[Finished, Live]:
    names = sorted({name for candidates in package.providers.values() for name, _ in candidates})
    with console.status(f"preparing {', '.join(names)} …") if console.is_terminal else contextlib.nullcontext():
        providers = await make_providers(package)
    options = Options(kernel=request.kernel, level=request.level or package.plan.recording_level, log=request.log)
    if request.session_id is not None:
        if not 0 < len(request.session_id.encode()) <= 64:
            usage("--session-id must have 1 to 64 bytes")
        options = replace(options, session_id=request.session_id)
    options = replace(options, attributes=_attributes(request.attributes), seed=request.seed)
    if request.resume is not None:
        options = replace(options, log=request.resume, resume=True)
    view: ConsoleView | None = None if request.json else ConsoleView(package.plan, console)
    observers: list[Observer] = [] if view is None else [view]
    try:
        with _recording(request.out) as recording:
            clock: Clock = VirtualClock(asyncio.get_running_loop()) if request.fast else MonotonicClock()
            transport = _transport(request, source, recording)
            live = Live(package.plan)
            finished = await converse(package, providers, transport, clock, options, observers, live)
            _complain(transport, console)
            return finished, live
    except OSError as error:
        named = error.filename or request.log or request.resume
        raise Failure(EXIT_FINDINGS, f"{named} cannot be written: {error.strerror}") from None
    finally:
        if view is not None:
            view.close()
        await close_providers(providers)


@contextlib.contextmanager
def _recording(path: Path | None) -> Iterator[Recording | None]:
    if path is None:
        yield None
        return
    try:
        yield Recording(path)
    except OSError as error:
        raise Failure(EXIT_FINDINGS, f"{path} cannot be written: {error.strerror}") from None


def _transport(request: Request, source: AudioFile | None, recording: Recording | None) -> Transport:
    if request.mic:
        return _microphone(request, recording)
    if source is None:
        return TextTransport(request.texts, recording)
    return WavTransport(source, recording, echo_db=request.echo_db, echo_delay_ns=request.echo_delay_ms * 1_000_000)


def _microphone(request: Request, recording: Recording | None) -> Transport:
    from rspp_runtime.transports.microphone import MicrophoneTransport

    sound = load_sound()
    heard, _, spoken = (request.device or "").partition(",")
    microphone = choose(sound, "input", heard.strip() or None)
    speaker = choose(sound, "output", (spoken or heard).strip() or None)
    print(f"{microphone.name} hears you, {speaker.name} answers; Ctrl-C hangs up", file=sys.stderr)
    return MicrophoneTransport(sound, microphone, speaker, recording)


def _list_devices() -> None:
    try:
        print("\n".join(listing(load_sound())))
    except DeviceError as error:
        raise Failure(EXIT_FINDINGS, str(error)) from None


def _complain(transport: Transport, console: Console) -> None:
    """What a transport could not do, and nobody else tells."""
    if isinstance(transport, WavTransport) and transport.timed_out:
        console.print("the conversation did not come to an end: hung up at the deadline", style="yellow")
    for complaint in getattr(transport, "complaints", ()):
        console.print(complaint, style="yellow", markup=False, soft_wrap=True)
    if isinstance(transport, TextTransport):
        for line in transport.refused:
            console.print(f"the session did not take “{line[:60]}”", style="yellow", markup=False)


# ---- afterwards


def _show(request: Request, live: Live, finished: Finished, console: Console) -> None:
    conversation = live.conversation
    written: list[tuple[str, Path]] = []
    if request.out is not None:
        written.append(("reply", request.out))
    if request.timeline is not None:
        from rspp_runtime.evidence.timeline import draw_for

        try:
            request.timeline.write_text(draw_for(request.timeline, conversation, finished.header), "utf-8")
        except OSError as error:
            raise Failure(EXIT_FINDINGS, f"{request.timeline} cannot be written: {error.strerror}") from None
        written.append(("timeline", request.timeline))
    if (log := request.log or request.resume) is not None:
        written.append(("log", log))
    if request.overhead_ms is not None:
        for line in over_budget(conversation, int(request.overhead_ms * MS_NS)):
            print(line, file=sys.stderr)
    if request.json:
        print(json_module.dumps(_report(live, finished, written), ensure_ascii=False, indent=2))
        return
    for turn in conversation.turns:
        table = Table(
            title=f"turn {turn.serial}", title_justify="left", title_style="bold", show_header=False, box=None
        )
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for what, value in rows(conversation, turn):
            table.add_row(what, value)
        console.print()
        console.print(table)
    if not conversation.turns:
        console.print("\nnobody said anything that would have been a turn")
    console.print()
    for line in broken_assumptions(conversation):
        console.print(line, style="yellow", markup=False, soft_wrap=True)
    for what, path in written:
        console.print(f"{what:<10}{path}", soft_wrap=True)


def _report(live: Live, finished: Finished, written: list[tuple[str, Path]]) -> dict[str, Any]:
    header = finished.header
    return {
        "header": asdict(header),
        "turns": [figures(live.conversation, turn) for turn in live.conversation.turns],
        "evidence": list(live.records.values()),
        "dead_letters": [letter_figures(letter) for letter in live.conversation.letters],
        "broken_assumptions": as_data(live.conversation.broken.values()),
        "stats": dict(finished.stats),
        "written": {what: str(path) for what, path in written},
    }
