"""A document against its schema: E0121 to E0123, E0126 and E0128, each at its field and with its fix."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.ir.bundle_form import RolloutForm
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.json_form import Form
from rspp_compiler.source import Source, Span
from rspp_compiler.syntax.findings import FOUND_MAX
from rspp_compiler.syntax.json.edits import quoted, without
from rspp_compiler.syntax.json.tree import Array, Member, Node, Object, Path, Text, at_path, each, is_null
from rspp_compiler.syntax.load import CONTROL

# What a pattern or type of the forms asks for, in words: by the end of pydantic's error type.
_WANTED = {
    "string": "a text",
    "list": "a list",
    "dict": "an object",
    "model": "an object",
    "int": "a whole number",
    "too_short": "one at least",
}
_PATTERNS = (
    (" -> ", "a key: a name, or a path such as `ingress.audio -> stt.final`"),
    ("/v", "a profile, such as `simple/v1`"),
    (" ", "a verb and its object, such as `cancel turn`"),
    ("(", "a name, with dots between its parts"),
    ("", "a name of letters, digits and `_`"),
)
# Lists whose elements stand by themselves: what is wrong with one leaves the others usable.
_LISTS = (
    *("imports", "parties", "nodes", "edges", "reactions", "modes"),
    *("modules", "tools", "providers", "candidates", "policies", "inserts"),
)


def check(
    root: Object, form: type[Form], source: Source, ctx: Context
) -> tuple[frozenset[tuple[int, int]], frozenset[str]]:
    """The places of what cannot be used, and the names that it would have declared. Everything is reported."""
    checker = _Checker(root, form, source, ctx)
    checker.walk()
    try:
        form.model_validate(root.plain)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        for one in errors[:FOUND_MAX]:
            checker.report(one)
        checker.count(errors[FOUND_MAX:])
    return frozenset(checker.unusable), frozenset(checker.lost)


class _Checker:
    def __init__(self, root: Object, form: type[Form], source: Source, ctx: Context) -> None:
        self.unusable: set[tuple[int, int]] = set()
        self.lost: set[str] = set()
        self._root, self._form, self._source, self._sink = root, form, source, ctx.sink

    # ---- what every document is checked for

    def walk(self) -> None:
        """Keys given twice, `null`, and characters that nobody sees."""
        for path, node in each(self._root):
            if isinstance(node, Object):
                for member in node.repeated:
                    self._repeated(node, member)
            if is_null(node) and path:
                help = "remove it, or give it a value"
                fix = without(self._root, path, self._source)
                self._sink.add("E0123", f"{_called(path)} is `null`", self._span(node), help=help, fix=fix)
            if isinstance(node, Text) and "\\" in node.raw and (control := CONTROL.search(node.text)):
                offsets = node.offsets
                at = self._source.span(offsets[control.start()], offsets[control.end()])
                message = f"control character U+{ord(control[0]):04X} in the text"
                help = "remove it: it is invisible to a reader"
                self._sink.add("E0103", message, at, help=help, fix=Fix(at, ""))

    def _repeated(self, node: Object, member: Member) -> None:
        key = member.key
        first = node.member(key.text)
        assert first is not None
        at = self._source.span(*key.inner)
        secondary = [(self._source.span(*first.key.inner), "first given here")]
        before = self._source.text.rfind(",", 0, key.start)
        fix = Fix(self._source.span(before, member.value.end), "")
        message, help = f"`{key.text}` is given twice", "keep one of them"
        self._sink.add("E0302", message, at, secondary=secondary, help=help, fix=fix)

    # ---- what the schema says

    def report(self, error: ErrorDetails) -> None:
        """One error of pydantic. `loc` leads to it, with words of pydantic's own behind."""
        node, path = at_path(self._root, error["loc"])
        match error["type"]:
            case "extra_forbidden":
                self._unknown(path)
            case "missing":
                self._missing(node, path, str(error["loc"][-1]))
            case "contradicts":
                self._contradiction(error, node, path)
            case _:
                self._wrong(error, node, path)

    def count(self, errors: list[ErrorDetails]) -> None:
        """Says how many errors there are beyond those that were reported; what they are about is left out as well."""
        for error in errors:
            self._leave_out(at_path(self._root, error["loc"])[1])
        if errors:
            first, _ = at_path(self._root, errors[0]["loc"])
            at, many = self._source.span(first.start, first.start + 1), f"{len(errors)} more"
            message = f"{many} {'field' if len(errors) == 1 else 'fields'} of this file cannot be read"
            self._sink.add("E0123", message, at, help="mend those above first")

    def _unknown(self, path: Path) -> None:
        """E0121: a field that the object does not have."""
        parent, _ = at_path(self._root, path[:-1])
        key = str(path[-1])
        assert isinstance(parent, Object)
        member = parent.member(key)
        assert member is not None
        fields = _fields(self._form_at(path[:-1]))
        near = nearest(key, fields)
        at = self._source.span(*member.key.inner)
        fix = Fix(at, near) if near else without(self._root, path, self._source)
        self._sink.add(
            "E0121",
            f"{_called(path[:-1])} has no field `{key}`",
            at,
            notes=(f"it has {', '.join(f'`{field}`' for field in fields)}",),
            help=f"did you mean `{near}`?" if near else "remove it",
            fix=fix,
        )
        if near and parent.member(near) is None:  # without what was meant, the rest would look wrong
            if len(path) > 1:
                self._leave_out(path)
            else:
                self.unusable.add((self._root.start, self._root.end))

    def _missing(self, node: Node, path: Path, field: str) -> None:
        """E0122. Only the author knows what is missing; at worst what lacks it goes."""
        if not (isinstance(node, Object) and node.member(field)):  # it is `null`, which was reported
            at = self._source.span(node.start, node.start + 1)
            fix = without(self._root, path, self._source)
            message, help = f"{_called(path)} has no `{field}`", f'write `"{field}": …`, or remove what lacks it'
            self._sink.add("E0122", message, at, help=help, fix=fix)
        self._leave_out(path)

    def _contradiction(self, error: ErrorDetails, node: Node, path: Path) -> None:
        """E0126, and of rollouts E0128: fields that are good by themselves."""
        context = error.get("ctx", {})
        inner = tuple(int(part) if part.isdigit() else part for part in str(context["field"]).split(".") if part)
        wrong, at_field = at_path(self._root, (*path, *inner))
        span = self._span(wrong) if at_field != path else self._source.span(node.start, node.start + 1)
        message, meant = str(context["message"]), str(context["meant"])
        if self._form is RolloutForm:
            fix = self._share(wrong)
            help = "let them make 100 together" if fix else "`rsppc explain E0128` says what each strategy takes"
            self._sink.add("E0128", message, span, help=help, fix=fix)
        elif meant:
            fix = Fix(span, quoted(meant))
            self._sink.add("E0126", message, span, help=f"write `{fix.replacement}`", fix=fix)
        else:
            fix = without(self._root, at_field, self._source)
            self._sink.add("E0126", message, span, help="keep one of them", fix=fix)
        if at_field != path:
            self.unusable.add((wrong.start, wrong.end))
        else:
            self._leave_out(path)

    def _share(self, last: Node) -> Fix | None:
        """The last share becomes what the others leave of 100 %."""
        shares = self._root.plain["versions"]
        total = sum(share.get("percentage", 0) for share in shares)
        rest = 100 - total + (shares[-1].get("percentage") or 0)
        is_share = isinstance(last.plain, int) and not isinstance(last.plain, bool)
        return guess(Fix(self._span(last), str(rest))) if is_share and 0 <= rest <= 100 else None

    def _wrong(self, error: ErrorDetails, node: Node, path: Path) -> None:
        """E0123: a value of another type, or that is none of the choices."""
        if is_null(node):  # which was reported
            self._leave_out(path)
            return
        wanted, fix = self._wanted(error, node)
        is_key = error["loc"][-1] == "[key]"
        what = f"`{path[-1]}`" if is_key else node.noun if not isinstance(node, Text) else f"`{node.text}`"
        message = f"{what} is not {wanted}" if is_key else f"{_called(path)} takes {wanted}, not {what}"
        help = f"write `{fix.replacement}`" if fix else f"write {wanted}"
        self._sink.add("E0123", message, self._span(node), help=help, fix=fix or self._removal(path))
        self._leave_out(path)

    def _wanted(self, error: ErrorDetails, node: Node) -> tuple[str, Fix | None]:
        """What belongs there, and the value that was probably meant."""
        kind, context = error["type"], error.get("ctx", {})
        at = self._span(node)
        written = self._source.text[node.start : node.end]
        if kind == "literal_error":
            expected = str(context["expected"])
            choices = [choice.strip("'") for choice in expected.replace(" or ", ", ").split(", ")]
            choices = ["true"] if choices == ["True"] else choices
            near = nearest(str(node.plain), choices)
            return _either(choices), Fix(at, quoted(near)) if near else None
        if kind == "string_pattern_mismatch":
            return next(words for sign, words in _PATTERNS if sign in str(context["pattern"])), None
        if kind in ("string_type", "string_too_short"):
            scalar = isinstance(node.plain, int | float | bool)
            return "a text" if kind == "string_type" else "some text", Fix(at, json.dumps(written)) if scalar else None
        if kind == "list_type":
            return "a list", Fix(at, f"[{written}]") if isinstance(node, Text) else None
        if kind in ("greater_than_equal", "less_than_equal"):
            sign = "at least" if kind.startswith("greater") else "at most"
            bound = context.get("ge", context.get("le"))
            return f"{sign} {bound}", guess(Fix(at, str(bound)))
        return _WANTED.get(kind.removesuffix("_type"), "something else"), None

    # ---- places

    def _span(self, node: Node) -> Span:
        return self._source.span(node.start, node.end)

    def _form_at(self, path: Path) -> type[Form]:
        """The form of the object that a path leads to."""
        form = self._form
        for part in path:
            if isinstance(part, str):
                known = {field.alias or name: field.annotation for name, field in form.model_fields.items()}
                form = next(_forms(known.get(part)), form)
        return form

    def _element(self, path: Path) -> Path:
        """The innermost list element around a path that stands by itself; `()` if there is none."""
        lengths = (
            length
            for length in range(len(path), 1, -1)
            if isinstance(path[length - 1], int) and path[length - 2] in _LISTS
        )
        return path[: next(lengths, 0)]

    def _removal(self, path: Path) -> Fix | None:
        return without(self._root, self._element(path) or path, self._source)

    def _leave_out(self, path: Path) -> None:
        """The element around a path is not used; what it would have declared is lost."""
        element = self._element(path)
        node, _ = at_path(self._root, element or path[:1])
        self.unusable.add((node.start, node.end))
        if element:
            self.lost |= declared(str(element[-2]), node)


