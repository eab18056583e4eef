"""lint: a program, and what was made of it → what is to be shown: errors, and the warnings that the project wants."""

from __future__ import annotations

from rspp_compiler.diagnostics import Diagnostic, Sink
from rspp_compiler.diagnostics.catalog import WARNINGS
from rspp_compiler.ir.context import Context
from rspp_compiler.lint import allow
from rspp_compiler.lint.rules import RULES, RULES_OF_VALUES
from rspp_compiler.lint.settings import settings
from rspp_compiler.lint.subject import Subject


def lint(subject: Subject, ctx: Context) -> tuple[Diagnostic, ...]:
    """Everything that is to be shown: the errors that were found before, and of the warnings, of the rules and from
    before, those that the project wants and nothing allows.

    Rules that need values are silent while there are errors.
    """
    wanted = {file.span.file: settings(file.span.file, ctx) for file in subject.program.files}
    rules = dict(RULES)
    judged: set[str] = set()
    if subject.spec is not None and not ctx.sink.has_errors:
        rules |= RULES_OF_VALUES
        judged = {code for code in WARNINGS if code.startswith("E")}  # of the passes: all of them have looked
    sink = ctx.sink.like()
    for code, rule in rules.items():
        if any(of.wants(code) for of in wanted.values()):
            judged.add(code)
            rule(subject, sink)
    sink.extend(one for one in ctx.sink.diagnostics if one.severity == "warning")
    shown = Sink()
    shown.extend(one for one in ctx.sink.diagnostics if one.severity == "error")
    shown.extend(
        one
        for one in allow.apply(sink.diagnostics, [subject.sources[file] for file in wanted], judged)
        if one.primary.file not in wanted or wanted[one.primary.file].wants(one.code)
    )
    return shown.diagnostics
