"""An editor for tests of the language server: a client process that speaks JSON-RPC with the real `rsppc lsp`.

It keeps documents as an editor does, counts as the protocol says, and applies the edits that the server sends.
"""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

SECONDS = 30.0  # for an answer; a server that is silent for so long has failed


class Editor:
    """A session with a server of its own. `encoding` is asked for, and must be what the server agrees to."""

    def __init__(self, folder: Path, encoding: str = "utf-16", capabilities: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.encoding = encoding
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.logged: list[str] = []
        self._ids = itertools.count(1)
        self._arrived: queue.Queue[dict[str, Any]] = queue.Queue()
        self._kept: list[dict[str, Any]] = []
        self._server = subprocess.Popen(
            [sys.executable, "-m", "rspp_compiler.cli", "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        threading.Thread(target=self._listen, daemon=True).start()
        can = {
            "general": {"positionEncodings": [encoding]},
            "workspace": {"workspaceEdit": {"documentChanges": True}},
            "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}},
            **(capabilities or {}),
        }
        folders = [{"uri": folder.as_uri(), "name": folder.name}]
        answer = self.request(
            "initialize", processId=None, rootUri=folder.as_uri(), workspaceFolders=folders, capabilities=can
        )
        self.server_capabilities: dict[str, Any] = answer["capabilities"]
        self.notify("initialized")

    def __enter__(self) -> Editor:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> int:
        """Ends the session as the protocol asks for; the server's exit code."""
        if self._server.poll() is None:
            self.request("shutdown")
            self.notify("exit")
        return self._server.wait(SECONDS)

    # ---- messages

    def _listen(self) -> None:
        stream = self._server.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            self._arrived.put(json.loads(stream.read(length)))

    def _send(self, message: dict[str, Any]) -> None:
        stream = self._server.stdin
        assert stream is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        stream.flush()

    def _next(self) -> dict[str, Any]:
        message = self._arrived.get(timeout=SECONDS)
        if message.get("method") == "window/logMessage":
            self.logged.append(message["params"]["message"])
        return message

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The whole answer to a request: `result` or `error`."""
        id = next(self._ids)
        self._send({"id": id, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == id and "method" not in message:
                return message
            self._kept.append(message)

    def request(self, method: str, **params: Any) -> Any:
        answer = self.ask(method, **params)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def notify(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    # ---- documents

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> None:
        self.texts[name], self.versions[name] = text, 1
        document = {"uri": self.uri(name), "languageId": "rspp", "version": 1, "text": text}
        self.notify("textDocument/didOpen", textDocument=document)

    def type(self, name: str, text: str) -> None:
        """The document has another text now."""
        self.texts[name] = text
        self.versions[name] += 1
        document = {"uri": self.uri(name), "version": self.versions[name]}
        self.notify("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])

    def diagnostics(self, name: str) -> list[dict[str, Any]]:
        """What the server finds in the document as it is now; waits for it."""
        while True:
            for message in self._kept:
                if message.get("method") == "textDocument/publishDiagnostics":
                    params = message["params"]
                    if params["uri"] == self.uri(name) and params.get("version") == self.versions[name]:
                        self._kept.remove(message)
                        found: list[dict[str, Any]] = params["diagnostics"]
                        return found
            self._kept.append(self._next())

    def at(self, name: str, needle: str) -> dict[str, Any]:
        """The document and the place of `^` in a needle such as `on ^ears.barge_in`, or of its start."""
        place = self.texts[name].index(needle.replace("^", "")) + max(0, needle.find("^"))
        return {"textDocument": {"uri": self.uri(name)}, "position": self.position(name, place)}

    def position(self, name: str, offset: int) -> dict[str, int]:
        before = self.texts[name][:offset]
        line = before.rpartition("\n")[2]
        return {"line": before.count("\n"), "character": self._units(line)}

    def cut(self, name: str, range: dict[str, Any]) -> str:
        """The text in a range."""
        return self.texts[name][self._offset(name, range["start"]) : self._offset(name, range["end"])]

    def apply(self, edit: dict[str, Any]) -> None:
        """Makes a workspace edit, and tells the server; an edit of another version is refused."""
        for change in edit["documentChanges"]:
            name = change["textDocument"]["uri"].rpartition("/")[2]
            assert change["textDocument"]["version"] == self.versions[name]
            self.edit(name, change["edits"])

    def edit(self, name: str, edits: Iterable[dict[str, Any]]) -> None:
        text = self.texts[name]
        places = [(self._offset(name, e["range"]["start"]), self._offset(name, e["range"]["end"]), e) for e in edits]
        for start, end, edit in sorted(places, key=lambda place: place[:2], reverse=True):
            text = text[:start] + edit["newText"] + text[end:]
        self.type(name, text)

    def _units(self, text: str) -> int:
        width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[self.encoding]
        codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[self.encoding]
        return len(text.encode(codec)) // width

    def _offset(self, name: str, position: dict[str, int]) -> int:
        lines = self.texts[name].split("\n")
        line, start = lines[position["line"]], sum(len(one) + 1 for one in lines[: position["line"]])
        return next(start + n for n in range(len(line) + 1) if self._units(line[:n]) == position["character"])
