"""`rsppc lsp`: a language server. Everything but `server` and `start` is plain functions over texts, without I/O.

`start`      the process: stdio, or TCP for debugging
`server`     the protocol: which function answers which request, and when findings are published
`workspace`  the editor's texts, read and compiled; the last that could be read stands in for one that cannot
`positions`  places in a text, as the compiler and as the client count them

`findings`   diagnostics, and their fixes as code actions
`hover`      what is under the cursor; `figures` of nodes and edges, `settings` with their origins, `words` of the
             language
`complete`   what may stand here, told by the text (`cursor`), the names in scope (`names`) and `complete_settings`;
             made of `items` and `snippets`
`navigate`   definition, references, highlights, the outline
`rename`     a name, everywhere
`formatting` `rsppc fmt` as an edit
`colours`    semantic tokens
"""
