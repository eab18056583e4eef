"""Declarations as an editor fills them in: `${1:…}` are the places that Tab goes to."""

from __future__ import annotations

from typing import NamedTuple


class Snippet(NamedTuple):
    """The keyword that it begins with, and the text with its places."""

    word: str
    insert: str


TOP_LEVEL = (
    Snippet("pipeline", 'pipeline ${1:name} version "${2:1.0.0}" {\n  profile simple/v1\n\n  $0\n}'),
    Snippet("module", 'module ${1:name} version "${2:1.0.0}" (${3:heard} : audio) -> (${4:out} : audio) {\n  $0\n}'),
    Snippet("tool", 'tool ${1:name} (${2:day} : text) : python("${3:module}:${4:function}") { timeout = ${5:3s} }'),
    Snippet("provider", "provider ${1:stt} {\n  use ${2:engine}\n}"),
    Snippet("policy", 'policy ${1:name} when session.tenant == "${2:tenant}" {\n  $0\n}'),
    Snippet("import", 'import ${1:name} from "${2:lib/file.rspp}"'),
)

IN_BODY = (
    Snippet("node", "node ${1:name} : ${2:kind}"),
    Snippet("on", "on ${1:node}.${2:event} -> ${3:cancel turn}"),
    Snippet("budget", "budget { turn = ${1:2s} }"),
    Snippet("mode", "mode ${1:text_only} { off = [${2:node}] }"),
    Snippet("party", "party ${1:name}"),
    Snippet("record", "record ${1:L1} { keep = ${2:30d} }"),
    Snippet("meta", 'meta { owner = "${1:team}" }'),
    Snippet("profile", "profile simple/v1"),
)

IN_POLICY = (
    Snippet("node", "node ${1:mask} : ${2:redact} { classes = [${3:PHI}], action = ${4:drop} }"),
    Snippet("insert", "insert ${1:mask} before ${2:llm.prompt}"),
    Snippet("provider", "provider ${1:stt} {\n  use ${2:engine}\n}"),
    Snippet("record", "record ${1:L0}"),
)

IN_PROVIDER = (Snippet("use", "use ${1:engine}"),)
