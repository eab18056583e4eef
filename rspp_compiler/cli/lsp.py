"""`rsppc lsp`: starts the language server, or says what it lacks."""

from __future__ import annotations


def serve(port: int | None) -> str:
    """Serves until the editor is done. Returns what stands in the way, or an empty text."""
    try:
        from rspp_compiler.lsp.start import start
    except ModuleNotFoundError as missing:
        if missing.name not in ("pygls", "lsprotocol"):
            raise
        return 'the language server is not installed here: pip install "rspp-compiler[lsp]"'
    try:
        start(port)
    except OSError as error:
        if port is None:
            raise
        return f"cannot listen on 127.0.0.1:{port}: {(error.strerror or str(error)).lower()}"
    return ""
