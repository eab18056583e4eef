"""Arrows, operators, comments and separators of other languages."""

from __future__ import annotations

import re

from rspp_compiler.syntax.hints.place import Hint, Place, Rule

_FLOW = "flows and reactions are written `->`"
_SETTING = "a setting is written `key = value`"


def _dashed_name(at: Place) -> Hint | None:
    """`barge-in`: the dash touches both halves, and no arrow follows."""
    head, tail = re.search(r"[A-Za-z_]\w*$", at.before), re.match(r"(?:-(?!>)\w+)+", at.after)
    if not head or not tail:
        return None
    name = (head[0] + tail[0]).replace("-", "_")
    edit = (at.start + head.start(), at.offset + tail.end(), name)
    return Hint(f"a name has `_` where others have `-`: `{name}`", edit)


def _arrow(at: Place) -> Hint | None:
    if "ARROW" not in at.accepted:
        return None
    if re.match(r"<-(?!>)", at.after):
        return Hint("a flow is written from where it comes: `source -> target`")
    if at.first == "on" and "->" not in at.before and re.match(r"\|", at.after):
        return None  # of events: `or`
    if re.match(r"=>\s*[\"\d]", at.after) and "EQUAL" in at.accepted:
        return at.put(r"=>", "=", _SETTING)
    if labelled := at.put(r"-{1,2}>\|[^|\n]*\|", "->", f"{_FLOW}, without a label"):
        return labelled
    return at.put(r"→|⟶|➜|➔|⇒|=>|-\s+>|-->|==>|--|–>|—>|~>|>>|\|>|>|\|(?!\|)|\.\.>|\+>", "->", _FLOW)


def _stray_arrow(at: Place) -> Hint | None:
    """The same where an arrow does not fit either, or where the first sign of one was read as something else."""
    if at.before.endswith("-") and at.after.startswith("->"):
        return Hint(_FLOW, (at.offset - 1, at.offset + 2, "->"))
    return at.put(r"→|=>|-->|–>|>", "->", _FLOW) if "EQUAL" not in at.accepted or at.after[:1] != "=" else None


def _condition(at: Place) -> Hint | None:
    """Operators inside of conditions."""
    before, after = at.before.rstrip(), at.after
    if "COMPARE" in at.accepted:
        found = (
            at.put(r"=\s*(?![=>])", "== ", "equal is written `==`")
            or at.put(r"is\s+not\b", "!=", "unequal is written `!=`")
            or at.put(r"(?:is|equals|eq)\b", "==", "equal is written `==`")
            or at.put(r"(?:<>|≠|~=|/=)", "!=", "unequal is written `!=`")
            or at.put(r"(?:≥|=>)", ">=", "at least is written `>=`")
            or at.put(r"(?:≤|=<)", "<=", "at most is written `<=`")
        )
        if found:
            return found
    if before.endswith("==") and after.startswith("="):
        return Hint("equal is written `==`", (at.offset - 2, at.offset + 1, "=="))
    if before.endswith("!=") and after.startswith("="):
        return Hint("unequal is written `!=`", (at.offset - 2, at.offset + 1, "!="))
    if "AND" in at.accepted and (found := at.put(r"&&?", "and", "conditions are joined by `and`")):
        return found
    if "OR" in at.accepted and (found := at.put(r"\|\|?", "or", "alternatives are joined by `or`")):
        return found
    if "NOT" in at.accepted and (found := at.put(r"!(?!=)\s*", "not ", "a condition is turned round by `not`")):
        return found
    if "OTHERWISE" in at.accepted and (found := at.put(r"(?:else|default)\b", "otherwise", "the rest is `otherwise`")):
        return found
    if "WHEN" in at.accepted and "->" in at.before:
        return at.put(r"if\b", "when", "a condition begins with `when`") or at.put(
            r"unless\b", "when not", "a condition begins with `when`"
        )
    return None


def _separator(at: Place) -> Hint | None:
    return at.put(r";(?=[ \t]*[^\s}\])#;])", ",", "within a line, a comma separates") or at.put(
        r";", "", "the end of a line is enough"
    )


def _comment(at: Place) -> Hint | None:
    found = re.match(r"(//|/\*|--(?=\s)|<!--)(.*?)(\*/|-->)?\s*$", at.after)
    if not found or ("ARROW" in at.accepted and found[1] == "--"):
        return None
    return Hint("comments begin with `#`", (at.offset, at.offset + found.end(), f"# {found[2].strip()}".rstrip()))


def _equals(at: Place) -> Hint | None:
    """`key: value`, `key == value`, `key := value`."""
    if "EQUAL" not in at.accepted:
        return None
    start = at.offset - len(at.before) + len(at.before.rstrip())
    sign = re.match(r"(==|:=|:|=>|\+=|<=?|≤)[ \t]*", at.after)
    return Hint(_SETTING, (start, at.offset + sign.end(), " = ")) if sign else None


SIGNS: tuple[Rule, ...] = (_dashed_name, _comment, _condition, _equals, _arrow, _stray_arrow, _separator)
