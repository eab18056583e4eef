"""What the user hears while a tool works, and when it fails: W0305 and W0402."""

from __future__ import annotations

from rspp_compiler.diagnostics import Sink
from rspp_compiler.ir import ast
from rspp_compiler.ir.symbols import Symbol
from rspp_compiler.lint.rules.conversation import reaction_in
from rspp_compiler.lint.rules.failures import apology
from rspp_compiler.lint.subject import Body, Subject, setting

MOMENT = "One moment, please."


def silence(subject: Subject, sink: Sink) -> None:
    """W0305: a look-up takes seconds. Without a word the user thinks that the line is dead."""
    for body in subject.bodies:
        voices = body.of_kind("tts")
        for tool in _called(subject, body):
            is_heard = isinstance(tool.item, ast.Tool) and not setting(tool.item.settings, "background")
            if not voices or not is_heard or tool.kind == "transfer" or body.reacts_to(tool.name, "started"):
                continue
            fillers = [
                reaction.hops[0].ref.text
                for _, event, reaction in body.events()
                if event == "started" and reaction.hops
            ]
            name = fillers[0] if fillers else body.free_name("moment")
            declared = [] if fillers else [f'node {name} : say {{ text = "{MOMENT}" }}']
            sink.add(
                "W0305",
                f"nothing is said while `{tool.name}` works",
                tool.at,
                label="the user waits in silence, and the model's budget runs on",
                help="fill the time with a few words",
                fix=reaction_in(subject, body, *declared, f"on {tool.name}.started -> {name} -> {voices[0].name}"),
            )


def transfer(subject: Subject, sink: Sink) -> None:
    """W0402: the desk does not answer, and the caller is left between two chairs."""
    for body in subject.bodies:
        for tool in _called(subject, body):
            if tool.kind == "transfer" and body.speaks and not body.reacts_to(tool.name, "error"):
                sink.add(
                    "W0402",
                    f"when nobody answers at `{tool.name}`, the caller hears nothing",
                    tool.at,
                    label=f"no reaction to `{tool.name}.error`",
                    help="say something instead",
                    fix=apology(subject, body, f"{tool.name}.error"),
                )


def _called(subject: Subject, body: Body) -> list[Symbol]:
    """The tools of the files that the pipeline's models or reactions call."""
    inside = body.item.span
    return [
        tool
        for tool in subject.symbols("tool")
        if any(
            mention.of in ("node", "mode", "") and mention.sort == "tool" and not mention.is_declaration
            for mention in subject.index.of(tool)
            if mention.span.file == inside.file and inside.start <= mention.span.start < inside.end
        )
    ]
