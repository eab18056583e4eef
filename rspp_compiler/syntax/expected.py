"""What the grammar would have accepted, in human words."""

from __future__ import annotations

from collections.abc import Iterable

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
