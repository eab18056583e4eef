"""Words that begin no line of ours, and what they stand for; words of ours that are misspelt; imports."""

from __future__ import annotations

import re

from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.syntax.expected import DECLARATIONS, TOP_LEVEL
from rspp_compiler.syntax.hints.place import Hint, Place, Rule

_FLOWS = "flows stand in the pipeline itself, each on a line of its own: `a -> b`"
_NODES = "nodes stand in the pipeline itself, each on a line of its own: `node NAME : KIND`"
_REACTIONS = "reactions stand in the pipeline itself, each on a line of its own: `on NODE.EVENT -> …`"
_TUNABLE = "what may change from outside is said by its node: `node voice : tts { tunable = [voice, rate(100, 140)] }`"
_TENANT = 'what is other for a tenant is a policy, outside: `policy NAME when session.tenant == "…" { … }`'
_LIMITS = "limits stand where they hold: `budget { turn = 2s, cost = 0.05usd }`, `provider llm { use …, cap = { … } }`"
_MODE = "a stage of a conversation is a mode: `mode NAME { llm.system = … }`, entered by `on … -> enter NAME`"
_META = 'what is only told to people stands in `meta { owner = "…" }`'
_ENDS = "`ingress` and `egress` are always there, and have no settings; their formats are those of the profile"
_OWN_LINE = "settings stand in the braces of what they belong to: `node NAME : KIND { key = value }`"
_USE = "a `use` line stands in a provider block, outside of the pipeline: `provider llm { use NAME }`"
_TIMER = "time passes at a node: `node later : timer { after = 10s }`, `on later.fired -> …`"
_SAID = 'what is said is a node, and a reaction begins it: `node hello : say { text = "…" }`, `on … -> hello -> voice`'
_IMPORT = 'what is taken from another file is named: `import NAME from "file.rspp"`'
# Words that begin no line: what they stand for. `node`, `on` and the like are put in their place where that mends it.
FIRST_WORDS = {
    **dict.fromkeys(("flows", "edges", "connections", "graph", "links", "routes", "topology", "wiring"), _FLOWS),
    **dict.fromkeys(("nodes", "components", "stages", "steps", "elements", "services", "processors", "agents"), _NODES),
    **dict.fromkeys(("reactions", "events", "handlers", "hooks", "triggers", "rules"), _REACTIONS),
    **dict.fromkeys(("param", "params", "parameter", "parameters", "tunable", "variable", "var", "let", "const",
                     "option", "options", "arg", "args", "setting", "settings", "config", "define"), _TUNABLE),
    **dict.fromkeys(("tenant", "tenants", "customer", "override", "overrides", "variants", "policies"), _TENANT),
    **dict.fromkeys(("limits", "limit", "cap", "caps", "quota", "quotas", "cost", "costs", "constraints"), _LIMITS),
    **dict.fromkeys(("state", "states", "stage", "phase", "scene", "menu", "modes", "task"), _MODE),
    **dict.fromkeys(("description", "author", "owner", "title", "tags", "labels", "metadata", "name", "info"), _META),
    **dict.fromkeys(("ingress", "egress", "input", "inputs", "output", "outputs", "transport", "telephony"), _ENDS),
    **dict.fromkeys(("greeting", "greet", "prompt", "message", "welcome"), _SAID),
    **dict.fromkeys(("timer", "every", "after", "schedule", "delay", "wait"), _TIMER),
    **dict.fromkeys(("from", "include", "require", "using", "load"), _IMPORT),
    "use": _USE,
}  # fmt: skip
_MEANT = {
    **dict.fromkeys(("component", "step", "block", "processor", "service", "element", "def", "new", "agent", "filter",
                     "declare"), "node"),
    **dict.fromkeys(("upon", "whenever", "event", "handler", "trigger", "hook", "react", "when"), "on"),
    **dict.fromkeys(("recording", "recorder"), "record"),
    **dict.fromkeys(("budgets", "latency", "deadline", "sla"), "budget"),
    **dict.fromkeys(("participant", "speaker", "user", "member"), "party"),
    **dict.fromkeys(("fn", "func", "function"), "tool"),
    **dict.fromkeys(("agent", "workflow", "flow", "bot", "assistant", "app", "graph", "digraph"), "pipeline"),
}  # fmt: skip


def _first_word(at: Place) -> Hint | None:
    """A word that begins no line."""
    if at.before.strip() and not re.fullmatch(r"\s*\w+\s*", at.before):
        return None
    word, start = at.first, at.start + len(at.indent)
    if at.before.strip() != word or not word:
        return None
    if word in ("flow", "edge", "connect", "link", "route", "pipe", "wire") and re.match(r"[\w.]+\s*->", at.after):
        return Hint("a flow begins with the node that it comes from: `a -> b`", (start, at.offset, ""))
    meant = _MEANT.get(word, "")
    if meant and re.match(r"[A-Za-z_{]", at.after) and meant not in ("pipeline", "tool"):
        return Hint(f"did you mean `{meant}`?", (start, start + len(word), meant))
    if word in FIRST_WORDS and not at.after.startswith("->"):
        return Hint(FIRST_WORDS[word])
    if at.after.startswith("=") and not at.after.startswith("=>") and at.block in ("pipeline", "module"):
        return Hint(_OWN_LINE)
    return None


def _outermost_word(at: Place) -> Hint | None:
    """A word that begins no declaration, outside of every block."""
    if "PIPELINE" not in at.accepted or at.before.strip():
        return None
    meant = _MEANT.get(at.first, "")
    if at.first in ("def", "async"):
        return Hint('a tool is declared, and written in Python: `tool NAME (day : text) : python("module:callable")`')
    if meant in ("pipeline", "tool") and re.match(r"\s*\w+\s+\w+.*\{", at.line):
        start = at.start + len(at.indent)
        return Hint(f"did you mean `{meant}`?", (start, start + len(at.first), meant))
    return Hint(_IMPORT) if at.first in ("from", "include", "require", "using") else None


def _misspelt(at: Place) -> Hint | None:
    """A misspelt first word, which reads as the start of a flow."""
    if not at.first or at.first in (*TOP_LEVEL, *DECLARATIONS):
        return None
    is_outside = "{" not in at.indent and at.text.find("{", 0, at.start) < 0
    words = [*TOP_LEVEL, *DECLARATIONS] if is_outside else [*DECLARATIONS, *TOP_LEVEL]
    meant = nearest(at.first, words)
    start = at.start + len(at.indent)
    return Hint(f"did you mean `{meant}`?", (start, start + len(at.first), meant)) if meant else None


def _listed(at: Place) -> Hint | None:
    """`- ears: vad`, `[budget]`: items of YAML and sections of TOML."""
    if at.before.strip():
        return None
    if re.match(r"-\s", at.after):
        return Hint(
            "lines have no dashes: each begins with its own word, such as `node NAME : KIND`",
            (at.offset, at.offset + 2, ""),
        )
    if section := re.match(r"\[+(\w+)\]+\s*$", at.after):
        return Hint(f"a block stands in braces: `{section[1]} {{ … }}`")
    return None


WORDS: tuple[Rule, ...] = (_listed, _first_word, _outermost_word, _misspelt)
