"""What the grammar would have accepted, in human words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from rspp_compiler.diagnostics.nearest import nearest

TOP_LEVEL = ("pipeline", "provider", "module", "tool", "policy", "import")
_NEAR = 200  # characters around a mistake that tell what is meant
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


Edit = tuple[int, int, str]  # put the text in the place of these characters


def hint(text: str, offset: int, accepted: Collection[str]) -> tuple[str, Edit | None]:
    """Help for the mistakes that people make most, and the change that would mend them; empty if none is recognised."""
    line_start = max(text.rfind("\n", 0, offset) + 1, offset - _NEAR)
    line_end = text.find("\n", offset, offset + _NEAR)
    before, after = text[line_start:offset], text[offset : line_end if line_end >= 0 else offset + _NEAR]

    if (number := re.search(r"(-?\d+(?:\.\d+)?)([ \t]+)$", before)) and (
        unit := re.match(r"(us|ms|s|min|h|d|B|kB|MB|GB|Hz|kHz|dB|usd|%)(?!\w)", after)
    ):
        help = f"a unit touches its number: `{number[1]}{unit[1]}`"
        return help, (line_start + number.start(), offset + unit.end(), number[1] + unit[1])
    if arrow := re.match(r"(→|=>|-->|–>|-[ \t]+>|>)", after):
        return "flows and reactions are written `->`", (offset, offset + arrow.end(), "->")
    if before.endswith("-") and after.startswith("->"):
        return "flows and reactions are written `->`", (offset - 1, offset + 2, "->")
    if after.startswith(";"):
        return "the end of a line is enough", (offset, offset + 1, "")
    if after.startswith(("'", "‘", "’", "“", "”")):
        quoted = re.match(r"['‘’“”]([^'‘’“”\"\\]*)['‘’“”]", after)
        edit = (offset, offset + quoted.end(), f'"{quoted[1]}"') if quoted else None
        return 'texts stand in straight double quotes: "…"', edit
    if comment := re.match(r"(//|/\*).*", after):
        return "comments begin with `#`", (offset, offset + comment.end(), f"# {comment[0][2:].strip()}")
    if after.startswith("==") and "EQUAL" in accepted:
        return "a setting is written `key = value`", (offset, offset + 2, "=")
    if after.startswith(":") and "EQUAL" in accepted:
        return "a setting is written `key = value`", (offset - len(before) + len(before.rstrip()), offset + 1, " =")
    return _misspelt(text, line_start, before + after)


def _misspelt(text: str, line_start: int, line: str) -> tuple[str, Edit | None]:
    """A misspelt first word, which reads as the start of a flow."""
    first = re.match(r"\s*([A-Za-z_]\w*)", line)
    if not first or first[1] in (*TOP_LEVEL, *DECLARATIONS):
        return "", None
    is_outside = "{" not in line[: first.start(1)] and text.find("{", 0, line_start) < 0
    words = [*TOP_LEVEL, *DECLARATIONS] if is_outside else [*DECLARATIONS, *TOP_LEVEL]
    meant = nearest(first[1], words)
    if not meant:
        return "", None
    start = line_start + first.start(1)
    return f"did you mean `{meant}`?", (start, start + len(first[1]), meant)
