"""lint: a program, and what was made of it → findings that are judgement, of the rules that the project wants."""

from __future__ import annotations

from rspp_compiler.diagnostics import Diagnostic, Sink
from rspp_compiler.ir.context import Context
from rspp_compiler.lint import allow
from rspp_compiler.lint.rules import RULES, RULES_OF_VALUES
from rspp_compiler.lint.settings import settings
from rspp_compiler.lint.subject import Subject


def lint(subject: Subject, ctx: Context) -> tuple[Diagnostic, ...]:
    """What the rules find, which is reported as well. Rules that need values are silent while there are errors."""
    wanted = {file.span.file: settings(file.span.file, ctx) for file in subject.program.files}
    rules = dict(RULES)
    if subject.spec is not None and not ctx.sink.has_errors:
        rules |= RULES_OF_VALUES
    judged = [code for code in rules if any(of.wants(code) for of in wanted.values())]
    sink = Sink()
    for code in judged:
        rules[code](subject, sink)
    texts = [subject.sources[file] for file in wanted]
    found = [
        one
        for one in allow.apply(sink.diagnostics, texts, judged)
        if one.primary.file in wanted and wanted[one.primary.file].wants(one.code)
    ]
    ctx.sink.extend(found)
    return tuple(found)
