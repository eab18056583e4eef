"""What the grammar would have accepted, in human words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from rspp_compiler.diagnostics import Fix
from rspp_compiler.source import Source

TOP_LEVEL = ("pipeline", "provider", "module", "tool", "policy", "import")
DECLARATIONS = ("profile", "meta", "node", "party", "mode", "budget", "record", "on")

# Groups first: when all of a group is expected, it is named as one thing.
_GROUPS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"PIPELINE", "PROVIDER"}), "a declaration such as `pipeline NAME { … }`"),
    (frozenset({"NODE", "ON", "NAME"}), "a declaration, a flow or a reaction"),
    (frozenset({"NODE", "INSERT"}), "a rule of the policy"),
    (frozenset({"USE", "NAME"}), "`use NAME` or a setting"),
    (frozenset({"STRING", "NUMBER", "LSQB"}), "a value"),
    (frozenset({"STRING", "NUMBER", "LPAR"}), "a condition"),
    (frozenset({"STRING", "NUMBER", "NAME"}), "a value"),
)
_MEMBERS = {
    "a value": {"STRING", "TEXT", "NUMBER", "QUANTITY", "NAME", "LSQB", "LBRACE"},
    "a condition": {"STRING", "TEXT", "NUMBER", "QUANTITY", "NAME", "NOT", "LPAR"},
    "a declaration, a flow or a reaction": {*(word.upper() for word in DECLARATIONS), "NAME"},
    "a declaration such as `pipeline NAME { … }`": {word.upper() for word in TOP_LEVEL},
    "a rule of the policy": {"NODE", "INSERT", "PROVIDER", "RECORD"},
    "`use NAME` or a setting": {"USE", "NAME"},
}
_PHRASES = {
    "NAME": "a name",
    "PROFILE": "a profile such as `simple/v1`",
    "STRING": "a text in quotes",
    "NUMBER": "a number",
    "QUANTITY": "a quantity such as `300ms`",
    "ARROW": "`->`",
    "COLON": "`: kind`",
    "EQUAL": "`= value`",
    "LPAR": "`( … )`",
    "LSQB": "`[ … ]`",
    "LBRACE": "a `{ … }` block",
    "VERSION": '`version "1.0.0"`',
    "FROM": "`from`",
    "WHEN": "`when`",
    "BEFORE": "`before`",
    "IN": "`in`",
    "COMPARE": "a comparison such as `==`",
    "OR": "`or`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "_NL": "the end of the line",
    "$END": "the end of the file",
}


def phrase(terminals: Iterable[str]) -> str:
    """`{"ARROW", "LBRACE", "_NL"}` becomes "`->`, a `{ … }` block or the end of the line"."""
    rest = set(terminals)
    words: list[str] = []
    for group, words_of_group in _GROUPS:
        if group <= rest:
            words.append(words_of_group)
            rest -= _MEMBERS[words_of_group]
    words.extend(words_of_one for terminal, words_of_one in _PHRASES.items() if terminal in rest)
    if words and words[0].startswith("a declaration"):
        return words[0]  # where one may begin, a block or the file may end as well: that goes without saying
    # A line may always end where a bracket may close, and `when` may follow any arrow: saying so would only distract.
    if "the end of the line" in words:
        words = [word for word in words if word not in ("`}`", "`when`", "`or`")]
    if len(words) < 2:
        return words[0] if words else "something else"
    return f"{', '.join(words[:-1])} or {words[-1]}"


def hint(source: Source, text: str, offset: int) -> tuple[str, Fix | None]:
    """Help for the mistakes that people make most, and the change that would mend them; empty if none is recognised."""
    line_start = text.rfind("\n", 0, offset) + 1
    before, after = text[line_start:offset], text[offset:].split("\n", 1)[0]

    if (number := re.search(r"(-?\d+(?:\.\d+)?)(\s+)$", before)) and (
        unit := re.match(r"(us|ms|s|min|h|d|B|kB|MB|GB|Hz|kHz|dB|usd|%)(?!\w)", after)
    ):
        at = source.span(line_start + number.start(), offset + unit.end())
        return f"a unit touches its number: `{number[1]}{unit[1]}`", Fix(at, number[1] + unit[1])
    if arrow := re.match(r"(→|=>|-->|–>|>)", after):
        return "flows and reactions are written `->`", Fix(source.span(offset, offset + arrow.end()), "->")
    if after.startswith("-->") or (before.endswith("-") and after.startswith("->")):
        return "flows and reactions are written `->`", None
    if after.startswith(";"):
        return "the end of a line is enough", Fix(source.span(offset, offset + 1), "")
    if after.startswith(("'", "“", "”")):
        return 'texts stand in straight double quotes: "…"', None
    if after.startswith(("//", "/*")):
        return "comments begin with `#`", None
    if after.startswith("==") and "when" not in before:
        return "a setting is written `key = value`", Fix(source.span(offset, offset + 2), "=")
    if after.startswith(":") and re.search(r"\{[^}]*$", before):
        return "a setting is written `key = value`", Fix(source.span(offset, offset + 1), "=")

    # A misspelt first word reads as the start of a flow.
    first = re.match(r"\s*([A-Za-z_]\w*)", before + after)
    words = TOP_LEVEL if before.count("{") == 0 and not text[:line_start].count("{") else DECLARATIONS
    if first and first[1] not in (*TOP_LEVEL, *DECLARATIONS):
        choices = difflib.get_close_matches(first[1], [*words, *TOP_LEVEL, *DECLARATIONS], n=1, cutoff=0.7)
        if choices:
            start = line_start + first.start(1)
            return f"did you mean `{choices[0]}`?", Fix(source.span(start, start + len(first[1])), choices[0])
    return "", None
