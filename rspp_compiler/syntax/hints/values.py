"""Numbers, units, texts and references, as other languages write them."""

from __future__ import annotations

import re

from rspp_compiler.syntax.hints.place import Hint, Place, Rule

_UNITS = {
    **dict.fromkeys(("us", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("b", "byte", "bytes"), "B"),
    **dict.fromkeys(("kb", "kib", "kilobytes"), "kB"),
    **dict.fromkeys(("mb", "mib", "megabytes"), "MB"),
    **dict.fromkeys(("gb", "gib", "gigabytes"), "GB"),
    **dict.fromkeys(("hz", "hertz"), "Hz"),
    **dict.fromkeys(("khz", "kilohertz"), "kHz"),
    **dict.fromkeys(("db", "decibels"), "dB"),
    **dict.fromkeys(("usd", "dollar", "dollars"), "usd"),
    **dict.fromkeys(("%", "percent"), "%"),
}
_VALUE = {"STRING", "NUMBER"}
_TEXTS = ("system", "text", "about", "voice", "model", "to", "region", "language", "owner")  # keys that take a text


def _unit_apart(at: Place) -> Hint | None:
    """`300 ms`."""
    number, unit = re.search(r"(-?\d+(?:\.\d+)?)([ \t]+)$", at.before), re.match(r"[A-Za-z]+(?!\w)|%", at.after)
    meant = _UNITS.get(unit[0].lower()) if unit else None
    if not number or not unit or not meant:
        return None
    written = number[1] + meant
    return Hint(f"a unit touches its number: `{written}`", (at.start + number.start(), at.offset + unit.end(), written))


def _number(at: Place) -> Hint | None:
    """`.5`, `0,5s`, `$0.05`, `1_000`."""
    if at.accepted >= _VALUE:
        if found := re.match(r"\.(\d+)([A-Za-z%]*)", at.after):
            meant = f"0.{found[1]}{found[2]}"
            return Hint(f"a number begins with a digit: `{meant}`", (at.offset, at.offset + found.end(), meant))
        if found := re.match(r"\$\s*(\d+(?:\.\d+)?|\.\d+)(?![\w{])", at.after):
            meant = f"{'0' if found[1].startswith('.') else ''}{found[1]}usd"
            return Hint(f"an amount of money ends in its unit: `{meant}`", (at.offset, at.offset + found.end(), meant))
    whole, part = re.search(r"=\s*(-?\d+),$", at.before), re.match(r"(\d+[A-Za-z%]*)(?=\s*[,}\])\n]|\s*$)", at.after)
    if whole and part:
        meant = f"{whole[1]}.{part[1]}"
        edit = (at.start + whole.start(1), at.offset + part.end(), meant)
        return Hint(f"a decimal point is a point: `{meant}`", edit)
    return None


def _variable(at: Place) -> Hint | None:
    """`$NAME` and `${NAME}` for what the environment holds."""
    if not at.accepted >= _VALUE or not (found := re.match(r"\$\{?([A-Za-z_]\w*)\}?", at.after)):
        return None
    meant = f'secret("env://{found[1]}")'
    return Hint(f"what the environment keeps is a secret: `{meant}`", (at.offset, at.offset + found.end(), meant))


def _quotes(at: Place) -> Hint | None:
    if not at.after.startswith(("'", "‘", "’", "“", "”", "`", "«", "„")):
        return None
    quoted = re.match(r"(?:'''|['‘’“”`«„])([^'‘’“”`«»\"\\]*)(?:'''|['‘’“”`»])", at.after)
    edit = (at.offset, at.offset + quoted.end(), f'"{quoted[1]}"') if quoted else None
    return Hint('texts stand in straight double quotes: "…"', edit)


def _prefixed(at: Place) -> Hint | None:
    """`f"…"`."""
    head, text = re.search(r"(?<![\w\"])[fFrRbBuU]$", at.before), re.match(r'"(?:[^"\\\n]|\\.)*"', at.after)
    if not head or not text:
        return None
    help = "a text has no prefix; `${session.name}` in it is a variable"
    return Hint(help, (at.offset - 1, at.offset + text.end(), text[0]))


def _quoted_name(at: Place) -> Hint | None:
    """`"language": "en"`, `node "ears"`, `use "openai"`."""
    found = re.match(r'"([A-Za-z_][\w-]*)"(\s*[:=]\s*)?', at.after)
    if not found or "NAME" not in at.accepted or "STRING" in at.accepted:
        return None
    name = found[1].replace("-", "_")
    if found[2] and at.before.rstrip().endswith(("{", ",", "")) and not re.search(r"\b(node|tool)\s*$", at.before):
        return Hint("a setting is written `key = value`", (at.offset, at.offset + found.end(), f"{name} = "))
    return Hint(f"names have no quotes: `{name}`", (at.offset, at.offset + len(found[1]) + 2, name))


def _unquoted(at: Place) -> Hint | None:
    """`system = Be brief.`"""
    begun = re.search(r"=\s*([A-Za-z][^\"{}\[\]()=#]*)$", at.before)
    ends = re.match(r"[^\"{}\[\]()=#,\n]*", at.after)
    if not begun or not ends or "->" in begun[1] or at.after[:1] in "({[=:;$":
        return None
    text = f"{begun[1]}{ends[0]}".rstrip()
    key = re.search(r"(\w+)\s*=\s*$", at.before[: begun.start(1)])
    if key and key[1] not in _TEXTS and re.fullmatch(r"[a-z]+(?: [a-z]+){1,2}", text):
        meant = text.replace(" ", "_")
        return Hint(
            f"words are joined by `_`: `{meant}`",
            (at.start + begun.start(1), at.start + begun.start(1) + len(text), meant),
        )
    edit = (at.start + begun.start(1), at.start + begun.start(1) + len(text), f'"{text}"')
    return Hint('a text stands in quotes: "…"', edit) if re.search(r"\w\s+\w", text) or at.after[:1] in "!?.'" else None


def _name_with_digit(at: Place) -> Hint | None:
    found = re.match(r"(\d+)_?([A-Za-z_]\w*)", at.after)
    if not found or "NAME" not in at.accepted or at.accepted >= _VALUE:
        return None
    meant = f"{found[2]}_{found[1]}"
    return Hint(f"a name begins with a letter: `{meant}`", (at.offset, at.offset + found.end(), meant))


def _called(at: Place) -> Hint | None:
    """`python(shop:find)`."""
    head = re.search(r"\b(?:python|grpc|wasm|file|secret)\(\s*([\w./]*)$", at.before)
    tail = re.match(r"[^)\"\n]*", at.after)
    if not head or not tail or not (head[1] + tail[0]).strip():
        return None
    text = f"{head[1]}{tail[0]}".strip()
    start = at.start + head.start(1)
    return Hint(f'what is named there stands in quotes: `"{text}"`', (start, start + len(text), f'"{text}"'))


def _file(at: Place) -> Hint | None:
    """`system = ./prompts/x.md`."""
    found = re.match(r"(?:\.{0,2}/)?[\w./-]*\w\.(?:md|txt|wav|toml|json|prompt)\b", at.after)
    if not found or not at.accepted >= _VALUE:
        return None
    meant = f'file("{found[0].removeprefix("./")}")'
    return Hint(f"a file is `{meant}`", (at.offset, at.offset + found.end(), meant))


def _bound(at: Place) -> Hint | None:
    """`overflow = block = 40ms`, `overflow = sample 25%`."""
    if not re.search(r"=\s*\[?[^\[\]{}=]*\b(?:block|sample|coalesce)\s*$", at.before):
        return None
    start = at.start + len(at.before.rstrip())
    found = re.match(r"[=:]?\s*([\w.%]+)", at.after)
    return (
        Hint("its bound stands in brackets: `block(40ms)`", (start, at.offset + found.end(), f"({found[1]})"))
        if found
        else None
    )


def _bracketed(at: Place) -> Hint | None:
    """`tools = (book, find)`."""
    if not at.accepted >= _VALUE or "LSQB" not in at.accepted:
        return None
    return at.put(r"\(([^()\n]*)\)", r"[\1]", "a list stands in square brackets: `[a, b]`")


def _range(at: Place) -> Hint | None:
    """`rate(80..120)`, `rate(80-120)`."""
    begun, rest = re.search(r"\(\s*-?\d[\w.]*$", at.before), re.match(r"(?:\.{1,3}|-|–|:|to\b)\s*(?=\d)", at.after)
    if not begun or not rest:
        return None
    start = at.offset - (len(at.before) - len(at.before.rstrip(". ")))
    return Hint("both ends of a range are listed: `rate(80, 120)`", (start, at.offset + rest.end(), ", "))


def _no_letter(at: Place) -> Hint | None:
    """An emoji where a name is expected."""
    sign = at.after[:1]
    is_odd = sign.isprintable() and not (sign.isascii() or sign.isspace() or sign.isalpha() or sign in "→⇒⟶➜“”‘’")
    if is_odd and "NAME" in at.accepted and not at.accepted >= _VALUE:
        return Hint("names are made of the letters a to z, digits and `_`")
    return None


VALUES: tuple[Rule, ...] = (
    _unit_apart, _file, _number, _bound, _bracketed, _variable, _quotes, _prefixed, _quoted_name, _called,
    _unquoted, _name_with_digit, _range, _no_letter,
)  # fmt: skip