def declared(sort: str, node: Node) -> set[str]:
    """What an element of a list would have declared; `"->"` for one that may be a flow, `"use"` for an engine."""
    found = {"->"} if sort in ("edges", "reactions") else {"use"} if sort == "candidates" else set()
    if isinstance(node, Object):
        names = [member.value for member in node.members if member.key.text.endswith("_id")]
        imported = node.get("names")
        names += imported.items if isinstance(imported, Array) else ()
        found |= {name.text for name in names if isinstance(name, Text)}
    return found


def _forms(annotation: Any) -> Iterator[type[Form]]:
    """The forms within an annotation such as `list[NodeForm] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Form):
        yield annotation
    for inner in get_args(annotation):
        yield from _forms(inner)


def _fields(form: type[Form]) -> list[str]:
    return [field.alias or name for name, field in form.model_fields.items()]


def _called(path: Path) -> str:
    """What is at the end of a path, in a word: `nodes[2].kind` is `kind`, `nodes[2]` an element of `nodes`."""
    if not path:
        return "the document"
    return f"`{path[-1]}`" if isinstance(path[-1], str) else f"an element of `{path[-2]}`"


def _either(choices: list[str]) -> str:
    *most, last = [f"`{choice}`" for choice in choices]
    return f"{', '.join(most)} or {last}" if most else last
