"""Texts, and what stands for one: files, secrets, texts with variables."""

from __future__ import annotations

import re
from typing import Final

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.diagnostics.nearest import nearest
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.spec import FileRef, SecretRef, SettingValue, TextTemplate
from rspp_compiler.sema.language.catalog import SECRET_SCHEMES, Setting
from rspp_compiler.sema.language.events import SESSION_FIELDS, TURN_FIELDS
from rspp_compiler.source import Span

REPORTED: Final = TextTemplate(template="", variables=())  # what a text is that was no good, and has been reported
VARIABLES = tuple(
    f"{subject}.{field}" for subject, of in (("session", SESSION_FIELDS), ("turn", TURN_FIELDS)) for field in of
)
_SECRET_KEY = re.compile(r"(?:^|_)(?:key|token|secret|password|passphrase|credentials?)$")
_SECRET_TEXT = re.compile(r"^(?:sk|pk|rk|ghp|gho|xox[bp]|AKIA|AIza|eyJ)[-_A-Za-z0-9.]{14,}$")
_DOLLAR = re.compile(r"(\\(?:\$|u0024)(?=\{))|\\[\s\S]|(\$\{)")
_PLACE = re.compile(r"\\[\s\S]|\$\{([^{}\"\n]*)\}|\$\{")  # in the source: an escape, a variable, one that never ends


def looks_secret(key: str, value: ast.Value | None) -> bool:
    """Whether a literal text stands where a secret belongs."""
    return isinstance(value, ast.Text) and bool(_SECRET_KEY.search(key) or _SECRET_TEXT.match(value.text))


def report_secret(key: str, value: ast.Value, ctx: Context) -> None:
    """E0308. The text itself is never repeated."""
    variable = re.fullmatch(r"\$\{?([A-Za-z_]\w*)\}?", value.text) if isinstance(value, ast.Text) else None
    name = variable[1] if variable else re.sub(r"\W", "_", key).upper()
    ctx.sink.add(
        "E0308",
        f"`{key}` holds a secret in plain text",
        value.span,
        notes=("a pipeline file is shared and recorded; a secret is only ever referred to",),
        help=f'write `secret("env://{name}")` and set {name} where the pipeline runs',
        fix=_replaced(value.span, f'secret("env://{name}")', ctx),
    )


def _replaced(span: Span, replacement: str, ctx: Context) -> Fix:
    """A fix that puts a reference in a value's place; in a layer, where values stand in quotes, with other quotes."""
    source = ctx.source(span)
    start, end = source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
    if source.text[start - 1 : start] == '"' == source.text[end : end + 1]:
        return Fix(source.span(start - 1, end + 1), f"'{replacement}'")
    return Fix(span, replacement)


def read(setting: Setting, value: ast.Value, at: Span, ctx: Context) -> SettingValue | None:
    """A text, file or secret; `REPORTED` when it was no good, None when it is of another type."""
    if isinstance(value, ast.Call) and value.name.text == "secret" and setting.type == "secret":
        return _secret(value, ctx)
    if isinstance(value, ast.Call) and value.name.text == "file" and (setting.type == "file" or setting.or_file):
        return _file(value, at, ctx)
    if isinstance(value, ast.Text) and setting.type == "file":
        return FileRef(file=value.text) if value.text else _no_file(value.span, at, ctx)
    if isinstance(value, ast.Text) and setting.type == "text":
        return _template(setting, value, ctx) if "${" in value.text else value.text
    return None


def _secret(call: ast.Call, ctx: Context) -> SecretRef | TextTemplate:
    """`secret("env://NAME")`, and so on for each of the schemes."""
    argument = call.args[0] if len(call.args) == 1 else None
    text = argument.text if isinstance(argument, ast.Text) else ""
    scheme, _, path = text.partition("://")
    if scheme in SECRET_SCHEMES and path and (scheme != "env" or re.fullmatch(r"[A-Za-z_]\w*", path)):
        return SecretRef(secret=text)
    name = re.sub(r"\W+", "_", path or scheme).strip("_") or "NAME"
    name = name if not name[0].isdigit() else f"_{name}"
    meant = f'secret("env://{name}")'
    note = f"a secret is kept at {', '.join(f'`{one}://…`' for one in SECRET_SCHEMES)}"
    what = f"no place for secrets is called `{scheme}://`" if path and scheme not in SECRET_SCHEMES else ""
    message = what or "malformed reference to a secret"
    ctx.sink.add(
        "E0309", message, call.span, notes=(note,), help=f"write `{meant}`", fix=_replaced(call.span, meant, ctx)
    )
    return REPORTED


def _file(call: ast.Call, at: Span, ctx: Context) -> FileRef | TextTemplate:
    """`file("path")`."""
    argument = call.args[0] if len(call.args) == 1 else None
    if isinstance(argument, ast.Text) and argument.text:
        return FileRef(file=argument.text)
    return _no_file(call.span, at, ctx)


def _no_file(span: Span, at: Span, ctx: Context) -> TextTemplate:
    help, fix = 'write `file("path/to/file")`', remove(ctx.source(at), at)
    ctx.sink.add("E0309", "malformed reference to a file", span, help=help, fix=fix)
    return REPORTED


def _template(setting: Setting, value: ast.Text, ctx: Context) -> str | TextTemplate:
    """`"Hello ${session.name}"`. A `\\${` is a dollar and a brace, and stays as it is in the template."""
    source = ctx.source(value.span)
    start = source.offset(value.span.line, value.span.column)
    end = source.offset(value.span.end_line, value.span.end_column)
    places = [place for place in _PLACE.finditer(source.text, start, end) if not place[0].startswith("\\")]
    if not places:
        return value.text
    good = True
    for place in places:
        at, name = source.span(place.start(), place.end()), place[1]
        if not setting.variables:
            message, help = (
                f"`{setting.name}` takes no variables",
                "write the text out, or `\\${` for the two characters",
            )
        elif name is None:
            message, help = "`${` is never closed", "write `${session.name}`, or `\\${` for the two characters"
        elif name.strip() not in VARIABLES:
            _unknown_variable(name.strip(), at, ctx)
            good = False
            continue
        else:
            continue
        good = False
        ctx.sink.add("E0312", message, at, help=help, fix=Fix(source.span(place.start(), place.start()), "\\"))
    if not good:
        return REPORTED
    names = tuple(dict.fromkeys(place[1].strip() for place in places))
    template = re.sub(r"\$\{\s*([^{}\s]*)\s*\}", r"${\1}", _kept(source.text[start:end], value.text))
    return TextTemplate(template=template, variables=names)


def _kept(raw: str, text: str) -> str:
    """The text, with a backslash before each `${` that the source has escaped, in JSON as `\\u0024{`."""
    escaped = [bool(place[1]) for place in _DOLLAR.finditer(raw) if place[1] or place[2]]
    flags = iter(escaped)
    return re.sub(r"\$\{", lambda _: "\\${" if next(flags, False) else "${", text)


def _unknown_variable(name: str, at: Span, ctx: Context) -> None:
    same_field = (one for one in VARIABLES if one.rpartition(".")[2] == name.rpartition(".")[2])
    near = nearest(name, VARIABLES) or next(same_field, "")
    meant = f"${{{near}}}" if near else "${session.name}"
    message = f"there is no variable `{name}`" if name else "`${}` names no variable"
    help = f"did you mean `{meant}`?" if near else f"write one of them, such as `{meant}`"
    notes = (f"a text may hold {', '.join(f'`{one}`' for one in VARIABLES)}",)
    ctx.sink.add("E0312", message, at, notes=notes, help=help, fix=Fix(at, meant))
