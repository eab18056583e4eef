"""Declarations, flows and blocks as other tools write them."""

from __future__ import annotations

import re

from rspp_compiler.syntax.hints.place import Hint, Place, Rule

KINDS = ("vad", "endpointer", "stt", "llm", "tts", "realtime", "say", "play", "collect", "timer", "merge", "select",
         "redact", "tap")  # fmt: skip
_BRACES = "settings stand in braces: `{ key = value }`"
_FALLBACK = ("fallback", "backup", "then", "else", "or", "secondary", "otherwise", "try", "provider", "engine")


def _budget(at: Place) -> Hint | None:
    """`budget turn = 2s`, `budget 2s`, `budget: …`, `budget stt -> voice { … }`."""
    if at.first not in ("budget", "meta") or "{" in at.before or "LBRACE" not in at.accepted:
        return None
    end, said = at.rest()
    if re.match(r"\w[\w.]*\s*->", said):
        return Hint("a path stands in the braces, with its time: `budget { stt.final -> voice.audio = 800ms }`")
    inner = re.sub(r"^[:=]\s*", "", said)
    if re.fullmatch(r"\d[\w.]*", inner):
        inner = f"turn = {inner}"
    if "=" not in inner or "{" in inner:
        return at.put(r"[:=]\s*(?=\{)", "", _BRACES)
    return Hint(_BRACES, (at.offset, end, f"{'' if at.before.endswith(' ') else ' '}{{ {inner} }}"))


def _record(at: Place) -> Hint | None:
    """`record { keep = 7d }`."""
    if at.first != "record" or not at.after.startswith("{") or "NAME" not in at.accepted:
        return None
    help = "how much is recorded stands before the braces: `record L1 { … }`; `L0` is least, `L2` most"
    return Hint(help, (at.offset, at.offset, "L1 "))


def _unbraced(at: Place) -> Hint | None:
    """`node llm system = "…"`, `node llm (system = "…")`, `node llm [system = "…"]`, `a -> b [label = "x"]`."""
    wrong = re.search(r"\(\s*[\w.]+\s*$", at.before)
    if wrong and at.after.startswith("=") and at.first in ("node", "party", "mode", "record"):
        close = at.line.find(")", wrong.start())
        inner = at.line[wrong.start() + 1 : close].strip()
        return Hint(_BRACES, (at.start + wrong.start(), at.start + close + 1, f"{{ {inner} }}")) if close > 0 else None
    if "LBRACE" not in at.accepted:
        return None
    if found := re.match(r"[\[(]\s*([\w.]+\s*=[^\[\](){}\n]*?)\s*[\])]", at.after):
        return Hint(_BRACES, (at.offset, at.offset + found.end(), f"{{ {found[1]} }}"))
    end, said = at.rest()
    if at.first in ("node", "party", "mode", "record", "tool") and re.match(r"(?:with\s+)?[a-z_][\w.]*\s*=[^>]", said):
        said = re.sub(r"^with\s+", "", said)
        is_closed = said.endswith("}") and said.count("{") < said.count("}")
        return Hint(_BRACES, (at.offset, end, f"{{ {said}" if is_closed else f"{{ {said} }}"))
    return None


def _node(at: Place) -> Hint | None:
    """`node voice = tts`, `node voice as tts`, `node tts voice`, `tts voice`, `voice[TTS]`."""
    help = "a node is declared by its name and its kind: `node NAME : KIND`"
    if at.first in KINDS and (found := re.match(r"\s*(\w+)\s+$", at.before)) and found[1] == at.first:
        name = re.match(r"[a-z_]\w*", at.after)
        begins_line = at.start + len(at.indent)
        return Hint(help, (begins_line, at.offset + name.end(), f"node {name[0]} : {at.first}")) if name else None
    drawn = re.match(r"[\[({]+\"?(\w+)\"?[\])}]+\s*$", at.after)
    if drawn and drawn[1].lower() in KINDS and at.before.strip() == at.first and at.block == "pipeline":  # `ears[VAD]`
        edit = (at.start + len(at.indent), at.offset + drawn.end(), f"node {at.first} : {drawn[1].lower()}")
        return Hint(help, edit)
    if at.first != "node" or "COLON" not in at.accepted:
        return None
    named = re.match(r"\s*node\s+(\w+)\s*$", at.before)
    other = re.match(r"[a-z_]\w*", at.after)
    if named and other and named[1] in KINDS and other[0] not in KINDS and "=" not in at.after[: other.end() + 2]:
        start = at.start + named.start(1)
        return Hint(help, (start, at.offset + other.end(), f"{other[0]} : {named[1]}"))
    return at.put(r"(?:=|as\b|is\b|is a\b|of\b|::|->)(?=\s*\w)", ":", help)


