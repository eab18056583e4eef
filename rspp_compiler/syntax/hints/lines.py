"""Nodes and flows as other tools write them."""

from __future__ import annotations

import re

from rspp_compiler.syntax.hints.place import Hint, Place, Rule

KINDS = ("vad", "endpointer", "stt", "llm", "tts", "realtime", "say", "play", "collect", "timer", "merge", "select",
         "label", "redact", "tap")  # fmt: skip
BRACES = "settings stand in braces: `{ key = value }`"
HEADS = ("pipeline", "module", "policy", "import")
_ONE_EACH = "each flow has a line of its own; where several end at one port, a `merge` orders them"


def _unbraced(at: Place) -> Hint | None:
    """`node llm system = "…"`, `node llm (system = "…")`, `node llm [system = "…"]`, `a -> b [label = "x"]`."""
    wrong = re.search(r"\(\s*[\w.]+\s*$", at.before)
    if wrong and at.after.startswith("=") and at.first in ("node", "party", "mode", "record"):
        close = at.line.find(")", wrong.start())
        inner = at.line[wrong.start() + 1 : close].strip()
        return Hint(BRACES, (at.start + wrong.start(), at.start + close + 1, f"{{ {inner} }}")) if close > 0 else None
    if "LBRACE" not in at.accepted:
        return None
    if at.first not in HEADS and (found := re.match(r"[\[(]\s*([\w.]+\s*=[^\[\](){}\n]*?)\s*[\])]", at.after)):
        blank = "" if at.before.endswith(" ") else " "
        return Hint(BRACES, (at.offset, at.offset + found.end(), f"{blank}{{ {found[1]} }}"))
    end, said = at.rest()
    if at.first in ("node", "party", "mode", "record", "tool") and re.match(r"(?:with\s+)?[a-z_][\w.]*\s*=[^>]", said):
        said = re.sub(r"^with\s+", "", said)
        is_closed = said.endswith("}") and said.count("{") < said.count("}")
        return Hint(BRACES, (at.offset, end, f"{{ {said}" if is_closed else f"{{ {said} }}"))
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


def _sources(at: Place) -> Hint | None:
    """`a, b -> c`, `a + b -> c`, `[a, b] -> c`, `a <-> b`."""
    if "->" in at.before or at.first in ("on", "import", "use"):
        return None
    if at.after.startswith("<->"):
        return Hint("a flow has one direction: `a -> b`, and `b -> a` on a line of its own")
    ref = r"[a-z_][\w.]*"
    found = re.match(rf"(\s*)\[?({ref}(?:\s*[,+&]\s*{ref})+)\]?\s*->\s*(.+?)\s*$", at.line)
    is_flow = found and at.after[:1] in ("[", ",", "+", "&") and re.fullmatch(rf"\s*\[?(?:{ref})?\s*", at.before)
    if not found or not is_flow:
        return None
    lines = [f"{source} -> {found[3]}" for source in re.split(r"\s*[,+&]\s*", found[2])]
    edit = (at.start + len(found[1]), at.start + found.end(3), f"\n{at.indent}".join(lines))
    return Hint(_ONE_EACH, edit)


def _leading_arrow(at: Place) -> Hint | None:
    """A line that begins with an arrow, where the one above does not go on."""
    if at.before.strip() or not at.after.startswith("->"):
        return None
    return Hint("a line that begins with `->` goes on with the one above, which is complete: say where the flow begins")


LINES: tuple[Rule, ...] = (_node, _unbraced, _port, _sources, _several_ends, _leading_arrow)
