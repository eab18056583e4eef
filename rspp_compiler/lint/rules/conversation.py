"""How it feels to talk to it: W03."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.diagnostics.fixes import line_before, line_behind, remove, setting_in
from rspp_compiler.diagnostics.statements import without_setting
from rspp_compiler.ir import ast
from rspp_compiler.ir.symbols import Symbol
from rspp_compiler.lint.subject import Body, Subject, ms, setting, settings_of
from rspp_compiler.source import Span

# Between these, people neither feel cut off nor left alone.
SILENCE_NS_MIN, SILENCE_NS_MAX = 150_000_000, 1_000_000_000
UNINTERRUPTED_WORDS_MAX = 15  # about six seconds
_INTERRUPTS = ("barge_in", "speech_start", "button_down")  # what a user does who will not wait for the end


def barge_in(subject: Subject, sink: Sink) -> None:
    """W0301: people interrupt. An agent that goes on talking feels like a machine that plays a tape."""
    for body in subject.bodies:
        detectors = body.of_kind("vad", "realtime")
        if not body.speaks or not detectors or any(event in _INTERRUPTS for _, event, _ in body.events()):
            continue
        reaction = f"on {detectors[0].name}.barge_in -> cancel turn"
        sink.add(
            "W0301",
            f"`{body.item.name.text}` cannot be interrupted",
            body.item.name.span,
            label="it speaks, and goes on speaking whatever the user says",
            help=f"let it stop when it is interrupted: `{reaction}`",
            fix=reaction_in(subject, body, reaction),
        )


def language(subject: Subject, sink: Sink) -> None:
    """W0302: a recogniser that is told the language, and a voice that is not, will speak with an accent at best."""
    for body in subject.bodies:
        told = [one for node in body.of_kind("stt") if (one := setting(settings_of(node), "language"))]
        texts = {one.value.text for one in told if isinstance(one.value, ast.Text)} - {"auto"}
        if len(texts) != 1 or _voice_is_chosen(subject):
            continue
        written = f'language = "{texts.pop()}"'
        for node in body.of_kind("tts"):
            if not any(setting(settings_of(node), key) for key in ("language", "voice", "provider")):
                sink.add(
                    "W0302",
                    f"`{node.name}` is not told which language it speaks",
                    node.at,
                    secondary=[(told[0].span, "the recogniser is")],
                    help=f"tell it: `{written}`",
                    fix=_told(subject, body, node, written),
                )


def _voice_is_chosen(subject: Subject) -> bool:
    """Whether every engine that speaks is given its voice where it is named."""
    blocks = [item for item in subject.items() if isinstance(item, ast.Provider) and item.name.text == "tts"]
    uses = [offer for block in blocks for offer in block.offers if isinstance(offer, ast.Use)]
    return bool(uses) and all(any(setting(use.settings, key) for key in ("voice", "language")) for use in uses)


def _told(subject: Subject, body: Body, node: Symbol, written: str) -> Fix:
    """The setting in the node's braces; a node that only a flow names gets a line."""
    source = subject.source(node.at)
    if isinstance(node.item, ast.Node):
        block = node.item.settings
        return setting_in(source, node.item.span, block.span if block else None, written)
    return line_before(source, body.item.lines[0].span, f"node {node.name} {{ {written} }}")


def uninterruptible(subject: Subject, sink: Sink) -> None:
    """W0303: who cannot be interrupted must be brief: a goodbye, a number to write down, not a lecture."""
    for body in subject.bodies:
        for node in body.lines(ast.Node):
            text, flag = setting(node.settings, "text"), setting(node.settings, "interruptible")
            if not (text and isinstance(text.value, ast.Text) and flag and isinstance(flag.value, ast.Ref)):
                continue
            words = len(text.value.text.split())
            if flag.value.text == "false" and words > UNINTERRUPTED_WORDS_MAX:
                sink.add(
                    "W0303",
                    f"`{node.name.text}` says {words} words, and nobody can stop it",
                    flag.span,
                    secondary=[(text.value.span, f"more than {UNINTERRUPTED_WORDS_MAX} words")],
                    help="let it be interrupted, or say less",
                    fix=remove(subject.source(flag.span), flag.span),
                )


def idle(subject: Subject, sink: Sink) -> None:
    """W0304: a detector that watches for silence, and nobody who asks."""
    for body in subject.bodies:
        for node in body.of_kind("vad", "realtime"):
            watches = setting(settings_of(node), "idle_after")
            if watches is not None and not body.reacts_to(node.name, "idle"):
                sink.add(
                    "W0304",
                    f"nobody reacts when `{node.name}` finds that the user is silent",
                    watches.span,
                    help="ask whether anybody is there, or remove this",
                    fix=_nudge(subject, body, node.name, watches.span),
                )


def _nudge(subject: Subject, body: Body, detector: str, watches: Span) -> Fix:
    """A question to whoever is silent; where nobody could speak it, the detector stops watching."""
    voices = body.of_kind("tts")
    if not voices:
        return without_setting(subject.source(watches), watches)
    name = body.free_name("nudge")
    said = f'node {name} : say {{ text = "Are you still there?" }}'
    return reaction_in(subject, body, said, f"on {detector}.idle -> {name} -> {voices[0].name}")


def silence(subject: Subject, sink: Sink) -> None:
    """W0306: too short a silence cuts people off in mid-sentence; too long a one feels as if nobody were there."""
    spec = subject.spec
    for node in spec.nodes if spec else ():
        ns, origin = node.settings.get("min_silence_ns"), node.origin("settings.min_silence_ns")
        if not isinstance(ns, int) or origin.kind != "user" or SILENCE_NS_MIN <= ns <= SILENCE_NS_MAX:
            continue
        nearest = ms(min(max(ns, SILENCE_NS_MIN), SILENCE_NS_MAX))
        sink.add(
            "W0306",
            f"`{node.id}` takes {ms(ns)} of silence for the end of what the user says",
            origin.span,
            label="cuts off whoever stops to think" if ns < SILENCE_NS_MIN else "feels as if nobody were there",
            notes=[f"people are comfortable between {ms(SILENCE_NS_MIN)} and {ms(SILENCE_NS_MAX)}"],
            help=f"write `{nearest}`",
            fix=Fix(origin.span, nearest),
        )


def reaction_in(subject: Subject, body: Body, *lines: str) -> Fix:
    """Lines behind the last reaction of a pipeline, or else behind its last flow, or its last line."""
    before: list[ast.Line] = [*body.lines(ast.Flow), *body.reactions] or [*body.item.lines]
    place = before[-1].span
    return line_behind(subject.source(place), place, "\n".join(lines))
