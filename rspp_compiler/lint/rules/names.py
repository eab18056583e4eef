"""Names, and texts that people read: W01."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.diagnostics import Edit, Fix, Sink
from rspp_compiler.ir import ast
from rspp_compiler.lint.subject import Body, Subject, setting

PROMPT_LINES_MAX = 12
SAY_WORDS_MAX = 40  # a quarter of a minute, at the pace of a calm voice


def version(subject: Subject, sink: Sink) -> None:
    """W0101: recordings, evidence and imports name a version; what has none cannot be told from its next edit."""
    for item in subject.items():
        if isinstance(item, ast.Pipeline | ast.Module) and item.version is None:
            word, name = type(item).__name__.lower(), item.name
            end = subject.source(name.span)
            at = end.offset(name.span.end_line, name.span.end_column)
            sink.add(
                "W0101",
                f"{word} `{name.text}` has no version",
                name.span,
                notes=["recordings, evidence and imports name the version of what they are about"],
                help='give it one: `version "0.1.0"`',
                fix=Fix(end.span(at, at), ' version "0.1.0"'),
            )


def shadowed_kind(subject: Subject, sink: Sink) -> None:
    """W0102: a node that is called like a kind, and is of another, is misread wherever it appears."""
    for node in subject.symbols("node"):
        if node.name in subject.kinds and node.kind != node.name:
            name = f"{node.name}_{node.kind}"
            places = [mention.span for mention in subject.index.of(node)]
            sink.add(
                "W0102",
                f"`{node.name}` is a kind of node, and here the name of a `{node.kind}`",
                node.at,
                label=f"every flow that says `{node.name}` means this",
                help=f"give it a name of its own: `{name}`",
                fix=Fix(node.at, name, tuple(Edit(place, name) for place in places if place != node.at)),
            )


def owner(subject: Subject, sink: Sink) -> None:
    """W0103: whoever is woken by a pipeline at night wants to know whom to wake next."""
    for body in subject.bodies:
        for line in body.lines(ast.Meta):
            if setting(line.settings, "owner") is None:
                sink.add(
                    "W0103",
                    f"`{body.item.name.text}` says much about itself, but not whose it is",
                    line.span,
                    help='name those who answer for it: `owner = "…"`',
                )


def long_prompt(subject: Subject, sink: Sink) -> None:
    """W0104: a long prompt hides the pipeline, and is better edited, compared and reviewed as a file."""
    for one in _settings(subject, "system"):
        if isinstance(one.value, ast.Text) and one.value.text.count("\n") >= PROMPT_LINES_MAX:
            lines = one.value.text.count("\n") + 1
            sink.add(
                "W0104",
                f"a prompt of {lines} lines in the middle of the pipeline",
                one.key.span,
                label=f"{lines} lines; more than {PROMPT_LINES_MAX} are better a file",
                help=f'put it into a file: `{one.key.text} = file("prompts/NAME.md")`',
            )


def long_say(subject: Subject, sink: Sink) -> None:
    """W0105: nobody listens to a recorded speech; a caller who cannot answer hangs up."""
    for body in subject.bodies:
        for node in body.lines(ast.Node):
            text = setting(node.settings, "text")
            if text and isinstance(text.value, ast.Text) and (words := len(text.value.text.split())) > SAY_WORDS_MAX:
                sink.add(
                    "W0105",
                    f"`{node.name.text}` says {words} words in one go",
                    text.value.span,
                    label=f"about {words * 60 // 160} s, in which nobody else speaks",
                    help=f"say the first thing, and let the user answer: {SAY_WORDS_MAX} words are much",
                )


def _settings(subject: Subject, key: str) -> Iterator[ast.Setting]:
    """Every setting of that key of a node, and of a node in a mode (`llm.system`)."""
    for body in subject.bodies:
        yield from _of(body, key)


def _of(body: Body, key: str) -> Iterator[ast.Setting]:
    for line in body.item.lines:
        if isinstance(line, ast.Node | ast.Mode) and line.settings:
            yield from (one for one in line.settings.items if one.key.text.rpartition(".")[2] == key)
