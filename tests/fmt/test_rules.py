"""The rules of the canonical form, one by one: what somebody wrote, and what becomes of it."""

from __future__ import annotations

import textwrap

import pytest

from formatting import formatted

LONG = "session.region_of_the_caller"


def in_pipeline(lines: str) -> str:
    return f"pipeline p {{\n{textwrap.indent(textwrap.dedent(lines).strip(), '  ')}\n}}\n"


def of(lines: str) -> str:
    """The canonical form of the lines of a pipeline, without the pipeline."""
    head, *body, end = formatted(in_pipeline(lines)).splitlines()
    assert (head, end) == ("pipeline p {", "}")
    return textwrap.dedent("\n".join(body) + "\n").strip()


CASES = {
    "blanks": ("a  ->b{x=1 ,y}", "a -> b { x = 1, y }"),
    "blanks of texts stay": ('node a{x="b  c"}', 'node a { x = "b  c" }'),
    "a separator is a comma in a row": ("a -> b { x = [1 ,2,], y, }", "a -> b { x = [1, 2], y }"),
    "and a newline in lines": ("a -> b {\nx, y,\nz,\n}", "a -> b {\n  x\n  y\n  z\n}"),
    "brackets stay spread": ("a -> b { x = [\n1, 2] }", "a -> b {\n  x = [\n    1\n    2\n  ]\n}"),
    "brackets in a row are joined": ("a -> b { x = [1,\n2] }", "a -> b { x = [1, 2] }"),
    "nothing in brackets": ("a -> b {\n\n}", "a -> b {}"),
    "dots": ("a . b -> c", "a.b -> c"),
    "needless parentheses": ("a -> b when (x == 1) and ((y))", "a -> b when x == 1 and y"),
    "needed parentheses": ("a -> b when not (x or y) and (z or w)", "a -> b when not (x or y) and (z or w)"),
    "grouping to the right": ("a -> b when x or (y or z)", "a -> b when x or (y or z)"),
    "numbers as written": ("a -> b { x = 0.50, y = -0dB, z = 5items }", "a -> b { x = 0.50, y = -0dB, z = 5items }"),
    "an empty signature of outputs": ("node a (b : text) -> () : c", "node a (b : text) : c"),
    "kinds in a column": (
        "node ears : vad\nnode stt {x=1}\nnode captions:tap\nnode plain",
        "node ears     : vad\nnode stt      { x = 1 }\nnode captions : tap\nnode plain",
    ),
    "braces in a column": (
        "node a : say { x }\nnode b : collect { y }\nnode c : endpointer_of_mine { z }",
        "node a : say     { x }\nnode b : collect { y }\nnode c : endpointer_of_mine { z }",
    ),
    "words of declarations in a column": (
        "profile simple/v1\nparty guests {x}\nrecord L1\nmode a { x }\nmode long {y}\nbudget { z }",
        "profile simple/v1\nparty   guests { x }\nrecord  L1\nmode    a    { x }\nmode    long { y }\nbudget  { z }",
    ),
    "first arrows in a column": (
        "ingress.audio->ears->stt\nstt->llm\non a.b->cancel turn\non long.event or other -> c -> d",
        "ingress.audio -> ears -> stt\nstt           -> llm\n"
        "on a.b                 -> cancel turn\non long.event or other -> c -> d",
    ),
    "braces of flows keep two blanks from the longest": (
        "a -> b -> c { x }\nd -> e { y }\nf -> g",
        "a -> b -> c  { x }\nd -> e       { y }\nf -> g",
    ),
    "unless all are of a length": ("a -> b { x }\nc -> d { y }", "a -> b { x }\nc -> d { y }"),
    "a blank line ends a column": ("a.b -> c\n\nd -> e", "a.b -> c\n\nd -> e"),
    "a comment does not": ("a.b -> c\n# why\nd -> e", "a.b -> c\n# why\nd   -> e"),
    "another sort does": ("a.b -> c\nnode x\nd -> e", "a.b -> c\nnode x\nd -> e"),
    "a line over several does": ("a.b -> c\nd -> e {\nx\n}\nf -> g", "a.b -> c\nd -> e {\n  x\n}\nf -> g"),
    "settings in lines": ("node a {\nx=1\nlong = 2\nflag\n}", "node a {\n  x    = 1\n  long = 2\n  flag\n}"),
    "blank lines": ("\n\na -> b\n\n\n\nc -> d\n\n", "a -> b\n\nc -> d"),
    "comments behind lines in a column": (
        "a -> b # one\nlonger -> c\nd -> e    # two\n\nf -> g # three",
        "a      -> b  # one\nlonger -> c\nd      -> e  # two\n\nf -> g  # three",
    ),
    "comments keep their place": (
        "# before\na -> b { # behind the brace\n# inside\nx # behind\n# at the end\n} # behind all\n# last",
        "# before\na -> b {  # behind the brace\n  # inside\n  x  # behind\n  # at the end\n}  # behind all\n# last",
    ),
    "comments between the hops": (
        "a # one\n-> b # two\n# three\n-> # four\nc # five",
        "a  # one\n  -> b  # two\n  # three\n  # four\n  -> c  # five",
    ),
    "comments in a condition": (
        "a -> b # one\nwhen x # two\nand y",
        "a\n  -> b  # one\n    when x  # two\n    and y",
    ),
    "comments in a signature": (
        "node a (b : text # one\n) # two\n-> ( # three\nc : text) : d",
        "node a (\n  b : text  # one\n) -> (  # two\n  # three\n  c : text\n) : d",
    ),
    "words that begin no line": ("a -> b {\nx = 1, or = 2, when\n}", "a -> b {\n  x  = 1,\n  or = 2,\n  when\n}"),
    "a long path": (
        " -> ".join(f"a_rather_long_name_{n}" for n in range(6)) + " { x }",
        "a_rather_long_name_0\n" + "\n".join(f"  -> a_rather_long_name_{n}" for n in range(1, 6)) + " { x }",
    ),
    "long braces": (
        "a -> b { " + ", ".join(f"a_long_setting_{n} = 1" for n in range(6)) + " }",
        "a -> b {\n" + "\n".join(f"  a_long_setting_{n} = 1" for n in range(6)) + "\n}",
    ),
    "a long list": (
        "a -> b { x = [" + ", ".join(f"a_rather_long_name_{n}" for n in range(6)) + "] }",
        "a -> b {\n  x = [\n" + "\n".join(f"    a_rather_long_name_{n}" for n in range(6)) + "\n  ]\n}",
    ),
    "a long guard": (
        f'a -> b when {LONG} == "de" and {LONG} == "fr" and not ({LONG} or {LONG})',
        f'a\n  -> b\n    when {LONG} == "de"\n    and {LONG} == "fr"\n    and not ({LONG}\n      or {LONG})',
    ),
    "a long event": (
        f"on {LONG}.one or two or three or four when {LONG}.five == 1 and {LONG}.six == 2 -> cancel turn",
        f"on {LONG}.one or two or three or four\n  when {LONG}.five == 1 and {LONG}.six == 2\n  -> cancel turn",
    ),
    "a long signature": (
        "node a (" + ", ".join(f"a_rather_long_name_{n} : text" for n in range(4)) + ") -> (b : text) : c { x }",
        "node a (\n" + "\n".join(f"  a_rather_long_name_{n} : text" for n in range(4)) + "\n) -> (b : text) : c { x }",
    ),
    "a long text goes as far as it goes": (
        f'node a {{ x = "{"b" * 120}", y }}',
        f'node a {{\n  x = "{"b" * 120}"\n  y\n}}',
    ),
    "a setting within a path stands alone": ("a -> b {\nx\n} -> c", "a\n  -> b {\n    x\n  }\n  -> c"),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_lines_of_a_pipeline(before: str, after: str) -> None:
    assert of(before) == after
    assert of(after) == after


FILES = {
    "a pipeline's lines stand alone": ("pipeline p { a -> b, c -> d }", "pipeline p {\n  a -> b\n  c -> d\n}\n"),
    "the only line of a module may stay": (
        "module m(a:audio)->(b:audio){a->b}",
        "module m (a : audio) -> (b : audio) { a -> b }\n",
    ),
    "two lines do not": (
        "module m (a : audio) { a -> b, c -> d }",
        "module m (a : audio) {\n  a -> b\n  c -> d\n}\n",
    ),
    "the columns go through providers": (
        "provider llm { use scripted { x = 1 } }\nprovider tts { use espeak { y } }\nprovider vad { use silero }",
        "provider llm { use scripted { x = 1 } }\nprovider tts { use espeak   { y } }\nprovider vad { use silero }\n",
    ),
    "tools": (
        'tool find_order (number:text):python("s:f") { x }\ntool desk:transfer { warm }',
        'tool find_order (number : text) : python("s:f") { x }\ntool desk       : transfer { warm }\n',
    ),
    "rules of a policy": (
        "policy a when b.c { insert m before llm.prompt, node m : redact { x } }",
        "policy a when b.c {\n  insert m before llm.prompt\n  node   m : redact { x }\n}\n",
    ),
    "a long import": (
        "import " + ", ".join(f"a_rather_long_name_{n}" for n in range(6)) + ' from "x.rspp"',
        "import " + ",\n  ".join(f"a_rather_long_name_{n}" for n in range(6)) + ' from "x.rspp"\n',
    ),
    "comments in an import": ('import a, # one\nb from "x"', 'import a,  # one\n  b from "x"\n'),
    "comments of the file": (
        "\n\n# first\n\n\n# second\nprovider a {} # third\n\n# fourth",
        "# first\n\n# second\nprovider a {}  # third\n\n# fourth\n",
    ),
    "long texts stay to the byte": (
        'tool a : b { x = """\n\tOne  \n  "two"\n""", y }',
        'tool a : b { x = """\n\tOne  \n  "two"\n""", y }\n',
    ),
    "even where a carriage return belongs to one": (
        'tool a : b { x = """one\r\r\ntwo\r\n""" }\r\n',
        'tool a : b { x = """one\r\r\ntwo\n""" }\n',
    ),
    "no newline at the end": ("provider a {}", "provider a {}\n"),
    "tabs": ("provider\ta\t{\t}", "provider a {}\n"),
}


@pytest.mark.parametrize(("before", "after"), FILES.values(), ids=FILES)
def test_files(before: str, after: str) -> None:
    assert formatted(before) == after
    assert formatted(after) == after
