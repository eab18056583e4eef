"""`rsppc lsp`: a language server. Everything but `server` and `start` is plain functions over texts, without I/O.

`start`      the process: stdio, or TCP for debugging
`server`     the protocol: which feature answers which request, and when findings are published
`workspace`  the editor's texts, read and compiled; the last that could be read stands in for one that cannot
`positions`  places in a text, as the compiler and as the client count them
`findings`   diagnostics, and their fixes as code actions
`hover`      what is under the cursor, with origins and budget shares; uses `words`, `settings`, `figures`
`complete`   what may stand here
`navigate`   definition, references, highlights, the outline
`rename`     a name, everywhere
`colours`    semantic tokens
"""
