"""The protocol: which function answers which request, and when the compiler runs.

Requests are answered from a reading of the editor's text, made in a worker thread. Findings come from a compilation,
which waits until the typing pauses; a newer edit takes the place of one that waits, and what is late is not shown.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from rspp_compiler import __version__
from rspp_compiler.lsp import colours, complete, findings, formatting, navigate
from rspp_compiler.lsp import hover as hovering
from rspp_compiler.lsp import rename as renaming
from rspp_compiler.lsp.findings import Finding
from rspp_compiler.lsp.workspace import Compilation, Reading, Workspace

DEBOUNCE_S = 0.15
_DEBOUNCE_S_MAX = 2.0
_REQUEST_FAILED = -32803  # of the protocol: a request that cannot be answered, with a reason for the user

P = ParamSpec("P")
T = TypeVar("T")


class Server(LanguageServer):
    """The language server of one editor. `desk` holds its documents."""

    def __init__(self) -> None:
        super().__init__("rsppc", __version__, types.TextDocumentSyncKind.Full)
        self.desk = Workspace()
        self._reading = ThreadPoolExecutor(1, "reading")
        self._compiling = ThreadPoolExecutor(1, "compiling")
        self._pending: dict[str, asyncio.Task[None]] = {}
        self._seconds: dict[str, float] = {}  # how long the last compilation took, by path
        self._found: dict[str, dict[str, list[Finding]]] = {}  # by compiled path, then by the file that they are in

    # ---- documents

    def initialize(self, params: types.InitializeParams) -> None:
        """Takes over what client and server agreed on."""
        self.desk.encoding = str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding))
        folders = params.workspace_folders or []
        self.desk.folders = [path_of(folder.uri) for folder in folders] or (
            [path_of(params.root_uri)] if params.root_uri else []
        )
        can = params.capabilities
        self.desk.versioned_edits = bool(get_capability(can, "workspace.workspace_edit.document_changes", False))
        snippets = get_capability(can, "text_document.completion.completion_item.snippet_support", False)
        self.desk.snippets = bool(snippets)

    def put(self, uri: str, text: str, version: int) -> None:
        path = path_of(uri)
        self.desk.put(path, text, version, uri)
        for root in (path, *self.desk.importers(path)):
            self.compile_soon(root)

    def close(self, uri: str) -> None:
        path = path_of(uri)
        if waiting := self._pending.pop(path, None):
            waiting.cancel()
        self.desk.close(path)
        self._show(path, {})

    async def read(self, uri: str) -> Reading | None:
        """The document and its imports, as they are now."""
        return await self.aside(self.desk.soon, path_of(uri))

    async def aside(self, function: Callable[..., T], *arguments: object) -> T:
        """Runs a function in the reading thread, so that the editor is heard meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, function, *arguments)

    # ---- compiling

    def compile_soon(self, path: str) -> None:
        """Compiles a document when the typing pauses: sooner for one that is quickly done."""
        if waiting := self._pending.get(path):
            waiting.cancel()
        self._pending[path] = asyncio.get_running_loop().create_task(self._compile(path))

    async def _compile(self, path: str) -> None:
        await asyncio.sleep(min(DEBOUNCE_S + self._seconds.get(path, 0.0), _DEBOUNCE_S_MAX))
        try:
            await self.aside(self.desk.reading, path)
            run = asyncio.get_running_loop().run_in_executor(self._compiling, self.desk.compile, path)
            compilation: Compilation = await run
        except Exception as error:  # a fault of the compiler: the editor goes on with what it knew
            self.tell(f"internal error {type(error).__name__}: {error}; please report it")
            return
        self._seconds[path] = compilation.seconds
        if compilation.versions.get(path) == self.desk.version(path):
            files = {path, *(one.primary.file for one in compilation.result.diagnostics)}
            self._show(path, {file: findings.findings(self.desk, file, compilation) for file in sorted(files)})

    def _show(self, root: str, found: dict[str, list[Finding]]) -> None:
        """Publishes what compiling `root` found, in every file that it found, or had found, something in."""
        before = self._found.pop(root, {})
        if found:
            self._found[root] = found
        for path in sorted(before.keys() | found.keys()):
            version = self.desk.version(path)
            shown = [one.shown for one in self.findings(path)]
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(self.desk.uri(path), shown, version if version >= 0 else None)
            )

    def findings(self, path: str) -> list[Finding]:
        """What every compilation found in a file, each finding once."""
        every = (one for root in sorted(self._found) for one in self._found[root].get(path, ()))
        return list({one.diagnostic.sort_key: one for one in every}.values())

    def tell(self, message: str) -> None:
        """A line for the editor's log."""
        self.window_log_message(types.LogMessageParams(types.MessageType.Error, f"rsppc lsp: {message}"))


