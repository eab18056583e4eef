"""Programs over the whole grammar, as hypothesis strategies: `files()` as AST, `written()` as text with its AST.

They are syntactically valid and mean nothing: names are not declared, and settings are of no kind. What they contain is
what the grammar allows: every item, line and form of value, keywords as names wherever they are free.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from rspp_compiler.ir import ast
from rspp_compiler.source import Span
from syntax_text import Written, write

NAME = "generated.rspp"
AT = Span(NAME, 0, 0, 1, 1, 1, 1)

_PLAIN = ["a", "stt", "ears", "find_order", "x1", "_u", "PII", "orderly", "whenever", "a_rather_long_name_for_a_node"]
_WORDS = [
    "node",
    "party",
    "mode",
    "on",
    "profile",
    "meta",
    "budget",
    "record",
    "use",
    "in",
    "version",
    "from",
    "before",
]
_GO_ON = ["when", "otherwise", "and", "or"]  # free as keys, ports and values, although no line begins with them
_UNITS = ["us", "ms", "s", "min", "h", "d", "B", "kB", "MB", "GB", "Hz", "kHz", "dB", "%", "usd"]

plain = st.sampled_from(_PLAIN)
free = st.one_of(plain, plain, st.sampled_from([*_WORDS, *_GO_ON]))


def names(texts: st.SearchStrategy[str] = plain) -> st.SearchStrategy[ast.Name]:
    return texts.map(lambda text: ast.Name(text, AT))


def refs(first: st.SearchStrategy[str] = plain) -> st.SearchStrategy[ast.Ref]:
    """`ears.speech`: a first name, and up to two more, which may be any word."""
    return st.builds(lambda head, rest: ast.Ref((head, *rest), AT), names(first), st.lists(names(free), max_size=2))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def tuples_of(strategy: st.SearchStrategy[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


# ---- values

_letters = st.text(alphabet='ab \\"\n\t#{}[](),$é日👋->=', max_size=12)
texts = st.one_of(_letters, st.sampled_from(["en-US", "", "one\n  two\n\nthree", "x" * 130])).map(
    lambda text: ast.Text(text, AT)
)
_digits = st.sampled_from(["0", "7", "64", "0.5", "-6", "-0.25", "120000"])
numbers = _digits.map(lambda digits: ast.Number(digits, AT))
quantities = st.one_of(
    st.builds(lambda digits, unit: ast.Quantity(digits, unit, AT), _digits, st.sampled_from(_UNITS)),
    st.builds(
        lambda count, unit: ast.Quantity(str(count), unit, AT),
        st.integers(0, 999),
        st.sampled_from(["items", "chars", "tokens", "words"]),
    ),
)
symbols = refs(free)


def _compound(inner: st.SearchStrategy[ast.Value]) -> st.SearchStrategy[Any]:
    return st.one_of(
        tuples_of(inner, most=4).map(lambda items: ast.List(items, AT)),
        st.builds(lambda name, args: ast.Call(name, args, AT), names(free), tuples_of(inner)),
        settings_of(inner),
    )


def keys(first: st.SearchStrategy[str] = free) -> st.SearchStrategy[ast.Key]:
    """Mostly one name; sometimes a path, `ingress.audio -> stt.final`."""
    one = refs(first).map(lambda ref: ast.Key((ref,), AT))
    path = st.builds(lambda head, rest: ast.Key((head, *rest), AT), refs(first), tuples_of(refs(), 1, 2))
    return st.one_of(one, one, one, path)


def setting_of(value: st.SearchStrategy[Any], first: st.SearchStrategy[str] = free) -> st.SearchStrategy[ast.Setting]:
    return st.builds(lambda key, value: ast.Setting(key, value, AT), keys(first), maybe(value))


def settings_of(value: st.SearchStrategy[Any]) -> st.SearchStrategy[ast.Settings]:
    return tuples_of(setting_of(value)).map(lambda items: ast.Settings(items, AT))


values: st.SearchStrategy[Any] = st.recursive(st.one_of(texts, numbers, quantities, symbols), _compound, max_leaves=6)
settings = settings_of(values)
calls = st.builds(lambda name, args: ast.Call(name, args, AT), names(), tuples_of(values))
kinds = st.one_of(names().map(lambda name: ast.Ref((name,), AT)), calls)

# ---- conditions

operands: st.SearchStrategy[Any] = st.one_of(refs(), texts, quantities, numbers)
_compare = st.builds(
    lambda left, operator, right: ast.Compare(left, operator, right, AT),
    operands,
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    st.one_of(refs(free), operands),
)
_lists = tuples_of(values, most=3).map(lambda items: ast.List(items, AT))
_member = st.builds(lambda left, choices: ast.Member(left, choices, AT), operands, _lists)
_both: list[Callable[[Any, Any], Any]] = [lambda a, b: ast.And(a, b, AT), lambda a, b: ast.Or(a, b, AT)]
conditions: st.SearchStrategy[Any] = st.recursive(
    st.one_of(operands, _compare, _member),
    lambda inner: st.one_of(
        st.builds(lambda join, left, right: join(left, right), st.sampled_from(_both), inner, inner),
        inner.map(lambda operand: ast.Not(operand, AT)),
    ),
    max_leaves=5,
)
guards = maybe(conditions).map(lambda condition: ast.Guard(condition, AT))

# ---- lines

_params = tuples_of(st.builds(lambda name, type: ast.Param(name, type, AT), names(free), kinds), most=2)
signatures = st.builds(lambda inputs, outputs: ast.Signature(inputs, outputs, AT), _params, _params)


def hops(least: int = 1) -> st.SearchStrategy[tuple[ast.Hop, ...]]:
    one = st.builds(
        lambda ref, guard, settings: ast.Hop(AT, ref, guard, settings, AT), refs(), maybe(guards), maybe(settings)
    )
    return tuples_of(one, least, 4)


nodes = st.builds(
    lambda name, signature, kind, settings: ast.Node(name, signature, kind, settings, AT),
    names(), maybe(signatures), maybe(kinds), maybe(settings),
)  # fmt: skip
records = st.builds(lambda level, settings: ast.Record(level, settings, AT), names(), maybe(settings))
flows = st.builds(lambda start, path: ast.Flow(start, path, AT), refs(), hops())
_action = st.builds(lambda verb, object: ast.Action(verb, object, AT), names(), refs())
reactions = st.builds(
    lambda events, guard, end: ast.Reaction(
        events, guard, end if isinstance(end, tuple) else (), end if isinstance(end, ast.Action) else None, AT
    ),
    tuples_of(refs(), 1), maybe(guards), st.one_of(hops(), _action),
)  # fmt: skip
lines: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["simple/v1", "a_b2/v30"]).map(lambda name: ast.Profile(name, AT)),
    settings.map(lambda settings: ast.Meta(settings, AT)),
    settings.map(lambda settings: ast.Budget(settings, AT)),
    st.builds(lambda name, settings: ast.Party(name, settings, AT), names(), maybe(settings)),
    st.builds(lambda name, settings: ast.Mode(name, settings, AT), names(), settings),
    records, nodes, flows, reactions,
)  # fmt: skip

# ---- top level

_versions = maybe(texts)
uses = st.builds(
    lambda name, guard, settings: ast.Use(name, guard, settings, AT), names(), maybe(guards), maybe(settings)
)
_offers = tuples_of(st.one_of(uses, setting_of(values, plain)))
providers = st.builds(lambda name, kind, offers: ast.Provider(name, kind, offers, AT), names(), maybe(kinds), _offers)
_inserts = st.builds(lambda name, before: ast.Insert(name, before, AT), names(), refs())
items: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        lambda imported, path, version: ast.Import(imported, path, version, AT), tuples_of(names(), 1), texts, _versions
    ),
    st.builds(
        lambda name, version, body: ast.Pipeline(name, version, body, AT), names(), _versions, tuples_of(lines, 0, 6)
    ),
    st.builds(
        lambda name, version, signature, body: ast.Module(name, version, signature, body, AT),
        names(), _versions, signatures, tuples_of(lines),
    ),
    st.builds(
        lambda name, signature, kind, settings: ast.Tool(name, signature, kind, settings, AT),
        names(), maybe(signatures), kinds, maybe(settings),
    ),
    providers,
    st.builds(
        lambda name, condition, rules: ast.Policy(name, condition, rules, AT),
        names(), conditions, tuples_of(st.one_of(nodes, _inserts, providers, records)),
    ),
)  # fmt: skip


def files(least: int = 1, most: int = 3) -> st.SearchStrategy[ast.File]:
    """A file as AST. Its spans say nothing."""
    return tuples_of(items, least, most).map(lambda items: ast.File(NAME, items, AT))


@st.composite
def written(draw: st.DrawFn, file: st.SearchStrategy[ast.File] | None = None) -> Written:
    """A file as somebody careless may have written it: odd blanks, lines broken anywhere, comments in every place."""
    return write(draw(file or files()), draw(st.randoms(use_true_random=False)))
