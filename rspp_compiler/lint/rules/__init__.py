"""The rules, by code. Each is a function that reports one code; its docstring says what it wants, and why.

W01 names and texts · W02 what is declared and not used · W03 the conversation · W04 failures · W05 time · W06 data
(W00 is about suppressions: see `lint.allow`.)
"""

from __future__ import annotations

from collections.abc import Callable

from rspp_compiler.diagnostics import Sink
from rspp_compiler.lint.rules import conversation, data, failures, names, time, tools, unused
from rspp_compiler.lint.subject import Subject

Rule = Callable[[Subject, Sink], None]

# These need only the AST, so they speak even where the pipeline has errors.
RULES: dict[str, Rule] = {
    "W0101": names.version,
    "W0102": names.shadowed_kind,
    "W0103": names.owner,
    "W0104": names.long_prompt,
    "W0105": names.long_say,
    "W0201": unused.mode,
    "W0202": unused.tool,
    "W0203": unused.module,
    "W0204": unused.imported,
    "W0205": unused.party,
    "W0206": unused.pool,
    "W0207": unused.provider,
    "W0301": conversation.barge_in,
    "W0302": conversation.language,
    "W0303": conversation.uninterruptible,
    "W0304": conversation.idle,
    "W0305": tools.silence,
    "W0401": failures.fallback,
    "W0402": tools.transfer,
    "W0403": failures.candidates,
    "W0601": data.keep,
    "W0602": data.region,
}
# And these the spec and the analysis: they are silent until every error is gone.
RULES_OF_VALUES: dict[str, Rule] = {
    "W0306": conversation.silence,
    "W0501": time.loose_budget,
    "W0502": time.held_back,
}