def path_of(uri: str) -> str:
    """The path of a document; one that has no file is named by its URI."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return path.replace("\\", "/") if path else uri


def answer(server: Server, handler: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T | None]]:
    """The handler, made calm: a fault of ours is a line in the editor's log and no answer, never a broken session."""

    @functools.wraps(handler)
    async def calm(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return await handler(*args, **kwargs)
        except JsonRpcException:
            raise
        except Exception as error:
            name = getattr(handler, "__name__", "a request")
            server.tell(f"internal error in {name}: {type(error).__name__}: {error}; please report it")
            return None

    return calm


def create() -> Server:
    """A server with every feature, not yet listening."""
    server = Server()
    desk = server.desk

    def feature(method: str, options: object = None) -> Callable[[Callable[P, Awaitable[T]]], None]:
        def register(handler: Callable[P, Awaitable[T]]) -> None:
            server.feature(method, options)(answer(server, handler))

        return register

    # ---- the life of a document

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.initialize(params)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        server.put(document.uri, document.text, document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        server.put(document.uri, server.workspace.get_text_document(document.uri).source, document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.close(params.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_files(_params: types.DidChangeWatchedFilesParams) -> None:
        for path in desk.open_paths:
            server.compile_soon(path)

    # ---- what is under the cursor

    @feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        path = path_of(params.text_document.uri)
        known = server.findings(path)
        return await server.aside(hovering.hover, desk, path, params.position, known)

    @feature(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(params: types.DefinitionParams) -> list[types.Location]:
        reading = await server.read(params.text_document.uri)
        return navigate.definition(desk, reading, params.position) if reading else []

    @feature(types.TEXT_DOCUMENT_REFERENCES)
    async def references(params: types.ReferenceParams) -> list[types.Location]:
        reading = await server.aside(desk.everywhere, path_of(params.text_document.uri))
        mention = navigate.mention_at(desk, reading, params.position) if reading else None
        declaration = params.context.include_declaration
        return navigate.references(desk, reading, mention, declaration) if reading else []

    @feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def highlight(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        reading = await server.read(params.text_document.uri)
        mention = navigate.mention_at(desk, reading, params.position) if reading else None
        return navigate.highlights(reading, mention) if reading else []

    # ---- the whole document

    @feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        reading = await server.read(params.text_document.uri)
        return navigate.outline(reading) if reading else []

    @feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, colours.LEGEND)
    async def semantic_tokens(params: types.SemanticTokensParams) -> types.SemanticTokens:
        reading = await server.read(params.text_document.uri)
        return colours.tokens(reading) if reading and reading.is_current else types.SemanticTokens([])

    @feature(types.TEXT_DOCUMENT_FORMATTING)
    async def format(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        return await server.aside(formatting.edits, desk.text(path_of(params.text_document.uri)))

    # ---- changes

    @feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(list(complete.TRIGGERS)))
    async def completion(params: types.CompletionParams) -> list[types.CompletionItem]:
        return await server.aside(complete.complete, desk, path_of(params.text_document.uri), params.position)

    kinds = [types.CodeActionKind.QuickFix, findings.FIX_ALL]

    @feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(kinds))
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        path = path_of(params.text_document.uri)
        return findings.actions(desk, path, server.findings(path), params.range, params.context.only)

    @feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare_rename(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder:
        reading = await server.aside(desk.everywhere, path_of(params.text_document.uri))
        mention = navigate.mention_at(desk, reading, params.position) if reading else None
        span = _told(renaming.prepare, reading, mention)
        assert mention is not None
        return types.PrepareRenamePlaceholder(desk.text(span.file).range(span), mention.name)

    @feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def rename(params: types.RenameParams) -> types.WorkspaceEdit:
        reading = await server.aside(desk.everywhere, path_of(params.text_document.uri))
        mention = navigate.mention_at(desk, reading, params.position) if reading else None
        edit: types.WorkspaceEdit = _told(renaming.rename, desk, reading, mention, params.new_name)
        return edit

    return server


def _told(function: Callable[..., Any], *arguments: object) -> Any:
    """The result of a rename; what stands in its way as an error that the editor shows."""
    try:
        return function(*arguments)
    except renaming.RenameError as reason:
        raise JsonRpcException(str(reason), _REQUEST_FAILED) from None
