"""What the user hears when something fails: W04."""

from __future__ import annotations

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.diagnostics.fixes import line_behind
from rspp_compiler.ir import ast
from rspp_compiler.lint.rules.conversation import reaction_in
from rspp_compiler.lint.subject import Body, Subject, setting, settings_of

LOCAL = {"stt": "pocketsphinx", "tts": "espeak"}  # engines that answer without a network, as a last resort
SORRY = "Sorry, could you say that again?"


def fallback(subject: Subject, sink: Sink) -> None:
    """W0401: when the model fails the turn is aborted, and all the user hears is silence."""
    if any(body.reacts_to("turn", "error") for body in subject.bodies):
        return  # whatever fails, something is said about it
    for body in subject.bodies:
        for node in body.of_kind("llm"):
            missing = [event for event in ("timeout", "error") if not body.reacts_to(node.name, event)]
            if not body.speaks or not missing:
                continue
            event = f"{node.name}.{' or '.join(missing)}"
            sink.add(
                "W0401",
                f"when `{node.name}` fails, the user hears nothing",
                node.at,
                label=f"no reaction to {' or '.join(f'`{node.name}.{one}`' for one in missing)}: the turn is aborted",
                help="say something instead",
                fix=apology(subject, body, event),
            )


def apology(subject: Subject, body: Body, event: str) -> Fix | None:
    """A reaction that says sorry, by the node that already does if there is one; None where there is no voice."""
    voices = body.of_kind("tts")
    if not voices:
        return None
    said = [
        reaction.hops[0].ref.text
        for _, named, reaction in body.events()
        if named in ("error", "timeout") and reaction.hops
    ]
    known = {node.name for node in body.of_kind("say")}
    name = next((one for one in said if one in known), "")
    declared = [] if name else [f'node {(name := body.free_name("sorry"))} : say {{ text = "{SORRY}" }}']
    return reaction_in(subject, body, *declared, f"on {event} -> {name} -> {voices[0].name}")


def candidates(subject: Subject, sink: Sink) -> None:
    """W0403: one engine behind a network fails as often as the network does."""
    for item in subject.items():
        if not isinstance(item, ast.Provider):
            continue
        uses = [offer for offer in item.offers if isinstance(offer, ast.Use)]
        kind = item.kind.parts[0].text if isinstance(item.kind, ast.Ref) else item.name.text
        if len(uses) != 1 or not any(setting(uses[0].settings, key) for key in ("api_key", "endpoint")):
            continue
        # A plain engine takes the place of another only where nothing is asked of it.
        nodes = [node for body in subject.bodies for node in body.of_kind(kind)]
        local = LOCAL.get(kind) if not any(settings_of(node) for node in nodes) else None
        sink.add(
            "W0403",
            f"if `{uses[0].name.text}` cannot be reached, nobody performs `{item.name.text}`",
            uses[0].span,
            label="the only one, and not on this machine",
            help=f"name a second: `use {local}` answers without a network" if local else "name a second `use` line",
            fix=line_behind(subject.source(uses[0].span), uses[0].span, f"use {local}") if local else None,
        )
