"""What stands at the top level of the files: modules by file and name, tools, provider blocks."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context

Named = ast.Module | ast.Tool | ast.Provider | ast.Policy


class Items:
    """The top level of a program. A name means what its own file declares or imports, and nothing else."""

    def __init__(self, program: ast.Program, ctx: Context) -> None:
        self._ctx = ctx
        self._own: dict[str, dict[str, Named]] = {}
        self._main = {file.span.file for file in program.files}
        for file in (*program.files, *program.imported):
            self._own[file.span.file] = self._declared(file)
        self._links = {(link.file, link.name.text): link.target for link in program.links}
        self._check_links(program)

    def module(self, file: str, name: str) -> ast.Module | None:
        """The module that `name` means in `file`."""
        found = self.visible(file).get(name)
        return found if isinstance(found, ast.Module) else None

    def modules(self, file: str) -> tuple[str, ...]:
        """Names of the modules that can be used in `file`."""
        return tuple(name for name, item in self.visible(file).items() if isinstance(item, ast.Module))

    def visible(self, file: str) -> dict[str, Named]:
        """Everything that has a name in `file`, its own first."""
        imported = {
            name: self._own[target][name]
            for (of, name), target in self._links.items()
            if of == file and name in self._own.get(target, {})
        }
        return {**imported, **self._own.get(file, {})}

    def tools(self) -> Iterator[ast.Tool]:
        """Every tool of the program; those of the pipeline's own files first."""
        for item in self._all():
            if isinstance(item, ast.Tool):
                yield item

    def providers(self) -> Iterator[ast.Provider]:
        """Blocks of the pipeline's own files, and the pools of the others: only the pipeline says who serves a kind."""
        for file, items in self._own.items():
            for item in items.values():
                if isinstance(item, ast.Provider) and (file in self._main or item.kind is not None):
                    yield item

    def policies(self) -> Iterator[ast.Policy]:
        """Policies of the pipeline's own files, and those that they import."""
        for file in self._main:
            for item in self.visible(file).values():
                if isinstance(item, ast.Policy):
                    yield item

    def _all(self) -> Iterator[Named]:
        for items in self._own.values():
            yield from items.values()

    def _declared(self, file: ast.File) -> dict[str, Named]:
        found: dict[str, Named] = {}
        for item in file.items:
            if isinstance(item, ast.Import | ast.Pipeline):
                continue
            first = found.setdefault(item.name.text, item)
            if first is not item:
                what = "a second provider block for" if isinstance(item, ast.Provider) else "declared twice:"
                message = f"{what} `{item.name.text}`"
                help = "put all `use` lines in one block" if isinstance(item, ast.Provider) else "choose another name"
                self._twice(item, first, message, help)
        return found

    def _check_links(self, program: ast.Program) -> None:
        """An imported name must not mean something of the file already."""
        for file in program.files:
            seen: dict[str, ast.Name] = {}
            for item in (item for item in file.items if isinstance(item, ast.Import)):
                for name in item.names:
                    own, first = self._own[file.span.file].get(name.text), seen.setdefault(name.text, name)
                    if own or first is not name:
                        at = own.name.span if own else first.span
                        fix = remove(self._ctx.source(item.span), item.span if len(item.names) == 1 else name.span)
                        message, help = f"`{name.text}` is declared twice", "import it under its name only once"
                        secondary = [(at, "first declared here")]
                        self._ctx.sink.add("E0202", message, name.span, secondary=secondary, help=help, fix=fix)

    def _twice(self, item: Named, first: Named, message: str, help: str) -> None:
        self._ctx.sink.add(
            "E0202",
            message,
            item.name.span,
            secondary=[(first.name.span, "the first is here")],
            help=help,
            fix=remove(self._ctx.source(item.span), item.span),
        )
