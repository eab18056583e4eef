"""Heads of declarations as other tools write them: their name, version, profile, condition, signature."""

from __future__ import annotations

import re

from rspp_compiler.syntax.hints.lines import BRACES
from rspp_compiler.syntax.hints.place import Hint, Place, Rule

_VERSION = 'a version is a text behind the name: `version "1.0.0"`'
_PROFILE = "a profile is named with its version: `profile simple/v1`"
_LEVELS = "how much is recorded is said first: `record L1`; `L0` is least, `L2` most"
_IMPORT = 'what is taken is named: `import NAME from "file.rspp"`'
_BY_ITSELF = "each has a line of its own"


def _version(at: Place) -> Hint | None:
    """`pipeline p version 1.0.0 {`, `pipeline p (version = "1.0.0") {`, `pipeline p v2 {`; `version "1"` as a line."""
    if at.first in ("pipeline", "module", "import"):
        if re.search(r"\bversion\s*$", at.before) and (bare := re.match(r"[=:]?\s*v?(\d[\w.]*)", at.after)):
            return Hint(_VERSION, (at.offset, at.offset + bare.end(), f'"{bare[1]}"'))
        found = re.match(r"\(?\s*(?:version\s*[=:]\s*)?\"?v?(\d[\w.]*)\"?\s*\)?(?=\s|$)", at.after)
        if found and "VERSION" in at.accepted:
            blank = "" if at.before.endswith(" ") else " "
            return Hint(_VERSION, (at.offset, at.offset + found.end(), f'{blank}version "{found[1]}"'))
    if at.first == "version" and at.block == "pipeline":
        return Hint(f"{_VERSION}, outside of the braces")
    return None


def _profile(at: Place) -> Hint | None:
    """`profile "simple/v1"`, `profile simple`, `profile = simple/v1`, `profile simple v1`."""
    if at.first != "profile" or "PROFILE" not in at.accepted:
        return None
    found = re.match(r"[=:]?\s*\"?([a-z][a-z0-9_]*)(?:\s*[/ :@-]\s*v?(\d+))?\"?", at.after)
    return Hint(_PROFILE, (at.offset, at.offset + found.end(), f"{found[1]}/v{found[2] or 1}")) if found else None


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
        return at.put(r"[:=]\s*(?=\{)", "", BRACES)
    return Hint(BRACES, (at.offset, end, f"{'' if at.before.endswith(' ') else ' '}{{ {inner} }}"))


def _record(at: Place) -> Hint | None:
    """`record { keep = 7d }`."""
    if at.first != "record" or "NAME" not in at.accepted or not re.fullmatch(r"\s*record\s*", at.before):
        return None
    if level := re.match(r"([0-2])\b", at.after):
        return Hint(_LEVELS, (at.offset, at.offset + 1, f"L{level[1]}"))
    blank = "" if at.before.endswith(" ") else " "
    return Hint(_LEVELS, (at.offset, at.offset, f"{blank}L1 ".rstrip(" " if not at.after else "")))


def _several(at: Place) -> Hint | None:
    """`party ana, ben`: what follows the comma reads as a line of its own."""
    found = re.match(r"(\s*)(party|node|mode)\s+\w+\s*,\s*(\w+)\s*$", at.before)
    if not found or at.after.strip():
        return None
    comma = at.before.index(",")
    edit = (at.start + comma, at.offset, f"\n{at.indent}{found[2]} {found[3]}")
    return Hint(_BY_ITSELF, edit)


def _policy(at: Place) -> Hint | None:
    """`policy eu if … {`, `policy eu { when … }`."""
    if at.first != "policy" or "WHEN" not in at.accepted:
        return None
    help = 'for whom it is stands before the braces: `policy NAME when session.tenant == "…" { … }`'
    return at.put(r"(?:if|for|where|on|unless(?=\s+not\b)|:)(?=\s)", "when", help) or Hint(help)


def _signature(at: Place) -> Hint | None:
    """`module m {`, `module m (a : audio) : (b : audio)`, `node x : python("m:C") (a : text) -> (b : text)`."""
    help = "inputs and outputs are two lists: `(sound : audio) -> (words : text)`"
    if at.first == "module" and "LPAR" in at.accepted and at.after.startswith("{"):
        return Hint("a module names its ports: `module NAME (sound : audio) -> (words : text) { … }`")
    if at.first in ("module", "node"):
        if at.after.startswith("(") and re.search(r"\)\s*:\s*$", at.before):
            start = at.start + at.before.rstrip().rindex(":")
            return Hint(help, (start, at.offset, "-> "))
        if re.match(r"[:,]\s*\(", at.after) and at.before.rstrip().endswith(")"):
            return at.put(r"[:,]\s*", "-> ", help)
        if at.after.startswith("(") and re.search(r":\s*(?:python|grpc|wasm)\([^()]*\)\s*$", at.before):
            return Hint("the ports stand before the kind: `node NAME (question : text) -> (answer : text) : python(…)`")
        if re.search(r"[(,]\s*(?:in|out|input|output)\s+$", at.before):
            return Hint(help)
    return None


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
    if re.search(r"\b(?:python|grpc|wasm)\(\s*\"[^\"]*\"\s*,[^()]*$", at.before):
        return Hint(f"{BRACES}, behind the brackets")
    if at.before.count("(") > at.before.count(")"):
        if (found := re.match(r"=\s*[^,)\n]+", at.after)) and re.search(r":\s*\w+\s*$", at.before):
            start = at.start + len(at.before.rstrip())
            help = "an argument has no default here: the callable may have one"
            return Hint(help, (start, at.offset + found.end(), ""))
        if "COLON" in at.accepted and re.search(r"[(,]\s*\w+\s*$", at.before) and at.after[:1] in ("", ",", ")"):
            start = at.start + len(at.before.rstrip())
            help = "a port has a type: `sound : audio`, `words : text`"
            return Hint(help, (start, start, " : text" if at.first == "tool" else " : audio"), is_guess=True)
    return None


def _import(at: Place) -> Hint | None:
    """`import m from lib.rspp`, `import * from "x"`, `import { m } from "x"`, `from "x" import m`."""
    if found := re.match(r"\s*from\s+(\"[^\"\n]*\")\s+import\s+([\w, ]+)", at.line):
        edit = (at.start, at.start + found.end(), f"import {found[2].strip()} from {found[1]}")
        return Hint(_IMPORT, edit)
    if at.first == "import":
        if re.search(r"\bfrom\s+$", at.before) and (path := re.match(r"[\w./-]+", at.after)):
            return Hint("a path stands in quotes", (at.offset, at.offset + path.end(), f'"{path[0]}"'))
        if names := re.match(r"\{\s*([\w, ]+?)\s*\}", at.after):
            return Hint(_IMPORT, (at.offset, at.offset + names.end(), names[1]))
        if at.after.startswith(("*", '"')):
            return Hint(_IMPORT)
        if re.match(r"as\b", at.after):
            return Hint(f"{_IMPORT}; it keeps its name")
    return Hint(_IMPORT) if at.first in ("include", "require") and at.after.startswith('"') else None


HEADS: tuple[Rule, ...] = (
    _version, _profile, _budget, _record, _several, _policy, _signature, _tool, _import,
)  # fmt: skip
