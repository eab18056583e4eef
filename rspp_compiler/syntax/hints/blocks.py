"""What stands in provider blocks, policies and modes, as other tools write it."""

from __future__ import annotations

import re

from rspp_compiler.syntax.hints.lines import KINDS
from rspp_compiler.syntax.hints.place import Hint, Place, Rule

_FALLBACK = ("fallback", "backup", "then", "else", "or", "secondary", "otherwise", "try", "provider", "engine")
_BLOCKS = ("timeout", "retry", "circuit", "cap", "price", "accept")
_NEXT = "the next `use` line is the fallback: `use first, use second`"
_IN_BLOCK = "who performs it stands in the block: `provider KIND { use NAME }`"


def _provider(at: Place) -> Hint | None:
    """`provider llm = openai`, `provider llm openai { … }`."""
    if at.first != "provider" or "{" in at.before:
        return None
    found = re.match(r"(=|->|is\b|uses?\b|)\s*\"?([A-Za-z_]\w*)\"?\s*(\{[^{}\n]*\})?", at.after)
    if not found or (not found[1] and (found[2] in KINDS or not re.search(r"\w\s+$", at.before))):
        return None
    use = f"use {found[2]}" + (f" {found[3]}" if found[3] else "")
    return Hint(_IN_BLOCK, (at.offset, at.offset + found.end(), f"{{ {use} }}"))


def _use(at: Place) -> Hint | None:
    """In a provider block: `fallback x`, `x { … }`, `use: x`, `use [x, y]`, `use x -> y`, `use x with { … }`."""
    if at.block != "provider":
        return None
    if re.search(r"\buse\s*$", at.before):
        if several := re.match(r"\[\s*(\w+(?:\s*,\s*\w+)*)\s*\]", at.after):
            uses = ", ".join(f"use {name}" for name in re.split(r"\s*,\s*", several[1]))
            start = at.start + len(re.sub(r"use\s*$", "", at.before))
            return Hint(_NEXT, (start, at.offset + several.end(), uses))
        blank = "" if at.before.endswith(" ") else " "
        return at.put(r"[:=]\s*(?=\w)", blank, "a `use` line is the word and a name: `use NAME { … }`")
    if re.search(r"\buse\s+\w+\s*$", at.before):
        start = at.start + len(at.before.rstrip())
        if following := re.match(r"(?:->|or|then|else|\||/|&|>)\s*(\w+)", at.after):
            return Hint(_NEXT, (start, at.offset + following.end(), f", use {following[1]}"))
        if found := re.match(r"(?:with|:)\s*(?=\{)", at.after):
            return Hint("settings follow the name: `use NAME { … }`", (start, at.offset + found.end(), " "))
    if (begun := re.search(r"(?:^|[{,])\s*([a-z_]\w*)\s+$", at.before)) and begun[1] not in ("use", *_BLOCKS):
        start = at.start + begun.start(1)
        if at.after.startswith("{"):
            return Hint("who performs it is a `use` line: `use NAME { … }`", (start, start, "use "))
        if begun[1] in _FALLBACK and re.match(r"[a-z_]\w*", at.after):
            return Hint("the next `use` line is the fallback", (start, start + len(begun[1]), "use"))
    return None


def _insert(at: Place) -> Hint | None:
    """`insert mask after stt`, `insert stt -> mask -> llm`."""
    help = "say what it goes before: `insert NAME before NODE.PORT`"
    if found := re.search(r"\binsert\s+([a-z_]\w*)\s+$", at.before):
        between = re.match(r"->\s*([a-z_]\w*)\s*->\s*([a-z_][\w.]*)", at.after)
        if between:
            start = at.start + found.start(1)
            return Hint(help, (start, at.offset + between.end(), f"{between[1]} before {between[2]}"))
        return Hint(help)
    return None


def _rule(at: Place) -> Hint | None:
    """What no rule of a policy is: `voice.voice = "bob"`, `redact …`."""
    if at.block != "policy" or not at.accepted >= {"NODE", "INSERT"}:
        return None
    if re.match(r"[\w.]+\s*=", at.after):
        return Hint(
            "settings that a tenant or a session may change are `tunable`: `node voice : tts { tunable = [voice] }`"
        )
    return Hint(
        "a policy has `node NAME : KIND`, `insert NAME before NODE.PORT`, `provider KIND { … }` and `record L0`"
    )


def _mode(at: Place) -> Hint | None:
    """`mode sales { llm { system = "…" } }`."""
    node, block = re.search(r"(?:^|[{,])\s*([a-z_]\w*)\s+$", at.before), re.match(r"\{\s*([^{}\n]*?)\s*\}", at.after)
    if at.block != "mode" or not node or not block or "=" not in block[1]:
        return None
    settings = ", ".join(f"{node[1]}.{one}" for one in re.split(r"\s*,\s*(?=[a-z_]\w*\s*=)", block[1]))
    edit = (at.start + node.start(1), at.offset + block.end(), settings)
    return Hint("a mode sets nodes by dotted keys: `llm.system = …`", edit)


BLOCKS: tuple[Rule, ...] = (_provider, _use, _insert, _rule, _mode)