def _port(at: Place) -> Hint | None:
    """`voice:audio -> …`, `voice[audio] -> …`, `voice/audio -> …`."""
    if "ARROW" not in at.accepted or not re.search(r"\w$", at.before):
        return None
    help = "a port is written `NODE.PORT`"
    ends = r"\s*(?:->|\{|$)"
    return at.put(rf"(?:::?|/|#|@)(?=\w+{ends})", ".", help) or at.put(rf"\[(\w+)\](?={ends})", r".\1", help)


def _several_ends(at: Place) -> Hint | None:
    """`a -> [b, c]`, `a -> (b, c)`."""
    found = re.match(r"[\[({]\s*([a-z_][\w.]*(?:\s*,\s*[a-z_][\w.]*)+)\s*[\])}]", at.after)
    source = re.match(r"\s*(?:.*->\s*)?([a-z_][\w.]*)\s*->\s*$", at.before)
    if not found or not source or at.first == "on":
        return None
    ends = re.split(r"\s*,\s*", found[1])
    begin = source[1] if "->" not in at.before[: source.start(1)] else source[1].partition(".")[0]
    lines = [ends[0], *(f"{begin} -> {end}" for end in ends[1:])]
    edit = (at.offset, at.offset + found.end(), f"\n{at.indent}".join(lines))
    return Hint("a flow has one end; each further one is a line of its own", edit)


def _tool(at: Place) -> Hint | None:
    """A tool without what it runs, with a result, with defaults."""
    if at.first not in ("tool", "module", "node"):
        return None
    if re.search(r"\)\s*->\s*$", at.before) and "LPAR" in at.accepted and (found := re.match(r"(\w+)", at.after)):
        start = at.start + len(at.before.removesuffix(re.search(r"\s*->\s*$", at.before)[0]))  # type: ignore[index]
        if at.first == "tool":
            help = "a tool names its arguments only: what it returns goes to the model"
            return Hint(help, (start, at.offset + found.end(), ""))
        return at.put(r"(\w+)", r"(out : \1)", "what goes out has a name and a type: `-> (answer : text)`")
    if at.first == "tool" and "COLON" in at.accepted and (not at.after or at.after[0] in "{#"):
        name = (re.match(r"\s*tool\s+(\w+)", at.before) or ["", "callable"])[1]
        help = 'what it runs is missing: `: python("module:callable")`, or `: transfer`'
        blank = "" if at.before.endswith(" ") else " "
        return Hint(help, (at.offset, at.offset, f'{blank}: python("tools:{name}") '), is_guess=True)
    if at.before.count("(") > at.before.count(")"):
        if found := re.match(r"=\s*[^,)\n]+", at.after):
            start = at.start + len(at.before.rstrip())
            help = "an argument has no default here: the callable may have one"
            return Hint(help, (start, at.offset + found.end(), ""))
        if "COLON" in at.accepted and re.search(r"[(,]\s*\w+\s*$", at.before) and at.after[:1] in ("", ",", ")"):
            start = at.start + len(at.before.rstrip())
            help = "a port has a type: `sound : audio`, `words : text`"
            return Hint(help, (start, start, " : text" if at.first == "tool" else " : audio"), is_guess=True)
    return None


def _provider(at: Place) -> Hint | None:
    """`provider llm = openai`, `provider llm: openai`, and in a block `fallback anthropic`, `openai { … }`."""
    if at.first == "provider" and "{" not in at.before:
        found = re.match(r"(?:=|->|is|uses?)\s*\"?([A-Za-z_]\w*)\"?\s*(\{[^{}\n]*\})?", at.after)
        if found:
            use = f"use {found[1]}" + (f" {found[2]}" if found[2] else "")
            return Hint("who performs it stands in the block: `provider KIND { use NAME }`",
                        (at.offset, at.offset + found.end(), f"{{ {use} }}"))  # fmt: skip
        return None
    if at.block != "provider":
        return None
    if (begun := re.search(r"(?:^|[{,])\s*([a-z_]\w*)\s+$", at.before)) and begun[1] != "use":
        start = at.start + begun.start(1)
        if at.after.startswith("{"):
            return Hint("who performs it is a `use` line: `use NAME { … }`", (start, start, "use "))
        if begun[1] in _FALLBACK and re.match(r"[a-z_]\w*", at.after):
            return Hint("the next `use` line is the fallback", (start, start + len(begun[1]), "use"))
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


LINES: tuple[Rule, ...] = (_rule, _budget, _record, _node, _unbraced, _port, _several_ends, _tool, _provider)
